/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/destination-kind.h"
#include "job/destination-file.h"
#include "job/destination-nbd.h"

static const DestinationKind kinds[_ENDPOINT_MAX] = {
        [ENDPOINT_FILE] = {
                .open_in_place = destination_open_device,
                .check_result = destination_check_image,
                .connect_result = destination_connect_image,
                .describe = destination_describe_image,
        },
        [ENDPOINT_KVM] = {
                .open_in_place = destination_open_device,
                .check_result = destination_check_image,
                .connect_result = destination_connect_image,
                .describe = destination_describe_image,
        },
        [ENDPOINT_NBD] = {
                .open_in_place = destination_open_server,
                .connect_result = destination_connect_server,
                .describe = destination_describe_server,
        },
};

const DestinationKind *destination_kind(int type) {
        return type >= 0 && type < _ENDPOINT_MAX ? &kinds[type] : NULL;
}
