/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <wslay/wslay.h>

#include "api/stream/ws-codec.h"
#include "basic/string-util.h"

/* A control frame's payload has at most 125 bytes (RFC 6455, 5.5), and its header two. */
#define CONTROL_MAX 127u
#define REASON_MAX 123u

struct WsCodec {
        WsCodecOps ops;
        void *userdata;
        wslay_event_context_ptr wslay;

        const uint8_t *input; /* what libwslay has not taken yet */
        size_t input_size;
        uint8_t control[CONTROL_MAX]; /* the frame that libwslay is writing */
        size_t control_size;
        WsCloseCode close_mistake; /* what is wrong with the client's close frame; 0: nothing */
        bool failed; /* a frame could not be read; the close frame was ours */
};

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *buf, size_t size, int flags, void *userdata) {
        WsCodec *c = userdata;
        size_t n = MIN(size, c->input_size);

        if (n == 0) {
                wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
                return -1;
        }
        memcpy(buf, c->input, n);
        c->input += n;
        c->input_size -= n;
        return (ssize_t) n;
}

/* A close frame with a status and no reason. */
static size_t write_close(uint8_t frame[static 4], WsCloseCode code) {
        frame[0] = 0x88; /* FIN, opcode 8 */
        frame[1] = 2;
        frame[2] = (uint8_t) (code >> 8);
        frame[3] = (uint8_t) code;
        return 4;
}

static void tell_control(WsCodec *c) {
        /* libwslay answers a close frame with the client's own words. */
        if (c->close_mistake)
                c->control_size = write_close(c->control, c->close_mistake);
        c->ops.on_control(c->control, c->control_size, c->userdata);
        c->control_size = 0;
}

/* libwslay writes nothing but control frames here: one after the other, each in one or two pieces. */
static ssize_t on_send(
                wslay_event_context_ptr wslay, const uint8_t *data, size_t size, int flags, void *userdata) {
        WsCodec *c = userdata;

        if (size > sizeof(c->control) - c->control_size) {
                wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
                return -1;
        }
        memcpy(c->control + c->control_size, data, size);
        c->control_size += size;
        if (c->control_size >= 2 && c->control_size == 2u + c->control[1])
                tell_control(c);
        return (ssize_t) size;
}

/* What libwslay 1.1 overlooks in a close frame: half a status, and wrong UTF-8 if it comes in several reads.
 * 0 if there is nothing wrong. */
static WsCloseCode find_close_mistake(const struct wslay_event_on_msg_recv_arg *arg) {
        char reason[CONTROL_MAX + 1];
        size_t n = arg->msg_length > 2 ? MIN(arg->msg_length - 2, (size_t) CONTROL_MAX) : 0;

        for (size_t i = 0; i < n; i++)
                reason[i] = arg->msg[2 + i] ? (char) arg->msg[2 + i] : ' ';
        reason[n] = '\0';
        if (arg->msg_length == 1)
                return WS_CLOSE_PROTOCOL_ERROR;
        return utf8_is_valid(reason) ? 0 : WS_CLOSE_INVALID_TEXT;
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
                void *userdata) {
        WsCodec *c = userdata;

        switch (arg->opcode) {
        case WSLAY_TEXT_FRAME: {
                _cleanup_free_ char *text = malloc(arg->msg_length + 1);

                if (!text) {
                        (void) ws_codec_close(c, WS_CLOSE_INTERNAL_ERROR, "out of memory");
                        return;
                }
                if (arg->msg_length > 0)
                        memcpy(text, arg->msg, arg->msg_length);
                text[arg->msg_length] = '\0';
                c->ops.on_text(text, arg->msg_length, c->userdata);
                return;
        }
        case WSLAY_BINARY_FRAME:
                if (c->ops.on_binary) {
                        c->ops.on_binary(arg->msg, arg->msg_length, c->userdata);
                        return;
                }
                wslay_event_shutdown_read(wslay);
                (void) ws_codec_close(c, WS_CLOSE_UNSUPPORTED, "only text messages are understood here");
                return;
        case WSLAY_PONG:
                c->ops.on_pong(c->userdata);
                return;
        case WSLAY_CONNECTION_CLOSE: /* libwslay has queued the answer; for a ping too */
                c->close_mistake = find_close_mistake(arg);
                return;
        default:
                return;
        }
}

int ws_codec_new(size_t max_message, const WsCodecOps *ops, void *userdata, WsCodec **ret) {
        static const struct wslay_event_callbacks callbacks = {
                .recv_callback = on_recv,
                .send_callback = on_send,
                .on_msg_recv_callback = on_message,
        };
        _cleanup_(ws_codec_freep) WsCodec *c = new0(WsCodec, 1);

        if (!c)
                return -ENOMEM;
        c->ops = *ops;
        c->userdata = userdata;
        if (wslay_event_context_server_init(&c->wslay, &callbacks, c) < 0) {
                c->wslay = NULL;
                return -ENOMEM;
        }
        wslay_event_config_set_max_recv_msg_length(c->wslay, max_message);
        *ret = TAKE_PTR(c);
        return 0;
}

WsCodec *ws_codec_free(WsCodec *c) {
        if (!c)
                return NULL;
        wslay_event_context_free(c->wslay);
        return mfree(c);
}

/* Has libwslay write the control frames it has queued. */
static int ws_codec_flush(WsCodec *c) {
        return wslay_event_send(c->wslay) < 0 ? -ENOMEM : 0;
}

int ws_codec_feed(WsCodec *c, const void *data, size_t size) {
        int r;

        c->input = data;
        c->input_size = size;
        r = wslay_event_recv(c->wslay);
        c->input = NULL;
        c->input_size = 0;
        if (r == WSLAY_ERR_NOMEM)
                return -ENOMEM;
        /* A frame that cannot be (a long or fragmented control frame, a length that is not the shortest):
         * libwslay queues a close frame without a status, but there is one for this. */
        if (r < 0 && !ws_codec_close_is_sent(c)) {
                c->failed = true;
                wslay_event_shutdown_write(c->wslay);
                c->control_size = write_close(c->control, WS_CLOSE_PROTOCOL_ERROR);
                tell_control(c);
        }
        return r < 0 ? 0 : ws_codec_flush(c);
}

int ws_codec_ping(WsCodec *c) {
        const struct wslay_event_msg ping = { .opcode = WSLAY_PING };

        if (wslay_event_queue_msg(c->wslay, &ping) == WSLAY_ERR_NOMEM)
                return -ENOMEM;
        return ws_codec_flush(c);
}

int ws_codec_close(WsCodec *c, WsCloseCode code, const char *reason) {
        size_t n = MIN(strlen(reason), (size_t) REASON_MAX);

        if (wslay_event_queue_close(c->wslay, (uint16_t) code, (const uint8_t *) reason, n) ==
                        WSLAY_ERR_NOMEM)
                return -ENOMEM;
        return ws_codec_flush(c);
}

bool ws_codec_close_is_sent(const WsCodec *c) {
        return c->failed || wslay_event_get_close_sent(c->wslay);
}

bool ws_codec_is_deaf(const WsCodec *c) {
        return !wslay_event_get_read_enabled(c->wslay);
}

unsigned ws_codec_code_received(const WsCodec *c) {
        return wslay_event_get_status_code_received(c->wslay);
}
