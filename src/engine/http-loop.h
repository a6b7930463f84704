/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libcurl's multi interface as something to poll: its sockets, and one descriptor for its timers and for
 * ours. */

#include <curl/curl.h>

#include "engine/endpoint.h"

typedef struct HttpLoop {
        CURLM *multi;
        int timer_fd;
        usec_t curl_at, own_at; /* monotonic; USEC_INFINITY: not set */
        struct pollfd sockets[ENDPOINT_FDS_MAX - 1];
        size_t n_sockets;
        bool overflow; /* libcurl has more sockets than there is room for */
} HttpLoop;

/* At most @connections at a time, all to one host. 0 or negative errno; @l stays where it is. */
int http_loop_init(HttpLoop *l, unsigned connections);
/* All easy handles must have been removed. */
void http_loop_done(HttpLoop *l);

/* What EndpointOps.wait and .dispatch are to do. */
size_t http_loop_wait(HttpLoop *l, struct pollfd *fds, size_t max);
int http_loop_dispatch(HttpLoop *l, const struct pollfd *fds, size_t n);

/* Makes the loop ready at @at, too. */
void http_loop_wake_at(HttpLoop *l, usec_t at);
