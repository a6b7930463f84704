/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/way-nfc.h"

#include "job/nfc-export.h"
#include "job/nfc-stream.h"

static int probe(_unused_ VsphereSource *v, _unused_ size_t disk, _unused_ char **ret_why_not) {
        return 1;
}

/* Errors that another attempt may not have are no reason for another way. */
static int try(VsphereSource *v, size_t disk, char **ret_why_not) {
        return nfc_export_try(v, disk, ret_why_not);
}

static int open_disk(VsphereSource *v, size_t disk, Connection *ret) {
        const LeaseDevice *device;

        *ret = (Connection){};
        int r = nfc_export_acquire(v, disk, &device);
        return r < 0 ? r : nfc_stream_open(v, disk, device, &ret->endpoint);
}

const VsphereWay way_nfc = {
        .method = VSPHERE_METHOD_NFC,
        .probe = probe,
        .try = try,
        .open = open_disk,
};
