/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of a WebSocket: between its socket, its queue, and the codec. */

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/api-state.h"
#include "api/stream/websocket-closing.h"
#include "api/stream/websocket-io.h"
#include "api/stream/websocket-state.h"
#include "basic/log.h"

#define READ_SIZE ((size_t) 16 * 1024) /* at once; then others have their turn */
#define PIECES_MAX 64
/* What the kernel may hold for one client (it takes twice as much): with its own idea of it, a thousand
 * clients that stop reading would cost gigabytes. */
#define SEND_BUFFER (32 * 1024)

/* --- what the codec says --------------------------------------------------------------------------- */

static void on_text(const char *text, size_t size, void *userdata) {
        WebSocket *w = userdata;

        if (w->state == WS_OPEN && w->group->protocol->on_message)
                w->group->protocol->on_message(w, text, size);
}

static void on_binary(const void *data, size_t size, void *userdata) {
        WebSocket *w = userdata;

        if (w->state != WS_OPEN)
                return;
        if (w->group->protocol->on_binary)
                w->group->protocol->on_binary(w, data, size);
        else
                websocket_close(w, WS_CLOSE_UNSUPPORTED, "only text messages are understood here");
}

static void on_pong(void *userdata) {
        WebSocket *w = userdata;

        if (w->state != WS_OPEN || !w->waits_for_pong)
                return;
        w->waits_for_pong = false;
        w->deadline = now_monotonic() + api_ping_interval(w->group->hub->api);
}

/* Always queued: too many are found out after all of a client's bytes were looked at. */
static void on_control(const void *frame, size_t size, void *userdata) {
        _cleanup_ws_message_ WsMessage *m = ws_message_from_frame(frame, size);
        WebSocket *w = userdata;

        if (w->state != WS_OPEN && w->state != WS_CLOSING)
                return;
        if (!m || ws_queue_push(&w->queue, m) < 0)
                return websocket_gone(w);
        websocket_needs_work(w);
}

const WsCodecOps websocket_codec_ops = {
        .on_text = on_text,
        .on_binary = on_binary,
        .on_pong = on_pong,
        .on_control = on_control,
};

static void websocket_feed(WebSocket *w, const void *data, size_t size) {
        if (ws_codec_is_deaf(w->codec))
                return;
        if (ws_codec_feed(w->codec, data, size) < 0)
                return websocket_gone(w);
        if (ws_codec_close_is_sent(w->codec))
                return websocket_begin_closing(w);
        if (w->queue.bytes > WEBSOCKET_QUEUE_MAX)
                websocket_give_up(w, "it asks more than it reads");
}

void websocket_feed_early(WebSocket *w) {
        _cleanup_free_ void *early = TAKE_PTR(w->early);

        if (early)
                websocket_feed(w, early, w->early_size);
}

/* --- the socket ------------------------------------------------------------------------------------ */

void websocket_update_events(WebSocket *w) {
        uint32_t events = (w->is_paused ? 0 : EPOLLIN) | (w->wants_output ? EPOLLOUT : 0);

        if (sd_event_source_set_io_events(w->io, events) < 0)
                websocket_gone(w);
}

static void websocket_want_output(WebSocket *w, bool want) {
        if (w->wants_output == want)
                return;
        w->wants_output = want;
        websocket_update_events(w);
}

static void websocket_write(WebSocket *w) {
        bool any = !ws_queue_is_empty(&w->queue);

        while (!ws_queue_is_empty(&w->queue)) {
                struct iovec pieces[PIECES_MAX];
                struct msghdr m = {
                        .msg_iov = pieces,
                        .msg_iovlen = ws_queue_pieces(&w->queue, pieces, PIECES_MAX),
                };
                ssize_t n = sendmsg(w->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != EAGAIN)
                        return websocket_gone(w);
                if (n < 0) {
                        if (w->stalled_since == 0)
                                w->stalled_since = now_monotonic();
                        return websocket_want_output(w, true);
                }
                ws_queue_sent(&w->queue, (size_t) n);
                w->stalled_since = 0;
        }
        websocket_want_output(w, false);
        if (any && w->state == WS_OPEN && w->group->protocol->on_drained)
                w->group->protocol->on_drained(w);
}

void websocket_flush(WebSocket *w) {
        if (w->state != WS_OPEN && w->state != WS_CLOSING)
                return;
        websocket_write(w);
        if (w->state != WS_CLOSING || !ws_queue_is_empty(&w->queue) || !ws_codec_is_deaf(w->codec))
                return;

        /* All is said on both sides: the server closes first (RFC 6455, 7.1.1). */
        if (shutdown(w->fd, SHUT_WR) < 0)
                return websocket_gone(w);
        w->state = WS_LINGERING;
        w->deadline = now_monotonic() + WEBSOCKET_CLOSE_TIMEOUT;
}

int websocket_queue(WebSocket *w, WsMessage *m) {
        /* One message may be as large as it likes. */
        if (!ws_queue_is_empty(&w->queue) && w->queue.bytes + m->size > WEBSOCKET_QUEUE_MAX) {
                websocket_write(w); /* perhaps it is we who have not come to send */
                if (w->state != WS_OPEN)
                        return -EPIPE;
                if (!ws_queue_is_empty(&w->queue) && w->queue.bytes + m->size > WEBSOCKET_QUEUE_MAX)
                        return -ENOBUFS;
        }
        return ws_queue_push(&w->queue, m);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        WebSocket *w = userdata;
        char buf[READ_SIZE];
        ssize_t n;

        if (events & EPOLLOUT)
                websocket_flush(w);
        if (w->state == WS_GONE || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;

        n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0)
                websocket_feed(w, buf, (size_t) n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                websocket_gone(w);
        return 0;
}

int websocket_watch(WebSocket *w) {
        static const int yes = 1, no = 0, size = SEND_BUFFER;

        /* A unix socket knows nothing of the first two; without them it works as well, if more slowly. */
        (void) setsockopt(w->fd, IPPROTO_TCP, TCP_CORK, &no, sizeof(no));
        (void) setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        if (setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
                return -errno;
        return sd_event_add_io(api_event(w->group->hub->api), &w->io, w->fd, EPOLLIN, on_io, w);
}
