/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What clients of the worker API read. Pure; new references, or NULL when out of memory. */

#include <jansson.h>

#include "shared/job-event.h"
#include "store/store.h"

#define WORKER_DIALECT "worker"

/* The whole job, with its history. */
json_t *worker_job_json(const JobRow *row, const JobStateRow *states, size_t n_states);
/* The list, a few fields of each. */
json_t *worker_jobs_json(const JobRows *rows);

/* The answer to a submission; @position 0: not waiting. */
json_t *worker_submitted_json(const JobRow *row, bool created, uint64_t position);

/* One event. @percent holds what was last known of the job and is kept up to date; events that know no
 * percent repeat it, so that a progress bar does not jump. */
json_t *worker_event_json(const JobEvent *event, unsigned *percent);
/* All of them, in order. */
json_t *worker_events_json(JobEvent *const *events, size_t n);

/* The last events of a stream. @reason may be NULL. */
json_t *worker_error_json(const char *job_id, JobState state, const char *reason);
json_t *worker_complete_json(const char *job_id, JobState state, const char *reason);

/* @active: jobs that are being worked on. */
json_t *worker_health_json(uint64_t active, usec_t now);
