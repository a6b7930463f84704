/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files that work on a request need of its listening socket. */

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "api/http/linger.h"
#include "api/http/router.h"
#include "basic/time-util.h"

typedef struct Api Api;
typedef struct HttpServer HttpServer;
typedef struct UserConnections UserConnections;

struct HttpServer {
        Api *api;
        const Dialect *dialect;
        const Router *router;
        bool is_inet, is_local;
        struct MHD_Daemon *mhd;
        gnutls_datum_t ticket_key; /* with TLS */
        LIST_HEAD(, Connection) connections;
        Lingers lingers;
        UserConnections *users;
        sd_event_source *io, *timer, *again;
        usec_t timer_at; /* monotonic; USEC_INFINITY: not armed */
        uint64_t moved; /* with TLS: bytes read and written, and calls of libmicrohttpd */
        unsigned handshakes; /* that have begun; some of them may have ended */
        usec_t handshakes_looked_at; /* monotonic */
};

/* Goes on with a suspended connection, in the loop's next round. libmicrohttpd does not tell its epoll of
 * it. */
void http_server_resume(HttpServer *s, struct MHD_Connection *connection);

/* What comes from now on is of no request. */
void http_connection_upgraded(struct MHD_Connection *connection);

/* There is something to do for libmicrohttpd that its epoll does not know of. */
void http_server_wake(HttpServer *s);

Api *http_server_api(HttpServer *s);
const Dialect *http_server_dialect(HttpServer *s);
const Router *http_server_router(HttpServer *s);
/* True if web browsers can reach it: then Host and Origin are looked at. */
bool http_server_is_inet(HttpServer *s);

/* True if only this machine can reach it. */
bool http_server_is_local(HttpServer *s);

#define HTTP_BODIES_MAX ((size_t) 128 * 1024 * 1024) /* of all requests together */
