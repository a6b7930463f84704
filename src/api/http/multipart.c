/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/multipart.h"

#include <microhttpd.h>
#include <strings.h>

#include "api/http/request-state.h"

#define BUFFER_SIZE ((size_t) 16 * 1024)
#define TYPE "multipart/form-data"

struct Multipart {
        struct MHD_PostProcessor *processor;
        multipart_func func;
        void *userdata;
        bool enough;
};

static enum MHD_Result on_data(void *userdata, enum MHD_ValueKind kind, const char *key,
                const char *filename, const char *content_type, const char *transfer_encoding,
                const char *data, uint64_t offset, size_t size) {
        Multipart *m = userdata;

        m->enough = m->enough || !m->func(m->userdata, key, data, offset, size);
        return m->enough ? MHD_NO : MHD_YES;
}

int multipart_new(Request *r, multipart_func func, void *userdata, Multipart **ret) {
        const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
        Multipart *m;

        if (!type || strncasecmp(type, TYPE, strlen(TYPE)) != 0)
                return -EINVAL;
        m = new0(Multipart, 1);
        if (!m)
                return -ENOMEM;
        m->func = func;
        m->userdata = userdata;
        m->processor = MHD_create_post_processor(r->connection, BUFFER_SIZE, on_data, m);
        if (!m->processor) {
                free(m);
                return -EINVAL;
        }
        *ret = m;
        return 0;
}

int multipart_feed(Multipart *m, const char *data, size_t size) {
        if (MHD_post_process(m->processor, data, size) == MHD_YES)
                return 0;
        return m->enough ? -ECANCELED : -EBADMSG;
}

int multipart_end(Multipart **m) {
        Multipart *p = TAKE_PTR(*m);
        enum MHD_Result ok = MHD_destroy_post_processor(p->processor);

        free(p);
        return ok == MHD_YES ? 0 : -EBADMSG;
}

Multipart *multipart_free(Multipart *m) {
        if (m)
                (void) multipart_end(&m);
        return NULL;
}
