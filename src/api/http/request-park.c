/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A request that waits for something that no call is out for. Its connection is suspended, so libmicrohttpd
 * does not look at its socket: whether the client is still there is watched here. */

#include <poll.h>
#include <sys/epoll.h>

#include "api/api-state.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"

struct RequestPark {
        sd_event_source *socket, *timer;
        void (*over)(Request *r);
};

static int client_socket(Request *r) {
        const union MHD_ConnectionInfo *info;

        info = r->connection ? MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                             : NULL;
        return info ? info->connect_fd : -EBADF;
}

void request_unpark(Request *r) {
        RequestPark *p = r->park;

        if (!p)
                return;
        r->park = NULL;
        sd_event_source_disable_unref(p->socket);
        sd_event_source_disable_unref(p->timer);
        free(p);
}

void request_park_over(Request *r) {
        if (!r->park)
                return;
        void (*over)(Request *) = r->park->over;
        request_unpark(r);
        over(r);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        request_park_over(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        request_park_over(userdata);
        return 0;
}

int request_park(Request *r, usec_t until, void (*over)(Request *r)) {
        sd_event *event = api_event(request_api(r));
        int k, fd = client_socket(r);

        assert(!r->park);
        if (fd < 0)
                return fd;
        r->park = new0(RequestPark, 1);
        if (!r->park)
                return -ENOMEM;
        r->park->over = over;
        r->waited = true;
        /* What it sends meanwhile stays in the socket; libmicrohttpd reads it when this request is
         * answered. */
        k = sd_event_add_io(event, &r->park->socket, fd, EPOLLRDHUP, on_socket, r);
        if (k >= 0)
                k = sd_event_add_time(event, &r->park->timer, CLOCK_MONOTONIC, until, 0, on_timer, r);
        if (k < 0)
                request_unpark(r);
        return k;
}

bool request_client_is_gone(Request *r) {
        struct pollfd p = { .fd = client_socket(r), .events = POLLRDHUP };

        return p.fd < 0 || poll(&p, 1, 0) > 0;
}

bool request_is_over(Request *r) {
        return !r->connection;
}
