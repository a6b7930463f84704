/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What request.c and http-server.c tell the daemon, so that it can count, become idle and end. */

#include "api/access/access.h"
#include "api/http/request-private.h"

void api_connection_opened(Api *a);
void api_connection_closed(Api *a);
void api_request_begun(Api *a, Request *r);
void api_request_streams(Api *a, Request *r); /* it is a stream from now on, or a WebSocket */
void api_request_done(Api *a, Request *r);

/* Memory for bodies, of all requests together. */
bool api_take_body(Api *a, size_t size);
void api_give_body(Api *a, size_t size);

/* Who may ask, as the database says now. -EAGAIN while that cannot be known; other errors have been
 * logged. */
int api_access(Api *a, Access **ret);

/* The user at the other end of a connection that was just accepted from a listener of this machine's. False
 * if nobody needs to know, or the user cannot be found. */
bool api_find_peer(Api *a, int fd, uid_t *ret);
/* The role of a user of this machine; at most some seconds old. */
Role api_role_of(Api *a, uid_t uid);
bool api_local_is_anybody(Api *a);

/* For a route that is from_database: the answer kept for @path, NULL if there is none; and keeping one. */
const char *api_kept_reply(Api *a, const Dialect *dialect, const char *path, size_t *ret_size);
void api_keep_reply(Api *a, const Dialect *dialect, const char *path, const char *text, size_t size);

bool api_requires_key(Api *a); /* on the loopback interface too */
bool api_allows_origin(Api *a, const char *origin);
usec_t api_ping_interval(Api *a);
const char *api_hostname(Api *a);
bool api_is_ending(Api *a);
const char *api_refusal(Api *a); /* NULL: requests are welcome */
