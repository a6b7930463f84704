/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the server is told: of this machine, of how a job goes on, and of how it ended. Pure, but that
 * hello_json() looks at the machine. All give a new reference, or NULL when out of memory. */

#include "agent/agent-settings.h"
#include "journal/job-event.h"

/* A registration, and (with @wait, seconds) a question for a job. */
json_t *hello_json(const AgentSettings *s);
json_t *question_json(const AgentSettings *s, unsigned wait);

/* True for events that are forwarded: what a job says. Its states here are not those of the server's job. */
bool event_is_told(const JobEvent *e) _pure_;
/* @sequence counts a job's events from 1: one that comes twice, because its acknowledgement was lost, has
 * the same. */
json_t *event_json(const char *worker_id, const JobEvent *e, uint64_t sequence);

/* The result of a job, from what GetJob says of ours (details: the state, "result"); NULL in *ret if it has
 * not ended. 0, -EBADMSG for malformed details, -ENOMEM. */
int result_from_details(const char *worker_id, const char *details, json_t **ret);
/* The result of a job that failed before anything was done. */
json_t *result_failed(const char *worker_id, const char *code, const char *message, bool retryable);
