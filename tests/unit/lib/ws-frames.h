/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Frames as a WebSocket client writes them, good and bad, and as it reads them (RFC 6455, 5.2). */

#include <stdint.h>

#include "basic/macro.h"

typedef enum WsOpcode {
        WS_CONTINUATION = 0,
        WS_TEXT = 1,
        WS_BINARY = 2,
        WS_CLOSE = 8,
        WS_PING = 9,
        WS_PONG = 10,
} WsOpcode;

#define WS_FIN 0x80u
#define WS_RSV1 0x40u
#define WS_RSV2 0x20u
#define WS_RSV3 0x10u

/* Bytes that grow. */
typedef struct WsBytes {
        uint8_t *data;
        size_t size, allocated;
} WsBytes;

void ws_bytes_done(WsBytes *b);
void ws_bytes_add(WsBytes *b, const void *data, size_t size);

/* Appends a masked frame; @first is WS_FIN, reserved bits and opcode in one byte. */
void ws_add_frame(WsBytes *b, unsigned first, const void *payload, size_t size);
/* The same with the header exactly as given: what a client ought not to send. */
void ws_add_odd_frame(WsBytes *b, unsigned first, bool masked, unsigned length_bytes, uint64_t length,
                const void *payload, size_t size);
/* A close frame; @code 0: without a status. */
void ws_add_close(WsBytes *b, unsigned code, const char *reason);

typedef struct WsFrame {
        unsigned first;
        uint8_t *payload; /* NUL-terminated */
        size_t size;
        unsigned code; /* of a close frame; 1005 if it has none */
} WsFrame;
void ws_frame_done(WsFrame *f);

/* Takes the first frame out of @b; false if there is no whole one. Fails on one that is masked. */
bool ws_take_frame(WsBytes *b, WsFrame *ret);
