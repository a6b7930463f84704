/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/job.h"
#include "basic/string-util.h"
#include "store/job-changes.h"
#include "store/jobs.h"

/* Changes that are written, until the job follows. A unit can be over before it was seen running: then there
 * are two. */
#define CHANGES_MAX 2

typedef struct WrittenChanges {
        JobTransition list[CHANGES_MAX];
        size_t n;
        char *reason, *result; /* those of the last one */
        char *warm; /* if it changes */
        WarmState warm_state; /* the same */
} WrittenChanges;

static WrittenChanges *written_changes_free(WrittenChanges *c) {
        if (!c)
                return NULL;
        free(c->reason);
        free(c->result);
        free(c->warm);
        return mfree(c);
}
DEFINE_CLEANUP_FUNC(WrittenChanges *, written_changes_free);

int job_new(Store *store, clock_func clock, job_observer observer, Manager *manager, JobRow *row,
                Job **ret) {
        _cleanup_(job_freep) Job *j = new0(Job, 1);

        if (!j)
                return -ENOMEM;
        if (row->warm) {
                j->warm = new0(WarmState, 1);
                int r = j->warm ? warm_state_decode(row->warm, j->warm) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        if (row->carbon) {
                int r = carbon_hold_decode(row->carbon, &j->hold);
                if (r < 0)
                        return r;
        }
        j->store = store;
        j->clock = clock;
        j->observer = observer;
        j->manager = manager;
        j->row = row;
        j->error_phase = _PHASE_INVALID;
        *ret = TAKE_PTR(j);
        return 0;
}

Job *job_free(Job *j) {
        if (!j)
                return NULL;
        sd_bus_slot_unref(j->unit.start_call);
        sd_bus_slot_unref(j->unit.properties_match);
        sd_event_source_disable_unref(j->unit.overdue);
        written_changes_free(j->changes);
        free(j->unit.start_job);
        free(j->unit.result);
        free(j->error_message);
        free(j->warm);
        for (size_t i = 0; i < j->n_destinations; i++)
                free(j->destinations[i].path);
        free(j->destinations);
        carbon_hold_free(j->hold);
        free(j->server);
        job_row_free(j->row);
        free(j);
        return NULL;
}

int job_set_destinations(Job *j, char *const *paths) {
        size_t n = strv_length(paths);

        if (n == 0)
                return 0;
        j->destinations = new0(JobDestination, n);
        if (!j->destinations)
                return -ENOMEM;
        for (; j->n_destinations < n; j->n_destinations++) {
                JobDestination *d = &j->destinations[j->n_destinations];
                d->job = j;
                d->path = strdup(paths[j->n_destinations]);
                if (!d->path)
                        return -ENOMEM;
        }
        return 0;
}

bool job_shares_destination(const Job *a, const Job *b) {
        for (size_t i = 0; i < a->n_destinations; i++)
                for (size_t k = 0; k < b->n_destinations; k++)
                        if (streq(a->destinations[i].path, b->destinations[k].path))
                                return true;
        return false;
}

bool job_holds_slot(const Job *j) {
        return j->unit.stage == UNIT_STARTING || j->unit.stage == UNIT_LIVE;
}

/* It has failed, and is tried again: what was, is over. */
static void forget_end(Job *j) {
        j->row->started_at = j->row->finished_at = 0;
        j->row->result = mfree(j->row->result);
        job_progress(j, _PHASE_INVALID, -1, 0, 0, 0);
        j->progress_dirty = false;
}

/* Brings the row in memory up to @changes, which are on disk, and tells each to the observer. */
static void follow_each(Job *j, const JobTransition *changes, size_t n) {
        JobState from = j->row->state;

        for (size_t i = 0; i < n; i++) {
                const JobTransition *t = &changes[i];

                j->row->state = t->to;
                j->row->updated_at = t->timestamp;
                j->row->due_at = t->to == JOB_RETRYING || t->to == JOB_QUEUED ? t->due_at : 0;
                if (job_state_is_terminal(t->to))
                        j->row->finished_at = t->timestamp;
                else if (job_state_is_terminal(from))
                        forget_end(j);
                if (t->worker_id && isempty(t->worker_id))
                        j->row->worker_id = mfree(j->row->worker_id);
                if (t->ends_pass)
                        j->row->attempt = 0;
                if (t->drops_attempt)
                        j->row->attempt--;
                if (t->begins_attempt) {
                        j->row->attempt++;
                        if (j->row->started_at == 0)
                                j->row->started_at = t->timestamp;
                }
                if (t->begins_attempt || t->ends_pass) {
                        job_progress(j, _PHASE_INVALID, -1, 0, 0, 0);
                        j->progress_dirty = false;
                        j->told_tenth = 0;
                        j->told_sequence = 0;
                        j->error_message = mfree(j->error_message);
                        j->error_phase = _PHASE_INVALID;
                }
                if (j->observer)
                        j->observer(j, from, t->to, t->reason, j->manager);
                from = t->to;
        }
}

int job_follow(Job *j, int r) {
        _cleanup_(written_changes_freep) WrittenChanges *c = TAKE_PTR(j->changes);

        if (r < 0 || !c)
                return r;
        free(j->row->reason);
        j->row->reason = TAKE_PTR(c->reason);
        if (c->result) {
                free(j->row->result);
                j->row->result = TAKE_PTR(c->result);
        }
        if (c->warm) {
                free(j->row->warm);
                j->row->warm = TAKE_PTR(c->warm);
                *j->warm = c->warm_state;
        }
        c->list[c->n - 1].reason = j->row->reason;
        follow_each(j, c->list, c->n);
        return r;
}

/* What memory following needs is taken first: behind the transaction nothing may fail. @warm goes with the
 * last change, and may be NULL. */
static int job_change(Job *j, const JobTransition *changes, size_t n, const WarmState *warm) {
        _cleanup_(written_changes_freep) WrittenChanges *c = new0(WrittenChanges, 1);
        const JobTransition *last = &changes[n - 1];
        int r;

        if (j->changes)
                return -EBUSY;
        if (!c)
                return -ENOMEM;
        memcpy(c->list, changes, n * sizeof(JobTransition));
        c->n = n;
        c->reason = strdup(strempty(last->reason));
        c->result = last->result ? strdup(last->result) : NULL;
        if (!c->reason || (last->result && !c->result))
                return -ENOMEM;
        if (warm) {
                c->warm_state = *warm;
                c->warm = warm_state_encode(warm);
                if (!c->warm)
                        return -ENOMEM;
                c->list[n - 1].warm = c->warm;
        }
        r = store_job_transition(j->store, j->row->id, c->list, n);
        if (r >= 0)
                j->changes = TAKE_PTR(c);
        return r;
}

void job_dequeued(Job *j, JobRow *row) {
        free(j->row->worker_id);
        j->row->worker_id = TAKE_PTR(row->worker_id);
        free(j->row->reason);
        j->row->reason = TAKE_PTR(row->reason);
        follow_each(j,
                        &(JobTransition){ .from = JOB_QUEUED,
                                        .to = JOB_ASSIGNED,
                                        .timestamp = row->updated_at,
                                        .reason = j->row->reason,
                                        .begins_attempt = true },
                        1);
}

/* Why an attempt is RUNNING. */
static const char *begun(const Job *j) {
        return j->row->worker_id ? "Worker started execution" : "The unit was started";
}

/* (With the change to RUNNING, if that was not seen.) */
static int job_end(Job *j, JobTransition end, const WarmState *warm) {
        JobTransition changes[CHANGES_MAX];
        size_t n = 0;

        end.timestamp = j->clock();
        if (j->row->state == JOB_ASSIGNED && !job_state_may_become(JOB_ASSIGNED, end.to)) {
                changes[n++] = (JobTransition){ .from = JOB_ASSIGNED,
                        .to = JOB_RUNNING,
                        .timestamp = end.timestamp,
                        .reason = begun(j) };
                end.from = JOB_RUNNING;
        } else
                end.from = j->row->state;
        changes[n++] = end;
        return job_change(j, changes, n, warm);
}

int job_assign(Job *j) {
        _cleanup_free_ char *reason = NULL;
        WarmState warm;

        if (j->warm) {
                warm = *j->warm;
                warm.cutover = warm_state_is_cutover(j->warm, j->clock());
                reason = strprintf("Attempt %u of %s %u begins", j->row->attempt + 1,
                                warm.cutover ? "the cutover, pass" : "pass", warm.passes + 1);
        } else
                reason = strprintf("Attempt %u begins", j->row->attempt + 1);
        if (!reason)
                return -ENOMEM;
        return job_change(j,
                        &(JobTransition){ .from = JOB_QUEUED,
                                        .to = JOB_ASSIGNED,
                                        .timestamp = j->clock(),
                                        .reason = reason,
                                        .begins_attempt = true },
                        1, j->warm ? &warm : NULL);
}

int job_run(Job *j) {
        return job_change(j,
                        &(JobTransition){ .from = JOB_ASSIGNED,
                                        .to = JOB_RUNNING,
                                        .timestamp = j->clock(),
                                        .reason = begun(j) },
                        1, NULL);
}

int job_requeue(Job *j, const char *reason) {
        return job_change(j,
                        &(JobTransition){ .from = j->row->state,
                                        .to = JOB_QUEUED,
                                        .timestamp = j->clock(),
                                        .reason = reason,
                                        .worker_id = "" },
                        1, NULL);
}

int job_retry(Job *j, usec_t due_at, bool stopped, const char *reason) {
        return job_end(j,
                        (JobTransition){ .to = JOB_RETRYING,
                                        .reason = reason,
                                        .due_at = due_at,
                                        .worker_id = "",
                                        .drops_attempt = stopped },
                        NULL);
}

int job_pass(Job *j, const WarmState *warm, usec_t due_at, const char *reason) {
        return job_end(j,
                        (JobTransition){ .to = JOB_QUEUED,
                                        .reason = reason,
                                        .due_at = due_at,
                                        .ends_pass = true },
                        warm);
}

int job_complete(Job *j, const char *result, const WarmState *warm, const char *reason) {
        return job_end(j, (JobTransition){ .to = JOB_COMPLETED, .reason = reason, .result = result }, warm);
}

int job_fail(Job *j, const char *result, const char *reason) {
        return job_end(j, (JobTransition){ .to = JOB_FAILED, .reason = reason, .result = result }, NULL);
}

int job_cancel(Job *j, const char *reason) {
        if (job_is_finished(j))
                return -EALREADY;
        return job_end(j, (JobTransition){ .to = JOB_CANCELLED, .reason = reason }, NULL);
}

int job_set_warm(Job *j, const WarmState *warm, usec_t due_at) {
        _cleanup_free_ char *text = warm_state_encode(warm);
        int r = text ? store_job_warm(j->store, j->row->id, text, due_at) : -ENOMEM;

        if (r < 0)
                return r;
        free(j->row->warm);
        j->row->warm = TAKE_PTR(text);
        *j->warm = *warm;
        if (job_waits(j))
                j->row->due_at = due_at;
        return 0;
}

void job_progress(Job *j, JobPhase phase, double percent, uint64_t done, uint64_t total, uint64_t rate) {
        j->row->phase = phase;
        j->row->percent = percent;
        j->row->bytes_done = done;
        j->row->bytes_total = total;
        j->row->rate = rate;
        j->progress_dirty = true;
}

int job_note_error(Job *j, JobPhase phase, const char *message) {
        int r = free_and_strdup(&j->error_message, message);

        if (r >= 0)
                j->error_phase = phase;
        return r;
}
