/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The endpoint for files of HTTP servers, with a server that misbehaves as it is told to. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "engine/endpoint-http.h"
#include "http/content-range.h"
#include "unit/lib/engine-util.h"

#define SIZE (8 * MIB + 512)
#define COOKIE "session=one"
#define COOKIE_2 "session=two"

typedef enum Fault {
        FAULT_NONE,
        FAULT_STATUS, /* answers with the status */
        FAULT_RESET, /* RST after so many bytes of the body */
        FAULT_SHORT, /* closes the connection there */
        FAULT_WRONG_RANGE, /* another Content-Range than the body has */
        FAULT_NO_RANGE, /* 206 without one */
        FAULT_OTHER_SIZE, /* of a file that has grown */
} Fault;

static struct {
        int fd;
        unsigned port;
        pthread_t thread;
        unsigned char *content;
        pthread_mutex_t lock;
        Fault fault;
        int status;
        size_t at;
        unsigned skip, count; /* requests before the faults, and with them */
        const char *cookie; /* that it accepts */
        bool ranges;
        unsigned n_requests, n_connections;
        uint64_t bytes_sent;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER };

static Fault next_fault(void) {
        Fault f = FAULT_NONE;

        pthread_mutex_lock(&server.lock);
        server.n_requests++;
        if (server.skip > 0)
                server.skip--;
        else if (server.count > 0) {
                server.count--;
                f = server.fault;
        }
        pthread_mutex_unlock(&server.lock);
        return f;
}

static void send_all(int fd, const void *data, size_t size) {
        for (size_t done = 0; done < size;) {
                ssize_t n = send(fd, (const char *) data + done, size - done, MSG_NOSIGNAL);

                if (n <= 0)
                        return;
                done += (size_t) n;
        }
}

static void answer_status(int fd, int status) {
        _cleanup_free_ char *head =
                        strprintf("HTTP/1.1 %d Something\r\nContent-Length: 5\r\n\r\nwords", status);

        send_all(fd, head, strlen(head));
}

/* False: the connection ends. */
static bool answer(int fd, const char *request) {
        static const struct linger none = { .l_onoff = 1 };
        const char *range = strstr(request, "Range: bytes="), *cookie = strstr(request, "Cookie: ");
        uint64_t first = 0, last = SIZE - 1, total = SIZE;
        Fault f = next_fault();

        if (f == FAULT_STATUS)
                return answer_status(fd, server.status), true;
        if (!cookie || strncmp(cookie + 8, server.cookie, strlen(server.cookie)) != 0)
                return answer_status(fd, 401), true;
        if (range && server.ranges)
                ck_assert_int_eq(sscanf(range, "Range: bytes=%" SCNu64 "-%" SCNu64, &first, &last), 2);
        size_t length = (size_t) (last - first + 1),
               sent = f >= FAULT_RESET && f <= FAULT_SHORT ? MIN(server.at, length) : length;
        if (f == FAULT_WRONG_RANGE)
                first++;
        if (f == FAULT_OTHER_SIZE)
                total++;
        _cleanup_free_ char *content_range = strprintf(
                        "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", first, last, total);
        _cleanup_free_ char *head = strprintf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
                        server.ranges ? "206 Partial Content" : "200 OK",
                        server.ranges && f != FAULT_NO_RANGE ? content_range : "", length);
        /* Before the client has them, and sets the next fault. */
        pthread_mutex_lock(&server.lock);
        server.bytes_sent += sent;
        pthread_mutex_unlock(&server.lock);
        send_all(fd, head, strlen(head));
        send_all(fd, server.content + (f == FAULT_WRONG_RANGE ? first - 1 : first), sent);
        if (f == FAULT_RESET)
                (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        return f != FAULT_RESET && f != FAULT_SHORT;
}

static void *serve_connection(void *userdata) {
        _cleanup_close_ int fd = (int) (intptr_t) userdata;
        char request[4096];
        size_t n = 0;

        for (;;) {
                ssize_t k = recv(fd, request + n, sizeof(request) - 1 - n, 0);

                if (k <= 0)
                        return NULL;
                n += (size_t) k;
                request[n] = '\0';
                if (!strstr(request, "\r\n\r\n"))
                        continue;
                if (!answer(fd, request))
                        return NULL;
                n = 0;
        }
}

static void *serve_all(_unused_ void *userdata) {
        int fd;

        while ((fd = accept4(server.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                pthread_t thread;

                pthread_mutex_lock(&server.lock);
                server.n_connections++;
                pthread_mutex_unlock(&server.lock);
                ck_assert_int_eq(pthread_create(&thread, NULL, serve_connection, (void *) (intptr_t) fd), 0);
                pthread_detach(thread);
        }
        return NULL;
}

static void start_server(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);

        server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(server.fd, (struct sockaddr *) &address, size), 0);
        ck_assert_int_eq(listen(server.fd, 64), 0);
        ck_assert_int_eq(getsockname(server.fd, (struct sockaddr *) &address, &size), 0);
        server.port = ntohs(address.sin_port);
        server.content = malloc(SIZE);
        fill_random(server.content, SIZE, 1);
        server.cookie = COOKIE;
        server.ranges = true;
        ck_assert_int_eq(pthread_create(&server.thread, NULL, serve_all, NULL), 0);
}

/* --- the client ------------------------------------------------------------------------------------ */

static unsigned n_renewed;

static int renew(_unused_ void *userdata, const char *old, char **ret, char **ret_error) {
        ck_assert_str_eq(old, COOKIE);
        n_renewed++;
        *ret = strdup(COOKIE_2);
        return 0;
}

static int open_http(uint64_t size, Endpoint **ret, char **ret_error) {
        _cleanup_free_ char *url =
                        strprintf("http://127.0.0.1:%u/folder/a%%20b-flat.vmdk?dcPath=DC", server.port);
        const HttpOptions o = { .url = url,
                .size = size,
                .label = "web.vmdk",
                .cookie = COOKIE,
                .plain = true,
                .cancel_fd = -1,
                .retry_delay = 1,
                .renew = renew };

        return endpoint_http_new(&o, ret, ret_error);
}

static Endpoint *must_open(void) {
        _cleanup_free_ char *error = NULL;
        Endpoint *e = NULL;
        int r = open_http(SIZE, &e, &error);

        ck_assert_msg(r == 0, "%d %s", r, strempty(error));
        return e;
}

static void must_not_open(int expected, const char *why) {
        _cleanup_free_ char *error = NULL;
        Endpoint *e = NULL;
        int r = open_http(SIZE, &e, &error);

        ck_assert_int_eq(r, expected);
        ck_assert_msg(strstr(strempty(error), why) != NULL, "\"%s\" is not \"%s\"", strempty(error), why);
}

typedef struct Reading {
        unsigned n_open;
        int error;
} Reading;

static void on_read(void *userdata, int error) {
        Reading *r = userdata;

        r->n_open--;
        if (error < 0)
                r->error = error;
}

/* Reads all of it, 1 MiB in each of up to @at_once requests; the first error. */
static int read_all(Endpoint *e, unsigned at_once, unsigned char *buf) {
        Reading reading = {};
        uint64_t offset = 0;
        int r = 0;

        while (r >= 0 && reading.error == 0 && (offset < e->size || reading.n_open > 0)) {
                while (offset < e->size && reading.n_open < at_once) {
                        size_t n = MIN(MIB, e->size - offset);

                        reading.n_open++;
                        ck_assert_int_eq(endpoint_read(e, buf + offset, n, offset, on_read, &reading), 0);
                        offset += n;
                }
                r = endpoints_run(e, NULL, -1, USEC_INFINITY);
        }
        endpoint_stop(e);
        return r < 0 ? r : reading.error;
}

static void set_fault(Fault f, unsigned skip, unsigned count, size_t at, int status) {
        pthread_mutex_lock(&server.lock);
        server.fault = f;
        server.skip = skip;
        server.count = count;
        server.at = at;
        server.status = status;
        server.bytes_sent = 0;
        server.n_requests = server.n_connections = 0;
        pthread_mutex_unlock(&server.lock);
}

/* The faults come after the first answer, which is that of opening. */
static void reads_with(Fault f, unsigned skip, unsigned count, size_t at, int status) {
        _cleanup_free_ unsigned char *buf = malloc(SIZE);
        _cleanup_endpoint_ Endpoint *e = must_open();

        set_fault(f, skip, count, at, status);
        int r = read_all(e, e->in_flight_max, buf);
        ck_assert_msg(r == 0, "fault %d: %s", f, endpoint_error(e));
        ck_assert_int_eq(memcmp(buf, server.content, SIZE), 0);
        ck_assert_uint_eq(e->bytes_read, SIZE);
}

static void fails_with(Fault f, int status, int expected, const char *why) {
        _cleanup_free_ unsigned char *buf = malloc(SIZE);
        _cleanup_endpoint_ Endpoint *e = must_open();

        set_fault(f, 2, UINT32_MAX, 0, status);
        int r = read_all(e, 4, buf);
        ck_assert_int_eq(r, expected);
        ck_assert_msg(strstr(endpoint_error(e), why) != NULL, "\"%s\" is not \"%s\"", endpoint_error(e),
                        why);
}

START_TEST(a_file_is_read_over_connections_that_are_kept) {
        start_server();
        reads_with(FAULT_NONE, 0, 0, 0, 0);
        ck_assert_uint_eq(server.n_requests, 9);
        ck_assert_uint_le(server.n_connections, 8);
        ck_assert_uint_eq(server.bytes_sent, SIZE);
}
END_TEST

START_TEST(a_connection_that_breaks_is_made_again) {
        start_server();
        /* What was received is not asked for again. A reset may lose what was sent last. */
        reads_with(FAULT_SHORT, 3, 4, 100000, 0);
        ck_assert_uint_eq(server.bytes_sent, SIZE);
        reads_with(FAULT_RESET, 0, 9, 300000, 0);
        reads_with(FAULT_RESET, 2, 5, 0, 0);
        fails_with(FAULT_SHORT, 0, -ECONNRESET, "web.vmdk");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_busy_server_is_asked_again) {
        start_server();
        reads_with(FAULT_STATUS, 1, 7, 0, 503);
        reads_with(FAULT_STATUS, 0, 3, 0, 429);
        reads_with(FAULT_STATUS, 0, 2, 0, 500);
        fails_with(FAULT_STATUS, 503, -ETIMEDOUT, "the server is busy (503)");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_STATUS, 500, -EIO, "status 500");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_session_is_renewed_once) {
        _cleanup_free_ unsigned char *buf = malloc(SIZE);

        start_server();
        {
                _cleanup_endpoint_ Endpoint *e = must_open();
                server.cookie = COOKIE_2;
                ck_assert_int_eq(read_all(e, 8, buf), 0);
                ck_assert_int_eq(memcmp(buf, server.content, SIZE), 0);
                ck_assert_uint_eq(n_renewed, 1);
        }
        server.cookie = COOKIE;
        {
                _cleanup_endpoint_ Endpoint *e = must_open();
                server.cookie = "none";
                ck_assert_int_eq(read_all(e, 8, buf), -EACCES);
                ck_assert_uint_eq(n_renewed, 2);
                ck_assert_ptr_nonnull(strstr(endpoint_error(e), "401"));
        }
        must_not_open(-EACCES, "401");
}
END_TEST

START_TEST(other_answers_are_final) {
        start_server();
        fails_with(FAULT_STATUS, 404, -EPROTO, "there is no such file (404)");
        ck_assert_uint_le(server.n_requests, 8);
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_STATUS, 416, -EPROTO, "shorter than the disk (416)");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_STATUS, 302, -EPROTO, "status 302");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_WRONG_RANGE, 0, -EPROTO, "has not sent the range");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_NO_RANGE, 0, -EPROTO, "has not sent the range");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        fails_with(FAULT_OTHER_SIZE, 0, -EPROTO, "another size");
}
END_TEST

START_TEST(a_server_without_ranges_is_refused_when_it_is_opened) {
        start_server();
        server.ranges = false;
        must_not_open(-EOPNOTSUPP, "does not send ranges");
        server.ranges = true;
        set_fault(FAULT_NO_RANGE, 0, 1, 0, 0);
        must_not_open(-EOPNOTSUPP, "range");
        set_fault(FAULT_STATUS, 0, 1, 0, 404);
        must_not_open(-ENOENT, "404");
        set_fault(FAULT_OTHER_SIZE, 0, 1, 0, 0);
        must_not_open(-EPROTO, "another size");
        set_fault(FAULT_NONE, 0, 0, 0, 0);
        shutdown(server.fd, SHUT_RDWR);
        pthread_join(server.thread, NULL);
        close(server.fd);
        must_not_open(-ECONNREFUSED, "web.vmdk");
}
END_TEST

START_TEST(requests_can_be_dropped) {
        _cleanup_free_ unsigned char *buf = malloc(SIZE);
        Reading reading = { .n_open = 2 };

        start_server();
        Endpoint *e = must_open();
        set_fault(FAULT_STATUS, 0, UINT32_MAX, 0, 503);
        ck_assert_int_eq(endpoint_read(e, buf, MIB, 0, on_read, &reading), 0);
        ck_assert_int_eq(endpoint_read(e, buf + MIB, MIB, MIB, on_read, &reading), 0);
        ck_assert_int_eq(endpoints_run(e, NULL, -1, USEC_INFINITY), 0);
        endpoint_stop(e);
        endpoint_free(e);
        ck_assert_uint_eq(reading.n_open, 2);
}
END_TEST

START_TEST(a_range_is_named_exactly) {
        static const char *const bad[] = { "", "bytes", "bytes 0-9", "bytes 0-9/*", "bytes */10",
                "bytes 9-0/10", "bytes 0-10/10", "bytes -1-2/10", "bytes 0-9/10 x", "items 0-9/10",
                "bytes=0-9/10", "bytes 0-99999999999999999999/999999999999999999999", "bytes 0x0-9/10" };
        ContentRange range;

        ck_assert_int_eq(content_range_parse(" bytes 5-9/10\r\n", &range), 0);
        ck_assert(range.first == 5 && range.last == 9 && range.size == 10);
        ck_assert_int_eq(content_range_parse("BYTES  0-18446744073709551613/18446744073709551614", &range),
                        0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(content_range_parse(bad[i], &range) == -EBADMSG, "%s", bad[i]);
}
END_TEST

TEST_MAIN("engine-http", a_file_is_read_over_connections_that_are_kept,
                a_connection_that_breaks_is_made_again, a_busy_server_is_asked_again,
                a_session_is_renewed_once, other_answers_are_final,
                a_server_without_ranges_is_refused_when_it_is_opened, requests_can_be_dropped,
                a_range_is_named_exactly)
