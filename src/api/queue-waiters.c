/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/queue.h>
#include <uthash.h>

#include "api/access/access-check.h"
#include "api/api-state.h"
#include "api/bus-client.h"
#include "api/http/request-handle.h"
#include "api/http/request-park.h"
#include "api/queue-waiters.h"
#include "basic/string-util.h"
#include "store/jobs.h"

typedef struct QueueWaiter QueueWaiter;
struct QueueWaiter {
        QueueWaiters *all;
        Request *request;
        const QueueWaiterOps *ops;
        char *worker_id, *text;
        usec_t until; /* monotonic */
        uint64_t serial; /* order of arrival */
        WorkerOffer offer; /* while it waits; without its worker_id */
        char *labels; /* those of the offer */
        char *job_id; /* that it was woken for, while it asks */
        bool waits; /* on the list */
        bool known; /* by its worker_id */
        TAILQ_ENTRY(QueueWaiter) waiting;
        UT_hash_handle hh;
};

struct QueueWaiters {
        Api *api;
        TAILQ_HEAD(WaiterList, QueueWaiter) waiting; /* by arrival */
        QueueWaiter *by_worker; /* the last that came of each worker */
        uint64_t last_serial;
};

static void waiter_leave(QueueWaiter *w) {
        if (!w->waits)
                return;
        w->waits = false;
        TAILQ_REMOVE(&w->all->waiting, w, waiting);
}

static void waiter_forget(QueueWaiter *w) {
        if (w->known)
                HASH_DEL(w->all->by_worker, w);
        w->known = false;
}

static void waiter_free(void *userdata) {
        QueueWaiter *w = userdata;

        waiter_leave(w);
        waiter_forget(w);
        free(w->worker_id);
        free(w->text);
        free(w->job_id);
        free(w->labels);
        free(w);
}

/* Its time is over, its client gone, the daemon at its end, or another request has come in its place. */
static void waiter_over(Request *r) {
        QueueWaiter *w = request_userdata(r);

        waiter_leave(w);
        request_handler_returned(r, w->ops->nothing(r));
}

/* The new one in place of the one that was there. */
static void waiter_introduce(QueueWaiter *w) {
        QueueWaiters *q = w->all;
        QueueWaiter *old;

        HASH_FIND_STR(q->by_worker, w->worker_id, old);
        if (old) {
                waiter_forget(old);
                old->until = 0;
        }
        HASH_ADD_KEYPTR(hh, q->by_worker, w->worker_id, strlen(w->worker_id), w);
        w->known = true;
        if (old && old->waits)
                waiter_over(old->request);
}

int queue_waiter_new(Request *r, const QueueWaiterOps *ops, const char *worker_id, const char *text,
                usec_t wait) {
        QueueWaiters *q = api_queue_waiters(request_api(r));
        QueueWaiter *w = new0(QueueWaiter, 1);

        if (!w)
                return -ENOMEM;
        w->all = q;
        w->request = r;
        w->ops = ops;
        w->worker_id = strdup(worker_id);
        w->text = strdup(text);
        w->until = wait > 0 ? now_monotonic() + wait : 0;
        w->serial = ++q->last_serial;
        if (!w->worker_id || !w->text) {
                waiter_free(w);
                return -ENOMEM;
        }
        request_set_userdata(r, w, waiter_free);
        waiter_introduce(w);
        return 0;
}

const char *queue_waiter_text(Request *r) {
        QueueWaiter *w = request_userdata(r);

        return w->text;
}

int queue_waiter_listen(Request *r) {
        QueueWaiter *w = request_userdata(r);

        return w->until > 0 ? bus_client_watch_queue(api_manager(request_api(r))) : 0;
}

/* Back to its place: those that were woken came early. */
static void waiter_join(QueueWaiter *w) {
        QueueWaiters *q = w->all;
        QueueWaiter *other = TAILQ_LAST(&q->waiting, WaiterList);

        if (!other || other->serial < w->serial)
                TAILQ_INSERT_TAIL(&q->waiting, w, waiting);
        else {
                TAILQ_FOREACH(other, &q->waiting, waiting)
                        if (other->serial > w->serial)
                                break;
                TAILQ_INSERT_BEFORE(other, w, waiting);
        }
        w->waits = true;
}

/* The row of @id if it still waits for any worker. */
static JobRow *job_that_waits(QueueWaiters *q, Store *store, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        if (store_job_get(store, id, &row) < 0)
                return NULL;
        return row->state == JOB_QUEUED && row->any_worker ? TAKE_PTR(row) : NULL;
}

/* The first that the job suits this well, of those behind @serial. */
static QueueWaiter *find_waiter(
                QueueWaiters *q, Store *store, const JobRow *row, PlacementFit fit, uint64_t serial) {
        QueueWaiter *w, *next;
        PlacementFit found;

        for (w = TAILQ_FIRST(&q->waiting); w; w = next) {
                next = TAILQ_NEXT(w, waiting);
                if (w->serial <= serial || !worker_offer_meets(&w->offer, row->demand) ||
                                worker_offer_fit(store, &w->offer, row, &found) < 0 || found != fit)
                        continue;
                if (!request_client_is_gone(w->request) && request_is_still_allowed(w->request))
                        return w;
                waiter_over(w->request);
        }
        return NULL;
}

/* Has the first that can do the job ask for it, of those behind @serial. */
static void wake_behind(QueueWaiters *q, const char *job_id, uint64_t serial) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        QueueWaiter *w;
        Store *store;

        if (TAILQ_EMPTY(&q->waiting) || api_store(q->api, &store) < 0 ||
                        !(row = job_that_waits(q, store, job_id)))
                return;
        w = find_waiter(q, store, row, PLACEMENT_FITS, serial);
        if (!w)
                w = find_waiter(q, store, row, PLACEMENT_LEFT, serial);
        if (!w)
                return;
        waiter_leave(w);
        request_unpark(w->request);
        free(w->job_id);
        w->job_id = strdup(job_id); /* without it the job waits for the next one who asks */
        request_handler_returned(w->request, w->ops->ask(w->request));
}

bool queue_waiter_told(Request *r, bool found, const WorkerOffer *offer) {
        QueueWaiter *w = request_userdata(r);
        _cleanup_free_ char *job_id = TAKE_PTR(w->job_id);
        QueueWaiters *q = w->all;
        bool waits = false;

        if (!found && offer && now_monotonic() < w->until && !request_is_over(r) && !api_is_ending(q->api)) {
                free(w->labels);
                w->labels = strdup(strempty(offer->labels));
                w->offer = *offer;
                w->offer.worker_id = NULL;
                w->offer.labels = w->labels;
                if (request_park(r, w->until, waiter_over) >= 0) {
                        waiter_join(w);
                        waits = true;
                }
        }
        /* It may have got another job than the one that it was woken for, which then is for somebody
         * else. */
        if (job_id)
                wake_behind(q, job_id, found ? 0 : w->serial);
        return waits;
}

void queue_waiters_wake(QueueWaiters *q, const char *job_id) {
        QueueWaiter *w;

        if (job_id) {
                wake_behind(q, job_id, 0);
                return;
        }
        while ((w = TAILQ_FIRST(&q->waiting)))
                waiter_over(w->request);
}

int queue_waiters_new(Api *a, QueueWaiters **ret) {
        QueueWaiters *q = new0(QueueWaiters, 1);

        if (!q)
                return -ENOMEM;
        q->api = a;
        TAILQ_INIT(&q->waiting);
        *ret = q;
        return 0;
}

QueueWaiters *queue_waiters_free(QueueWaiters *q) {
        if (!q)
                return NULL;
        assert(TAILQ_EMPTY(&q->waiting)); /* the connections were closed before */
        free(q);
        return NULL;
}
