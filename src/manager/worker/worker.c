/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers: who they are, that they live, and the job that each gets. */

#include "manager/worker/worker.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "dialect/worker-message.h"
#include "manager/executor-worker.h"
#include "manager/executors.h"
#include "manager/manager.h"
#include "manager/queue.h"
#include "manager/worker/worker-refusal.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"
#include "spec/capability.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/lease.h"
#include "json/json-redact.h"

bool worker_id_is_valid(const char *id) {
        return job_id_is_valid(id);
}

int no_such_worker(sd_bus_error *error, const char *id) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_WORKER, "There is no worker %s",
                        worker_id_is_valid(id) ? id : "with such an id");
}

bool worker_is_active(const Manager *m, const WorkerRow *row) {
        return row->heartbeat_at + WORKER_LEASE > m->clock();
}

static int parse_hello(const char *text, bool registering, WorkerHello *ret, JsonErrors *fields,
                sd_bus_error *error) {
        int r = worker_hello_parse(text, registering, ret, fields);

        return r == -EBADMSG ? bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, fields) : r;
}

/* JSON as it will be shown: without secrets. */
static char *shown_text(json_t *value) {
        _cleanup_json_ json_t *shown = json_redact(value);

        return shown ? json_dumps(shown, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

int manager_register_worker(
                Manager *m, const char *text, bool *ret_created, JsonErrors *fields, sd_bus_error *error) {
        _cleanup_(worker_hello_done) WorkerHello h = {};
        _cleanup_free_ char *capabilities = NULL, *info = NULL, *labels = NULL;
        int r = parse_hello(text, true, &h, fields, error);

        if (r < 0)
                return r;
        capabilities = shown_text(h.capabilities);
        labels = labels_to_text(h.labels);
        info = h.system_info ? shown_text(h.system_info) : strdup("{}");
        if (!capabilities || !info || !labels)
                return -ENOMEM;
        const WorkerRow row = {
                .id = h.worker_id,
                .capabilities = capabilities,
                .capability_mask = h.capability_mask | h.operation_mask,
                .memory_gb = h.memory_gb,
                .disk_gb = h.disk_gb,
                .system_info = info,
                .execution_mode = h.execution_mode,
                .labels = labels,
                .registered_at = m->clock(),
        };
        r = store_worker_register(m->store, &row, ret_created);
        if (r >= 0)
                log_info("Worker %s is %s.", h.worker_id, *ret_created ? "registered" : "registered again");
        return r;
}

/* What it has not begun is as good as never given; the rest is lost to it. */
static int take_back(Job *j, const char *worker) {
        if (j->row->state == JOB_ASSIGNED)
                return job_follow(j, job_requeue(j, "The worker was unregistered before it began"));
        _cleanup_free_ char *why =
                        strprintf("worker %s was unregistered while it worked on the job", worker);
        return why ? executor_worker_lost(j,
                                     &(WorkerLoss){ .code = "worker_unregistered",
                                                     .message = why,
                                                     .at_once = true })
                   : -ENOMEM;
}

int manager_unregister_worker(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(job_rows_done) JobRows rows = {};
        int r;

        if (!worker_id_is_valid(id))
                return no_such_worker(error, id);
        commit_group_settle(m->group);
        r = store_worker_jobs(m->store, id, &rows);
        for (size_t i = 0; r >= 0 && i < rows.n; i++) {
                Job *j = manager_get_job(m, rows.rows[i]->id);

                if (j)
                        r = take_back(j, id);
        }
        commit_group_settle(m->group);
        if (r >= 0)
                r = store_worker_delete(m->store, id);
        if (r == -ENOENT)
                return no_such_worker(error, id);
        queue_look_again(m); /* it may have been the only one */
        if (r >= 0)
                log_info("Worker %s is unregistered.", id);
        return r;
}

int manager_worker_heard(
                Manager *m, const char *id, JobRows *ret_jobs, JobRows *ret_cancelled, sd_bus_error *error) {
        _cleanup_(job_rows_done) JobRows jobs = {}, cancelled = {};
        usec_t now = m->clock();
        int r = worker_id_is_valid(id) ? store_worker_heard(m->store, id, now) : -ENOENT;

        if (r == -ENOENT)
                return no_such_worker(error, id);
        if (r >= 0)
                r = store_worker_jobs(m->store, id, &jobs);
        /* For as long as it may be silent, so it hears of each at least once. */
        if (r >= 0)
                r = store_worker_cancelled(
                                m->store, id, now > WORKER_LEASE ? now - WORKER_LEASE : 0, &cancelled);
        if (r < 0)
                return r;
        *ret_jobs = jobs;
        *ret_cancelled = cancelled;
        jobs = cancelled = (JobRows){};
        return 0;
}

/* A worker's question for a job, until the answer is durable. */
typedef struct Dequeue {
        Manager *manager;
        JobRow *row; /* what it gets; NULL: nothing */
        dequeue_done done;
        void *userdata;
} Dequeue;

/* The job is the worker's now. One that never hears of it falls silent about it, and loses it in time. */
static void give_job(Manager *m, JobRow *row) {
        Job *j = manager_get_job(m, row->id);

        if (!j)
                return;
        job_dequeued(j, row);
        executor_of(j)->start(j, NULL, NULL);
}

static void on_dequeued(int r, void *userdata) {
        _cleanup_free_ Dequeue *d = userdata;
        _cleanup_(job_row_freep) JobRow *row = d->row;

        if (r >= 0 && row)
                give_job(d->manager, row);
        d->done(d->manager, r, r >= 0 && row ? row->spec : NULL, d->userdata);
}

/* In the group. 1 with *ret, 0 if there is no job for the worker, -ENODEV if there is no such worker, or an
 * error that is set if it does not get the job that it asks for. */
static int take_job(Manager *m, const WorkerHello *h, JobRow **ret, sd_bus_error *error) {
        _cleanup_(worker_row_freep) WorkerRow *worker = NULL;
        _cleanup_free_ char *reason = strprintf("Assigned to worker %s", h->worker_id);
        WorkerOffer offer;
        int r;

        if (!reason)
                return -ENOMEM;
        r = store_worker_get(m->store, h->worker_id, &worker);
        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;
        worker_offer_make(worker, h, &offer);
        r = store_job_dequeue(m->store, &offer, m->clock(), reason, ret);
        if (r == -ENOENT)
                return h->job_id ? worker_explain_refusal(m, &offer, error) : 0;
        return r < 0 ? r : 1;
}

int manager_dequeue(Manager *m, const char *text, dequeue_done done, void *userdata, JsonErrors *fields,
                sd_bus_error *error) {
        _cleanup_(worker_hello_done) WorkerHello h = {};
        _cleanup_free_ Dequeue *d = new0(Dequeue, 1);
        int r;

        if (!d)
                return -ENOMEM;
        *d = (Dequeue){ .manager = m, .done = done, .userdata = userdata };
        r = parse_hello(text, false, &h, fields, error);
        if (r >= 0)
                r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = take_job(m, &h, &d->row, error);
        commit_group_leave(m->group, r < 0 ? NULL : on_dequeued, d);
        if (r == -ENODEV)
                return no_such_worker(error, h.worker_id);
        if (r < 0)
                return r;
        TAKE_PTR(d);
        return 0;
}
