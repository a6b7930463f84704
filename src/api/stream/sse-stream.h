/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the hub (sse.c) and a stream (sse-stream.c) know of each other. */

#include <uthash.h>

#include "api/http/request-private.h"
#include "api/stream/event-hub.h"
#include "api/stream/journal-position.h"
#include "api/stream/sse.h"
#include "journal/journal-follow.h"
#include "store/jobs.h"

/* The streams of one job. */
typedef struct SseTopic {
        char *job_id;
        LIST_HEAD(, SseStream) streams;
        UT_hash_handle hh;
} SseTopic;

struct SseHub {
        Api *api;
        SseTopic *topics; /* by job id */
        EventListener listener; /* while there is a stream */
        sd_event_source *tick;
};

/* A stream is replaying: it reads the journal behind its position whenever its client has taken what there
 * was, so a long past costs no memory; live events are passed over, the journal has them. Then it is live:
 * events are queued as the follower tells them. Both ways nothing goes out that is not behind its
 * position. */
struct SseStream {
        LIST_ENTRY(SseStream) streams;
        SseTopic *topic; /* NULL: taken off the hub */
        Request *request; /* a reference */
        const SseFormat *format;
        char *job_id;

        bool replaying;
        bool ended; /* nothing more is queued; what is queued still goes out */
        bool dropped; /* the client was too slow, or went away */
        bool suspended; /* waits for data */
        bool peer_closed; /* the client sends nothing more: is it still there? */

        bool has_position;
        JournalPosition position; /* of the last event, told or passed over */
        usec_t position_time; /* its realtime */
        unsigned percent; /* the format's: what it told last */
        char *cursor; /* its cursor, or the client's Last-Event-ID; NULL: the beginning */

        char *queue; /* bytes @queue_begin to @queue_end wait to be sent */
        size_t queue_begin, queue_end, queue_allocated;
        usec_t last_output; /* monotonic */
        sd_event_source *watch;
};

SseTopic *sse_hub_topic(SseHub *h, const char *job_id);
int sse_hub_add(SseHub *h, const char *job_id, SseStream *s);
void sse_hub_remove(SseHub *h, SseStream *s);

/* True if the database says that the job has ended long enough ago for its last event to be in the
 * journal. */
bool sse_job_is_settled(Api *a, const char *job_id, JobRow **ret);

void sse_stream_event(SseStream *s, const JobEvent *event);
/* Now and then: keeps the connection alive, and ends the stream of a job that ended unheard. */
void sse_stream_tick(SseStream *s, usec_t now, bool job_is_settled);
/* Ends it without "complete": the client comes back. */
void sse_stream_end(SseStream *s);
/* The connection is gone. */
void sse_stream_detach(SseStream *s);
