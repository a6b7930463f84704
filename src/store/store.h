/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The database: nouns and rows, not SQL. All SQL is in this directory, prepared once, parameters bound. One
 * owner writes; any number of readers open the same file read-only. Every write below is one transaction
 * that is on disk (synchronous=FULL) when the function returns 0.
 *
 * Errors: -ENOENT no such row, -EEXIST the id is taken, -ESTALE the row is not in the expected state,
 * -EBADMSG the file is not such a database or of a newer schema, -EAGAIN (to a reader only) its owner has to
 * open it first, because it is of an older schema or its -wal and -shm are not as they should be, -EBUSY,
 * -ENOSPC, -EIO, -ENOMEM. */

#include "basic/time-util.h"
#include "shared/role.h"
#include "spec/job-state.h"

typedef struct Store Store;

typedef enum StoreMode {
        STORE_OWNER, /* creates and migrates; keeps -wal and -shm present when it closes */
        STORE_READER, /* read-only; works while no owner runs */
} StoreMode;

int store_open(const char *path, StoreMode mode, Store **ret); /* the manager's */
int store_open_hosts(const char *path, StoreMode mode, Store **ret); /* hyper-hostd's, see hosts.h */
Store *store_free(Store *s);
DEFINE_CLEANUP_FUNC(Store *, store_free);

/* A number that changes whenever another connection has committed something (PRAGMA data_version): what was
 * read while it stays the same is still true. Meant for readers. */
int store_version(Store *s, int64_t *ret);

/* What went wrong last, in SQLite's words, for a log line. */
const char *store_error_text(Store *s);

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
        usec_t due_at; /* RETRYING: when the next attempt may begin */
        usec_t deadline_at; /* of a worker's attempt: when it is taken away; 0: none. Only read */
        JobPhase phase; /* or _PHASE_INVALID */
        double percent; /* negative: not known */
        uint64_t bytes_done, bytes_total, rate;
        char *result; /* JSON {"outputs","metrics","error"}; NULL before the end */
} JobRow;

JobRow *job_row_free(JobRow *row);
DEFINE_CLEANUP_FUNC(JobRow *, job_row_free);
typedef struct JobRows {
        JobRow **rows;
        size_t n;
        uint64_t total; /* how many match without limit and offset */
} JobRows;
void job_rows_done(JobRows *rows);

typedef struct JobStateRow {
        JobState state;
        usec_t timestamp;
        char *reason;
} JobStateRow;
void job_state_rows_free(JobStateRow *rows, size_t n);

/* A change of state as it is written: job_states gets a row, jobs the new values. */
typedef struct JobTransition {
        JobState from, to;
        usec_t timestamp;
        const char *reason;
        /* What else changes with it; what is not set stays. */
        const char *worker_id; /* non-NULL: set ("" clears) */
        const char *result; /* non-NULL: set */
        usec_t due_at; /* for RETRYING */
        bool begins_attempt; /* attempt + 1, started_at set if it was not, progress cleared */
} JobTransition;

/* Inserts the job with its first states (@states in order; the last is its state). */
int store_job_insert(Store *s, JobRow *row, const JobStateRow *states, size_t n_states);

/* Applies @n changes of one job in one transaction; -ESTALE, and nothing written, if the job is not in the
 * first one's from state. Refuses
 * (-EINVAL) what job_state_may_become() does not allow. */
int store_job_transition(Store *s, const char *id, const JobTransition *changes, size_t n);

typedef struct JobProgress {
        const char *id;
        JobPhase phase;
        double percent;
        uint64_t bytes_done, bytes_total, rate;
        bool tell; /* webhooks are told of it */
} JobProgress;
/* All of it in one transaction. Rows in a terminal state, and ids that do not exist, are passed over. */
int store_job_progress(Store *s, const JobProgress *progress, size_t n, usec_t timestamp);

int store_job_get(Store *s, const char *id, JobRow **ret);
int store_job_states(Store *s, const char *id, JobStateRow **ret, size_t *ret_n);

/* A change of state and its place in the order in which all changes were recorded. */
typedef struct JobChange {
        uint64_t seq; /* from 1 */
        char *job_id;
        JobState state;
        char *reason;
} JobChange;
void job_changes_free(JobChange *changes, size_t n);

/* The changes that were recorded after the change @after, @limit at most, in order. Without @finished, those
 * of finished jobs are left out. *ret belongs to the caller (job_changes_free()). */
int store_job_changes(Store *s, uint64_t after, bool finished, size_t limit, JobChange **ret, size_t *ret_n);
/* The last one's seq; 0 if there is none. */
int store_job_last_change(Store *s, uint64_t *ret);

typedef enum JobOrder {
        JOB_ORDER_NEWEST, /* seq, descending */
        JOB_ORDER_OLDEST,
        JOB_ORDER_QUEUE, /* priority descending, then seq: the order in which they will run */
} JobOrder;

typedef struct JobFilter {
        uint32_t states; /* bit mask of 1u << JobState; 0: all */
        char *const *ids; /* strv; NULL: all */
        JobOrder order;
        uint64_t limit; /* 0: no limit */
        uint64_t offset;
} JobFilter;

/* Fast at 100,000 jobs: total comes from a counter when only states are filtered. */
int store_jobs_list(Store *s, const JobFilter *filter, JobRows *ret);

/* How many jobs there are in each state, from the counters. */
int store_jobs_count(Store *s, uint64_t ret[static _JOB_STATE_MAX]);

/* From 1: its place among the QUEUED jobs; 0 for a job that is not QUEUED. */
int store_job_queue_position(Store *s, const char *id, uint64_t *ret);

/* Small facts of the owner's that outlive it (the journal cursor it has read up to). */
int store_get_fact(Store *s, const char *name, char **ret);
int store_set_fact(Store *s, const char *name, const char *value);
