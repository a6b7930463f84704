/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps web pages out. A page from anywhere, open in a browser on this machine, can send requests to
 * 127.0.0.1: directly (then the browser tells its Origin), or under a name of its own that it lets point to
 * 127.0.0.1 (DNS rebinding; then the Host is that name). A listener without authentication therefore answers
 * only to names that are this machine's, and lets no foreign origin change anything, unless api.cors_origins
 * in the configuration names it; then its pages may read answers as well (cors.c). A browser cannot reach a
 * unix socket: nothing is checked there. */

#include <sys/socket.h>

#include "basic/macro.h"

/* True for a Host header (RFC 9110, 7.2) that names this machine: localhost and names below it, IP
 * addresses, @hostname (may be NULL). With or without port. */
bool host_is_local(const char *host, const char *hostname);

/* True if an Origin header (RFC 6454) is the one of pages served under @host: "http://" or, behind a
 * proxy that speaks TLS, "https://", and the very Host. */
bool origin_is_same(const char *origin, const char *host);

/* True if an Origin header is that of pages served on this machine, on any port: http or https, and
 * localhost, a name below it, 127.0.0.0/8 or [::1]. */
bool origin_is_loopback(const char *origin);

/* True for a listening address that only this machine can reach: AF_UNIX, 127.0.0.0/8, ::1. */
bool address_is_local(const struct sockaddr *address, socklen_t length);
