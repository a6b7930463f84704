/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt.h"
#include "manager/manager.h"

/* When the database cannot be written (a full disk), the same is tried again after this long. */
#define STORE_PAUSE (5 * USEC_PER_SEC)

/* What this machine cannot do (its files are at a worker's place) is looked at again after this long, then after
 * twice as long, up to an hour; and no more than so many in one go. What waits for workers may be many. */
#define LOOK_PAUSE (60 * USEC_PER_SEC)
#define LOOK_PAUSE_MAX (3600 * USEC_PER_SEC)
#define LOOKS_MAX 64u
#define LOOKS_PAUSE USEC_PER_SEC

/* True if the unit of another job still has to let go of what @j is to write. */
static bool destination_is_held(Manager *m, const Job *j) {
        for (Job *other = m->jobs; other; other = other->hh.next)
                if (other != j && other->unit.stage != UNIT_NONE &&
                                streq(other->destination, j->destination))
                        return true;
        return false;
}

static bool comes_before(const Job *a, const Job *b) {
        if (a->row->priority != b->row->priority)
                return a->row->priority > b->row->priority;
        return a->row->seq < b->row->seq;
}

Job *queue_next(Manager *m, bool any_worker) {
        usec_t now = m->clock();
        Job *best = NULL;

        for (Job *j = m->jobs; j; j = j->hh.next)
                if (j->row->state == JOB_QUEUED && j->look_again_at <= now &&
                                (any_worker || !j->row->any_worker) && (!best || comes_before(j, best)) &&
                                worker_is_local(m, j) && !destination_is_held(m, j))
                        best = j;
        return best;
}

static unsigned slots_held(Manager *m) {
        unsigned n = 0;

        for (Job *j = m->jobs; j; j = j->hh.next)
                n += job_holds_slot(j);
        return n;
}

/* What was accepted cannot be done any more: the source vanished, the destination is taken. */
static int fail_before_start(Job *j, int error, const char *why) {
        const char *code = error == -ENOENT ? "source_missing"
                        : error == -EPERM   ? "path_refused"
                                            : "spec_invalid";
        _cleanup_free_ char *result = NULL, *reason = strprintf("Failed before it started: %s", why);
        int r;

        if (!reason)
                return -ENOMEM;
        r = attempt_error_json(PHASE_INITIALIZATION, code, why, NULL, &result);
        if (r >= 0)
                r = job_fail(j, result, reason);
        if (r >= 0)
                manager_forget_job(j->manager, j);
        return r;
}

/* 1, 0 if it is left to a worker, or negative errno. */
static int start_job(Manager *m, Job *j) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        _cleanup_(job_files_done) JobFiles files = {};
        _cleanup_free_ char *why = NULL;
        int r = manager_load_spec(m, j->row->id, &spec);

        if (r < 0)
                return r;
        r = job_files_check(spec, m->settings, &files, &why);
        if (r < 0 && why && job_may_go_elsewhere(j)) {
                if (j->n_looks == 0)
                        log_info("Job %s waits for a worker, this machine cannot do it: %s", j->row->id,
                                        why);
                j->look_again_at = m->clock() + MIN(LOOK_PAUSE << MIN(j->n_looks, 6u), LOOK_PAUSE_MAX);
                j->n_looks++;
                return 0;
        }
        if (r < 0 && why)
                return (r = fail_before_start(j, r, why)) < 0 ? r : 1;
        if (r >= 0)
                r = job_assign(j);
        if (r < 0)
                return r;
        job_unit_start(j, spec, &files);
        return 1;
}

/* Ends that could not be recorded, retries whose time has come, and jobs to be looked at once more. Says when to do all
 * of this again. */
static int bring_back(Manager *m, usec_t now, usec_t *next) {
        Job *j, *following;
        int r;

        HASH_ITER(hh, m->jobs, j, following) {
                if (j->unsettled) {
                        job_settle(j, NULL);
                        *next = MIN(*next, now + STORE_PAUSE);
                } else if (j->row->state == JOB_QUEUED && j->look_again_at > now)
                        *next = MIN(*next, j->look_again_at);
                else if (j->row->state != JOB_RETRYING)
                        continue;
                else if (j->row->due_at <= now) {
                        r = job_requeue(j, "The pause before the next attempt is over");
                        if (r < 0)
                                return r;
                } else
                        *next = MIN(*next, j->row->due_at);
        }
        return 0;
}

static int on_queue_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        queue_run(userdata);
        return 0;
}

static void arm_timer(Manager *m, usec_t now, usec_t next) {
        /* The clock of the due times can be set; the timer's cannot. A minute at most, then look again. */
        usec_t wait = next > now ? MIN(next - now, 60 * USEC_PER_SEC) : 0;
        int r;

        m->queue_timer = sd_event_source_disable_unref(m->queue_timer);
        if (next == USEC_INFINITY)
                return;
        r = sd_event_add_time_relative(m->event, &m->queue_timer, CLOCK_MONOTONIC, wait, 10 * USEC_PER_MSEC,
                        on_queue_timer, m);
        if (r < 0)
                log_error_errno(r, "Failed to set the timer of the queue: %m");
}

void queue_run(Manager *m) {
        usec_t now = m->clock(), next = USEC_INFINITY;
        unsigned n_left = 0;
        int r;

        if (!m->ready || m->draining)
                return;
        r = bring_back(m, now, &next);
        if (r >= 0)
                r = workers_expire(m, now, &next);
        while (r >= 0 && slots_held(m) < m->settings->jobs.max_running) {
                Job *j = queue_next(m, n_left < LOOKS_MAX);

                if (!j)
                        break;
                r = start_job(m, j);
                n_left += r == 0;
        }
        if (n_left > 0)
                next = MIN(next, now + (n_left < LOOKS_MAX ? LOOK_PAUSE : LOOKS_PAUSE));
        if (r < 0) {
                log_error_errno(r, "Failed to start the next job, trying again in %u s: %m",
                                (unsigned) (STORE_PAUSE / USEC_PER_SEC));
                next = MIN(next, now + STORE_PAUSE);
        }
        arm_timer(m, now, next);
}

static int on_queue_source(sd_event_source *s, void *userdata) {
        Manager *m = userdata;

        m->queue_source = sd_event_source_disable_unref(m->queue_source);
        queue_run(m);
        return 0;
}

void queue_wake(Manager *m) {
        if (m->queue_source)
                return;
        int r = sd_event_add_defer(m->event, &m->queue_source, on_queue_source, m);
        if (r < 0)
                log_error_errno(r, "Failed to wake the queue: %m");
}

void queue_look_again(Manager *m) {
        for (Job *j = m->jobs; j; j = j->hh.next) {
                j->look_again_at = 0;
                j->n_looks = 0;
        }
        queue_wake(m);
}
