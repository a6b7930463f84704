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
#include "api/stream/websocket-closing.h"
#include "api/stream/websocket-protocol.h"

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
