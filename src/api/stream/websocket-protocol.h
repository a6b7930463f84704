/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is spoken over a WebSocket, and its limits; see websocket.h. */

#include "api/stream/ws-codec.h"
#include "api/stream/ws-message.h"
#include "basic/time-util.h"

typedef struct WebSocket WebSocket;
typedef struct WebSocketGroup WebSocketGroup;

/* Nothing is freed from within these: a WebSocket lives at least until its on_close() has returned. */
typedef struct WebSocketProtocol {
        size_t max_message; /* bytes of a client's message; a longer one ends the connection with 1009 */

        const char *subprotocol; /* chosen if the client offers it (RFC 6455, 1.9); NULL: none is */
        bool same_origin; /* a web page may connect only if it comes from this listener, or the configuration
                           * names its origin: what clients send here changes something */
        unsigned max_clients; /* further ones are refused with 503; 0: no limit of its own */

        /* The first client is about to come, the last one has gone: where what serves all of them is made
         * and put away. on_start() that fails refuses the client. Both may be NULL. */
        int (*on_start)(WebSocketGroup *g);
        void (*on_stop)(WebSocketGroup *g);

        /* A client is there: what is sent here comes first. The connection is closed with 1011 if it
         * fails. */
        int (*on_open)(WebSocket *w);
        /* A text message: UTF-8, NUL-terminated behind @size. NULL: what clients say is not listened to. */
        void (*on_message)(WebSocket *w, const char *text, size_t size);
        /* A binary message. NULL: one ends the connection with 1003. */
        void (*on_binary)(WebSocket *w, const void *data, size_t size);
        /* All that waited for the client has been handed to the kernel. May be NULL. */
        void (*on_drained)(WebSocket *w);
        /* It is over: once for each on_open() that was called, also for one that failed. May be NULL. */
        void (*on_close)(WebSocket *w);
} WebSocketProtocol;

#define WEBSOCKET_PING (54 * USEC_PER_SEC) /* between two pings, if ApiConfig does not say otherwise */
#define WEBSOCKET_PONG_TIMEOUT (10 * USEC_PER_SEC)
#define WEBSOCKET_STALL_TIMEOUT \
        (30 * USEC_PER_SEC) /* so long may a client take nothing of what waits for it */
#define WEBSOCKET_CLOSE_TIMEOUT (5 * USEC_PER_SEC) /* for its part of the closing handshake */
/* What may wait for a slow client; the messages are shared, so that many such clients cost little more than
 * one. */
#define WEBSOCKET_QUEUE_MAX ((size_t) 1024 * 1024)
