/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hub of all event streams: one listener of the journal serves them, and runs only while there is one. */

#include "api/stream/sse-state.h"
#include "store/jobs.h"

int sse_hub_new(Api *a, SseHub **ret);
SseHub *sse_hub_free(SseHub *h);
DEFINE_CLEANUP_FUNC(SseHub *, sse_hub_free);

/* Ends all streams without "complete": clients come back. */
void sse_hub_end(SseHub *h);

/* Puts @s among the streams of the job, and takes it off again. 0 or negative errno. */
int sse_hub_add(SseHub *h, const char *job_id, SseStream *s);
void sse_hub_remove(SseHub *h, SseStream *s);

/* True if the database says that the job has ended long enough ago for its last event to be in the
 * journal. */
bool sse_job_is_settled(Api *a, const char *job_id, JobRow **ret);
