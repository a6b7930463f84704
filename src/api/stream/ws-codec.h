/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The protocol of one WebSocket connection, the server's side (RFC 6455): bytes from the client in, messages
 * out, and the control frames that are due. Frames are read by libwslay. Knows nothing of sockets and event
 * loops; nothing may be freed from within the callbacks. */

#include "basic/macro.h"

/* Status codes of a close frame (RFC 6455, 7.4.1, and the IANA registry it founded). */
typedef enum WsCloseCode {
        WS_CLOSE_NORMAL = 1000,
        WS_CLOSE_PROTOCOL_ERROR = 1002,
        WS_CLOSE_UNSUPPORTED = 1003, /* a binary message: there are only texts here */
        WS_CLOSE_NO_STATUS = 1005, /* never sent: there was none */
        WS_CLOSE_ABNORMAL = 1006, /* never sent: there was no close frame */
        WS_CLOSE_INVALID_TEXT = 1007,
        WS_CLOSE_POLICY = 1008,
        WS_CLOSE_TOO_BIG = 1009,
        WS_CLOSE_INTERNAL_ERROR = 1011,
        WS_CLOSE_RESTART = 1012, /* the service is restarted: come back */
        WS_CLOSE_TRY_LATER = 1013, /* the client does not keep up */
} WsCloseCode;

typedef struct WsCodec WsCodec;

typedef struct WsCodecOps {
        /* A whole message: UTF-8, NUL-terminated behind @size. */
        void (*on_text)(const char *text, size_t size, void *userdata);
        /* A whole binary message. NULL: there are only texts here, and a binary message ends the connection.
         */
        void (*on_binary)(const void *data, size_t size, void *userdata);
        void (*on_pong)(void *userdata);
        /* A frame to be sent: pong, ping, close. */
        void (*on_control)(const void *frame, size_t size, void *userdata);
} WsCodecOps;

/* @max_message is in bytes, of one message, however many fragments it comes in. 0 or -ENOMEM. */
int ws_codec_new(size_t max_message, const WsCodecOps *ops, void *userdata, WsCodec **ret);
WsCodec *ws_codec_free(WsCodec *c);
DEFINE_CLEANUP_FUNC(WsCodec *, ws_codec_free);

/* Takes what came from the client. A mistake of the client's is answered with a close frame, and what comes
 * behind it is not looked at. 0 or -ENOMEM. */
int ws_codec_feed(WsCodec *c, const void *data, size_t size);

/* Sends a ping. Does nothing once a close frame was sent. 0 or -ENOMEM. */
int ws_codec_ping(WsCodec *c);

/* Sends a close frame, unless one was sent already. @reason is for people: at most 123 bytes of UTF-8. 0 or
 * -ENOMEM. */
int ws_codec_close(WsCodec *c, WsCloseCode code, const char *reason);

/* A close frame was sent: nothing may be sent behind it. */
bool ws_codec_close_is_sent(const WsCodec *c);
/* Nothing that still comes matters: there was a close frame, or nonsense. */
bool ws_codec_is_deaf(const WsCodec *c);
/* The status of the client's close frame; WS_CLOSE_ABNORMAL if there was none. */
unsigned ws_codec_code_received(const WsCodec *c);
