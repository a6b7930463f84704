/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A message to WebSocket clients as it goes over the wire, made once and shared by all who get it; and the
 * queue of those that wait for one client. Knows nothing of sockets and event loops. */

#include <jansson.h>
#include <sys/uio.h>

#include "basic/macro.h"

/* Immutable once made. */
typedef struct WsMessage {
        unsigned n_ref;
        size_t size;
        uint8_t frame[]; /* header and payload: a server does not mask (RFC 6455, 5.1) */
} WsMessage;

/* One text frame around @text, which is UTF-8. NULL when out of memory. */
WsMessage *ws_message_new(const char *text, size_t size);
/* One binary frame. */
WsMessage *ws_message_new_binary(const void *data, size_t size);
/* A text frame around compact JSON. Takes @value over, also on failure; NULL (json_pack() failed) gives
 * NULL.
 */
WsMessage *ws_message_from_json(json_t *value);
/* Bytes that are frames already. */
WsMessage *ws_message_from_frame(const void *frame, size_t size);

WsMessage *ws_message_ref(WsMessage *m);
WsMessage *ws_message_unref(WsMessage *m);
DEFINE_CLEANUP_FUNC(WsMessage *, ws_message_unref);
#define _cleanup_ws_message_ _cleanup_(ws_message_unrefp)

/* All zero is an empty queue. */
typedef struct WsQueue {
        WsMessage **messages; /* @begin to @end wait */
        size_t begin, end, allocated;
        size_t sent; /* bytes of the first that are on their way already */
        size_t bytes; /* that wait, in all */
} WsQueue;

void ws_queue_done(WsQueue *q);
static inline bool ws_queue_is_empty(const WsQueue *q) {
        return q->begin == q->end;
}

/* Takes a reference of its own. 0 or -ENOMEM. */
int ws_queue_push(WsQueue *q, WsMessage *m);
/* What to send next: up to @max pieces, good until the queue changes. Returns how many. */
size_t ws_queue_pieces(const WsQueue *q, struct iovec *pieces, size_t max);
/* So many bytes were sent. */
void ws_queue_sent(WsQueue *q, size_t n);
/* Forgets all but a message that has begun to be sent: half a frame would be the end of all sense. */
void ws_queue_drop(WsQueue *q);
