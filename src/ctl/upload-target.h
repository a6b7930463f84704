/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a file is uploaded to: hyper-managerd over the bus (upload-bus.h), or another machine over HTTPS
 * (upload-http.h). */

#include <jansson.h>

#include "basic/time-util.h"
#include "ctl/ctl.h"

/* What the functions return, besides an ExitStatus after an error message. */
#define UPLOAD_AGAIN (-EAGAIN) /* another try may succeed */
#define UPLOAD_GONE (-ENOENT) /* there is no such upload */

typedef struct UploadTarget UploadTarget;

/* Uploads are objects as in the v1 API. *ret is a new reference. */
typedef struct UploadOps {
        int (*create)(UploadTarget *t, json_t *definition, json_t **ret);
        int (*get)(UploadTarget *t, const char *id, json_t **ret);
        int (*send)(UploadTarget *t, const char *id, uint64_t index, const void *data, size_t size);
        int (*complete)(UploadTarget *t, const char *id, const char *sha256, json_t **ret);
        int (*drop)(UploadTarget *t, const char *id);
        UploadTarget *(*free)(UploadTarget *t);
} UploadOps;

struct UploadTarget {
        const UploadOps *ops;
        Ctl *ctl;
        char *place; /* what tells it from others */
        bool last; /* there is no other try: instead of UPLOAD_AGAIN, there is an error message */
        unsigned pause; /* seconds to wait before the next try, as the other side says; 0: nothing said */
        usec_t pause_unit; /* what a second is; 0 in tests */
        void (*progress)(uint64_t sent, void *userdata); /* of a chunk, while it is sent */
        void *userdata;
};

static inline void upload_target_freep(UploadTarget **t) {
        if (*t)
                (*t)->ops->free(*t);
}
