/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hub (sse.c), its streams (sse-stream.c), and how a dialect words the events. */

#include <jansson.h>
#include <sys/queue.h>
#include <uthash.h>

#include "api/stream/event-hub.h"
#include "api/stream/journal-position.h"
#include "journal/job-event.h"
#include "spec/job-state.h"

typedef struct SseStream SseStream;

/* How a dialect words it. All give new references; NULL when out of memory. */
typedef struct SseFormat {
        /* The data of one event that is not the last. *ret_name is what stands behind "event:" ("progress");
         * if it is left NULL this event is not told in the dialect. *percent is the dialect's to keep: 0 at
         * first, then what it left there for the stream's event before this one. */
        int (*event)(const JobEvent *event, unsigned *percent, const char **ret_name, json_t **ret_data);
        /* FAILED only: the data of "error". @reason may be NULL. @percent is what the last event() left. */
        json_t *(*error)(const char *job_id, JobState state, unsigned percent, const char *reason);
        /* The data of "complete". */
        json_t *(*complete)(const char *job_id, JobState state, unsigned percent, const char *reason);
        /* Plain text instead: the data of an event is a string, a line. There is nothing but the events, of
         * which the last one is told like the others, and the two functions above are not called. */
        bool is_plain;
} SseFormat;

/* Where a stream begins, for clients without Last-Event-ID. */
typedef struct SseStart {
        const char *cursor; /* behind this event; NULL: at the first one */
        usec_t since; /* behind this time; 0: at the first one */
        bool once; /* it ends with the events of the past */
} SseStart;

/* An event, and what is made of it for one stream and used by others that would say the same. */
typedef struct SseNews {
        const JobEvent *event;
        bool has_position; /* its cursor can be read */
        JournalPosition position;
        /* As @format words it for a stream that has heard of @before percent: */
        const SseFormat *format; /* NULL: nothing was made yet */
        unsigned before, after;
        char *text; /* NULL: it is not told */
} SseNews;

void sse_news_init(SseNews *n, const JobEvent *event);
void sse_news_done(SseNews *n);

/* What the hub has a stream do. */
typedef struct SseStreamOps {
        void (*event)(SseStream *s, SseNews *n);
        /* Now and then: keeps the connection alive, and ends the stream of a job that ended unheard. */
        void (*tick)(SseStream *s, usec_t now, bool job_is_settled);
        /* Ends it without "complete": the client comes back. */
        void (*end)(SseStream *s);
} SseStreamOps;

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
 * events are queued as the follower tells them, until too many wait for a client that is slow: then it is
 * replaying again. Both ways nothing goes out that is not behind its position. A client that takes nothing is
 * cut off by the idle timeout of the connection. */
struct SseStream {
        LIST_ENTRY(SseStream) streams;
        SseTopic *topic; /* NULL: taken off the hub */
        const SseStreamOps *ops;
        Request *request; /* a reference */
        const SseFormat *format;
        char *job_id;

        bool replaying;
        bool once; /* see SseStart */
        bool ended; /* nothing more is queued; what is queued still goes out */
        bool dropped; /* the client went away, or there is no memory */
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
