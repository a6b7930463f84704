/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Changes of jobs: their states with the history, and their progress. */

#include "store/jobs.h"

/* A change of state as it is written: job_states gets a row, jobs the new values. */
typedef struct JobTransition {
        JobState from, to;
        usec_t timestamp;
        const char *reason;
        /* What else changes with it; what is not set stays. */
        const char *worker_id; /* non-NULL: set ("" clears) */
        const char *result; /* non-NULL: set */
        const char *warm; /* non-NULL: set */
        usec_t due_at; /* for RETRYING and QUEUED */
        bool ends_pass; /* the attempts of the next pass are counted from 1 again, progress cleared */
        bool drops_attempt; /* attempt - 1: it was stopped from outside */
        bool begins_attempt; /* attempt + 1, started_at set if it was not, progress cleared */
} JobTransition;

/* Inserts the job with its first states (@states in order; the last is its state). */
int store_job_insert(Store *s, JobRow *row, const JobStateRow *states, size_t n_states);

/* Applies @n changes of one job in one transaction; -ESTALE, and nothing written, if the job is not in the
 * first one's from state. Refuses
 * (-EINVAL) what job_state_may_become() does not allow, and (-EUSERS) to begin an attempt while a limit that
 * the job is to hold is not free (limits.h). */
int store_job_transition(Store *s, const char *id, const JobTransition *changes, size_t n);

/* Sets where a warm job stands, and, if it is QUEUED, when it goes on. -ESTALE: there is no such job that is
 * not finished. */
int store_job_warm(Store *s, const char *id, const char *warm, usec_t due_at);
/* Sets how a QUEUED job waits for a low carbon intensity, until when (0: it does not wait any more), and why.
 * -ESTALE: there is no such job that is QUEUED, and was submitted to wait. */
int store_job_hold(Store *s, const char *id, const char *carbon, usec_t due_at, const char *reason,
                usec_t timestamp);

/* Replaces the result of a job that is finished. -ESTALE: there is none. */
int store_job_result(Store *s, const char *id, const char *result);

typedef struct JobProgress {
        const char *id;
        JobPhase phase;
        double percent;
        uint64_t bytes_done, bytes_total, rate;
        bool tell; /* webhooks are told of it */
} JobProgress;
/* All of it in one transaction. Rows in a terminal state, and ids that do not exist, are passed over. */
int store_job_progress(Store *s, const JobProgress *progress, size_t n, usec_t timestamp);

/* A change of state and its place in the order in which all changes were recorded. */
typedef struct JobChange {
        uint64_t seq; /* from 1 */
        char *job_id;
        JobState state;
        char *reason;
        char *submitter; /* the name of who has submitted it, if it is new; or NULL */
} JobChange;
void job_changes_free(JobChange *changes, size_t n);

/* The changes that were recorded after the change @after, @limit at most, in order. Without @finished, those
 * of finished jobs are left out. *ret belongs to the caller (job_changes_free()). */
int store_job_changes(Store *s, uint64_t after, bool finished, size_t limit, JobChange **ret, size_t *ret_n);
/* The last one's seq; 0 if there is none. */
int store_job_last_change(Store *s, uint64_t *ret);

/* Makes the change inside a transaction that is the caller's. */
int job_transition_apply(Store *s, const char *id, const JobTransition *t);
