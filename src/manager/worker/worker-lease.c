/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a worker keeps what it holds: until it was silent for too long, and, however often it is heard
 * from, no longer than the job may take. */

#include "basic/string-util.h"
#include "manager/attempt.h"
#include "manager/manager.h"

/* Does @func to each of @rows that is still held. */
static int each_held(Manager *m, const JobRows *rows, int (*func)(Job *j)) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rows->n; i++) {
                Job *j = manager_get_job(m, rows->rows[i]->id);

                if (j && job_is_held(j))
                        r = func(j);
        }
        return r;
}

static int abandoned(Job *j) {
        _cleanup_free_ char *why = strprintf("worker %s was not heard from for %u s", j->row->worker_id,
                        (unsigned) (WORKER_LEASE / USEC_PER_SEC));

        return why ? job_lost(j, "worker_lost", why, attempt_pause(j->row->attempt)) : -ENOMEM;
}

/* A worker that never began may be stuck, and the job none the worse for it. One that did has had its time:
 * this is the timeout that a job's unit has here. */
static int overdue(Job *j) {
        const AttemptFacts facts = { .attempt = j->row->attempt,
                .retry_count = j->row->retry_count,
                .idempotent = j->row->idempotent,
                .was_running = true,
                .unit_result = "timeout",
                .timeout_seconds = j->row->timeout_seconds,
                .phase = j->row->phase };
        _cleanup_(verdict_done) Verdict v = {};
        Manager *m = j->manager;
        int r;

        if (j->row->state == JOB_ASSIGNED) {
                _cleanup_free_ char *why = strprintf("worker %s has not begun within %u s",
                                j->row->worker_id, j->row->timeout_seconds);

                return why ? job_lost(j, "worker_stuck", why, attempt_pause(j->row->attempt)) : -ENOMEM;
        }
        progress_flush(m);
        r = attempt_judge(&facts, &v);
        if (r >= 0)
                r = job_fail(j, v.result, v.reason);
        if (r >= 0)
                manager_forget_job(m, j);
        return r;
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
int workers_expire(Manager *m, usec_t now, usec_t *next) {
        _cleanup_(job_rows_done) JobRows silent_ones = {}, overdue_ones = {};
        usec_t first = m->started_at + WORKER_LEASE;
        int r = 0;

        if (TAILQ_EMPTY(&m->places.held))
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
