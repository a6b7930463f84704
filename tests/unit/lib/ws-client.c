/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <sys/socket.h>

#include "unit/lib/test.h"
#include "unit/lib/ws-client.h"

void ws_client_open(WsClient *c, const TestServer *s) {
        _cleanup_reply_ TestReply r = {};

        *c = (WsClient){ .fd = test_connect(s) };
        test_send(c->fd, WS_HANDSHAKE);
        test_read_reply_full(c->fd, true, &r);
        ck_assert_uint_eq(r.status, 101);
}

void ws_client_close(WsClient *c) {
        close(c->fd);
        ws_bytes_done(&c->in);
}

void ws_client_send_frame(WsClient *c, unsigned first, const char *payload) {
        WsBytes b = {};

        ws_add_frame(&b, first, payload, strlen(payload));
        test_send_bytes(c->fd, b.data, b.size);
        ws_bytes_done(&b);
}

void ws_client_send(WsClient *c, const char *text) {
        ws_client_send_frame(c, WS_FIN | WS_TEXT, text);
}

void ws_client_send_close(WsClient *c, unsigned code) {
        WsBytes b = {};

        ws_add_close(&b, code, "");
        test_send_bytes(c->fd, b.data, b.size);
        ws_bytes_done(&b);
}

/* False at the end. */
bool ws_client_read_frame(WsClient *c, WsFrame *ret) {
        while (!ws_take_frame(&c->in, ret)) {
                struct pollfd p = { .fd = c->fd, .events = POLLIN };
                char buf[65536];
                ssize_t n;

                ck_assert_msg(poll(&p, 1, 30000) == 1, "nothing came for 30 s");
                n = recv(c->fd, buf, sizeof(buf), 0);
                if (n <= 0)
                        return false;
                ws_bytes_add(&c->in, buf, (size_t) n);
        }
        return true;
}

void ws_client_expect_text(WsClient *c, const char *text) {
        WsFrame f;

        ck_assert_msg(ws_client_read_frame(c, &f), "the end, instead of: %s", text);
        ck_assert_uint_eq(f.first, WS_FIN | WS_TEXT);
        ck_assert_str_eq((char *) f.payload, text);
        ws_frame_done(&f);
}

void ws_client_expect_close(WsClient *c, unsigned code) {
        WsFrame f;

        ck_assert_msg(ws_client_read_frame(c, &f), "the end, instead of a close frame");
        ck_assert_uint_eq(f.first, WS_FIN | WS_CLOSE);
        ck_assert_uint_eq(f.code, code);
        ws_frame_done(&f);
}

void ws_client_expect_end(WsClient *c) {
        WsFrame f;

        ck_assert(!ws_client_read_frame(c, &f));
}
