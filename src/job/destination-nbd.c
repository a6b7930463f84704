/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/destination-nbd.h"
#include "basic/string-util.h"
#include "engine/endpoint-nbd.h"
#include "engine/nbd-connect.h"
#include "json/json-redact.h"

int destination_open_server(Conversion *c, Connection *ret) {
        *ret = (Connection){};
        return connect_nbd(c->attempt, c->spec, "destination", NBD_DESTINATION, &ret->endpoint);
}

int destination_connect_server(
                Conversion *c, _unused_ Image *image, ReadBack *ret_read_back, Connection *ret) {
        *ret_read_back = READ_BACK_SERVER;
        *ret = (Connection){};
        return connect_nbd(c->attempt, c->spec, "destination", NBD_SOURCE, &ret->endpoint);
}

int destination_describe_server(Conversion *c, size_t disk, json_t **ret) {
        _cleanup_json_ json_t *uri = json_string(c->spec->uri), *redacted = uri ? json_redact(uri) : NULL;
        json_int_t size = (json_int_t) c->sizes[disk];

        *ret = redacted ? json_pack("{s:O, s:s, s:I, s:I}", "uri", redacted, "format", "raw", "virtual_size",
                                          size, "actual_size", size)
                        : NULL;
        return *ret ? 0 : -ENOMEM;
}
