/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One HTTP request, from its first line until its answer is sent or its client gone. Handlers see it through
 * these functions only. It lives at least until each call started with manager_call() has come back, also
 * when the client went away in the meantime; answering is then allowed and does nothing.
 *
 * Functions that find a mistake of the client's set the error answer themselves and return a negative errno:
 * the handler passes that on and is done. */

#include "api/api-state.h"
#include "api/http/router.h"

/* --- what was asked -------------------------------------------------------------------------------- */

Api *request_api(Request *r);
const Route *request_route(Request *r); /* NULL before a route is found */
const Dialect *request_dialect(Request *r);

/* What the client was let in as, by its key or its user. ROLE_NONE for public routes. A key for workers
 * alone is a viewer's besides. */
Role request_role(Request *r);

/* Who it was let in as, for things that belong to somebody: "key:<id>", or "user:<uid>" of a session
 * or a local client. */
#define REQUEST_OWNER_SIZE 128
char *request_owner(Request *r, char buf[static REQUEST_OWNER_SIZE]);

/* The user of its session, or the name of its API key; "" for a local client without either. */
const char *request_user_name(const Request *r) _pure_;

/* The path as the client sent it, without the query; for messages. Always UTF-8 (what was not is "?"). */
const char *request_path(Request *r);

/* A path parameter, decoded: UTF-8, not empty, without control characters. Asserts that the route has it. */
const char *request_param(Request *r, const char *name);

/* A header's value (first of that name), or NULL. Bytes as they came. */
const char *request_header(Request *r, const char *name);

/* A query parameter's decoded value: "" for "?key" and "?key=", NULL if it is not there. With the same key
 * several times, @n counts from 0. Decoded values are UTF-8 without control characters. */
const char *request_query(Request *r, const char *key);
const char *request_query_nth(Request *r, const char *key, size_t n);

/* The body; "" if there was none. NUL-terminated behind @ret_size (may be NULL). Borrowed. */
const char *request_body(Request *r, size_t *ret_size);

/* Something of the handler's that lives as long as the request (results of several bus calls). @done may be
 * NULL. Set at most once. */
void request_set_userdata(Request *r, void *userdata, void (*done)(void *userdata));
void *request_userdata(Request *r);
/* Takes it out of the request: the caller frees it. */
void *request_take_userdata(Request *r);

/* --- for files that keep a request ----------------------------------------------------------------- */

Request *request_ref(Request *r);
Request *request_unref(Request *r);
DEFINE_CLEANUP_FUNC(Request *, request_unref);
