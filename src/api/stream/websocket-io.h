/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Moves the bytes of a WebSocket. */

#include "api/stream/websocket-protocol.h"

extern const WsCodecOps websocket_codec_ops;

/* Watches the socket. 0 or negative errno. */
int websocket_watch(WebSocket *w);
/* Watches it for what it waits for now. */
void websocket_update_events(WebSocket *w);
/* Queues @m, whatever the state; -ENOBUFS if too much waits already, -ENOMEM. */
int websocket_queue(WebSocket *w, WsMessage *m);
/* Sends what waits, as far as the socket takes it, and goes on with closing when all is out. */
void websocket_flush(WebSocket *w);
/* Gives the codec what came before the socket was ours. */
void websocket_feed_early(WebSocket *w);
