/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/reading.h"

#include "api/api-state.h"
#include "api/http/request-work.h"
#include "basic/string-util.h"

typedef struct Reading {
        char *path;
        const ReadingOps *ops;
        void *userdata;
} Reading;

static void reading_free(void *userdata) {
        Reading *g = userdata;

        g->ops->destroy(g->userdata);
        free(g->path);
        free(g);
}

static int work(void *userdata) {
        _cleanup_(store_freep) Store *store = NULL;
        Reading *g = userdata;
        int r = store_open(g->path, STORE_READER, &store);

        return r < 0 ? r : g->ops->read(store, g->userdata);
}

static int answer(Request *r, int result, void *userdata) {
        Reading *g = userdata;

        return g->ops->reply(r, result, g->userdata);
}

int request_read(Request *r, const ReadingOps *ops, void *userdata) {
        static const RequestWorkOps work_ops = { .work = work, .done = answer, .destroy = reading_free };
        Api *a = request_api(r);
        Reading *g = NULL;
        Store *store;
        int k = api_store(a, &store);

        if (k < 0) {
                k = ops->reply(r, k, userdata);
                ops->destroy(userdata);
                return k;
        }
        g = new0(Reading, 1);
        if (!g) {
                ops->destroy(userdata);
                return -ENOMEM;
        }
        *g = (Reading){ .path = strdup(a->database.path), .ops = ops, .userdata = userdata };
        k = g->path ? request_work(a->readings, r, &work_ops, g) : -ENOMEM;
        if (k < 0)
                reading_free(g);
        return k;
}
