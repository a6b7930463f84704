/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job that is not finished, or whose unit still stops: its row, and the one place that changes its state.
 * Nothing here knows of the bus, of JSON, or of units; who wants to hear of a change is told through the
 * observer once the change is on disk. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "basic/prioq.h"
#include "spec/carbon-hold.h"
#include "spec/warm-state.h"
#include "store/jobs.h"
#include "store/store.h"

typedef struct Job Job;
typedef struct Manager Manager;

/* Called for each change of state, after it is durable, in order. */
typedef void (*job_observer)(Job *j, JobState from, JobState to, const char *reason, void *userdata);

/* Where the job's unit stands, as far as the manager was told. */
typedef enum UnitStage {
        UNIT_NONE, /* there is none */
        UNIT_STARTING, /* StartTransientUnit is called */
        UNIT_LIVE, /* it was started, or was found running */
        UNIT_FINISH, /* what runs is hyper-job finish alone, after a unit that was cut off, or the proof of
                        boot */
} UnitStage;

typedef struct JobUnit {
        UnitStage stage;
        sd_bus_slot *start_call; /* the StartTransientUnit call */
        sd_bus_slot *properties_match;
        char *start_job; /* systemd's job that starts it, until that is done */
        sd_event_source *overdue; /* a timer: by then systemd has ended it, or the manager kills it */
        bool stop_sent;
        bool finish_tried; /* finish was run alone for this attempt: once is enough */
        bool put_back_tried; /* likewise put-back, for the end of a warm job */
        bool boot_tried; /* likewise the proof of boot */
        unsigned send_tries; /* how often its disks were to be sent to another host */
        bool seen; /* in the list of units that is being looked through */
        /* What PropertiesChanged of the unit said last; how the attempt ended. */
        char *result; /* "success", "exit-code", "signal", "timeout", "oom-kill", … or NULL: not heard */
        int32_t exit_code; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: not heard */
        int32_t exit_status;
} JobUnit;

/* What otherwise is in the store only. */
typedef struct JobTexts {
        const char *spec;
        const JobStateRow *states;
        size_t n_states;
} JobTexts;

/* A path or URI that a job writes: no two jobs write to one. */
typedef struct JobDestination {
        char *path;
        Job *job;
        UT_hash_handle by_path;
} JobDestination;

struct Job {
        Store *store;
        clock_func clock;
        job_observer observer;
        Manager *manager; /* the observer's userdata */

        JobRow *row; /* spec and request are left out: they are in the store */
        const JobTexts *texts; /* of a new job, while it is announced; or NULL */
        JobDestination *destinations; /* the first is that of the output, or of the first disk */
        size_t n_destinations;
        char *server; /* that it reads from, as job_spec_server() has it; NULL: none */
        JobUnit unit;
        WarmState *warm; /* of a warm job, as the row has it; NULL: it is none */
        CarbonHold *hold; /* of a job that waits for a low carbon intensity, likewise (job-hold.h) */
        bool deciding; /* its time has come, and the carbon intensity is being asked for */
        bool hold_timer; /* systemd has made hyper-hold-ID.timer */

        uint64_t told_sequence; /* of the last event that the worker reported in this attempt; 0: none had
                                   one */
        unsigned told_tenth; /* webhooks were told of the progress up to here, in tenths of the whole */
        bool progress_dirty; /* the row's progress is newer than the store's */
        usec_t look_again_at; /* this machine could not do it: it waits for a worker, or until then */
        unsigned n_looks; /* how often it could not */
        struct Lookup *lookup; /* QUEUED: its turn has come, and its paths are being looked at */
        struct WrittenChanges *changes; /* written, but not followed yet; or NULL */
        bool unsettled; /* the unit is gone, but its end could not be recorded yet */
        char *error_message; /* the last error event of this attempt */
        int error_phase;

        UT_hash_handle hh; /* manager->jobs, by row->id */

        /* Where it stands: job-index.c. */
        Prioq *queue; /* or NULL */
        size_t place_index;
        struct JobList *list; /* or NULL */
        struct JobClass *class;
        TAILQ_ENTRY(Job) in_list;
        bool has_destinations; /* they are in the index */
};

/* @row belongs to the job from success on. */
int job_new(Store *store, clock_func clock, job_observer observer, Manager *manager, JobRow *row, Job **ret);
Job *job_free(Job *j);
/* Sets what it writes. 0 or -ENOMEM. */
int job_set_destinations(Job *j, char *const *paths);
bool job_shares_destination(const Job *a, const Job *b) _pure_;
DEFINE_CLEANUP_FUNC(Job *, job_free);

static inline bool job_is_finished(const Job *j) {
        return job_state_is_terminal(j->row->state);
}

/* In the order in which they are to start: highest priority, then first come. */
static inline bool job_comes_before(const Job *a, const Job *b) {
        if (a->row->priority != b->row->priority)
                return a->row->priority > b->row->priority;
        return a->row->seq < b->row->seq;
}

/* Holds one of the jobs.max_running slots: its copying process may be running. */
bool job_holds_slot(const Job *j);

/* Each writes a change into the store, as part of the group if one is entered (manager/commit-group.h). The
 * job itself changes with job_follow(), which must be called when the outcome is known, and before the next
 * of these. 0, -EBUSY if the last change is not followed yet, -ESTALE, or what the store says. */
int job_assign(Job *j); /* QUEUED → ASSIGNED: a new attempt begins */
int job_run(Job *j); /* ASSIGNED → RUNNING */
int job_requeue(Job *j,
                const char *reason); /* RETRYING, ASSIGNED or FAILED → QUEUED; nobody holds it any more */
int job_retry(Job *j, usec_t due_at, bool stopped,
                const char *reason); /* → RETRYING; @stopped: the attempt does not count */
int job_pass(Job *j, const WarmState *warm, usec_t due_at,
                const char *reason); /* → QUEUED: a pass of a warm job is complete */
/* @warm: of a warm job, else NULL. */
int job_complete(Job *j, const char *result, const WarmState *warm, const char *reason);
int job_fail(Job *j, const char *result, const char *reason);
int job_cancel(Job *j, const char *reason); /* -EALREADY if it is finished */

/* What was written is durable (@r >= 0), and the job follows, or it is not recorded, and nothing has changed.
 * Returns @r: r = job_follow(j, job_run(j)) makes a change at once. */
int job_follow(Job *j, int r);

/* Sets where the warm job stands, and when it goes on if it waits for its next pass: at once. */
int job_set_warm(Job *j, const WarmState *warm, usec_t due_at);
/* True if it waits for its next pass, or for a low carbon intensity. */
static inline bool job_waits(const Job *j) {
        return j->row->state == JOB_QUEUED && j->row->due_at > 0;
}

/* True if it waits for a low carbon intensity. */
static inline bool job_is_on_hold(const Job *j) {
        return j->row->state == JOB_QUEUED && j->hold && j->hold->released_at == 0;
}

/* The store has given @j to a worker (store_job_dequeue()): memory follows. Takes from @row what it
 * needs. */
void job_dequeued(Job *j, JobRow *row);

/* A worker has it, not this machine. */
static inline bool job_is_held(const Job *j) {
        return j->row->worker_id && (j->row->state == JOB_ASSIGNED || j->row->state == JOB_RUNNING);
}

/* What an event said about a running attempt; not written to the store here. */
void job_progress(Job *j, JobPhase phase, double percent, uint64_t done, uint64_t total, uint64_t rate);
/* Remembers why the attempt is about to fail. */
int job_note_error(Job *j, JobPhase phase, const char *message);
