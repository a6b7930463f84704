/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a WebSocket: from the request that asks for it, through closing, until libmicrohttpd has its
 * socket back. Connections are put away from the loop only, so that whoever holds one may send and close
 * without it vanishing underneath. */

#include "api/stream/websocket.h"
#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "api/stream/websocket-handshake.h"
#include "api/stream/websocket-io.h"
#include "api/stream/websocket-state.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define TICK USEC_PER_SEC
/* So many clients are sent what waits for them in one go: about a millisecond. */
#define FLUSH_MAX ((size_t) 200)

/* --- groups ---------------------------------------------------------------------------------------- */

static WebSocketGroup *group_find(WebSocketHub *h, const WebSocketProtocol *protocol) {
        WebSocketGroup *g;

        LIST_FOREACH(g, &h->groups, groups)
                if (g->protocol == protocol)
                        return g;
        return NULL;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata);

/* One line, however many they are. */
static void hub_report(WebSocketHub *h) {
        if (h->dropped > 0)
                log_info("Dropped %u WebSocket clients that do not read what they are sent.", h->dropped);
        h->dropped = 0;
}

static void hub_stop_if_idle(WebSocketHub *h) {
        if (!LIST_EMPTY(&h->groups))
                return;
        hub_report(h);
        h->tick = sd_event_source_disable_unref(h->tick);
}

static int group_get(WebSocketHub *h, const WebSocketProtocol *protocol, WebSocketGroup **ret) {
        WebSocketGroup *g = group_find(h, protocol);
        int r;

        if (g) {
                *ret = g;
                return 0;
        }
        if (!h->tick) {
                r = sd_event_add_time_relative(
                                api_event(h->api), &h->tick, CLOCK_MONOTONIC, TICK, 0, on_tick, h);
                if (r < 0)
                        return r;
        }

        g = new0(WebSocketGroup, 1);
        if (!g)
                return -ENOMEM;
        g->hub = h;
        g->protocol = protocol;
        LIST_INIT(&g->clients);
        r = protocol->on_start ? protocol->on_start(g) : 0;
        if (r < 0) {
                free(g);
                hub_stop_if_idle(h);
                return r;
        }
        LIST_INSERT_HEAD(&h->groups, g, groups);
        *ret = g;
        return 0;
}

static void group_leave(WebSocketGroup *g, WebSocket *w) {
        WebSocketHub *h = g->hub;

        LIST_REMOVE(w, clients);
        g->n_clients--;
        if (!LIST_EMPTY(&g->clients))
                return;
        if (g->protocol->on_stop)
                g->protocol->on_stop(g);
        LIST_REMOVE(g, groups);
        free(g);
        hub_stop_if_idle(h);
}

Api *websocket_group_api(WebSocketGroup *g) {
        return g->hub->api;
}

void websocket_group_set_userdata(WebSocketGroup *g, void *userdata) {
        g->userdata = userdata;
}

void *websocket_group_userdata(WebSocketGroup *g) {
        return g->userdata;
}

void websocket_group_send(WebSocketGroup *g, WsMessage *m) {
        WebSocket *w;

        LIST_FOREACH(w, &g->clients, clients)
                if (w->is_opened)
                        websocket_send(w, m);
}

void websocket_group_close(WebSocketGroup *g, WsCloseCode code, const char *reason) {
        WebSocket *w;

        LIST_FOREACH(w, &g->clients, clients)
                websocket_close(w, code, reason);
}

/* --- one WebSocket --------------------------------------------------------------------------------- */

WebSocketGroup *websocket_group(WebSocket *w) {
        return w->group;
}

Request *websocket_request(WebSocket *w) {
        return w->request;
}

size_t websocket_queued(const WebSocket *w) {
        return w->queue.bytes;
}

void websocket_pause(WebSocket *w, bool paused) {
        if (w->is_paused == paused)
                return;
        w->is_paused = paused;
        websocket_update_events(w);
}

void websocket_set_userdata(WebSocket *w, void *userdata) {
        w->userdata = userdata;
}

void *websocket_userdata(WebSocket *w) {
        return w->userdata;
}

void websocket_send(WebSocket *w, WsMessage *m) {
        if (w->state != WS_OPEN)
                return;
        if (!m)
                return websocket_close(w, WS_CLOSE_INTERNAL_ERROR, "out of memory");

        switch (websocket_queue(w, m)) {
        case 0:
                return websocket_needs_work(w);
        case -ENOBUFS:
                return websocket_give_up(w, "it does not read fast enough");
        case -ENOMEM:
                return websocket_close(w, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        default: /* it went away just now */
                return;
        }
}

static usec_t ping_interval(WebSocket *w) {
        return api_ping_interval(w->group->hub->api);
}

static WebSocket *websocket_free(WebSocket *w) {
        if (!w)
                return NULL;

        if (w->is_opened && w->group->protocol->on_close)
                w->group->protocol->on_close(w);
        if (w->has_work)
                TAILQ_REMOVE(&w->group->hub->work, w, work);
        if (w->group)
                group_leave(w->group, w);
        sd_event_source_disable_unref(w->io);
        ws_codec_free(w->codec);
        ws_queue_done(&w->queue);
        free(w->early);
        if (w->request) {
                w->request->stream = NULL;
                (void) MHD_upgrade_action(w->upgrade, MHD_UPGRADE_ACTION_CLOSE);
                http_server_wake(w->request->server);
                request_unref(w->request);
        }
        return mfree(w);
}
DEFINE_CLEANUP_FUNC(WebSocket *, websocket_free);

/* The request is over. If it never became a WebSocket (the client went away first), it never will. */
static void on_over(void *stream) {
        WebSocket *w = stream;

        assert(w->state == WS_CONNECTING);
        websocket_free(w);
}

static void on_refuse(void *stream, const char *why) {
        websocket_close(stream, WS_CLOSE_POLICY, why);
}

static const RequestStreamOps request_ops = { .over = on_over, .refuse = on_refuse };

static int websocket_new(WebSocketHub *h, const WebSocketProtocol *protocol, WebSocket **ret) {
        _cleanup_(websocket_freep) WebSocket *w = new0(WebSocket, 1);
        WebSocketGroup *g;
        int r;

        if (!w)
                return -ENOMEM;
        w->fd = -EBADF;
        r = ws_codec_new(protocol->max_message, &websocket_codec_ops, w, &w->codec);
        if (r < 0)
                return r;
        r = group_get(h, protocol, &g);
        if (r < 0)
                return r;
        w->group = g;
        LIST_INSERT_HEAD(&g->clients, w, clients);
        g->n_clients++;
        *ret = TAKE_PTR(w);
        return 0;
}

/* --- from the request ------------------------------------------------------------------------------ */

static int websocket_connect(WebSocket *w, const void *early, size_t size) {
        int r;

        if (size > 0) {
                w->early = malloc(size);
                if (!w->early)
                        return -ENOMEM;
                memcpy(w->early, early, size);
                w->early_size = size;
                websocket_needs_work(w);
        }
        r = websocket_watch(w);
        if (r < 0)
                return r;
        w->deadline = now_monotonic() + ping_interval(w);
        w->is_opened = true;
        return w->group->protocol->on_open(w);
}

/* The answer is out, the socket is ours. */
static void on_upgrade(void *userdata, struct MHD_Connection *connection, void *request_userdata,
                const char *early, size_t early_size, MHD_socket fd,
                struct MHD_UpgradeResponseHandle *upgrade) {
        Request *r = userdata;
        WebSocket *w = r->stream;
        int k;

        w->request = request_ref(r);
        w->upgrade = upgrade;
        w->fd = fd;
        w->state = WS_OPEN;
        api_request_streams(request_api(r), r);
        http_connection_upgraded(connection);

        k = websocket_connect(w, early, early_size);
        if (k < 0) {
                log_error_errno(k, "Failed to open a WebSocket: %m");
                websocket_close(w, WS_CLOSE_INTERNAL_ERROR, "something went wrong here");
        }
}

static bool is_full(Request *r, const WebSocketProtocol *protocol) {
        const WebSocketGroup *g = group_find(api_websockets(request_api(r)), protocol);

        return protocol->max_clients > 0 && g && g->n_clients >= protocol->max_clients;
}

static int check_websocket(
                Request *r, const WebSocketProtocol *protocol, char accept[static WEBSOCKET_ACCEPT_SIZE]) {
        int k = websocket_handshake(r, protocol, accept);

        if (k < 0 || !is_full(r, protocol))
                return k;
        (void) request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "There are %u such connections already; close one.", protocol->max_clients);
        return -EBUSY;
}

int request_check_websocket(Request *r, const WebSocketProtocol *protocol) {
        char accept[WEBSOCKET_ACCEPT_SIZE];

        return check_websocket(r, protocol, accept);
}

int request_reply_websocket(Request *r, const WebSocketProtocol *protocol) {
        const char *subprotocol = websocket_choose_subprotocol(r, protocol);
        _cleanup_(websocket_freep) WebSocket *w = NULL;
        char accept[WEBSOCKET_ACCEPT_SIZE];
        struct MHD_Response *response;
        int k;

        if (r->answered || !r->connection)
                return 0;
        if (api_is_ending(request_api(r)))
                return request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "hyper-apid is stopping.");

        k = check_websocket(r, protocol, accept);
        if (k < 0)
                return k;
        k = websocket_new(api_websockets(request_api(r)), protocol, &w);
        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_UPGRADE, "websocket");
        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_ACCEPT, accept);
        if (k >= 0 && subprotocol)
                k = request_add_header(r, MHD_HTTP_HEADER_SEC_WEBSOCKET_PROTOCOL, subprotocol);
        if (k < 0)
                return k;

        response = MHD_create_response_for_upgrade(on_upgrade, r);
        if (!response)
                return -ENOMEM;
        r->stream = TAKE_PTR(w);
        r->stream_ops = &request_ops;
        request_answer(r, MHD_HTTP_SWITCHING_PROTOCOLS, response);
        return 0;
}

/* --- the hub --------------------------------------------------------------------------------------- */

static void websocket_tick(WebSocket *w, usec_t now) {
        usec_t ping = ping_interval(w);

        if (w->state == WS_OPEN && w->stalled_since > 0 &&
                        now >= w->stalled_since + MIN(WEBSOCKET_STALL_TIMEOUT, ping))
                return websocket_give_up(w, "it has stopped reading");
        if (now < w->deadline)
                return;

        switch (w->state) {
        case WS_OPEN:
                if (w->is_paused) { /* its pong would not be read */
                        w->waits_for_pong = false;
                        w->deadline = now + ping;
                        return;
                }
                if (w->waits_for_pong) {
                        log_debug("A WebSocket client does not answer a ping.");
                        return websocket_close(w, WS_CLOSE_INTERNAL_ERROR, "no answer to a ping");
                }
                w->waits_for_pong = true;
                w->deadline = now + MIN(WEBSOCKET_PONG_TIMEOUT, ping);
                if (ws_codec_ping(w->codec) < 0)
                        websocket_gone(w);
                return;
        case WS_CLOSING:
        case WS_LINGERING:
                return websocket_gone(w);
        case WS_CONNECTING:
        case WS_GONE:
                return;
        }
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        WebSocketHub *h = userdata;
        WebSocketGroup *g;
        WebSocket *w;

        LIST_FOREACH(g, &h->groups, groups)
                LIST_FOREACH(w, &g->clients, clients)
                        websocket_tick(w, now);
        hub_report(h);
        (void) sd_event_source_set_time_relative(source, TICK);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Does the work of so many clients at most. */
static void flush(WebSocketHub *h, size_t max) {
        WebSocket *w;

        for (size_t n = 0; n < max && (w = TAILQ_FIRST(&h->work)); n++) {
                TAILQ_REMOVE(&h->work, w, work);
                w->has_work = false;
                if (w->state == WS_GONE) {
                        websocket_free(w);
                        continue;
                }
                websocket_feed_early(w);
                websocket_flush(w);
        }
}

/* Between thousands of clients that are all sent something, others have their turn. */
static int on_flush(sd_event_source *source, void *userdata) {
        WebSocketHub *h = userdata;

        flush(h, FLUSH_MAX);
        return TAILQ_EMPTY(&h->work) ? 0 : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int websocket_hub_new(Api *a, WebSocketHub **ret) {
        _cleanup_(websocket_hub_freep) WebSocketHub *h = new0(WebSocketHub, 1);
        int r;

        if (!h)
                return -ENOMEM;
        h->api = a;
        LIST_INIT(&h->groups);
        TAILQ_INIT(&h->work);
        r = sd_event_add_defer(api_event(a), &h->flush, on_flush, h);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->flush, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

void websocket_hub_end(WebSocketHub *h) {
        usec_t latest = now_monotonic() + WEBSOCKET_CLOSE_TIMEOUT;
        WebSocketGroup *g;
        WebSocket *w;

        LIST_FOREACH(g, &h->groups, groups)
                LIST_FOREACH(w, &g->clients, clients) {
                        websocket_close(w, WS_CLOSE_RESTART, "hyper is being restarted, come back");
                        w->deadline = MIN(w->deadline, latest);
                }
}

void websocket_hub_cut(WebSocketHub *h) {
        WebSocketGroup *g;
        WebSocket *w;

        LIST_FOREACH(g, &h->groups, groups)
                LIST_FOREACH(w, &g->clients, clients)
                        if (w->state != WS_CONNECTING) /* its request puts that one away */
                                websocket_gone(w);
        flush(h, SIZE_MAX);
}

WebSocketHub *websocket_hub_free(WebSocketHub *h) {
        if (!h)
                return NULL;

        assert(LIST_EMPTY(&h->groups));
        sd_event_source_disable_unref(h->flush);
        return mfree(h);
}
