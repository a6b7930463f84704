/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WebSockets on real sockets, with a protocol made for the test: who gets one, and how they end. What frames
 * mean is in test-api-ws-codec.
 *
 * weight: 0.2
 * check: all */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "api/http/reply.h"
#include "api/stream/websocket.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"
#include "unit/lib/ws-client.h"

#define MAX_MESSAGE 4096

/* --- the dialect ----------------------------------------------------------------------------------- */

static WebSocketGroup *group; /* in the server: while there are clients */
static int n_starts;

static int on_start(WebSocketGroup *g) {
        group = g;
        n_starts++;
        return 0;
}

static void on_stop(WebSocketGroup *g) {
        group = NULL;
}

static int on_open(WebSocket *w) {
        _cleanup_ws_message_ WsMessage *m = ws_message_from_json(json_pack("{s:i}", "starts", n_starts));

        websocket_send(w, m);
        return 0;
}

static void on_message(WebSocket *w, const char *text, size_t size) {
        _cleanup_ws_message_ WsMessage *m = ws_message_new(text, size);

        if (streq(text, "close"))
                websocket_close(w, WS_CLOSE_NORMAL, "as you like");
        websocket_send(w, m);
}

static const WebSocketProtocol protocol = {
        .max_message = MAX_MESSAGE,
        .on_start = on_start,
        .on_stop = on_stop,
        .on_open = on_open,
        .on_message = on_message,
};

static int on_websocket(Request *r) {
        return request_reply_websocket(r, &protocol);
}

static int on_open_failing(WebSocket *w) {
        return -EIO;
}

static const WebSocketProtocol failing_protocol = { .max_message = 1, .on_open = on_open_failing };

static int on_failing(Request *r) {
        return request_reply_websocket(r, &failing_protocol);
}

static int on_start_refusing(WebSocketGroup *g) {
        return -EBUSY;
}

static const WebSocketProtocol refusing_protocol = { .on_start = on_start_refusing };

static int on_refusing(Request *r) {
        return request_reply_websocket(r, &refusing_protocol);
}

/* Says the body to all. */
static int on_broadcast(Request *r) {
        size_t size;
        const char *text = request_body(r, &size);
        _cleanup_ws_message_ WsMessage *m = ws_message_new(text, size);

        if (group)
                websocket_group_send(group, m);
        return request_reply_empty(r, 204);
}

static int on_counters(Request *r) {
        const ApiCounters *c = api_counters(request_api(r));

        return request_reply_json(r, 200,
                        json_pack("{s:i,s:i,s:b}", "streams", (int) c->streams, "in_flight",
                                        (int) c->in_flight, "group", group != NULL));
}

static const Route routes[] = {
        { HTTP_GET, "/ws", SCOPE_READ, on_websocket },
        { HTTP_GET, "/failing", SCOPE_READ, on_failing },
        { HTTP_GET, "/refusing", SCOPE_READ, on_refusing },
        { HTTP_POST, "/broadcast", SCOPE_SUBMIT, on_broadcast },
        { HTTP_GET, "/counters", SCOPE_READ, on_counters },
        {},
};

static const Dialect dialect = TEST_DIALECT(routes);

static TestServer server;
static ApiConfig config;

static void start(int family) {
        config.database = "/nonexistent/hyper.db";
        config.bus_address = "unix:path=/nonexistent/bus";
        test_server_start(&server, family, &dialect, &config);
}

static void stop(void) {
        ck_assert_int_eq(test_server_stop(&server), 0);
}

/* --- a client -------------------------------------------------------------------------------------- */

#define KEY WS_KEY
#define UPGRADE WS_UPGRADE
#define HANDSHAKE WS_HANDSHAKE

typedef WsClient Client;

static void client_open(Client *c) {
        ws_client_open(c, &server);
}

static void expect_hello(Client *c, int starts) {
        _cleanup_free_ char *text = strprintf("{\"starts\":%d}", starts);

        ws_client_expect_text(c, text);
}

static void expect_counters(const char *expected) {
        test_get_until(&server, "/counters", expected);
}

static void expect_nobody(void) {
        expect_counters("{\"streams\":0,\"in_flight\":1,\"group\":false}");
}

static void broadcast(const char *text) {
        _cleanup_reply_ TestReply r = {};

        test_request(&server, &r,
                        "POST /broadcast HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(text), text);
        ck_assert_uint_eq(r.status, 204);
}

/* --- who gets one ---------------------------------------------------------------------------------- */

START_TEST(the_handshake_of_the_rfc) {
        _cleanup_free_ char *accept = NULL, *upgrade = NULL, *connection = NULL;
        _cleanup_reply_ TestReply r = {};

        start(AF_INET);
        test_request(&server, &r, HANDSHAKE "%s", "");
        ck_assert_uint_eq(r.status, 101);
        accept = test_header(&r, "Sec-WebSocket-Accept");
        upgrade = test_header(&r, "Upgrade");
        connection = test_header(&r, "Connection");
        ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        ck_assert_str_eq(upgrade, "websocket");
        ck_assert_str_eq(connection, "Upgrade");
        ck_assert_ptr_null(test_header(&r, "Sec-WebSocket-Extensions"));
        stop();
}
END_TEST

static void try_handshake(unsigned status, const char *request) {
        _cleanup_reply_ TestReply r = {};
        int fd = test_connect(&server);

        test_send(fd, "%s", request);
        test_read_reply_full(fd, startswith(request, "HEAD "), &r);
        ck_assert_msg(r.status == status, "%u, not %u, for: %s", r.status, status, request);
        close(fd);
}

START_TEST(handshakes_good_and_bad) {
        start(AF_INET);
#define GET "GET /ws HTTP/1.1\r\nHost: localhost\r\n"
        /* spelling and lists */
        try_handshake(101,
                        GET "UPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\n"
                            "sec-websocket-version: 13\r\n" KEY "\r\n");
        try_handshake(101,
                        GET "Upgrade: foo, websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\n" KEY "\r\n");
        try_handshake(101, GET UPGRADE KEY "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        /* not asked for */
        try_handshake(426, GET "\r\n");
        try_handshake(426, GET "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
        try_handshake(426,
                        GET "Upgrade: websocketx\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY
                            "\r\n");
        try_handshake(426, GET "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n");
        try_handshake(426, "HEAD /ws HTTP/1.1\r\nHost: localhost\r\n" UPGRADE KEY "\r\n");
        try_handshake(426, "GET /ws HTTP/1.0\r\nHost: localhost\r\n" UPGRADE KEY "\r\n");
        try_handshake(405,
                        "POST /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" UPGRADE KEY "\r\n");
        /* other versions */
        try_handshake(426, GET "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "\r\n");
        try_handshake(426,
                        GET "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" KEY
                            "\r\n");
        /* keys */
        try_handshake(400, GET UPGRADE "\r\n");
        try_handshake(400, GET UPGRADE "Sec-WebSocket-Key: short\r\n\r\n");
        try_handshake(400, GET UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSEhISEh\r\n\r\n");
        try_handshake(400, GET UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZ!Bub25jZQ==\r\n\r\n");
        /* names of this machine, and others */
        try_handshake(421, "GET /ws HTTP/1.1\r\nHost: evil.example\r\n" UPGRADE KEY "\r\n");
        expect_nobody();
        stop();
}
END_TEST

START_TEST(a_refusal_says_what_would_be_right) {
        _cleanup_free_ char *version = NULL, *upgrade = NULL;
        _cleanup_reply_ TestReply r = {};

        start(AF_INET);
        test_request(&server, &r, GET "%s\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n");
        ck_assert_uint_eq(r.status, 426);
        version = test_header(&r, "Sec-WebSocket-Version");
        upgrade = test_header(&r, "Upgrade");
        ck_assert_str_eq(version, "13");
        ck_assert_str_eq(upgrade, "websocket");
        stop();
}
END_TEST

START_TEST(pages_of_other_origins_are_kept_out) {
        static const struct {
                const char *host, *origin;
                unsigned status;
        } cases[] = {
                { "localhost:8080", "http://localhost:8080", 101 },
                { "localhost:8080", "http://localhost:3000", 101 }, /* served on this machine */
                { "localhost:8080", "https://127.0.0.1", 101 },
                { "localhost:8080", "http://[::1]:3000", 101 },
                { "localhost:8080", "http://console.localhost", 101 },
                { "192.0.2.1:8080", "http://192.0.2.1:8080", 101 }, /* its own */
                { "localhost:8080", "http://192.0.2.1:8080", 403 },
                { "localhost:8080", "http://evil.example", 403 },
                { "localhost:8080", "http://localhost.evil.example", 403 },
                { "localhost:8080", "http://evillocalhost", 403 },
                { "localhost:8080", "http://127.0.0.1.evil.example", 403 },
                { "localhost:8080", "http://127.0.0.1@evil.example", 403 },
                { "localhost:8080", "file://", 403 },
                { "localhost:8080", "null", 403 },
                { "localhost:8080", "", 403 },
        };

        start(AF_INET);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *request = strprintf(
                                "GET /ws HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n" UPGRADE KEY "\r\n",
                                cases[i].host, cases[i].origin);

                try_handshake(cases[i].status, request);
        }
        stop();
}
END_TEST

START_TEST(pages_of_configured_origins_may_connect) {
        char *const origins[] = { (char *) "https://console.example.com", NULL };

        config.cors_origins = origins;
        start(AF_INET);
        try_handshake(101, GET "Origin: https://console.example.com\r\n" UPGRADE KEY "\r\n");
        try_handshake(403, GET "Origin: https://evil.example\r\n" UPGRADE KEY "\r\n");
        stop();
}
END_TEST

START_TEST(no_browser_comes_over_a_unix_socket) {
        start(AF_UNIX);
        try_handshake(101,
                        "GET /ws HTTP/1.1\r\nHost: any\r\nOrigin: http://evil.example\r\n" UPGRADE KEY
                        "\r\n");
        stop();
}
END_TEST

/* --- talking --------------------------------------------------------------------------------------- */

START_TEST(messages_both_ways) {
        _cleanup_free_ char *text = calloc(1, MAX_MESSAGE + 1);
        Client c;

        start(AF_INET);
        client_open(&c);
        expect_hello(&c, 1);
        ws_client_send(&c, "hello");
        ws_client_expect_text(&c, "hello");
        memset(text, 'x', MAX_MESSAGE);
        ws_client_send(&c, text);
        ws_client_expect_text(&c, text);
        for (unsigned i = 0; i < 2000; i++) {
                _cleanup_free_ char *n = strprintf("%u", i);

                ws_client_send(&c, n);
        }
        for (unsigned i = 0; i < 2000; i++) {
                _cleanup_free_ char *n = strprintf("%u", i);

                ws_client_expect_text(&c, n);
        }
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(a_client_that_does_not_wait_for_the_answer) {
        _cleanup_reply_ TestReply r = {};
        Client c = {};
        WsBytes b = {};

        start(AF_INET);
        c.fd = test_connect(&server);
        ws_bytes_add(&b, HANDSHAKE, strlen(HANDSHAKE));
        ws_add_frame(&b, WS_FIN | WS_TEXT, "early", 5);
        test_send_bytes(c.fd, b.data, b.size);
        test_read_reply_full(c.fd, true, &r);
        ck_assert_uint_eq(r.status, 101);
        expect_hello(&c, 1);
        ws_client_expect_text(&c, "early");
        ws_bytes_done(&b);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(bytes_that_come_one_by_one) {
        static const int yes = 1;
        WsBytes b = {};
        Client c;

        start(AF_INET);
        client_open(&c);
        ck_assert_int_eq(setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)), 0);
        expect_hello(&c, 1);
        ws_add_frame(&b, WS_TEXT, "sl", 2);
        ws_add_frame(&b, WS_FIN | WS_CONTINUATION, "ow", 2);
        for (size_t i = 0; i < b.size; i++)
                test_send_bytes(c.fd, b.data + i, 1);
        ws_client_expect_text(&c, "slow");
        ws_bytes_done(&b);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(everybody_gets_what_is_for_all) {
        Client clients[20];

        start(AF_INET);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                client_open(&clients[i]);
                expect_hello(&clients[i], 1);
        }
        expect_counters("{\"streams\":20,\"in_flight\":1,\"group\":true}");
        broadcast("for all");
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                ws_client_expect_text(&clients[i], "for all");
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                ws_client_close(&clients[i]);
        expect_nobody();

        /* what served them was put away, and is made anew for the next */
        client_open(&clients[0]);
        expect_hello(&clients[0], 2);
        ws_client_close(&clients[0]);
        stop();
}
END_TEST

/* --- the end --------------------------------------------------------------------------------------- */

START_TEST(the_client_closes) {
        Client c;

        start(AF_INET);
        client_open(&c);
        expect_hello(&c, 1);
        ws_client_send_close(&c, 1000);
        ws_client_expect_close(&c, 1000);
        ws_client_expect_end(&c);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(the_server_closes) {
        Client c;

        start(AF_INET);
        client_open(&c);
        expect_hello(&c, 1);
        ws_client_send(&c, "close"); /* what would be sent behind it is not */
        ws_client_expect_close(&c, 1000);
        ws_client_send_close(&c, 1000);
        ws_client_expect_end(&c);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(a_client_that_never_answers_a_close) {
        Client c;

        start(AF_INET);
        client_open(&c);
        expect_hello(&c, 1);
        ws_client_send(&c, "close");
        ws_client_expect_close(&c, 1000);
        for (int i = 0; i < 10; i++)
                ws_client_send(&c, "I go on talking");
        ws_client_expect_end(&c);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(mistakes_end_with_their_code) {
        static const struct {
                unsigned first;
                const char *payload;
                unsigned code;
        } cases[] = {
                { WS_FIN | WS_RSV1 | WS_TEXT, "a", 1002 },
                { WS_FIN | WS_TEXT, "\xff", 1007 },
                { WS_FIN | WS_BINARY, "a", 1003 },
                { WS_PING, "a", 1002 },
        };
        _cleanup_free_ char *text = calloc(1, MAX_MESSAGE + 2);
        Client c;

        start(AF_INET);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                client_open(&c);
                ws_client_send_frame(&c, cases[i].first, cases[i].payload);
                ws_client_send(&c, "and more");
                expect_hello(&c, (int) i + 1);
                ws_client_expect_close(&c, cases[i].code);
                ws_client_expect_end(&c);
                ws_client_close(&c);
                expect_nobody();
        }
        memset(text, 'x', MAX_MESSAGE + 1);
        client_open(&c);
        expect_hello(&c, ELEMENTSOF(cases) + 1);
        ws_client_send(&c, text);
        ws_client_expect_close(&c, 1009);
        ws_client_expect_end(&c);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(a_client_that_vanishes) {
        static const struct linger now = { .l_onoff = 1 };
        Client c[3];

        start(AF_INET);
        for (size_t i = 0; i < ELEMENTSOF(c); i++) {
                client_open(&c[i]);
                expect_hello(&c[i], 1);
        }
        ws_client_close(&c[0]);
        setsockopt(c[1].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)); /* a reset */
        ws_client_close(&c[1]);
        expect_counters("{\"streams\":1,\"in_flight\":1,\"group\":true}");
        ws_client_send(&c[2], "still here");
        ws_client_expect_text(&c[2], "still here");
        ws_client_close(&c[2]);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(a_protocol_that_cannot) {
        _cleanup_reply_ TestReply r = {};
        Client c = {};

        start(AF_INET);
        try_handshake(503, "GET /refusing HTTP/1.1\r\nHost: localhost\r\n" UPGRADE KEY "\r\n");
        c.fd = test_connect(&server);
        test_send(c.fd, "GET /failing HTTP/1.1\r\nHost: localhost\r\n" UPGRADE KEY "\r\n");
        test_read_reply_full(c.fd, true, &r);
        ck_assert_uint_eq(r.status, 101);
        ws_client_expect_close(&c, 1011);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(clients_are_told_to_come_back_when_it_stops) {
        Client c, silent;

        start(AF_INET);
        client_open(&c);
        client_open(&silent);
        expect_hello(&c, 1);
        kill(server.pid, SIGTERM);
        ws_client_expect_close(&c, 1012);
        ws_client_send_close(&c, 1012);
        ws_client_expect_end(&c);
        /* the other one never answers, and does not hold it for long */
        ck_assert_int_eq(test_server_wait(&server), 0);
        ws_client_close(&c);
        ws_client_close(&silent);
}
END_TEST

START_TEST(a_client_keeps_the_daemon_and_the_last_one_lets_it_go) {
        Client c;

        config.idle_timeout = 200 * USEC_PER_MSEC;
        start(AF_INET);
        client_open(&c);
        expect_hello(&c, 1);
        usleep(500 * USEC_PER_MSEC); /* longer than it waits when idle */
        ws_client_send(&c, "still here");
        ws_client_expect_text(&c, "still here");
        ws_client_close(&c);
        ck_assert_int_eq(test_server_wait(&server), 0);
}
END_TEST

static bool answer_pings(Client *c, unsigned n) {
        WsFrame f;

        while (n > 0 && ws_client_read_frame(c, &f)) {
                if (f.first == (WS_FIN | WS_PING)) {
                        ws_client_send_frame(c, WS_FIN | WS_PONG, (char *) f.payload);
                        n--;
                }
                ws_frame_done(&f);
        }
        return n == 0;
}

START_TEST(who_does_not_answer_a_ping_is_gone) {
        Client c, half_open;

        config.websocket_ping = USEC_PER_SEC;
        start(AF_INET);
        client_open(&c);
        client_open(&half_open); /* as if its cable had been pulled */
        expect_counters("{\"streams\":2,\"in_flight\":1,\"group\":true}");
        ck_assert(answer_pings(&c, 3));
        /* it is told why, has a moment to close, and then is cut off */
        for (unsigned i = 0; i < 8; i++)
                ck_assert(answer_pings(&c, 1));
        expect_counters("{\"streams\":1,\"in_flight\":1,\"group\":true}");
        expect_hello(&half_open, 1);
        WsFrame f;
        ck_assert(ws_client_read_frame(&half_open, &f));
        ck_assert_uint_eq(f.first, WS_FIN | WS_PING);
        ws_frame_done(&f);
        ws_client_expect_close(&half_open, 1011);
        ws_client_expect_end(&half_open);
        ws_client_close(&half_open);
        ws_client_close(&c);
        stop();
}
END_TEST

START_TEST(who_does_not_read_is_dropped_and_others_do_not_notice) {
        _cleanup_free_ char *text = calloc(1, 100001);
        static const int small = 4096;
        Client good, slow;
        unsigned n = 0;
        WsFrame f;

        start(AF_INET);
        client_open(&slow);
        ck_assert_int_eq(setsockopt(slow.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
        client_open(&good);
        expect_hello(&good, 1);
        memset(text, 'x', 100000);
        for (unsigned i = 0; i < 40; i++) { /* much more than may wait */
                broadcast(text);
                ws_client_expect_text(&good, text);
        }

        /* It finds what had been on its way, and then why there is no more. */
        expect_hello(&slow, 1);
        while (ws_client_read_frame(&slow, &f) && f.first == (WS_FIN | WS_TEXT)) {
                ck_assert_str_eq((char *) f.payload, text);
                ws_frame_done(&f);
                n++;
        }
        ck_assert_uint_lt(n, 39);
        ck_assert_uint_eq(f.first, WS_FIN | WS_CLOSE);
        ck_assert_uint_eq(f.code, 1013);
        ws_frame_done(&f);
        ws_client_send_close(&slow, 1013);
        ws_client_expect_end(&slow);
        ws_client_close(&slow);
        broadcast("go on");
        ws_client_expect_text(&good, "go on");
        ws_client_close(&good);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(who_stops_reading_is_dropped_though_little_waits) {
        _cleanup_free_ char *text = calloc(1, 400001);
        Client c;
        WsFrame f;

        config.websocket_ping = 2 * USEC_PER_SEC; /* patience goes with it */
        start(AF_INET);
        client_open(&c);
        memset(text, 'x', 400000);
        broadcast(text); /* two are less than may wait, and more than sockets hold */
        broadcast(text);
        expect_counters("{\"streams\":1,\"in_flight\":1,\"group\":true}");
        sleep(4);
        while (ws_client_read_frame(&c, &f) && f.first != (WS_FIN | WS_CLOSE))
                ws_frame_done(&f);
        ck_assert_uint_eq(f.code, 1013);
        ws_frame_done(&f);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

START_TEST(who_asks_more_than_it_reads_is_dropped) {
        WsBytes pings = {};
        unsigned n = 0;
        Client c;
        WsFrame f;

        start(AF_INET);
        client_open(&c);
        for (unsigned i = 0; i < 100; i++)
                ws_add_frame(&pings, WS_FIN | WS_PING, "0123456789012345678901234567890123456789", 40);
        /* until it has had enough: then it takes no more of it */
        for (unsigned i = 0; i < 5000; i++) {
                ssize_t k = send(c.fd, pings.data, pings.size, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (k < (ssize_t) pings.size) {
                        struct pollfd p = { .fd = c.fd, .events = POLLOUT };

                        if (k < 0 && errno != EAGAIN)
                                break;
                        if (k > 0)
                                break; /* in the middle of a frame */
                        if (poll(&p, 1, 1000) == 0)
                                break;
                }
        }
        while (ws_client_read_frame(&c, &f) && f.first != (WS_FIN | WS_CLOSE)) {
                ws_frame_done(&f);
                n++;
        }
        ck_assert_uint_eq(f.code, 1013);
        ck_assert_uint_gt(n, 10);
        ws_frame_done(&f);
        ws_bytes_done(&pings);
        ws_client_close(&c);
        expect_nobody();
        stop();
}
END_TEST

TEST_MAIN("api-websocket", the_handshake_of_the_rfc, handshakes_good_and_bad,
                a_refusal_says_what_would_be_right, pages_of_other_origins_are_kept_out,
                pages_of_configured_origins_may_connect, no_browser_comes_over_a_unix_socket,
                messages_both_ways, a_client_that_does_not_wait_for_the_answer, bytes_that_come_one_by_one,
                everybody_gets_what_is_for_all, the_client_closes, the_server_closes,
                a_client_that_never_answers_a_close, mistakes_end_with_their_code, a_client_that_vanishes,
                a_protocol_that_cannot, clients_are_told_to_come_back_when_it_stops,
                a_client_keeps_the_daemon_and_the_last_one_lets_it_go, who_does_not_answer_a_ping_is_gone,
                who_does_not_read_is_dropped_and_others_do_not_notice,
                who_stops_reading_is_dropped_though_little_waits, who_asks_more_than_it_reads_is_dropped)
