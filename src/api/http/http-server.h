/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One listening socket: libmicrohttpd on its own epoll, which is watched by the daemon's event loop. Only
 * http/, access/ and stream/ know that the server is libmicrohttpd. */

#include "api/http/http-server-state.h"
#include "api/http/router.h"
#include "basic/time-util.h"
#include "tls/tls-pair.h"

/* Takes @fd over, also on failure. @router and @api outlive the server. @tls: for a dialect with TLS, else
 * NULL; it is only used during the call. -EADDRNOTAVAIL for an address that other machines can reach without
 * TLS while there is no API key. */
int http_server_new(Api *api, const Dialect *dialect, const Router *router, int fd, const TlsPair *tls,
                HttpServer **ret);
/* Every suspended connection must have been resumed before. */
HttpServer *http_server_free(HttpServer *s);
DEFINE_CLEANUP_FUNC(HttpServer *, http_server_free);

/* Stops accepting. Clients that come now wait in the socket's queue, which PID 1 holds too. */
void http_server_quiesce(HttpServer *s);

/* Whether there are clients that connected at most HTTP_NEWCOMER_TIME before @now (monotonic), and have not
 * sent a request yet: with TLS, they may still be in the handshake. */
bool http_server_has_newcomers(HttpServer *s, usec_t now);

/* Does what can be done at once. */
void http_server_run(HttpServer *s);

/* Closes connections that have been sending one request for too long: libmicrohttpd's own timeout begins
 * anew with each byte. */
void http_server_sweep(HttpServer *s, usec_t now);

#define HTTP_CONNECTIONS_MAX 16000 /* per listener */
/* Where other machines can come: an IPv4 address, or a network of 2^64 IPv6 addresses, which need not have a
 * key to connect, leaves room for the others. */
#define HTTP_CONNECTIONS_PER_ADDRESS 1024u
/* Where only this machine can come: the same for each of its users but root. */
#define HTTP_CONNECTIONS_PER_USER 4000u
#define HTTP_MEMORY_MAX ((size_t) 32 * 1024) /* per connection: request line, headers, buffers */
#define HTTP_IDLE_SEC 60u
#define HTTP_STUCK_MSEC 250u
#define HTTP_HANDSHAKES_MAX 256u
#define HTTP_HANDSHAKE_TIME (2 * USEC_PER_SEC) /* if there are more */
#define HTTP_NEWCOMER_TIME USEC_PER_SEC
#define HTTP_HEADERS_TIMEOUT (60 * USEC_PER_SEC)
#define HTTP_BODY_TIMEOUT (300 * USEC_PER_SEC)
