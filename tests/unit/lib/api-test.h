/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A server in a child process on a socket of its own, and an HTTP client made of raw sockets, for the tests
 * of hyper-apid's core. The child is told to stop with SIGTERM and must leave with 0, which under the
 * sanitizers also says that nothing leaked. */

#include <jansson.h>
#include <sys/types.h>

#include "api/api.h"
#include "api/http/router.h"

typedef struct TestServer {
        pid_t pid;
        int family; /* AF_UNIX or AF_INET */
        int port; /* AF_INET: on 127.0.0.1 */
        char name[32]; /* AF_UNIX: abstract */
} TestServer;

/* @config may be NULL: no database, no bus. */
void test_server_start(TestServer *s, int family, const Dialect *dialect, const ApiConfig *config);
/* The same on all IPv4 addresses of this machine, so that others could reach it. */
void test_server_start_open(TestServer *s, const Dialect *dialect, const ApiConfig *config);
/* The exit status of one that could not serve its socket. */
#define TEST_SERVER_REFUSED 103
/* Returns the exit status. */
int test_server_stop(TestServer *s);
/* Waits for it to leave by itself. */
int test_server_wait(TestServer *s);

/* A listening UNIX socket at a path. */
int test_listen(const char *path);
int test_connect(const TestServer *s);
void test_send(int fd, const char *format, ...) _printf_(2, 3);
void test_send_bytes(int fd, const void *data, size_t size);

typedef struct TestReply {
        unsigned status;
        char *head; /* status line and headers */
        char *body;
        size_t body_size;
} TestReply;
void test_reply_done(TestReply *r);
#define _cleanup_reply_ _cleanup_(test_reply_done)

/* Reads one answer: by Content-Length, chunked, or until the end. @head: an answer without a body. */
void test_read_reply_full(int fd, bool head, TestReply *ret);
#define test_read_reply(fd, ret) test_read_reply_full(fd, false, ret)
/* The value of a header, or NULL; the caller frees it. */
char *test_header(const TestReply *r, const char *name);
/* True if the other end closes, without more data, within some seconds. */
bool test_is_closed(int fd);

/* One request on a connection of its own. */
void test_request(const TestServer *s, TestReply *ret, const char *format, ...) _printf_(3, 4);

/* Asks GET @path again and again until the answer's body is @expected, for some seconds. */
void test_get_until(const TestServer *s, const char *path, const char *expected);

/* {"error":"text","status":N} */
json_t *test_dialect_error(Request *r, unsigned status, const char *message);

/* A dialect of the test's own. */
#define TEST_DIALECT(r) \
        { .name = "test", .fd_name = "test", .routes = (r), .error = test_dialect_error }
