/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/reading.h"

#include <sys/queue.h>

#include "api/api-state.h"
#include "api/http/request-handle.h"
#include "api/http/request-state.h"
#include "basic/string-util.h"
#include "shared/thread-call.h"

typedef struct Reading {
        Readings *all; /* the loop's, as request and entries are */
        Request *request;
        TAILQ_ENTRY(Reading) entries; /* while it waits */
        char *path;
        const ReadingOps *ops;
        void *userdata;
} Reading;

struct Readings {
        ThreadCalls *calls;
        TAILQ_HEAD(, Reading) waiting;
};

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

static Request *reading_end(Reading *g) {
        Request *request = TAKE_PTR(g->request);

        request->n_calls--;
        return request;
}

static void answer(Reading *g, int result) {
        Request *request = reading_end(g);

        request_handler_returned(request, g->ops->reply(request, result, g->userdata));
        request_unref(request);
}

static void on_read(int r, void *userdata);

static void start_next(Readings *all) {
        Reading *g;

        while ((g = TAILQ_FIRST(&all->waiting))) {
                int r = thread_call(all->calls, work, on_read, reading_free, g);

                if (r == -EBUSY)
                        return;
                TAILQ_REMOVE(&all->waiting, g, entries);
                if (r >= 0)
                        continue;
                answer(g, r);
                reading_free(g);
        }
}

static void on_read(int r, void *userdata) {
        Reading *g = userdata;
        Readings *all = g->all;

        if (r == -ECANCELED) {
                request_unref(reading_end(g));
                return;
        }
        answer(g, r);
        start_next(all);
}

int request_read(Request *r, const ReadingOps *ops, void *userdata) {
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
        if (g)
                g->path = strdup(a->database.path);
        if (!g || !g->path) {
                ops->destroy(userdata);
                free(g);
                return -ENOMEM;
        }
        g->all = a->readings;
        g->ops = ops;
        g->userdata = userdata;
        g->request = request_ref(r);
        r->n_calls++;
        TAILQ_INSERT_TAIL(&a->readings->waiting, g, entries);
        start_next(a->readings);
        return 0;
}

int readings_new(sd_event *event, Readings **ret) {
        _cleanup_(readings_freep) Readings *all = new0(Readings, 1);

        if (!all)
                return -ENOMEM;
        TAILQ_INIT(&all->waiting);
        int r = thread_calls_new(event, READINGS_MAX, &all->calls);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        return 0;
}

Readings *readings_free(Readings *all) {
        Reading *g;

        if (!all)
                return NULL;
        while ((g = TAILQ_FIRST(&all->waiting))) {
                TAILQ_REMOVE(&all->waiting, g, entries);
                request_unref(reading_end(g));
                reading_free(g);
        }
        thread_calls_free(all->calls);
        return mfree(all);
}
