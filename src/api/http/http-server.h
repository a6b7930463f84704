/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One listening socket: libmicrohttpd on its own epoll, which is watched by the daemon's event loop. Only
 * this file and request.c know that the server is libmicrohttpd. */

#include "api/http/request-private.h"

/* Takes @fd over, also on failure. @router and @api outlive the server. -EADDRNOTAVAIL for an address that
 * other machines can reach while there is no API key. */
int http_server_new(Api *api, const Dialect *dialect, const Router *router, int fd, HttpServer **ret);
/* Every suspended connection must have been resumed before. */
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP_FUNC(HttpServer *, http_server_free);

/* Stops accepting. Clients that come now wait in the socket's queue, which PID 1 holds too. */
void http_server_quiesce(HttpServer *s);

/* Does what can be done at once. */
void http_server_run(HttpServer *s);

/* Goes on with a suspended connection, in the loop's next round. libmicrohttpd does not tell its epoll of
 * it. */
void http_server_resume(HttpServer *s, struct MHD_Connection *connection);

/* There is something to do for libmicrohttpd that its epoll does not know of. */
void http_server_wake(HttpServer *s);

/* Closes connections that have been sending one request for too long: libmicrohttpd's own timeout begins
 * anew with each byte. */
void http_server_sweep(HttpServer *s, usec_t now);

Api *http_server_api(HttpServer *s);
const Dialect *http_server_dialect(HttpServer *s);
const Router *http_server_router(HttpServer *s);
/* True if web browsers can reach it: then Host and Origin are looked at. */
bool http_server_is_inet(HttpServer *s);

/* True if only this machine can reach it. */
bool http_server_is_local(HttpServer *s);

#define HTTP_CONNECTIONS_MAX 16000 /* per listener */
/* Where other machines can come: one of them, which need not have a key to connect, leaves room for the
 * others. */
#define HTTP_CONNECTIONS_PER_ADDRESS 1024u
/* Where only this machine can come: the same for each of its users but root. */
#define HTTP_CONNECTIONS_PER_USER 4000u
#define HTTP_MEMORY_MAX ((size_t) 32 * 1024) /* per connection: request line, headers, buffers */
#define HTTP_IDLE_SEC 60u
#define HTTP_HEADERS_TIMEOUT (60 * USEC_PER_SEC)
#define HTTP_BODY_TIMEOUT (300 * USEC_PER_SEC)
#define HTTP_BODIES_MAX ((size_t) 128 * 1024 * 1024) /* of all requests together */
