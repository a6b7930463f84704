/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What clients of the worker API read. Pure; new references, or NULL when out of memory. The schema beside
 * each function is what it makes. */

#include <jansson.h>

#include "api/openapi/schema.h"
#include "journal/job-event.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/store.h"

#define WORKER_DIALECT "worker"

/* The whole job, with its history. */
json_t *worker_job_json(const JobRow *row, const JobStateRow *states, size_t n_states);
extern const Schema worker_job_schema;
/* An element of the list, with a few fields. */
json_t *worker_summary_json(const JobRow *row, usec_t now);
extern const Schema worker_jobs_schema;

/* The answer to a submission; @position 0: not waiting. */
json_t *worker_submitted_json(const char *id, JobState state, bool created, uint64_t position);
extern const Schema worker_submitted_schema;

/* The answer to a cancellation. */
json_t *worker_cancelled_json(const JobRow *row);
extern const Schema worker_cancelled_schema;
json_t *worker_retried_json(const JobRow *row);
extern const Schema worker_retry_schema;

/* One event. @percent holds what was last known of the job and is kept up to date; events that know no
 * percent repeat it, so that a progress bar does not jump. */
json_t *worker_event_json(const JobEvent *event, unsigned *percent);
extern const Schema worker_event_schema;
/* Several of them, in order. */
json_t *worker_events_json(JobEvent *const *events, size_t n, unsigned *percent);

/* The last events of a stream. @reason may be NULL. */
json_t *worker_error_json(const char *job_id, JobState state, unsigned percent, const char *reason);
extern const Schema worker_stream_error_schema;
json_t *worker_complete_json(const char *job_id, JobState state, unsigned percent, const char *reason);
extern const Schema worker_complete_schema;

/* @workers: those that are heard from, and this machine. @active: jobs that are being worked on. */
json_t *worker_health_json(uint64_t workers, uint64_t active, usec_t now);
extern const Schema worker_health_schema;
