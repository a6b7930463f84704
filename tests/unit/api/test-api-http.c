/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What HTTP clients, good and bad, meet: the whole server on real sockets, with a dialect made for the
 * test. */

#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

/* --- the dialect ----------------------------------------------------------------------------------- */

static int on_hello(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:s}", "hello", "world"));
}

static int on_item(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:s}", "id", request_param(r, "id")));
}

static int on_special(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:b}", "special", 1));
}

static int on_size(Request *r) {
        size_t size;

        request_body(r, &size);
        return request_reply_json(r, 201, json_pack("{s:I}", "size", (json_int_t) size));
}

static int on_echo(Request *r) {
        json_t *json;
        int k;

        k = request_json_object(r, &json);
        if (k < 0)
                return k;
        return request_reply_json(r, 200, json);
}

typedef struct TestQuery {
        unsigned limit;
        bool queue;
        usec_t since;
        const char *name;
} TestQuery;

static const QueryField query_fields[] = {
        { "limit", QUERY_UNSIGNED, offsetof(TestQuery, limit), 1, 1000 },
        { "queue", QUERY_BOOLEAN, offsetof(TestQuery, queue) },
        { "since", QUERY_TIMESTAMP, offsetof(TestQuery, since) },
        { "name", QUERY_STRING, offsetof(TestQuery, name), .max = 8 },
        {},
};

static int on_query(Request *r) {
        TestQuery q = { .limit = 100 };
        int k;

        k = request_query_decode(r, &q);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:i, s:b, s:I, s:s?}", "limit", (int) q.limit, "queue", q.queue, "since",
                                        (json_int_t) (q.since / USEC_PER_SEC), "name", q.name));
}

static int on_silent(Request *r) {
        return 0;
}

static int on_missing(Request *r) {
        return -ENOENT;
}

static int on_busy(Request *r) {
        return request_reply_errno(r, EAGAIN, "busy with %d things", 7);
}

static int on_large(Request *r) {
        _cleanup_free_ char *text = malloc(4 * 1024 * 1024 + 1);

        memset(text, 'x', 4 * 1024 * 1024);
        text[4 * 1024 * 1024] = '\0';
        return request_reply_text(r, 200, "text/plain", text);
}

static int on_nothing(Request *r) {
        return request_reply_json(r, 200, NULL);
}

static const Route routes[] = {
        { HTTP_GET, "/hello", SCOPE_PUBLIC, on_hello },
        { HTTP_GET, "/items/{id}", SCOPE_READ, on_item },
        { HTTP_DELETE, "/items/{id}", SCOPE_SUBMIT, on_item },
        { HTTP_GET, "/items/special", SCOPE_READ, on_special },
        { HTTP_POST, "/items", SCOPE_SUBMIT, on_size, .max_body = 1000 },
        { HTTP_POST, "/large", SCOPE_SUBMIT, on_size },
        { HTTP_GET, "/large", SCOPE_READ, on_large },
        { HTTP_POST, "/echo", SCOPE_SUBMIT, on_echo },
        { HTTP_GET, "/query", SCOPE_READ, on_query, .query = query_fields },
        { HTTP_GET, "/silent", SCOPE_READ, on_silent },
        { HTTP_GET, "/missing", SCOPE_READ, on_missing },
        { HTTP_GET, "/busy", SCOPE_READ, on_busy },
        { HTTP_GET, "/nothing", SCOPE_READ, on_nothing },
        {},
};

static const Dialect dialect = TEST_DIALECT(routes);

static TestServer server;

static void start(void) {
        test_server_start(&server, AF_UNIX, &dialect, NULL);
}

static void stop(void) {
        ck_assert_int_eq(test_server_stop(&server), 0);
}

#define GET(path, ret) test_request(&server, ret, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)

static void assert_get(const char *path, unsigned status, const char *body) {
        _cleanup_reply_ TestReply r = {};

        GET(path, &r);
        ck_assert_msg(r.status == status, "%s: %u instead of %u: %s", path, r.status, status, r.body);
        if (body)
                ck_assert_msg(strstr(r.body, body), "%s: no \"%s\" in %s", path, body, r.body);
}

/* --- the tests ------------------------------------------------------------------------------------- */

START_TEST(answers_have_the_headers_they_should) {
        _cleanup_free_ char *type = NULL, *cache = NULL;
        _cleanup_reply_ TestReply r = {};

        start();
        GET("/hello", &r);
        ck_assert_uint_eq(r.status, 200);
        ck_assert_str_eq(r.body, "{\"hello\":\"world\"}");
        type = test_header(&r, "Content-Type");
        ck_assert_str_eq(type, "application/json; charset=utf-8");
        cache = test_header(&r, "Cache-Control");
        ck_assert_str_eq(cache, "no-store");
        stop();
}
END_TEST

START_TEST(paths_find_their_route) {
        start();
        assert_get("/items/a%2Fb%20c", 200, "{\"id\":\"a/b c\"}");
        assert_get("/items/a+b/", 200, "{\"id\":\"a+b\"}");
        assert_get("/items/special", 200, "special");
        assert_get("/items/s%70ecial", 200, "special");
        assert_get("http://localhost/hello", 200, "world");
        assert_get("/nowhere", 404, "\"status\":404");
        assert_get("/", 404, NULL);
        assert_get("//hello", 404, NULL);
        assert_get("/items/../hello", 404, NULL);
        assert_get("/items/a%00b", 400, "%");
        assert_get("/items/%zz", 400, NULL);
        assert_get("/items/%ff", 400, NULL);
        assert_get("/hello?x=%", 400, NULL);
        assert_get("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", 400, "16");
        stop();
}
END_TEST

START_TEST(query_parameters) {
        start();
        assert_get("/query", 200, "{\"limit\":100,\"queue\":false,\"since\":0,\"name\":null}");
        /* A time without a zone is in UTC. */
        assert_get("/query?since=1970-01-01T00:01:00.000001", 200,
                        "{\"limit\":100,\"queue\":false,\"since\":60,\"name\":null}");
        assert_get("/query?limit=7&queue&since=1970-01-01T00:01:00Z&name=a%26b&other=x", 200,
                        "{\"limit\":7,\"queue\":true,\"since\":60,\"name\":\"a&b\"}");
        /* a "+" that nobody encoded */
        assert_get("/query?since=1970-01-01T02:00:00+01:00", 200, "\"since\":3600");
        assert_get("/query?limit=0", 400, "limit: must be 1 to 1000");
        assert_get("/query?limit=-1", 400, "limit:");
        assert_get("/query?limit=1001&queue=maybe&since=yesterday&name=much-too-long", 400,
                        "limit: must be 1 to 1000; queue: must be true or false; since: must be a time");
        stop();
}
END_TEST

START_TEST(errors_of_handlers) {
        start();
        assert_get("/silent", 500, NULL);
        assert_get("/missing", 404, NULL);
        assert_get("/busy", 503, "busy with 7 things");
        assert_get("/nothing", 500, "out of memory");
        stop();
}
END_TEST

START_TEST(methods) {
        _cleanup_free_ char *allow = NULL, *options = NULL, *length = NULL;
        _cleanup_reply_ TestReply wrong = {}, head = {}, opt = {}, star = {}, odd = {};

        start();
        test_request(&server, &wrong, "POST /items/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        ck_assert_uint_eq(wrong.status, 405);
        allow = test_header(&wrong, "Allow");
        ck_assert_str_eq(allow, "GET, HEAD, DELETE, OPTIONS");

        test_request(&server, &head, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(head.status, 200);
        length = test_header(&head, "Content-Length");
        ck_assert_str_eq(length, "17");

        test_request(&server, &opt, "OPTIONS /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(opt.status, 204);
        options = test_header(&opt, "Allow");
        ck_assert_str_eq(options, "GET, HEAD, DELETE, OPTIONS");

        test_request(&server, &star, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(star.status, 204);
        test_request(&server, &odd, "BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(odd.status, 405);
        stop();
}
END_TEST

START_TEST(keep_alive_and_pipelining) {
        int fd;

        start();
        fd = test_connect(&server);
        /* All at once, with bodies and errors in between: answered in order on the one connection. */
        test_send(fd,
                        "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                        "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
                        "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
                        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{bad"
                        "GET /items/7 HTTP/1.1\r\nHost: x\r\n\r\n");
        static const struct {
                unsigned status;
                const char *body;
        } expected[] = { { 200, "world" }, { 404, "error" }, { 201, "{\"size\":5}" }, { 404, "error" },
                { 400, "JSON" }, { 200, "{\"id\":\"7\"}" } };
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                _cleanup_reply_ TestReply r = {};

                test_read_reply(fd, &r);
                ck_assert_uint_eq(r.status, expected[i].status);
                ck_assert_msg(strstr(r.body, expected[i].body), "answer %zu: %s", i, r.body);
        }
        close(fd);
        stop();
}
END_TEST

START_TEST(a_get_with_a_body_does_not_confuse_the_next_request) {
        _cleanup_reply_ TestReply first = {}, second = {};
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd,
                        "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 39\r\n\r\n"
                        "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n."
                        "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
        test_read_reply(fd, &first);
        ck_assert_uint_eq(first.status, 200);
        test_read_reply(fd, &second);
        ck_assert_str_eq(second.body, "{\"id\":\"1\"}");
        close(fd);
        stop();
}
END_TEST

START_TEST(bodies) {
        _cleanup_reply_ TestReply exact = {}, chunked = {}, json = {}, none = {}, array = {}, nul = {},
                                  marked = {}, yaml = {}, list = {}, packed = {};
        int fd;

        start();
        test_request(&server, &exact,
                        "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n%1000s", "");
        ck_assert_str_eq(exact.body, "{\"size\":1000}");
        test_request(&server, &chunked,
                        "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n");
        ck_assert_str_eq(chunked.body, "{\"size\":13}");
        /* no Content-Type: people forget it */
        test_request(&server, &json,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{\"a\":[1]}");
        ck_assert_str_eq(json.body, "{\"a\":[1]}");

        /* a byte order mark, as PowerShell writes it */
        test_request(&server, &marked,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: "
                        "12\r\n\r\n\xef\xbb\xbf{\"a\":[2]}");
        ck_assert_str_eq(marked.body, "{\"a\":[2]}");

        test_request(&server, &yaml,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-yaml\r\n"
                        "Content-Length: 9\r\n\r\na:\n- 3\n#\n");
        ck_assert_str_eq(yaml.body, "{\"a\":[3]}");
        test_request(&server, &list,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/yaml; charset=utf-8\r\n"
                        "Content-Length: 3\r\n\r\n- 1");
        ck_assert_uint_eq(list.status, 400);
        ck_assert_ptr_nonnull(strstr(list.body, "not valid YAML: it must be a mapping"));

        test_request(&server, &packed,
                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: "
                        "2\r\n\r\n{}");
        ck_assert_uint_eq(packed.status, 415);

        test_request(&server, &none, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        ck_assert_uint_eq(none.status, 400);
        ck_assert_ptr_nonnull(strstr(none.body, "no body"));
        test_request(&server, &array, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n[1]");
        ck_assert_uint_eq(array.status, 400);
        fd = test_connect(&server);
        test_send(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
        test_send_bytes(fd, "{\"a\":\"\0\"}", 9);
        test_read_reply(fd, &nul);
        close(fd);
        ck_assert_uint_eq(nul.status, 400);
        stop();
}
END_TEST

START_TEST(bodies_that_are_too_large) {
        _cleanup_reply_ TestReply announced = {}, absurd = {}, chunked = {}, expect = {};
        _cleanup_free_ char *connection = NULL;
        int fd;

        start();
        /* refused by what it says, before a byte of it is sent */
        fd = test_connect(&server);
        test_send(fd, "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
        test_read_reply(fd, &announced);
        ck_assert_uint_eq(announced.status, 413);
        ck_assert_ptr_nonnull(strstr(announced.body, "1000"));
        connection = test_header(&announced, "Connection");
        ck_assert_str_eq(connection, "close");
        ck_assert(test_is_closed(fd));
        close(fd);

        test_request(&server, &expect,
                        "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: "
                        "100-continue\r\n\r\n");
        ck_assert_uint_eq(expect.status, 413);

        test_request(&server, &absurd,
                        "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: "
                        "99999999999999999999999\r\n\r\n");
        ck_assert_uint_ge(absurd.status, 400);
        ck_assert_uint_lt(absurd.status, 500);

        /* chunked: found out while it comes */
        test_request(&server, &chunked,
                        "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3E8\r\n%1000s\r\n1\r\nx\r\n0\r\n\r\n",
                        "");
        ck_assert_uint_eq(chunked.status, 413);
        assert_get("/hello", 200, NULL);
        stop();
}
END_TEST

/* The client sends all of it before it reads: the reply must not be lost by a reset. */
START_TEST(a_body_that_is_too_large_is_sent_before_the_reply_is_read) {
        size_t size = 2 * REQUEST_BODY_MAX;
        _cleanup_free_ char *body = calloc(1, size);
        _cleanup_reply_ TestReply r = {};
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
        for (size_t sent = 0; sent < size;) {
                ssize_t n = send(fd, body + sent, size - sent, MSG_NOSIGNAL);

                ck_assert_int_gt(n, 0);
                sent += (size_t) n;
        }
        test_read_reply(fd, &r);
        ck_assert_uint_eq(r.status, 413);
        ck_assert(test_is_closed(fd));
        close(fd);
        assert_get("/hello", 200, NULL);
        stop();
}
END_TEST

START_TEST(a_chunked_body_without_end_is_cut_off) {
        static char chunk[65536 + 16];
        char c;
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        memcpy(chunk, "10000\r\n", 7);
        memset(chunk + 7, 'x', 65536);
        memcpy(chunk + 7 + 65536, "\r\n", 2);
        for (size_t i = 0; i < 4096 && send(fd, chunk, 7 + 65536 + 2, MSG_NOSIGNAL) > 0; i++)
                ck_assert_uint_lt(i, 4095); /* 256 MiB and still reading */
        ck_assert_int_le(recv(fd, &c, 1, 0), 1);
        close(fd);
        assert_get("/hello", 200, NULL);
        stop();
}
END_TEST

START_TEST(a_large_body_and_a_large_answer) {
        _cleanup_free_ char *body = calloc(1, REQUEST_BODY_MAX);
        _cleanup_reply_ TestReply up = {}, down = {};
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", REQUEST_BODY_MAX);
        test_send_bytes(fd, body, REQUEST_BODY_MAX);
        test_read_reply(fd, &up);
        ck_assert_str_eq(up.body, "{\"size\":10485760}");
        test_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
        test_read_reply(fd, &down);
        ck_assert_uint_eq(down.body_size, 4 * 1024 * 1024);
        close(fd);
        stop();
}
END_TEST

START_TEST(a_slow_client_does_not_hold_others) {
        static const char text[] = "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
        _cleanup_reply_ TestReply r = {};
        int fd;

        start();
        fd = test_connect(&server);
        for (const char *p = text; *p;
                        p++) { /* byte by byte, with a whole request of somebody else's between */
                test_send_bytes(fd, p, 1);
                if ((p - text) % 8 == 0)
                        assert_get("/hello", 200, NULL);
        }
        test_read_reply(fd, &r);
        ck_assert_str_eq(r.body, "{\"size\":3}");
        close(fd);
        stop();
}
END_TEST

START_TEST(clients_that_leave_in_the_middle) {
        static const char *const pieces[] = {
                "",
                "G",
                "GET /hello",
                "GET /hello HTTP/1.1\r\n",
                "GET /hello HTTP/1.1\r\nHost: x\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
                "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                "GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
        };

        start();
        for (unsigned round = 0; round < 3; round++)
                for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                        int fd = test_connect(&server);

                        test_send(fd, "%s", pieces[i]);
                        if (round == 1)
                                shutdown(fd, SHUT_WR);
                        if (round == 2)
                                assert_get("/hello", 200, NULL);
                        close(fd);
                }
        assert_get("/hello", 200, NULL);
        stop();
}
END_TEST

START_TEST(a_half_closed_client_gets_its_answer) {
        _cleanup_reply_ TestReply r = {};
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        shutdown(fd, SHUT_WR);
        test_read_reply(fd, &r);
        ck_assert_uint_eq(r.status, 200);
        close(fd);
        stop();
}
END_TEST

START_TEST(garbage) {
        static const char *const inputs[] = {
                "\r\n\r\n\r\n",
                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                "GET\r\n\r\n",
                "GET /\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                "GET /hello HTTP/1.1\r\n\r\n", /* no Host */
                "GET /hello HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
                "GET /hello HTTP/1.1\r\nHost\r\n\r\n",
                "GET /hello HTTP/1.1\r\n folded\r\nHost: x\r\n\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                "chunked\r\n\r\nffffffffffffffffff\r\n",
                "POST /items HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nonsense\r\nContent-Length: "
                "3\r\n\r\nabc",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        };

        start();
        for (size_t i = 0; i < ELEMENTSOF(inputs); i++) {
                int fd = test_connect(&server);

                test_send_bytes(fd, inputs[i], strlen(inputs[i]));
                assert_get("/hello", 200, NULL);
                shutdown(fd, SHUT_WR);
                assert_get("/hello", 200, NULL);
                close(fd);
        }
        stop();
}
END_TEST

START_TEST(headers_that_are_too_large) {
        static const char line[] =
                        "X-Filler: 0123456789012345678901234567890123456789012345678901234567890123\r\n";
        _cleanup_free_ char *path = malloc(65537);
        _cleanup_reply_ TestReply many = {}, target = {};
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n");
        for (size_t i = 0; i < 2000; i++)
                test_send_bytes(fd, line, strlen(line));
        test_read_reply(fd, &many);
        ck_assert_uint_eq(many.status, 431);
        close(fd);

        memset(path, 'a', 65536);
        path[65536] = '\0';
        GET(path, &target);
        ck_assert(target.status == 414 || target.status == 431);
        assert_get("/hello", 200, NULL);
        stop();
}
END_TEST

START_TEST(web_pages_from_elsewhere_are_refused) {
        static const struct {
                const char *method, *headers;
                unsigned status;
        } cases[] = {
                { "GET", "Host: localhost:8080\r\n", 200 },
                { "GET", "Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n",
                                200 }, /* a browser hides the answer */
                { "GET", "Host: evil.example\r\n", 421 },
                { "GET", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 421 },
                { "POST", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 421 },
                { "POST", "Host: localhost:8080\r\n", 201 },
                { "POST", "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n", 201 },
                { "POST", "Host: localhost:8080\r\nOrigin: http://localhost:3000\r\n", 403 },
                { "POST", "Host: localhost:8080\r\nOrigin: https://evil.example\r\n", 403 },
                { "POST", "Host: localhost:8080\r\nOrigin: null\r\n", 403 },
        };

        test_server_start(&server, AF_INET, &dialect, NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool post = streq(cases[i].method, "POST");
                _cleanup_reply_ TestReply r = {};

                test_request(&server, &r, "%s /%s HTTP/1.1\r\n%s%s\r\n%s", cases[i].method,
                                post ? "items" : "hello", cases[i].headers,
                                post ? "Content-Length: 2\r\n" : "", post ? "{}" : "");
                ck_assert_msg(r.status == cases[i].status, "case %zu: %u", i, r.status);
        }

        /* the target counts, if it has a host */
        _cleanup_reply_ TestReply absolute = {};
        test_request(&server, &absolute,
                        "GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ck_assert_uint_eq(absolute.status, 421);
        stop();
}
END_TEST

START_TEST(http_1_0) {
        _cleanup_reply_ TestReply r = {};
        int fd;

        test_server_start(&server, AF_INET, &dialect, NULL);
        fd = test_connect(&server);
        test_send(fd, "GET /hello HTTP/1.0\r\n\r\n");
        test_read_reply(fd, &r);
        ck_assert_uint_eq(r.status, 200);
        ck_assert(test_is_closed(fd));
        close(fd);
        stop();
}
END_TEST

START_TEST(a_thousand_connections) {
        enum { N = 1000 };
        struct rlimit limit;
        int fds[N];

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

        test_server_start(&server, AF_INET, &dialect, NULL);
        for (size_t i = 0; i < N; i++)
                fds[i] = test_connect(&server);
        for (unsigned round = 0; round < 3; round++) {
                for (size_t i = 0; i < N; i++)
                        test_send(fds[i], "GET /items/%zu HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
                for (size_t i = 0; i < N; i++) {
                        _cleanup_free_ char *expected = strprintf("{\"id\":\"%zu\"}", i);
                        _cleanup_reply_ TestReply r = {};

                        test_read_reply(fds[i], &r);
                        ck_assert_str_eq(r.body, expected);
                }
        }
        for (size_t i = 0; i < N; i++)
                close(fds[i]);
        stop();
}
END_TEST

START_TEST(leaves_when_idle_whatever_is_connected) {
        const ApiConfig config = {
                .database = "/nonexistent/hyper.db",
                .bus_address = "unix:path=/nonexistent/bus",
                .idle_timeout = 300 * USEC_PER_MSEC,
        };
        _cleanup_reply_ TestReply r = {};
        usec_t begin;
        int fd;

        test_server_start(&server, AF_UNIX, &dialect, &config);
        fd = test_connect(&server);
        begin = now_monotonic();
        test_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        test_read_reply(fd, &r);
        /* The connection stays open, but nothing is asked on it. */
        ck_assert_int_eq(test_server_wait(&server), 0);
        ck_assert_uint_ge(now_monotonic() - begin, 250 * USEC_PER_MSEC);
        ck_assert(test_is_closed(fd));
        close(fd);
}
END_TEST

START_TEST(finishes_the_answers_in_flight_when_told_to_stop) {
        _cleanup_reply_ TestReply r = {};
        char c;
        int fd;

        start();
        fd = test_connect(&server);
        test_send(fd, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_int_eq(recv(fd, &c, 1, MSG_PEEK), 1); /* it has begun, and is too long for the socket */
        kill(server.pid, SIGTERM);
        test_read_reply(fd, &r);
        ck_assert_uint_eq(r.body_size, 4 * 1024 * 1024);
        ck_assert(test_is_closed(fd));
        ck_assert_int_eq(test_server_wait(&server), 0);
        close(fd);
}
END_TEST

static void try_cors(const char *request, unsigned status, const char *allowed_origin,
                const char *allowed_methods) {
        _cleanup_free_ char *origin = NULL, *vary = NULL, *m = NULL;
        _cleanup_reply_ TestReply r = {};

        test_request(&server, &r, "%s", request);
        origin = test_header(&r, "Access-Control-Allow-Origin");
        vary = test_header(&r, "Vary");
        m = test_header(&r, "Access-Control-Allow-Methods");
        ck_assert_msg(r.status == status, "%u, not %u, for: %s", r.status, status, request);
        ck_assert_pstr_eq(origin, allowed_origin);
        ck_assert_pstr_eq(vary, allowed_origin ? "Origin" : NULL);
        ck_assert_pstr_eq(m, allowed_methods);
}

START_TEST(pages_of_configured_origins) {
        char *const origins[] = { (char *) "https://console.example.com", (char *) "http://127.0.0.1:3000",
                NULL };
        const ApiConfig config = {
                .database = "/nonexistent/hyper.db",
                .bus_address = "unix:path=/nonexistent/bus",
                .cors_origins = origins,
        };

        test_server_start(&server, AF_INET, &dialect, &config);
#define HOST "Host: localhost\r\n"
#define GOOD "Origin: https://console.example.com\r\n"
        /* asks beforehand */
        try_cors("OPTIONS /items HTTP/1.1\r\n" HOST GOOD "Access-Control-Request-Method: POST\r\n\r\n", 204,
                        "https://console.example.com", "POST, OPTIONS");
        try_cors("OPTIONS /items HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n"
                 "Access-Control-Request-Method: POST\r\n\r\n",
                        204, NULL, NULL);
        try_cors("OPTIONS /items HTTP/1.1\r\n" HOST GOOD "\r\n", 204, "https://console.example.com", NULL);
        /* and then */
        try_cors("POST /items HTTP/1.1\r\n" HOST GOOD "Content-Length: 0\r\n\r\n", 201,
                        "https://console.example.com", NULL);
        try_cors("POST /items HTTP/1.1\r\n" HOST
                 "Origin: http://127.0.0.1:3000\r\nContent-Length: 0\r\n\r\n",
                        201, "http://127.0.0.1:3000", NULL);
        try_cors("GET /hello HTTP/1.1\r\n" HOST GOOD "\r\n", 200, "https://console.example.com", NULL);
        try_cors("GET /nothing/here HTTP/1.1\r\n" HOST GOOD "\r\n", 404, "https://console.example.com",
                        NULL);
        /* others as before */
        try_cors("GET /hello HTTP/1.1\r\n" HOST "\r\n", 200, NULL, NULL);
        try_cors("GET /hello HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n\r\n", 200, NULL, NULL);
        try_cors("POST /items HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
                        403, NULL, NULL);
        try_cors("POST /items HTTP/1.1\r\n" HOST
                 "Origin: http://console.example.com\r\nContent-Length: 0\r\n\r\n",
                        403, NULL, NULL);
        try_cors("POST /items HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 0\r\n\r\n", 403, NULL,
                        NULL);
        ck_assert_int_eq(test_server_stop(&server), 0);
}
END_TEST

TEST_MAIN("api-http", pages_of_configured_origins, answers_have_the_headers_they_should,
                paths_find_their_route, query_parameters, errors_of_handlers, methods,
                keep_alive_and_pipelining, a_get_with_a_body_does_not_confuse_the_next_request, bodies,
                bodies_that_are_too_large, a_body_that_is_too_large_is_sent_before_the_reply_is_read,
                a_chunked_body_without_end_is_cut_off, a_large_body_and_a_large_answer,
                a_slow_client_does_not_hold_others, clients_that_leave_in_the_middle,
                a_half_closed_client_gets_its_answer, garbage, headers_that_are_too_large,
                web_pages_from_elsewhere_are_refused, http_1_0, a_thousand_connections,
                leaves_when_idle_whatever_is_connected, finishes_the_answers_in_flight_when_told_to_stop)
