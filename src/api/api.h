/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon as one object. Everything it needs is handed in, so tests run it on their own sockets, with
 * their own database, journal directory, and bus. */

#include "api/api-state.h"
#include "tls/tls-pair.h"

/* @config's strings are copied. */
int api_new(sd_event *event, const ApiConfig *config, Api **ret);
Api *api_free(Api *a);
DEFINE_CLEANUP_FUNC(Api *, api_free);

/* Puts another configuration in force while the daemon runs. Of @config only what a running daemon can
 * change is heeded: metrics, cors_origins, require_key, local_anybody, submit_status, the rate limits and
 * idle_timeout. On failure nothing has changed. 0 or -ENOMEM. */
int api_configure(Api *a, const ApiConfig *config);

/* Serves @dialect on a listening socket, which is taken over, also on failure. @tls: the certificate of a
 * dialect with TLS, else NULL. 1 if other machines can reach it, 0 if not. -EADDRNOTAVAIL if they could
 * without TLS and there is no API key; -EINVAL for a broken route table. */
int api_add_listener(Api *a, const Dialect *dialect, int fd, const TlsPair *tls);

/* Closes each connection to a listening socket that is not served, which is taken over: a client that waits
 * would have systemd start us again and again. */
int api_refuse_socket(Api *a, int fd);

/* Stops accepting, ends streams and WebSockets (their clients come back), lets the answers in flight
 * finish, and then leaves the event loop with @exit_code. What is not answered within 10 s is given up. */
void api_shutdown(Api *a, int exit_code);
