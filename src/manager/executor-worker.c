/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "manager/executor-worker.h"
#include "store/jobs-list.h"
#include "store/lease.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt-end.h"
#include "manager/manager.h"

typedef struct WorkerEnd {
        worker_end_done done;
        void *userdata;
} WorkerEnd;

static void on_ended(Job *j, int r, void *userdata) {
        _cleanup_free_ WorkerEnd *e = userdata;
        Manager *m = j->manager;

        if (r >= 0 && job_is_finished(j))
                manager_forget_job(m, j);
        e->done(m, r, e->userdata);
}

int executor_worker_end(Job *j, const AttemptFacts *facts, worker_end_done done, void *userdata) {
        _cleanup_free_ WorkerEnd *e = new0(WorkerEnd, 1);
        int r;

        if (!e)
                return -ENOMEM;
        *e = (WorkerEnd){ .done = done, .userdata = userdata };
        r = attempt_end(j, facts, on_ended, e);
        if (r < 0)
                return r;
        TAKE_PTR(e);
        return 0;
}

/* What could not be recorded is tried again when the leases are looked at next. */
static void on_lost(Manager *m, int r, void *userdata) {
        if (r < 0)
                log_error_errno(r, "Failed to record that a worker has lost a job: %m");
}

int executor_worker_lost(Job *j, const WorkerLoss *loss) {
        AttemptFacts facts = attempt_facts(j);

        facts.lost_code = loss->code;
        facts.lost_message = loss->message;
        facts.at_once = loss->at_once;
        return executor_worker_end(j, &facts, on_lost, NULL);
}

/* Does @func to each of @rows that is still held, with one flush for all. */
static int each_held(Manager *m, const JobRows *rows, int (*func)(Job *j)) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rows->n; i++) {
                Job *j = manager_get_job(m, rows->rows[i]->id);

                if (j && job_is_held(j))
                        r = func(j);
        }
        commit_group_settle(m->group);
        return r;
}

static int abandoned(Job *j) {
        _cleanup_free_ char *why = strprintf("worker %s was not heard from for %u s", j->row->worker_id,
                        (unsigned) (WORKER_LEASE / USEC_PER_SEC));

        return why ? executor_worker_lost(j, &(WorkerLoss){ .code = "worker_lost", .message = why })
                   : -ENOMEM;
}

/* A worker that never began may be stuck, and the job is not to blame. One that did has had its time: this
 * is the timeout that a job's unit has here. */
static int overdue(Job *j) {
        AttemptFacts facts = attempt_facts(j);

        if (j->row->state == JOB_ASSIGNED) {
                unsigned time = j->row->timeout_seconds > 0 ? j->row->timeout_seconds
                                                            : (unsigned) (WORKER_BEGIN_TIME / USEC_PER_SEC);
                _cleanup_free_ char *why =
                                strprintf("worker %s has not begun within %u s", j->row->worker_id, time);

                return why ? executor_worker_lost(j, &(WorkerLoss){ .code = "worker_stuck", .message = why })
                           : -ENOMEM;
        }
        facts.unit_result = "timeout";
        return executor_worker_end(j, &facts, on_lost, NULL);
}

/* When the first of all leases ends; USEC_INFINITY if there is none. */
static int first_end(Manager *m, usec_t earliest, usec_t *ret) {
        usec_t silent, deadline, end = USEC_INFINITY;
        int r = store_workers_longest_silent(m->store, &silent);

        if (r >= 0)
                end = MAX(silent + WORKER_LEASE, earliest);
        if (r >= 0 || r == -ENOENT)
                r = store_job_next_deadline(m->store, &deadline);
        if (r >= 0)
                end = MIN(end, MAX(deadline, earliest));
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = end;
        return 0;
}

/* While there was no manager nobody could be heard: then all counts from its start. Heartbeats put the end
 * of leases off, and a new one lasts for WORKER_LEASE at least: it is enough to look when the first may have
 * ended. */
int executor_worker_expire(Manager *m, usec_t now, usec_t *next) {
        _cleanup_(job_rows_done) JobRows silent_ones = {}, overdue_ones = {};
        usec_t first = m->started_at + WORKER_LEASE;
        int r = 0;

        if (TAILQ_EMPTY(&m->index.held))
                return 0;
        if (now < m->leases_until) {
                *next = MIN(*next, m->leases_until);
                return 0;
        }
        if (now >= first) {
                r = store_jobs_abandoned(m->store, now - WORKER_LEASE, &silent_ones);
                if (r >= 0)
                        r = each_held(m, &silent_ones, abandoned);
                if (r >= 0)
                        r = store_jobs_overdue(m->store, now, &overdue_ones);
                if (r >= 0)
                        r = each_held(m, &overdue_ones, overdue);
        }
        if (r >= 0)
                r = first_end(m, first, &m->leases_until);
        if (r >= 0)
                *next = MIN(*next, m->leases_until);
        return r;
}

/* --- the executor ---------------------------------------------------------------------------------- */

/* The first lease to end may be this one's. */
static void note_lease(Manager *m, usec_t end) {
        m->leases_until = MIN(m->leases_until, end);
        queue_wake(m);
}

static void start(Job *j, const JobSpec *spec, const JobFiles *files) {
        note_lease(j->manager, j->clock() + WORKER_LEASE);
}

/* The worker hears of it when it reports or is heard from next; nothing of the job is here. */
static void stop(Job *j) {
        manager_forget_job(j->manager, j);
}

static int adopt(Job *j, bool running) {
        note_lease(j->manager, j->manager->started_at + WORKER_LEASE);
        return 0;
}

/* Who holds what is in the database. */
static int list(Manager *m) {
        Job *j;
        int r = 0;

        TAILQ_FOREACH(j, &m->index.held, in_list) {
                r = adopt(j, j->row->state == JOB_RUNNING);
                if (r < 0)
                        break;
        }
        return r;
}

const Executor executor_worker = {
        .name = "worker",
        .start = start,
        .stop = stop,
        .adopt = adopt,
        .list = list,
};
