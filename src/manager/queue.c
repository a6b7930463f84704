/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/queue.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/attempt-end.h"
#include "manager/executor-unit-list.h"
#include "manager/executor-worker.h"
#include "manager/executors.h"
#include "manager/idle.h"
#include "manager/job-hold.h"
#include "manager/job-paths.h"
#include "manager/job-signal.h"
#include "manager/manager.h"
#include "manager/unit-end.h"
#include "manager/worker/worker-local.h"
#include "store/limits.h"

/* When the database cannot be written (a full disk), the same is tried again after this long. */
#define STORE_PAUSE (5 * USEC_PER_SEC)

/* What this machine cannot do (its files are at a worker's place) is looked at again after this long, then
 * after twice as long, up to an hour; and no more than so many in one go. What waits for workers may be
 * many. */
#define LOOK_PAUSE (60 * USEC_PER_SEC)
#define LOOK_PAUSE_MAX (3600 * USEC_PER_SEC)
#define LOOKS_MAX 64u
#define LOOKS_PAUSE USEC_PER_SEC

/* True if the unit of another job, which is finished, still has to let go of what @j is to write. */
static bool destination_is_held(Manager *m, const Job *j) {
        Job *other;

        TAILQ_FOREACH(other, &m->index.ending, in_list)
                if (other->unit.stage != UNIT_NONE && job_shares_destination(other, j))
                        return true;
        return false;
}

/* The unit of a job that was cancelled may still read from the same server. */
static bool limits_are_held(Manager *m, const Job *j) {
        bool overlap;
        Job *other;

        if (j->row->limit_set == 0)
                return false;
        TAILQ_FOREACH(other, &m->index.ending, in_list)
                if (job_holds_slot(other) &&
                                (store_limits_overlap(m->store, other->row->limit_set, j->row->limit_set,
                                                 &overlap) < 0 ||
                                                overlap))
                        return true;
        return false;
}

/* This machine cannot do it now. */
static void look_again_later(Manager *m, Job *j) {
        j->look_again_at = m->clock() + MIN(LOOK_PAUSE << MIN(j->n_looks, 6u), LOOK_PAUSE_MAX);
        j->n_looks++;
        job_index_put(&m->index, j, m->clock());
}

/* Those whose destination is held stand aside meanwhile; the end of another job wakes the queue. */
static Job *first_that_may_start(Manager *m, Prioq *q) {
        struct JobList aside;
        Job *j, *blocked;

        TAILQ_INIT(&aside);
        while ((j = prioq_first(q))) {
                if (!worker_is_local(m->settings, j))
                        look_again_later(m, j);
                else if (!destination_is_held(m, j))
                        break;
                else {
                        prioq_remove(q, j);
                        TAILQ_INSERT_TAIL(&aside, j, in_list);
                }
        }
        while ((blocked = TAILQ_FIRST(&aside))) {
                TAILQ_REMOVE(&aside, blocked, in_list);
                prioq_put(q, blocked);
        }
        return j;
}

/* The first one of a queue of jobs that hold the same limits, if these are free. An error is logged, and they
 * wait. */
static Job *first_of(Manager *m, Prioq *q, const Job *found) {
        Job *j = prioq_first(q);
        bool is_free;
        int r;

        if (!j || (found && !job_comes_before(j, found)))
                return NULL;
        r = store_limits_are_free(m->store, j->row->limit_set, j->row->priority, j->row->seq, &is_free);
        if (r < 0)
                log_error_errno(r, "Failed to look for the limits of job %s: %m", j->row->id);
        if (r < 0 || !is_free || limits_are_held(m, j))
                return NULL;
        j = first_that_may_start(m, q);
        return j && found && !job_comes_before(j, found) ? NULL : j;
}

/* The same for a queue of jobs that workers may have, too. */
static Job *first_shared(Manager *m, JobClass *c, const char *labels, PlacementFit fit, const Job *found) {
        if (!prioq_first(&c->shared) || worker_local_fit(labels, m->store, c->limit_set) != fit)
                return NULL;
        return first_of(m, &c->shared, found);
}

Job *queue_next(Manager *m, bool any_worker) {
        _cleanup_free_ char *labels = NULL;
        Job *found = NULL, *j;

        any_worker = any_worker && m->settings->worker.local;
        if (any_worker)
                labels = labels_to_text(m->settings->worker.labels);
        for (JobClass *c = m->index.classes; c; c = c->hh.next) {
                j = first_of(m, &c->own, found);
                found = j ? j : found;
                j = any_worker ? first_shared(m, c, labels, PLACEMENT_FITS, found) : NULL;
                found = j ? j : found;
        }
        /* What workers should rather have is better than nothing. */
        for (JobClass *c = m->index.classes; c && any_worker && !found; c = c->hh.next)
                found = first_shared(m, c, labels, PLACEMENT_LEFT, NULL);
        return found;
}

static unsigned slots_held(Manager *m) {
        unsigned n = 0;
        Job *j;

        TAILQ_FOREACH(j, &m->index.here, in_list)
                n += job_holds_slot(j);
        TAILQ_FOREACH(j, &m->index.ending, in_list)
                n += job_holds_slot(j);
        TAILQ_FOREACH(j, &m->index.looked_at, in_list)
                n++;
        return n;
}

static void arm_timer(Manager *m, usec_t now, usec_t next) {
        /* The clock of the due times can be set; the timer's cannot. A minute at most, then look again. */
        usec_t wait = next > now ? MIN(next - now, 60 * USEC_PER_SEC) : 0;

        queue_state_wait(m->queue, next == USEC_INFINITY ? USEC_INFINITY : wait);
}

static void try_again_later(Manager *m, int r) {
        usec_t now = m->clock();

        log_error_errno(r, "Failed to start the next job, trying again in %u s: %m",
                        (unsigned) (STORE_PAUSE / USEC_PER_SEC));
        arm_timer(m, now, now + STORE_PAUSE);
}

static void on_failed(Job *j, int r, void *userdata) {
        Manager *m = j->manager;

        if (r < 0)
                try_again_later(m, r);
        else if (j->warm) /* earlier attempts may have changed its source */
                unit_gone(j, NULL);
        else
                manager_forget_job(m, j);
}

static int fail_job(Job *j, const char *code, const char *why) {
        AttemptFacts facts = attempt_facts(j);

        facts.attempt = 0; /* this one has not begun */
        facts.phase = PHASE_INITIALIZATION;
        facts.lost_code = code;
        facts.lost_message = why;
        facts.lost_final = true;
        return attempt_end(j, &facts, on_failed, NULL);
}

/* What was accepted cannot be done any more: the source vanished, the destination is taken. */
static int fail_before_start(Job *j, int error, const char *why) {
        return fail_job(j,
                        error == -ENOENT                      ? "source_missing"
                                        : error == -EPERM     ? "path_refused"
                                        : error == -ETIMEDOUT ? "path_hangs"
                                                              : "spec_invalid",
                        why);
}

/* Its paths are not as they should be. */
static int refuse_start(Manager *m, Job *j, int r, const char *why) {
        if (!job_may_go_elsewhere(j))
                return fail_before_start(j, r, why);
        if (j->n_looks == 0)
                log_info("Job %s waits for a worker, this machine cannot do it: %s", j->row->id, why);
        look_again_later(m, j);
        return 0;
}

/* A start, until it is durable that the attempt begins. */
typedef struct Start {
        Job *job;
        JobSpec *spec;
        JobFiles files;
} Start;

static Start *start_free(Start *s) {
        if (!s)
                return NULL;
        job_spec_free(s->spec);
        job_files_done(&s->files);
        return mfree(s);
}
DEFINE_CLEANUP_FUNC(Start *, start_free);

static void on_assigned(int r, void *userdata) {
        _cleanup_(start_freep) Start *s = userdata;
        Manager *m = s->job->manager;

        r = job_follow(s->job, r);
        if (r < 0)
                return try_again_later(m, r);
        executor_of(s->job)->start(s->job, s->spec, &s->files);
        queue_wake(m);
}

/* Takes what is in @spec and @files. */
static int assign(Job *j, JobSpec *spec, JobFiles *files) {
        _cleanup_(start_freep) Start *s = new0(Start, 1);
        Manager *m = j->manager;
        int r;

        if (!s)
                return -ENOMEM;
        s->job = j;
        s->spec = new0(JobSpec, 1);
        if (!s->spec)
                return -ENOMEM;
        *s->spec = *spec;
        *spec = (JobSpec){};
        s->files = *files;
        *files = (JobFiles){};
        r = commit_group_enter(m->group);
        if (r < 0)
                return r;
        r = job_assign(j);
        if (r == -EUSERS) { /* another one has taken its limit since it was chosen */
                commit_group_leave(m->group, NULL, NULL);
                return 0;
        }
        commit_group_leave(m->group, r < 0 ? NULL : on_assigned, r < 0 ? NULL : s);
        if (r < 0)
                return r;
        TAKE_PTR(s);
        return 0;
}

static void on_looked_at(JobSpec *spec, JobFiles *files, int r, const JsonErrors *errors, void *userdata) {
        _cleanup_free_ char *why = r < 0 && errors->n_errors > 0 ? json_errors_text(errors) : NULL;
        Job *j = userdata;
        Manager *m = j->manager;

        j->lookup = NULL;
        job_index_put(&m->index, j, m->clock());
        if (r < 0 && why)
                r = refuse_start(m, j, r, why);
        else if (r >= 0)
                r = assign(j, spec, files);
        if (r < 0)
                try_again_later(m, r);
        else
                queue_wake(m);
        idle_lookup_done(m);
}

/* It is looked at; until that is done it has a slot. */
static int start_job(Manager *m, Job *j) {
        _cleanup_(job_spec_freep) JobSpec *spec = NULL;
        _cleanup_(path_rules_done) PathRules rules = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = manager_load_spec(m, j->row->id, &spec);

        if (r >= 0)
                r = path_rules_init(&rules, m->settings, j->row->role);
        if (r >= 0)
                r = lookup_start(m->lookups, TAKE_PTR(spec), &rules, job_files_check, on_looked_at, j,
                                &j->lookup, &errors);
        if (r < 0) {
                _cleanup_free_ char *why = errors.n_errors > 0 ? json_errors_text(&errors) : NULL;

                if (why)
                        log_warning("Job %s cannot be started now: %s", j->row->id, why);
                return r;
        }
        job_index_put(&m->index, j, m->clock());
        return 0;
}

/* Ends that could not be recorded, retries and passes whose time has come, jobs to be looked at once more,
 * and sources to be restored. Says when to do all of this again. */
static int bring_back(Manager *m, usec_t now, usec_t *next) {
        Job *j, *following;
        int r;

        for (j = TAILQ_FIRST(&m->index.here); j; j = following) {
                following = TAILQ_NEXT(j, in_list);
                if (!j->unsettled)
                        continue;
                unit_gone(j, NULL);
                *next = MIN(*next, now + STORE_PAUSE);
        }
        while ((j = prioq_first(&m->index.retrying)) && j->row->due_at <= now) {
                r = job_follow(j, job_requeue(j, "The pause before the next attempt is over"));
                if (r < 0)
                        return r;
        }
        if (j)
                *next = MIN(*next, j->row->due_at);
        while ((j = prioq_first(&m->index.waiting)) && j->row->due_at <= now) {
                j->deciding = job_is_on_hold(j);
                job_index_put(&m->index, j, now);
        }
        if (j)
                *next = MIN(*next, j->row->due_at);
        r = job_holds_decide(m, fail_job);
        if (r < 0)
                return r;
        while ((j = prioq_first(&m->index.later)) && j->look_again_at <= now)
                job_index_put(&m->index, j, now);
        if (j)
                *next = MIN(*next, j->look_again_at);
        if (m->put_back_at > 0 && m->put_back_at <= now) {
                m->put_back_at = 0;
                executor_unit_tidy_up(m);
        }
        if (m->put_back_at > 0)
                *next = MIN(*next, m->put_back_at);
        return 0;
}

/* Limits were given back, or are others: workers that wait hear of the jobs that they may get now. */
static void tell_of_limits(Manager *m) {
        char *ids[LIMITS_READY_MAX];
        size_t n = 0;
        int r;

        if (!m->limits_changed)
                return;
        m->limits_changed = false;
        r = store_limits_ready(m->store, ids, &n);
        if (r < 0)
                log_error_errno(r, "Failed to look for jobs whose limits are free: %m");
        for (size_t i = 0; i < n; i++) {
                job_bus_ready(m, ids[i]);
                free(ids[i]);
        }
}

void queue_run(Manager *m) {
        usec_t now = m->clock(), next = USEC_INFINITY;
        int r;

        if (!m->ready || m->draining)
                return;
        commit_group_settle(m->group); /* what workers have just got is in memory */
        if (now >= m->queue->looks_since + LOOKS_PAUSE || now < m->queue->looks_since) {
                m->queue->looks_since = now;
                m->queue->n_looks = 0;
        }
        r = bring_back(m, now, &next);
        if (r >= 0)
                r = executor_worker_expire(m, now, &next);
        while (r >= 0 && slots_held(m) < m->settings->jobs.max_running) {
                Job *j = queue_next(m, m->queue->n_looks < LOOKS_MAX);

                if (!j)
                        break;
                r = start_job(m, j);
                m->queue->n_looks += j->row->any_worker;
        }
        tell_of_limits(m);
        if (m->queue->n_looks >= LOOKS_MAX)
                next = MIN(next, m->queue->looks_since + LOOKS_PAUSE);
        if (r < 0) {
                log_error_errno(r, "Failed to start the next job, trying again in %u s: %m",
                                (unsigned) (STORE_PAUSE / USEC_PER_SEC));
                next = MIN(next, now + STORE_PAUSE);
        }
        arm_timer(m, now, next);
}

void queue_look_again(Manager *m) {
        for (Job *j = m->jobs; j; j = j->hh.next) {
                if (j->n_looks == 0)
                        continue;
                j->look_again_at = 0;
                j->n_looks = 0;
                job_index_put(&m->index, j, m->clock());
        }
        queue_wake(m);
}
