/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/stream/websocket-closing.h"
#include "api/stream/websocket-state.h"
#include "basic/log.h"

void websocket_needs_work(WebSocket *w) {
        WebSocketHub *h = w->group->hub;

        if (w->has_work)
                return;
        w->has_work = true;
        TAILQ_INSERT_TAIL(&h->work, w, work);
        (void) sd_event_source_set_enabled(h->flush, SD_EVENT_ONESHOT);
}

void websocket_gone(WebSocket *w) {
        w->state = WS_GONE;
        websocket_needs_work(w);
}

void websocket_begin_closing(WebSocket *w) {
        if (w->state == WS_OPEN) {
                w->state = WS_CLOSING;
                w->deadline = now_monotonic() + WEBSOCKET_CLOSE_TIMEOUT;
        }
        websocket_needs_work(w);
}

void websocket_close(WebSocket *w, WsCloseCode code, const char *reason) {
        if (w->state != WS_OPEN)
                return;
        if (ws_codec_close(w->codec, code, reason) < 0)
                return websocket_gone(w);
        websocket_begin_closing(w);
}

void websocket_give_up(WebSocket *w, const char *why) {
        if (w->state != WS_OPEN)
                return;
        log_debug("Dropping a WebSocket client: %s.", why);
        w->group->hub->dropped++;
        ws_queue_drop(&w->queue);
        websocket_close(w, WS_CLOSE_TRY_LATER, why);
        /* What is in the socket comes first: it gets more time to find out. */
        w->deadline = now_monotonic() + WEBSOCKET_STALL_TIMEOUT;
}
