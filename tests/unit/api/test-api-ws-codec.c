/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The protocol, without a socket: what clients may send and what they get for it, after the ideas of the
 * Autobahn test suite. Every case is tried with the bytes in one piece and one by one.
 *
 * valgrind: all */

#include "api/stream/ws-codec.h"
#include "api/stream/ws-message.h"
#include "unit/lib/test.h"
#include "unit/lib/ws-frames.h"

#define MAX_MESSAGE 70000

typedef struct Client {
        WsCodec *codec;
        WsBytes out; /* what it gets */
        char *texts; /* what arrived, with "|" behind each */
        unsigned pongs;
} Client;

static void on_text(const char *text, size_t size, void *userdata) {
        Client *c = userdata;
        char *joined = strprintf("%s%s|", strempty(c->texts), text);

        ck_assert_uint_eq(strlen(text), size);
        free(c->texts);
        c->texts = joined;
}

static void on_pong(void *userdata) {
        ((Client *) userdata)->pongs++;
}

static void on_control(const void *frame, size_t size, void *userdata) {
        ws_bytes_add(&((Client *) userdata)->out, frame, size);
}

static void client_open(Client *c) {
        static const WsCodecOps ops = { .on_text = on_text, .on_pong = on_pong, .on_control = on_control };

        *c = (Client){};
        ck_assert_int_eq(ws_codec_new(MAX_MESSAGE, &ops, c, &c->codec), 0);
}

static void client_close(Client *c) {
        ws_codec_free(c->codec);
        ws_bytes_done(&c->out);
        free(c->texts);
}

static void feed(Client *c, const WsBytes *in, bool whole) {
        size_t step = whole ? in->size : 1;

        for (size_t i = 0; i < in->size; i += step)
                ck_assert_int_eq(ws_codec_feed(c->codec, in->data + i, step), 0);
}

static void expect_frame(Client *c, unsigned first, const char *payload) {
        WsFrame f;

        ck_assert_msg(ws_take_frame(&c->out, &f), "no frame came");
        ck_assert_uint_eq(f.first, first);
        ck_assert_uint_eq(f.size, strlen(payload));
        ck_assert_str_eq((char *) f.payload, payload);
        ws_frame_done(&f);
}

static void expect_close(Client *c, unsigned code) {
        WsFrame f;

        ck_assert_msg(ws_take_frame(&c->out, &f), "no close frame came");
        ck_assert_uint_eq(f.first, WS_FIN | WS_CLOSE);
        ck_assert_uint_eq(f.code, code);
        ck_assert(ws_codec_close_is_sent(c->codec));
        ws_frame_done(&f);
        ck_assert_uint_eq(c->out.size, 0);
}

/* What a client sends, and what comes of it: texts, and the code of the close frame it gets (0: none). */
static void try(const WsBytes *in, const char *texts, unsigned code) {
        for (int whole = 0; whole <= 1; whole++) {
                Client c;

                client_open(&c);
                feed(&c, in, whole);
                ck_assert_str_eq(strempty(c.texts), texts);
                if (code > 0) {
                        expect_close(&c, code);
                        ck_assert(ws_codec_is_deaf(c.codec));
                } else {
                        ck_assert(!ws_codec_close_is_sent(c.codec));
                        ck_assert(!ws_codec_is_deaf(c.codec));
                }
                client_close(&c);
        }
}

static void try_and_forget(WsBytes *in, const char *texts, unsigned code) {
        try(in, texts, code);
        ws_bytes_done(in);
}

START_TEST(texts_of_all_lengths) {
        static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, MAX_MESSAGE };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_free_ char *text = malloc(sizes[i] + 2);
                WsBytes in = {};

                memset(text, 'x', sizes[i]);
                ws_add_frame(&in, WS_FIN | WS_TEXT, text, sizes[i]);
                memcpy(text + sizes[i], "|", 2);
                try_and_forget(&in, text, 0);
        }
}
END_TEST

START_TEST(a_message_that_is_too_long) {
        _cleanup_free_ char *text = malloc(MAX_MESSAGE + 1);
        WsBytes in = {};

        memset(text, 'x', MAX_MESSAGE + 1);
        ws_add_frame(&in, WS_FIN | WS_TEXT, text, MAX_MESSAGE + 1);
        try_and_forget(&in, "", WS_CLOSE_TOO_BIG);

        /* in fragments that are not */
        ws_add_frame(&in, WS_TEXT, text, MAX_MESSAGE / 2);
        ws_add_frame(&in, WS_CONTINUATION, text, MAX_MESSAGE / 2);
        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, text, 1);
        try_and_forget(&in, "", WS_CLOSE_TOO_BIG);

        /* by its own account: nothing is waited for, and nothing allocated */
        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, true, 8, (uint64_t) 1 << 62, "x", 1);
        try_and_forget(&in, "", WS_CLOSE_TOO_BIG);
}
END_TEST

START_TEST(fragments) {
        WsBytes in = {};

        ws_add_frame(&in, WS_TEXT, "one ", 4);
        ws_add_frame(&in, WS_CONTINUATION, "two ", 4);
        ws_add_frame(&in, WS_CONTINUATION, "", 0);
        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, "three", 5);
        ws_add_frame(&in, WS_FIN | WS_TEXT, "four", 4);
        try_and_forget(&in, "one two three|four|", 0);

        /* only empty ones */
        ws_add_frame(&in, WS_TEXT, "", 0);
        ws_add_frame(&in, WS_CONTINUATION, "", 0);
        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, "", 0);
        try_and_forget(&in, "|", 0);

        /* 10,000 of one byte */
        for (int i = 0; i < 10000; i++)
                ws_add_frame(&in,
                                i == 0                     ? WS_TEXT
                                                : i < 9999 ? WS_CONTINUATION
                                                           : WS_FIN | WS_CONTINUATION,
                                "x", 1);
        Client c;
        client_open(&c);
        feed(&c, &in, true);
        ck_assert_uint_eq(strlen(strempty(c.texts)), 10001);
        client_close(&c);
        ws_bytes_done(&in);
}
END_TEST

START_TEST(fragments_out_of_order) {
        WsBytes in = {};

        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, "x", 1); /* of nothing */
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);

        ws_add_frame(&in, WS_FIN | WS_TEXT, "a", 1);
        ws_add_frame(&in, WS_CONTINUATION, "b", 1);
        try_and_forget(&in, "a|", WS_CLOSE_PROTOCOL_ERROR);

        ws_add_frame(&in, WS_TEXT, "a", 1); /* another one before it is done */
        ws_add_frame(&in, WS_FIN | WS_TEXT, "b", 1);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
}
END_TEST

START_TEST(pings_are_answered) {
        char long_payload[126] = {};
        WsBytes in = {};

        memset(long_payload, 'p', 125);
        ws_add_frame(&in, WS_FIN | WS_PING, "", 0);
        ws_add_frame(&in, WS_FIN | WS_PING, "hello", 5);
        ws_add_frame(&in, WS_FIN | WS_PING, long_payload, 125);
        for (int whole = 0; whole <= 1; whole++) {
                Client c;

                client_open(&c);
                feed(&c, &in, whole);
                expect_frame(&c, WS_FIN | WS_PONG, "");
                expect_frame(&c, WS_FIN | WS_PONG, "hello");
                expect_frame(&c, WS_FIN | WS_PONG, long_payload);
                ck_assert_uint_eq(c.out.size, 0);
                client_close(&c);
        }
        ws_bytes_done(&in);
}
END_TEST

START_TEST(a_ping_between_fragments) {
        WsBytes in = {};

        ws_add_frame(&in, WS_TEXT, "one ", 4);
        ws_add_frame(&in, WS_FIN | WS_PING, "now", 3);
        ws_add_frame(&in, WS_FIN | WS_PONG, "nobody asked", 12);
        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, "two", 3);
        for (int whole = 0; whole <= 1; whole++) {
                Client c;

                client_open(&c);
                feed(&c, &in, whole);
                expect_frame(&c, WS_FIN | WS_PONG, "now");
                ck_assert_str_eq(strempty(c.texts), "one two|");
                ck_assert_uint_eq(c.pongs, 1);
                client_close(&c);
        }
        ws_bytes_done(&in);
}
END_TEST

START_TEST(control_frames_that_cannot_be) {
        char payload[200] = {};
        WsBytes in = {};

        ws_add_odd_frame(&in, WS_FIN | WS_PING, true, 2, 126, payload, 126); /* too long */
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_frame(&in, WS_PING, "a", 1); /* fragmented */
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_frame(&in, WS_CLOSE, "", 0);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_odd_frame(&in, WS_FIN | WS_CLOSE, true, 2, 126, payload, 126);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
}
END_TEST

START_TEST(reserved_bits_and_opcodes) {
        static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
        WsBytes in = {};

        for (size_t i = 0; i < ELEMENTSOF(opcodes); i++) {
                ws_add_frame(&in, WS_FIN | WS_TEXT, "a", 1);
                ws_add_frame(&in, WS_FIN | opcodes[i], "", 0);
                ws_add_frame(&in, WS_FIN | WS_PING, "", 0); /* not looked at any more */
                try_and_forget(&in, "a|", WS_CLOSE_PROTOCOL_ERROR);
        }
        for (unsigned bits = 1; bits < 8; bits++) {
                ws_add_frame(&in, WS_FIN | bits << 4 | WS_TEXT, "a", 1);
                try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
                ws_add_frame(&in, WS_FIN | bits << 4 | WS_PING, "", 0);
                try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        }
}
END_TEST

START_TEST(frames_that_are_not_masked) {
        WsBytes in = {};

        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, false, 0, 1, "a", 1);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_odd_frame(&in, WS_FIN | WS_PING, false, 0, 0, "", 0);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
}
END_TEST

START_TEST(lengths_that_are_not_the_shortest) {
        WsBytes in = {};

        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, true, 2, 5, "hello", 5);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, true, 8, 5, "hello", 5);
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, true, 8, UINT64_MAX, "", 0); /* the highest bit must be 0 */
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
}
END_TEST

START_TEST(binary_messages) {
        WsBytes in = {};

        ws_add_frame(&in, WS_FIN | WS_BINARY, "\0\1", 2);
        ws_add_frame(&in, WS_FIN | WS_TEXT, "not heard any more", 18);
        try_and_forget(&in, "", WS_CLOSE_UNSUPPORTED);
}
END_TEST

START_TEST(text_must_be_utf8) {
        static const char *const good[] = { "κόσμε", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf",
                "\xed\x9f\xbf", "\xee\x80\x80", "\x7f", "\xc2\x80" };
        static const char *const bad[] = { ("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
                                            "edited"), /* a surrogate */
                "\xf4\x90\x80\x80", /* above U+10FFFF */
                "\x80", "\xbf\xbf", "\xfe", "\xff", "a\xc0\xaf", "\xe0\x80\xaf",
                "\xf0\x80\x80\xaf", /* overlong */
                "\xf8\x88\x80\x80\x80", /* five bytes */
                "\xc2", "\xe2\x82", "\xf0\x9f\x98", /* cut off at the end */
                "\xc2g" };
        WsBytes in = {};

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_free_ char *texts = strprintf("%s|", good[i]);

                ws_add_frame(&in, WS_FIN | WS_TEXT, good[i], strlen(good[i]));
                try_and_forget(&in, texts, 0);
                /* split between any two bytes */
                for (size_t split = 0; split <= strlen(good[i]); split++) {
                        ws_add_frame(&in, WS_TEXT, good[i], split);
                        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, good[i] + split,
                                        strlen(good[i]) - split);
                        try_and_forget(&in, texts, 0);
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ws_add_frame(&in, WS_FIN | WS_TEXT, bad[i], strlen(bad[i]));
                try_and_forget(&in, "", WS_CLOSE_INVALID_TEXT);
                for (size_t split = 0; split <= strlen(bad[i]); split++) {
                        ws_add_frame(&in, WS_TEXT, bad[i], split);
                        ws_add_frame(&in, WS_FIN | WS_CONTINUATION, bad[i] + split, strlen(bad[i]) - split);
                        try_and_forget(&in, "", WS_CLOSE_INVALID_TEXT);
                }
        }
}
END_TEST

START_TEST(bad_text_is_found_before_its_frame_is_complete) {
        Client c;
        WsBytes in = {};

        client_open(&c);
        ws_add_odd_frame(&in, WS_FIN | WS_TEXT, true, 2, 1000, "abc\xff", 4);
        feed(&c, &in, false);
        expect_close(&c, WS_CLOSE_INVALID_TEXT);
        client_close(&c);
        ws_bytes_done(&in);
}
END_TEST

START_TEST(a_close_is_answered_in_kind) {
        static const unsigned codes[] = { 0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
                3999, 4000, 4999 };

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                Client c;
                WsBytes in = {};

                client_open(&c);
                ws_add_close(&in, codes[i], codes[i] ? "bye — κόσμε" : "");
                ws_add_frame(&in, WS_FIN | WS_TEXT, "after the end", 13);
                ws_add_frame(&in, WS_FIN | WS_PING, "", 0);
                feed(&c, &in, true);
                expect_close(&c, codes[i] ? codes[i] : WS_CLOSE_NO_STATUS);
                ck_assert_uint_eq(ws_codec_code_received(c.codec), codes[i] ? codes[i] : WS_CLOSE_NO_STATUS);
                ck_assert_ptr_null(c.texts);
                client_close(&c);
                ws_bytes_done(&in);
        }
}
END_TEST

START_TEST(closes_that_cannot_be) {
        static const unsigned codes[] = { 1, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535 };
        WsBytes in = {};

        for (size_t i = 0; i < ELEMENTSOF(codes); i++) {
                ws_add_close(&in, codes[i], "");
                try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
        }
        ws_add_close(&in, 1000, "\xce\xba\xff");
        try_and_forget(&in, "", WS_CLOSE_INVALID_TEXT);
        ws_add_frame(&in, WS_FIN | WS_CLOSE, "\x03", 1); /* half a code */
        try_and_forget(&in, "", WS_CLOSE_PROTOCOL_ERROR);
}
END_TEST

START_TEST(we_close_first) {
        Client c;
        WsBytes in = {};

        client_open(&c);
        ck_assert_int_eq(ws_codec_close(c.codec, WS_CLOSE_RESTART, "come back"), 0);
        ck_assert_int_eq(ws_codec_close(c.codec, WS_CLOSE_NORMAL, "once is enough"), 0);
        ck_assert_int_eq(ws_codec_ping(c.codec), 0);
        expect_close(&c, WS_CLOSE_RESTART);
        ck_assert(!ws_codec_is_deaf(c.codec)); /* its own close is still to come */

        ws_add_frame(&in, WS_FIN | WS_PING, "", 0); /* was on its way */
        ws_add_close(&in, 1000, "");
        feed(&c, &in, true);
        ck_assert(ws_codec_is_deaf(c.codec));
        ck_assert_uint_eq(ws_codec_code_received(c.codec), 1000);
        ck_assert_uint_eq(c.out.size, 0); /* nothing may come behind a close frame */
        client_close(&c);
        ws_bytes_done(&in);

        /* nonsense instead of its close: no second close frame */
        client_open(&c);
        ck_assert_int_eq(ws_codec_close(c.codec, WS_CLOSE_RESTART, ""), 0);
        expect_close(&c, WS_CLOSE_RESTART);
        ws_add_frame(&in, WS_PING, "a", 1);
        feed(&c, &in, true);
        ck_assert_uint_eq(c.out.size, 0);
        ck_assert(ws_codec_is_deaf(c.codec));
        client_close(&c);
        ws_bytes_done(&in);
}
END_TEST

START_TEST(a_long_reason_is_cut) {
        _cleanup_free_ char *reason = calloc(1, 201);
        WsFrame f;
        Client c;

        memset(reason, 'r', 200);
        client_open(&c);
        ck_assert_int_eq(ws_codec_close(c.codec, WS_CLOSE_NORMAL, reason), 0);
        ck_assert(ws_take_frame(&c.out, &f));
        ck_assert_uint_eq(f.size, 125);
        ws_frame_done(&f);
        client_close(&c);
}
END_TEST

START_TEST(we_ping) {
        Client c;

        client_open(&c);
        ck_assert_int_eq(ws_codec_ping(c.codec), 0);
        expect_frame(&c, WS_FIN | WS_PING, "");
        client_close(&c);
}
END_TEST

/* --- messages and their queue ---------------------------------------------------------------------- */

START_TEST(messages_of_all_lengths) {
        static const size_t sizes[] = { 0, 1, 125, 126, 65535, 65536, 200000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_free_ char *text = calloc(1, sizes[i] + 1);
                _cleanup_ws_message_ WsMessage *m = NULL;
                WsBytes b = {};
                WsFrame f;

                memset(text, 'x', sizes[i]);
                m = ws_message_new(text, sizes[i]);
                ws_bytes_add(&b, m->frame, m->size);
                ck_assert(ws_take_frame(&b, &f));
                ck_assert_uint_eq(f.first, WS_FIN | WS_TEXT);
                ck_assert_uint_eq(f.size, sizes[i]);
                ck_assert_str_eq((char *) f.payload, text);
                ck_assert_uint_eq(b.size, 0);
                ws_frame_done(&f);
                ws_bytes_done(&b);
        }
}
END_TEST

static void push_text(WsQueue *q, const char *text) {
        _cleanup_ws_message_ WsMessage *m = ws_message_new(text, strlen(text));

        ck_assert_int_eq(ws_queue_push(q, m), 0);
}

/* Takes up to @max bytes out of it, as a socket would. */
static void take(WsQueue *q, WsBytes *b, size_t max) {
        struct iovec pieces[3];
        size_t n = ws_queue_pieces(q, pieces, ELEMENTSOF(pieces)), sent = 0;

        for (size_t i = 0; i < n && sent < max; i++) {
                size_t size = MIN(pieces[i].iov_len, max - sent);

                ws_bytes_add(b, pieces[i].iov_base, size);
                sent += size;
        }
        ws_queue_sent(q, sent);
}

START_TEST(a_queue_loses_nothing) {
        WsQueue q = {};
        WsBytes b = {};
        unsigned pushed = 0, seen = 0;

        srandom(1);
        while (seen < 5000) {
                WsFrame f;

                for (long n = random() % 8; n > 0 && pushed < 5000; n--) {
                        _cleanup_free_ char *text = strprintf("%u", pushed++);

                        push_text(&q, text);
                }
                take(&q, &b, (size_t) (random() % 40));
                while (ws_take_frame(&b, &f)) {
                        _cleanup_free_ char *text = strprintf("%u", seen++);

                        ck_assert_str_eq((char *) f.payload, text);
                        ws_frame_done(&f);
                }
        }
        ck_assert(ws_queue_is_empty(&q));
        ck_assert_uint_eq(q.bytes, 0);
        ck_assert_uint_lt(q.allocated, 5000);
        ws_queue_done(&q);
        ws_bytes_done(&b);
}
END_TEST

START_TEST(a_queue_is_dropped_but_for_what_has_begun) {
        WsQueue q = {};
        WsBytes b = {};
        WsFrame f;

        push_text(&q, "first");
        push_text(&q, "second");
        ws_queue_drop(&q);
        ck_assert(ws_queue_is_empty(&q));
        ck_assert_uint_eq(q.bytes, 0);

        push_text(&q, "third");
        push_text(&q, "fourth");
        take(&q, &b, 3);
        ws_queue_drop(&q);
        push_text(&q, "fifth");
        take(&q, &b, SIZE_MAX);
        ck_assert(ws_queue_is_empty(&q));
        ck_assert_uint_eq(q.bytes, 0);
        ck_assert(ws_take_frame(&b, &f));
        ck_assert_str_eq((char *) f.payload, "third");
        ws_frame_done(&f);
        ck_assert(ws_take_frame(&b, &f));
        ck_assert_str_eq((char *) f.payload, "fifth");
        ws_frame_done(&f);
        ws_queue_done(&q);
        ws_bytes_done(&b);
}
END_TEST

TEST_MAIN("api-ws-codec", texts_of_all_lengths, a_message_that_is_too_long, fragments,
                fragments_out_of_order, pings_are_answered, a_ping_between_fragments,
                control_frames_that_cannot_be, reserved_bits_and_opcodes, frames_that_are_not_masked,
                lengths_that_are_not_the_shortest, binary_messages, text_must_be_utf8,
                bad_text_is_found_before_its_frame_is_complete, a_close_is_answered_in_kind,
                closes_that_cannot_be, we_close_first, a_long_reason_is_cut, we_ping,
                messages_of_all_lengths, a_queue_loses_nothing, a_queue_is_dropped_but_for_what_has_begun)
