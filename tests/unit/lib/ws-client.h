/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A WebSocket client made of a raw socket, against a server of api-test.h. */

#include "unit/lib/api-test.h"
#include "unit/lib/ws-frames.h"

/* RFC 6455's own key. */
#define WS_KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define WS_UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define WS_HANDSHAKE "GET /ws HTTP/1.1\r\nHost: localhost\r\n" WS_UPGRADE WS_KEY "\r\n"

typedef struct WsClient {
        int fd;
        WsBytes in;
} WsClient;

/* Opens /ws. */
void ws_client_open(WsClient *c, const TestServer *s);
void ws_client_close(WsClient *c);

void ws_client_send_frame(WsClient *c, unsigned first, const char *payload);
void ws_client_send(WsClient *c, const char *text);
void ws_client_send_close(WsClient *c, unsigned code);

/* False at the end. */
bool ws_client_read_frame(WsClient *c, WsFrame *ret);
void ws_client_expect_text(WsClient *c, const char *text);
void ws_client_expect_close(WsClient *c, unsigned code);
void ws_client_expect_end(WsClient *c);
