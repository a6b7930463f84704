/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* So many WebSocket clients and event streams at once, in one process: how long does what they are told take
 * from where it was written? Each message says when that was: "updated_at" in a WebSocket's "job_update",
 * "timestamp" in an event of a stream. Reads for some seconds, and prints one line of JSON. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "basic/time-util.h"

#define READ_SIZE ((size_t) 65536)
#define HANDSHAKE                                                                             \
        "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define REQUEST "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"

typedef struct Delays {
        usec_t *delays;
        size_t n, allocated;
} Delays;

typedef struct Client {
        int fd;
        bool is_websocket, has_head;
        char *data;
        size_t size, allocated;
} Client;

typedef struct Options {
        unsigned websocket_port, stream_port, websockets, streams, seconds;
        char *const *stream_paths;
        size_t n_stream_paths;
} Options;

static Delays websocket_delays, stream_delays;

static int fail(const char *what) {
        fprintf(stderr, "fanout-client: %s: %m\n", what);
        return -1;
}

/* @now is 0 before it counts. */
static void note(Delays *d, const char *text, const char *key, usec_t now) {
        const char *p = now > 0 ? strstr(text, key) : NULL, *end;
        usec_t at;

        if (!p)
                return;
        p += strlen(key);
        end = strchr(p, '"');
        if (!end || (size_t) (end - p) >= RFC3339_SIZE)
                return;
        char buf[RFC3339_SIZE];
        memcpy(buf, p, (size_t) (end - p));
        buf[end - p] = '\0';
        if (parse_rfc3339(buf, &at) < 0 || !GREEDY_REALLOC(d->delays, d->allocated, d->n + 1))
                return;
        d->delays[d->n++] = now > at ? now - at : 0;
}

/* Calls for one message; 0 if it is not whole yet, else its size. */
static size_t take_frame(const char *data, size_t size, usec_t now) {
        const unsigned char *p = (const unsigned char *) data;
        size_t header = 2, length;

        if (size < header)
                return 0;
        length = p[1];
        if (length >= 126) {
                size_t n = length == 126 ? 2 : 8;

                header += n;
                if (size < header)
                        return 0;
                length = 0;
                for (size_t i = 0; i < n; i++)
                        length = length << 8 | p[2 + i];
        }
        if (size < header + length)
                return 0;
        if (p[0] == 0x81 && length > 20) {
                _cleanup_free_ char *text = strndup(data + header, length);

                if (text && strstr(text, "\"type\":\"job_update\""))
                        note(&websocket_delays, text, "\"updated_at\":\"", now);
        }
        return header + length;
}

/* Chunks are not taken apart: an event is in one. */
static size_t take_event(const char *data, size_t size, usec_t now) {
        const char *end = memmem(data, size, "\n\n", 2);

        if (!end)
                return 0;
        size_t n = (size_t) (end - data) + 2;
        _cleanup_free_ char *text = strndup(data, n);
        if (text && strstr(text, "event: progress"))
                note(&stream_delays, text, "\"timestamp\":\"", now);
        return n;
}

/* False at the end. */
static bool client_read(Client *c, bool measure) {
        char buf[READ_SIZE];
        ssize_t k = recv(c->fd, buf, sizeof(buf), 0);
        usec_t now = now_realtime();
        size_t begin = 0, n;

        if (k <= 0 || !GREEDY_REALLOC(c->data, c->allocated, c->size + (size_t) k + 1))
                return k < 0 && errno == EAGAIN;
        memcpy(c->data + c->size, buf, (size_t) k);
        c->size += (size_t) k;
        c->data[c->size] = '\0';

        if (!c->has_head) {
                char *end = strstr(c->data, "\r\n\r\n");

                if (!end)
                        return true;
                if (!startswith(c->data, c->is_websocket ? "HTTP/1.1 101" : "HTTP/1.1 200"))
                        return false;
                begin = (size_t) (end - c->data) + 4;
                c->has_head = true;
        }
        while ((n = (c->is_websocket ? take_frame : take_event)(
                                c->data + begin, c->size - begin, measure ? now : 0)) > 0)
                begin += n;
        c->size -= begin;
        memmove(c->data, c->data + begin, c->size);
        return true;
}

static int client_open(Client *c, int epoll, bool is_websocket, unsigned port, const char *path) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons((uint16_t) port),
        };
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        _cleanup_free_ char *request = strprintf(is_websocket ? HANDSHAKE : REQUEST, path);

        *c = (Client){ .is_websocket = is_websocket };
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (!request || c->fd < 0)
                return fail("Failed to make a socket");
        if (connect(c->fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return fail("Failed to connect");
        if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t) strlen(request))
                return fail("Failed to send the request");
        if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                return fail("Failed to watch a socket");
        return 0;
}

/* Reads until @end, or until there is a line on standard input; -1 if a client was let down. */
static int read_all(int epoll, usec_t end, bool measure) {
        for (usec_t now = now_monotonic(); now < end; now = now_monotonic()) {
                int timeout = end == USEC_INFINITY ? -1 : (int) ((end - now) / USEC_PER_MSEC) + 1;
                struct epoll_event events[256];
                int n = epoll_wait(epoll, events, ELEMENTSOF(events), timeout);

                for (int i = 0; i < n; i++) {
                        char c;

                        if (!events[i].data.ptr) {
                                while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
                                        ;
                                return 0;
                        }
                        if (!client_read(events[i].data.ptr, measure)) {
                                fprintf(stderr, "fanout-client: a connection has ended\n");
                                return -1;
                        }
                }
        }
        return 0;
}

static int compare(const void *a, const void *b) {
        usec_t x = *(const usec_t *) a, y = *(const usec_t *) b;

        return x < y ? -1 : x > y;
}

static json_t *delays_json(Delays *d) {
        if (d->n == 0)
                return json_pack("{s:i}", "messages", 0);
        qsort(d->delays, d->n, sizeof(d->delays[0]), compare);
        return json_pack("{s:I, s:f, s:f, s:f}", "messages", (json_int_t) d->n, "median_ms",
                        (double) d->delays[d->n / 2] / 1000.0, "p99_ms",
                        (double) d->delays[d->n * 99 / 100] / 1000.0, "worst_ms",
                        (double) d->delays[d->n - 1] / 1000.0);
}

/* Says where it is, and reads until it is told to go on. */
static int pause_here(int epoll, const char *where) {
        printf("%s\n", where);
        (void) fflush(stdout);
        return read_all(epoll, USEC_INFINITY, false);
}

static int run(const Options *o) {
        _cleanup_free_ Client *clients = new0(Client, o->websockets + o->streams);
        struct epoll_event input = { .events = EPOLLIN, .data.ptr = NULL };
        int epoll = epoll_create1(EPOLL_CLOEXEC);
        json_t *json;

        if (!clients || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0)
                return fail("Failed to begin");
        for (unsigned i = 0; i < o->websockets; i++)
                if (client_open(&clients[i], epoll, true, o->websocket_port, "/ws") < 0)
                        return -1;
        if (pause_here(epoll, "websockets") < 0)
                return -1;
        for (unsigned i = 0; i < o->streams; i++)
                if (client_open(&clients[o->websockets + i], epoll, false, o->stream_port,
                                    o->stream_paths[i % o->n_stream_paths]) < 0)
                        return -1;
        if (pause_here(epoll, "streams") < 0 ||
                        read_all(epoll, now_monotonic() + o->seconds * USEC_PER_SEC, true) < 0)
                return -1;

        json = json_pack("{s:o, s:o}", "websocket", delays_json(&websocket_delays), "stream",
                        delays_json(&stream_delays));
        if (!json || json_dumpf(json, stdout, JSON_COMPACT) < 0)
                return -1;
        printf("\n");
        return 0;
}

int main(int argc, char *argv[]) {
        struct rlimit limit;
        Options o = {};

        if (argc < 7 || parse_unsigned(argv[1], &o.websocket_port) < 0 ||
                        parse_unsigned(argv[2], &o.stream_port) < 0 ||
                        parse_unsigned(argv[3], &o.websockets) < 0 ||
                        parse_unsigned(argv[4], &o.streams) < 0 || parse_unsigned(argv[5], &o.seconds) < 0) {
                fprintf(stderr,
                                "usage: fanout-client WEBSOCKET-PORT STREAM-PORT WEBSOCKETS STREAMS SECONDS "
                                "STREAM-PATH…\n"
                                "Says \"websockets\", then \"streams\" when these are connected; each time "
                                "a line on "
                                "standard input lets it go on.\n");
                return 2;
        }
        o.stream_paths = argv + 6;
        o.n_stream_paths = (size_t) argc - 6;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
        return run(&o) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
