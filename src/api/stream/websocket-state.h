/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A WebSocket, its group and the hub as the files that move it see them. */

#include <microhttpd.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "api/stream/websocket-protocol.h"

typedef struct Api Api;
typedef struct Request Request;
typedef struct WebSocketHub WebSocketHub;

typedef enum WebSocketState {
        WS_CONNECTING, /* the answer 101 is not out yet */
        WS_OPEN,
        WS_CLOSING, /* our close frame is queued or sent; what the client still sends is read for its own */
        WS_LINGERING, /* all is said and our half is shut; the client closes its own. To close at once could
                       * reset the connection before the client has read the close frame. */
        WS_GONE, /* to be put away from the loop */
} WebSocketState;

struct WebSocketGroup {
        LIST_ENTRY(WebSocketGroup) groups;
        WebSocketHub *hub;
        const WebSocketProtocol *protocol;
        LIST_HEAD(, WebSocket) clients;
        unsigned n_clients;
        void *userdata;
};

struct WebSocket {
        LIST_ENTRY(WebSocket) clients;
        TAILQ_ENTRY(WebSocket) work;
        bool has_work; /* in the hub's list: something to send, or to be put away */
        WebSocketGroup *group;
        WebSocketState state;
        Request *request; /* once connected: a reference */
        struct MHD_UpgradeResponseHandle *upgrade;
        int fd; /* libmicrohttpd's */
        sd_event_source *io;
        bool wants_output; /* the socket is full, and watched */
        bool is_opened; /* on_open() was called */
        bool is_paused; /* nothing is read from it */

        WsCodec *codec;
        WsQueue queue;
        void *early; /* what libmicrohttpd had read behind the request */
        size_t early_size;

        usec_t deadline; /* monotonic: next ping, or end of the wait for a pong or a close */
        usec_t stalled_since; /* monotonic, 0: it takes what we send */
        bool waits_for_pong;
        void *userdata;
};

struct WebSocketHub {
        Api *api;
        LIST_HEAD(, WebSocketGroup) groups;
        TAILQ_HEAD(, WebSocket) work; /* first come, first served */
        sd_event_source *flush; /* while there is work */
        sd_event_source *tick; /* while there are groups */
        unsigned dropped; /* clients, since it was last said in the log */
};
