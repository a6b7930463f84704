/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a WebSocket client sends behind its handshake. The first byte says how the rest is cut into reads.
 * Whatever comes: texts are UTF-8 and within the limit, what goes out are whole control frames, unmasked,
 * and nothing goes out behind a close frame. */

#include <stdio.h>

#include "api/stream/ws-codec.h"
#include "basic/string-util.h"
#include "fuzz.h"

#define MAX_MESSAGE 300

static bool closed;

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

static void on_text(const char *text, size_t size, void *userdata) {
        check(size <= MAX_MESSAGE, "a text is within the limit");
        check(text[size] == '\0', "a text has an end");
        check(strlen(text) < size || utf8_is_valid(text), "a text is UTF-8");
}

static void on_pong(void *userdata) {
}

static void on_control(const void *frame, size_t size, void *userdata) {
        const unsigned char *f = frame;

        check(size >= 2 && size <= 127 && size == 2u + f[1], "a control frame is whole");
        check(f[0] == 0x88 || f[0] == 0x89 || f[0] == 0x8a, "it is close, ping or pong");
        check(!closed, "nothing comes behind a close frame");
        closed = f[0] == 0x88;
        if (closed && size > 2) {
                char reason[128];

                check(size >= 4, "a close frame has a whole status");
                for (size_t i = 4; i < size; i++)
                        reason[i - 4] = f[i] ? (char) f[i] : ' ';
                reason[size - 4] = '\0';
                check(utf8_is_valid(reason), "its reason is UTF-8");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const WsCodecOps ops = { .on_text = on_text, .on_pong = on_pong, .on_control = on_control };
        _cleanup_(ws_codec_freep) WsCodec *c = NULL;
        size_t step;

        if (size == 0)
                return 0;
        closed = false;
        check(ws_codec_new(MAX_MESSAGE, &ops, NULL, &c) == 0, "there is memory");
        step = data[0] ? data[0] : size;
        for (size_t i = 1; i < size; i += step) {
                check(ws_codec_feed(c, data + i, MIN(step, size - i)) == 0, "there is memory");
                if (data[0] % 16 == 7)
                        check(ws_codec_ping(c) == 0, "there is memory");
                check(ws_codec_close_is_sent(c) == closed, "it knows that it has closed");
        }
        check(ws_codec_close(c, WS_CLOSE_RESTART, "come back") == 0, "there is memory");
        check(closed, "it has closed");
        return 0;
}
