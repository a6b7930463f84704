/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs, the history of their states, and their progress. */

#include "spec/job-state.h"
#include "store/store.h"

struct sqlite3_stmt;

typedef struct JobRow {
        int64_t seq; /* order of arrival; set by store_job_insert() */
        char *id;
        char *operation;
        char *spec; /* canonical JSON as it was submitted, secrets "***" */
        char *source_path, *destination_path; /* those of the spec with symlinks resolved; NULL: they are as
                                                 in the spec */
        char *dialect; /* through which API it came: "hypersdk", "worker", "bus" */
        char *request; /* what that API's client sent, secrets "***"; NULL if it came as a canonical spec */
        JobState state;
        char *reason; /* of the last change of state */
        Role role; /* of who submitted it: its paths are checked by it */
        unsigned priority;
        unsigned attempt; /* starts made so far */
        unsigned retry_count; /* retries allowed */
        bool idempotent;
        bool any_worker; /* queue=true: any worker may take it */
        unsigned timeout_seconds; /* how long an attempt may take; 0: without a limit */
        uint64_t demand; /* what it demands of a worker, packed (spec/capability.h) */
        char *worker_id; /* who holds it, or held it to its end; NULL: this machine */
        usec_t created_at, updated_at;
        usec_t started_at, finished_at; /* 0: not yet */
        usec_t due_at; /* RETRYING, and QUEUED between the passes of a warm job, or while it waits for a low
                          carbon intensity: when it goes on; 0: now */
        usec_t deadline_at; /* of a worker's attempt: when it is taken away; 0: none. Only read */
        JobPhase phase; /* or _PHASE_INVALID */
        double percent; /* negative: not known */
        uint64_t bytes_done, bytes_total, rate;
        char *result; /* JSON {"outputs","metrics","error"}; NULL before the end */
        char *carbon; /* how it waits, or has waited, for a low carbon intensity (spec/carbon-hold.h);
                         NULL: it does not */
        char *submitter; /* who has submitted it (spec/submitter.h), as JSON; NULL: not known */
        char *warm; /* where a warm job stands (spec/warm-state.h); NULL: it is none */
        char *limits; /* of a new job: what it holds while it runs, as job_limits_from_spec() has it. Only
                         written */
        char *waits_for; /* the names for which it waits in the queue, in lines; NULL: none. Only read */
        int64_t limit_set; /* the same, as the database has it (limits.h); 0: nothing */
} JobRow;

/* Workers may take it, and Slurm has not to be asked which. */
bool job_row_is_for_workers(const JobRow *row) _pure_;

JobRow *job_row_free(JobRow *row);
DEFINE_CLEANUP_FUNC(JobRow *, job_row_free);

typedef struct JobStateRow {
        JobState state;
        usec_t timestamp;
        char *reason;
} JobStateRow;
/* Seconds until it is done, rounded up, from what is left and the rate; 0 for a job that has ended. False if
 * nobody can know. */
bool job_row_remaining(const JobRow *row, uint64_t *ret_seconds);

void job_state_rows_free(JobStateRow *rows, size_t n);

int store_job_get(Store *s, const char *id, JobRow **ret);
int store_job_states(Store *s, const char *id, JobStateRow **ret, size_t *ret_n);

/* From 1: its place among the QUEUED jobs; 0 for a job that is not QUEUED. @ret_state may be NULL. -ENOENT:
 * there is no such job. */
int store_job_queue_position(Store *s, const char *id, JobState *ret_state, uint64_t *ret);

/* For the other files about jobs, an SqlReader: a JobRow *, from JOB_COLUMNS. */
int job_row_read(struct sqlite3_stmt *st, void *ret);
/* What of a row is not a column: what it waits for. */
int job_row_fill(Store *s, JobRow *row);
