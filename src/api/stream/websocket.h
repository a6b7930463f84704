/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* WebSockets (RFC 6455): a route whose handler calls request_reply_websocket() becomes one. A protocol is
 * what is spoken over it; all its clients form a group, and a message for all of them is made once and
 * shared.
 *
 * Sending never blocks. Messages that cannot be sent are queued per client; a client whose queue becomes too
 * long, or that accepts no data for some time, is closed with 1013. Clients are pinged regularly, to detect
 * lost connections. When the daemon exits, all connections are closed with 1012; clients reconnect, which
 * activates the socket again.
 *
 * Extensions (permessage-deflate) are not offered. */

#include "api/http/request.h"
#include "api/stream/ws-codec.h"
#include "api/stream/ws-message.h"

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

/* Whether the request is a proper handshake from where it may come. 0, or negative errno with the error
 * answered: for handlers that have something to prepare before request_reply_websocket(). */
int request_check_websocket(Request *r, const WebSocketProtocol *protocol);

/* Answers with 101 if the request is a proper handshake from where it may come, else with an error. 0 or
 * negative errno. @protocol must live as long as the daemon. */
int request_reply_websocket(Request *r, const WebSocketProtocol *protocol);

WebSocketGroup *websocket_group(WebSocket *w);
/* The request that it was, from on_open() on. */
Request *websocket_request(WebSocket *w);
/* Bytes that wait for the client. */
size_t websocket_queued(const WebSocket *w) _pure_;
/* Has nothing more read from the client, or all again. What has been read already may still be delivered. */
void websocket_pause(WebSocket *w, bool paused);
void websocket_set_userdata(WebSocket *w, void *userdata);
void *websocket_userdata(WebSocket *w);

/* Sends @m, which the caller keeps. NULL (there was no memory for it) closes the connection with 1011. */
void websocket_send(WebSocket *w, WsMessage *m);
/* Nothing more is sent, and nothing that comes is looked at; on_close() follows, from the loop. */
void websocket_close(WebSocket *w, WsCloseCode code, const char *reason);

Api *websocket_group_api(WebSocketGroup *g);
void websocket_group_set_userdata(WebSocketGroup *g, void *userdata);
void *websocket_group_userdata(WebSocketGroup *g);
/* To all clients that are open. A client that is being opened has not been yet. */
void websocket_group_send(WebSocketGroup *g, WsMessage *m);
/* websocket_close() for all of them. */
void websocket_group_close(WebSocketGroup *g, WsCloseCode code, const char *reason);

/* --- for api.c ------------------------------------------------------------------------------------- */

int websocket_hub_new(Api *a, WebSocketHub **ret);
/* All must have been cut off. */
WebSocketHub *websocket_hub_free(WebSocketHub *h);
DEFINE_CLEANUP_FUNC(WebSocketHub *, websocket_hub_free);

/* Closes all, with 1012: they have a moment to answer. */
void websocket_hub_end(WebSocketHub *h);
/* Ends all connections now. */
void websocket_hub_cut(WebSocketHub *h);

#define WEBSOCKET_PING (54 * USEC_PER_SEC) /* between two pings, if ApiConfig does not say otherwise */
#define WEBSOCKET_PONG_TIMEOUT (10 * USEC_PER_SEC)
#define WEBSOCKET_STALL_TIMEOUT \
        (30 * USEC_PER_SEC) /* so long may a client take nothing of what waits for it */
#define WEBSOCKET_CLOSE_TIMEOUT (5 * USEC_PER_SEC) /* for its part of the closing handshake */
/* What may wait for a slow client; the messages are shared, so that many such clients cost little more than
 * one. */
#define WEBSOCKET_QUEUE_MAX ((size_t) 1024 * 1024)
