/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a WebSocket ends. It is put away from the loop, by websocket.c. */

#include "api/stream/websocket-protocol.h"

/* Nothing more is sent, and nothing that comes is looked at; on_close() follows, from the loop. */
void websocket_close(WebSocket *w, WsCloseCode code, const char *reason);

/* --- for the other files of WebSockets ------------------------------------------------------------- */

/* To be looked at from the loop: flushed, or put away. */
void websocket_needs_work(WebSocket *w);
/* Nothing can be sent or received any more. */
void websocket_gone(WebSocket *w);
/* It does not keep up: what waits is dropped, and it is closed with 1013. */
void websocket_give_up(WebSocket *w, const char *why);
/* A close frame was queued, ours or the answer to the client's. */
void websocket_begin_closing(WebSocket *w);
