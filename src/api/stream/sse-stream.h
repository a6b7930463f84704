/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Server-sent events (WHATWG HTML, 9.2): a job's events, first those past, then live, until the job has
 * ended. One follower of the journal serves all streams of the daemon and runs only while there is one.
 *
 * The "id:" of an event is its journal cursor, so a client that comes back with Last-Event-ID goes on
 * exactly behind it, whatever was restarted in between. If that entry is no longer in the journal (rotated
 * away) the stream begins again at the first event there is: telling twice is better than a gap nobody sees.
 *
 * Every stream ends with "complete", preceded by "error" if the job FAILED; also that of a job that ended
 * long ago, or whose journal is gone (then without "id:"). */

#include "api/http/request.h"
#include "api/stream/sse-state.h"

/* Answers with the stream of the job's events; the caller has checked that the job exists. Looks at the
 * request's Last-Event-ID. 0 or negative errno. */
int request_reply_events(Request *r, const char *job_id, const SseFormat *format);
/* The same from another place. */
int request_reply_events_from(
                Request *r, const char *job_id, const SseFormat *format, const SseStart *start);

#define SSE_KEEPALIVE (15 * USEC_PER_SEC)
/* What may wait for a slow client; beyond it the client is dropped. */
#define SSE_QUEUE_MAX ((size_t) 256 * 1024)
