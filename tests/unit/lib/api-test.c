/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <jansson.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

#define TEST_TIMEOUT_MSEC 20000

json_t *test_dialect_error(Request *r, unsigned status, const char *message) {
        return json_pack("{s:s, s:i}", "error", message, "status", (int) status);
}

static int on_sigterm(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        api_shutdown(userdata, 0);
        return 0;
}

static int server_main(int fd, const Dialect *dialect, const ApiConfig *config) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(api_freep) Api *api = NULL;

        ApiConfig own = *config;

        /* Whoever runs the tests need not be in a group; tests that are about roles say who has which. */
        own.local_anybody = own.local_anybody || !own.role_of_user;
        if (sd_event_new(&event) < 0 || api_new(event, &own, &api) < 0)
                return 101;
        if (!config->local_anybody && config->role_of_user)
                api_take_peer_socket(api, socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
        if (sd_event_add_signal(event, NULL, SIGTERM, on_sigterm, api) < 0)
                return 102;
        if (api_add_listener(api, dialect, fd, NULL) < 0)
                return TEST_SERVER_REFUSED;
        return sd_event_loop(event);
}

static int listen_on(TestServer *s, in_addr_t where) {
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_un un;
        } address = { .sa.sa_family = (sa_family_t) s->family };
        socklen_t length = s->family == AF_UNIX ? sizeof(address.un) : sizeof(address.in);
        int fd;

        if (s->family == AF_UNIX) {
                snprintf(s->name, sizeof(s->name), "hyper-test.%d", getpid());
                strcpy(address.un.sun_path + 1, s->name); /* abstract: nothing to clean up (unix(7)) */
        } else
                address.in.sin_addr.s_addr = htonl(where);

        fd = socket(s->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, &address.sa, length), 0);
        ck_assert_int_eq(listen(fd, 2048), 0);
        if (s->family == AF_INET) {
                ck_assert_int_eq(getsockname(fd, &address.sa, &length), 0);
                s->port = ntohs(address.in.sin_port);
        }
        return fd;
}

static void server_start(TestServer *s, const Dialect *dialect, const ApiConfig *config, in_addr_t where) {
        static const ApiConfig nothing = {
                .database = "/nonexistent/hyper.db",
                .bus_address = "unix:path=/nonexistent/bus",
        };
        sigset_t mask;
        int fd;

        fd = listen_on(s, where);

        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        s->pid = fork();
        ck_assert_int_ge(s->pid, 0);
        if (s->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                signal(SIGPIPE, SIG_IGN);
                exit(server_main(fd, dialect, config ? config : &nothing));
        }
        sigprocmask(SIG_UNBLOCK, &mask, NULL);
        signal(SIGPIPE, SIG_IGN);
        close(fd);
}

void test_server_start(TestServer *s, int family, const Dialect *dialect, const ApiConfig *config) {
        *s = (TestServer){ .family = family };
        server_start(s, dialect, config, INADDR_LOOPBACK);
}

void test_server_start_open(TestServer *s, const Dialect *dialect, const ApiConfig *config) {
        *s = (TestServer){ .family = AF_INET };
        server_start(s, dialect, config, INADDR_ANY);
}

int test_server_wait(TestServer *s) {
        int status;

        ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
        s->pid = 0;
        if (WIFSIGNALED(status))
                return 128 + WTERMSIG(status);
        return WEXITSTATUS(status);
}

int test_server_stop(TestServer *s) {
        kill(s->pid, SIGTERM);
        return test_server_wait(s);
}

int test_listen(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 64), 0);
        return fd;
}

int test_connect(const TestServer *s) {
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_un un;
        } address = { .sa.sa_family = (sa_family_t) s->family };
        socklen_t length = s->family == AF_UNIX ? sizeof(address.un) : sizeof(address.in);
        int fd;

        if (s->family == AF_UNIX)
                strcpy(address.un.sun_path + 1, s->name);
        else {
                address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                address.in.sin_port = htons((uint16_t) s->port);
        }

        fd = socket(s->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(connect(fd, &address.sa, length), 0);
        return fd;
}

void test_send_bytes(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

                if (n < 0)
                        return; /* the other end has closed: the answer says why */
                p += n;
                size -= (size_t) n;
        }
}

_printf_(2, 0) static void send_va(int fd, const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_ge(vasprintf(&text, format, ap), 0);
        test_send_bytes(fd, text, strlen(text));
}

void test_send(int fd, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        send_va(fd, format, ap);
        va_end(ap);
}

/* 0: the end. */
static size_t read_some(int fd, void *buf, size_t size) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;

        ck_assert_msg(poll(&p, 1, TEST_TIMEOUT_MSEC) == 1, "no answer within %d ms", TEST_TIMEOUT_MSEC);
        n = recv(fd, buf, size, 0);
        return n > 0 ? (size_t) n : 0;
}

static char *read_line(int fd) {
        char *line = NULL;
        size_t n = 0, allocated = 0;
        char c;

        while (read_some(fd, &c, 1) == 1) {
                ck_assert(GREEDY_REALLOC(line, allocated, n + 2));
                line[n++] = c;
                line[n] = '\0';
                if (c == '\n')
                        break;
        }
        return line;
}

static void read_bytes(int fd, size_t size, TestReply *r) {
        r->body = realloc(r->body, r->body_size + size + 1);
        ck_assert_ptr_nonnull(r->body);
        while (size > 0) {
                size_t n = read_some(fd, r->body + r->body_size, size);

                ck_assert_msg(n > 0, "the answer was cut off");
                r->body_size += n;
                size -= n;
        }
        r->body[r->body_size] = '\0';
}

static void read_chunks(int fd, TestReply *r) {
        size_t size;

        do {
                _cleanup_free_ char *line = read_line(fd), *end = NULL;

                ck_assert_ptr_nonnull(line);
                size = strtoul(line, NULL, 16);
                read_bytes(fd, size, r);
                end = read_line(fd);
                ck_assert_str_eq(end, "\r\n");
        } while (size > 0);
}

char *test_header(const TestReply *r, const char *name) {
        size_t n = strlen(name);

        for (const char *line = strstr(r->head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
                if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
                        const char *value = line + 2 + n + 1 + strspn(line + 2 + n + 1, " ");

                        return strndup(value, strcspn(value, "\r"));
                }
        return NULL;
}

void test_read_reply_full(int fd, bool head, TestReply *ret) {
        _cleanup_free_ char *length = NULL, *encoding = NULL;
        TestReply r = {};

        do {
                _cleanup_free_ char *line = read_line(fd), *joined = NULL;

                ck_assert_msg(line, "the connection was closed without an answer");
                joined = strprintf("%s%s", strempty(r.head), line);
                free(r.head);
                r.head = TAKE_PTR(joined);
        } while (!endswith(r.head, "\r\n\r\n"));

        ck_assert_int_eq(sscanf(r.head, "HTTP/1.%*d %u", &r.status), 1);
        r.body = calloc(1, 1);
        length = test_header(&r, "Content-Length");
        encoding = test_header(&r, "Transfer-Encoding");
        if (!head && encoding)
                read_chunks(fd, &r);
        else if (!head && length)
                read_bytes(fd, strtoul(length, NULL, 10), &r);
        *ret = r;
}

void test_reply_done(TestReply *r) {
        free(r->head);
        free(r->body);
}

bool test_is_closed(int fd) {
        char c;

        return read_some(fd, &c, 1) == 0;
}

void test_request(const TestServer *s, TestReply *ret, const char *format, ...) {
        int fd = test_connect(s);
        va_list ap;

        va_start(ap, format);
        send_va(fd, format, ap);
        va_end(ap);
        test_read_reply_full(fd, startswith(format, "HEAD "), ret);
        close(fd);
}

void test_get_until(const TestServer *s, const char *path, const char *expected) {
        usec_t deadline = now_monotonic() + TEST_TIMEOUT_MSEC * USEC_PER_MSEC;
        _cleanup_free_ char *last = NULL;

        do {
                _cleanup_reply_ TestReply r = {};

                test_request(s, &r, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
                free(last);
                last = strdup(r.body);
                if (streq(last, expected))
                        return;
                usleep(20 * USEC_PER_MSEC);
        } while (now_monotonic() < deadline);
        ck_assert_str_eq(last, expected);
}
