/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Decides which requests become WebSockets. */

#include "api/http/request.h"
#include "api/stream/websocket-protocol.h"

#define WEBSOCKET_ACCEPT_SIZE 29 /* 28 characters of base64, NUL */

/* Looks at the request. 0 with the value of Sec-WebSocket-Accept; -EBADMSG with the error answer set. */
int websocket_handshake(Request *r, const WebSocketProtocol *protocol,
                char ret_accept[static WEBSOCKET_ACCEPT_SIZE]);
/* The subprotocol, if the client offers it; else NULL. */
const char *websocket_choose_subprotocol(Request *r, const WebSocketProtocol *protocol);
