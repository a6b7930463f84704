/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/endpoint-null.h"

static void null_free(Endpoint *e) {
        free(e);
}

static int null_write(Endpoint *e, const void *buf, size_t length, uint64_t offset, EndpointDone done,
                void *userdata) {
        e->bytes_written += length;
        done(userdata, 0);
        return 0;
}

static const EndpointOps null_ops = {
        .name = "null",
        .free = null_free,
        .write = null_write,
};

int endpoint_null_new(uint64_t size, const char *label, Endpoint **ret) {
        _cleanup_endpoint_ Endpoint *e = new0(Endpoint, 1);

        if (!e)
                return -ENOMEM;
        e->ops = &null_ops;
        e->size = size;
        e->label = strdup(label);
        if (!e->label)
                return -ENOMEM;
        *ret = TAKE_PTR(e);
        return 0;
}
