/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-console.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/hosts/hosts-vm.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"

#define CONSOLES_MAX 64u
#define MESSAGE_MAX ((size_t) 256 * 1024)
#define READ_SIZE ((size_t) 32 * 1024)
/* With so much waiting for the client nothing more is read from the display. */
#define QUEUED_MAX ((size_t) 256 * 1024)

typedef struct Console {
        WebSocket *websocket; /* NULL until the handshake is over */
        int fd; /* of the display */
        sd_event_source *io;
        bool is_held; /* nothing is read from the display: the client does not keep up */
        uint8_t *pending; /* from the client, for the display */
        size_t n_pending, allocated, sent;
} Console;

static void console_free(void *userdata) {
        Console *c = userdata;

        sd_event_source_disable_unref(c->io);
        safe_close(c->fd);
        free(c->pending);
        free(c);
}

static bool has_pending(const Console *c) {
        return c->sent < c->n_pending;
}

static int update_events(Console *c) {
        return sd_event_source_set_io_events(
                        c->io, (c->is_held ? 0 : EPOLLIN) | (has_pending(c) ? EPOLLOUT : 0));
}

/* The display is gone, or cannot be served any more. */
static void end(Console *c, WsCloseCode code, const char *why) {
        c->io = sd_event_source_disable_unref(c->io);
        websocket_close(c->websocket, code, why);
}

/* --- from the display to the client ---------------------------------------------------------------- */

static void forward(Console *c) {
        uint8_t buf[READ_SIZE];
        ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
        _cleanup_ws_message_ WsMessage *m = NULL;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0)
                return end(c, WS_CLOSE_NORMAL, "the display has closed");
        m = ws_message_new_binary(buf, (size_t) n);
        websocket_send(c->websocket, m);
        if (websocket_queued(c->websocket) >= QUEUED_MAX) {
                c->is_held = true;
                (void) update_events(c);
        }
}

static void on_drained(WebSocket *w) {
        Console *c = websocket_userdata(w);

        if (!c || !c->io || !c->is_held)
                return;
        c->is_held = false;
        (void) update_events(c);
}

/* --- from the client to the display ---------------------------------------------------------------- */

/* The client is read again when all that it sent has been taken. */
static void flush_pending(Console *c) {
        while (has_pending(c)) {
                ssize_t n = send(c->fd, c->pending + c->sent, c->n_pending - c->sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0)
                        return end(c, WS_CLOSE_NORMAL, "the display has closed");
                c->sent += (size_t) n;
        }
        if (!has_pending(c))
                c->n_pending = c->sent = 0;
        websocket_pause(c->websocket, has_pending(c));
        (void) update_events(c);
}

static void on_binary(WebSocket *w, const void *data, size_t size) {
        Console *c = websocket_userdata(w);

        if (!c || !c->io || size == 0)
                return;
        if (!GREEDY_REALLOC(c->pending, c->allocated, c->n_pending + size))
                return end(c, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        memcpy(c->pending + c->n_pending, data, size);
        c->n_pending += size;
        flush_pending(c);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Console *c = userdata;

        if (events & EPOLLOUT)
                flush_pending(c);
        if (!c->io) /* it has ended just now */
                return 0;
        if (events & EPOLLIN || (events & (EPOLLHUP | EPOLLERR) && !c->is_held))
                forward(c);
        else if (events & EPOLLERR)
                end(c, WS_CLOSE_NORMAL, "the display has closed");
        return 0;
}

/* --- its life -------------------------------------------------------------------------------------- */

static int on_open(WebSocket *w) {
        Console *c = request_userdata(websocket_request(w));
        Api *a = websocket_group_api(websocket_group(w));

        c->websocket = w;
        websocket_set_userdata(w, c);
        return sd_event_add_io(api_event(a), &c->io, c->fd, EPOLLIN, on_io, c);
}

static void on_close(WebSocket *w) {
        Console *c = websocket_userdata(w);

        if (!c)
                return;
        c->io = sd_event_source_disable_unref(c->io);
        c->fd = safe_close(c->fd);
        websocket_set_userdata(w, NULL);
}

const WebSocketProtocol hosts_console_protocol = {
        .max_message = MESSAGE_MAX,
        .subprotocol = "binary",
        .same_origin = true,
        .max_clients = CONSOLES_MAX,
        .on_open = on_open,
        .on_binary = on_binary,
        .on_drained = on_drained,
        .on_close = on_close,
};

int console_take(Request *r, int fd) {
        Console *c = new0(Console, 1);

        if (!c) {
                safe_close(fd);
                return -ENOMEM;
        }
        c->fd = fd;
        request_set_userdata(r, c, console_free);
        return 0;
}

/* --- from the request ------------------------------------------------------------------------------ */

typedef struct ConsoleQuery {
        const char *type;
} ConsoleQuery;

const QueryField hosts_console_query[] = {
        { "type", QUERY_STRING, offsetof(ConsoleQuery, type), .max = 8, .description = "vnc or spice." },
        {},
};

static int append_asked_type(Request *r, sd_bus_message *m) {
        ConsoleQuery q = { .type = "" };
        int k = request_query_decode(r, &q);

        return k < 0 ? k : sd_bus_message_append(m, "s", q.type);
}

static int append_spice(Request *r, sd_bus_message *m) {
        return sd_bus_message_append(m, "s", "spice");
}

static int on_console(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        int k, its, fd;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "h", &its);
        if (k < 0)
                return k;
        fd = fcntl(its, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        k = console_take(r, fd);
        return k < 0 ? k : request_reply_websocket(r, &hosts_console_protocol);
}

/* A request that is none for a WebSocket opens no display. */
static int open_console(Request *r, const VmCall *call) {
        int k = request_check_websocket(r, &hosts_console_protocol);

        return k < 0 ? k : hosts_call_vm(r, call);
}

int hosts_get_console(Request *r) {
        static const VmCall call = { "OpenConsole", on_console, append_asked_type };

        return open_console(r, &call);
}

int hosts_get_spice(Request *r) {
        static const VmCall call = { "OpenConsole", on_console, append_spice };

        return open_console(r, &call);
}
