/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/request-work.h"

#include <sys/queue.h>

#include "api/http/request-handle.h"
#include "api/http/request-state.h"
#include "api/http/request.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/thread-call.h"

typedef struct Work {
        TAILQ_ENTRY(Work) works;
        RequestWorks *owner;
        Request *request; /* the loop's */
        const RequestWorkOps *ops;
        void *userdata; /* NULL: the caller's again */
} Work;

struct RequestWorks {
        ThreadCalls *calls;
        TAILQ_HEAD(, Work) waiting;
        bool ending;
};

static void work_free(void *userdata) {
        Work *w = userdata;

        if (w->userdata)
                w->ops->destroy(w->userdata);
        free(w);
}

static int work_run(void *userdata) {
        const Work *w = userdata;

        return w->ops->work(w->userdata);
}

/* Drops the loop's part. */
static Request *take_request(Work *w) {
        w->request->n_calls--;
        return TAKE_PTR(w->request);
}

static void start_waiting(RequestWorks *o);

static void on_done(int result, void *userdata) {
        Work *w = userdata;
        RequestWorks *o = w->owner;
        Request *r = take_request(w);

        /* If everything ends, the thread may still run. */
        if (!o->ending) {
                request_handler_returned(r, w->ops->done(r, result, w->userdata));
                start_waiting(o);
        }
        request_unref(r);
}

static int start(Work *w) {
        return thread_call(w->owner->calls, work_run, on_done, work_free, w);
}

static void start_waiting(RequestWorks *o) {
        Work *w;

        while ((w = TAILQ_FIRST(&o->waiting))) {
                int k = start(w);

                if (k == -EBUSY)
                        return;
                TAILQ_REMOVE(&o->waiting, w, works);
                if (k >= 0)
                        continue;
                Request *r = take_request(w);
                request_handler_returned(r, k);
                request_unref(r);
                work_free(w);
        }
}

int request_work(RequestWorks *o, Request *r, const RequestWorkOps *ops, void *userdata) {
        Work *w = new0(Work, 1);
        int k;

        if (!w)
                return -ENOMEM;
        *w = (Work){ .owner = o, .ops = ops, .userdata = userdata, .request = request_ref(r) };
        r->n_calls++;
        k = TAILQ_EMPTY(&o->waiting) ? start(w) : -EBUSY;
        if (k == -EBUSY) {
                TAILQ_INSERT_TAIL(&o->waiting, w, works);
                return 0;
        }
        if (k < 0) {
                request_unref(take_request(w));
                w->userdata = NULL;
                work_free(w);
        }
        return k;
}

int request_works_new(sd_event *event, unsigned threads, RequestWorks **ret) {
        RequestWorks *o = new0(RequestWorks, 1);
        int r;

        if (!o)
                return -ENOMEM;
        TAILQ_INIT(&o->waiting);
        r = thread_calls_new(event, threads, &o->calls);
        if (r < 0) {
                free(o);
                return r;
        }
        *ret = o;
        return 0;
}

RequestWorks *request_works_free(RequestWorks *o) {
        Work *w;

        if (!o)
                return NULL;
        o->ending = true;
        thread_calls_free(o->calls);
        while ((w = TAILQ_FIRST(&o->waiting))) {
                TAILQ_REMOVE(&o->waiting, w, works);
                request_unref(take_request(w));
                work_free(w);
        }
        return mfree(o);
}
