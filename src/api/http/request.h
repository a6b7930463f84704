/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One HTTP request, from its first line until its answer is sent or its client gone. Handlers see it through
 * these functions only. It lives at least until each call started with manager_call() has come back, also
 * when the client went away in the meantime; answering is then allowed and does nothing.
 *
 * Functions that find a mistake of the client's set the error answer themselves and return a negative errno:
 * the handler passes that on and is done. */

#include <jansson.h>

#include "api/api.h"
#include "api/http/router.h"

/* --- what was asked -------------------------------------------------------------------------------- */

Api *request_api(Request *r);
const Route *request_route(Request *r); /* NULL before a route is found */
const Dialect *request_dialect(Request *r);

/* What the client was let in as, by its key or its user. ROLE_NONE for public routes. A key for workers
 * alone is a viewer's besides. */
Role request_role(Request *r);

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

/* Decodes the query parameters by the route's table into @base, which holds the defaults: what is not given
 * stays. All that is wrong is told in one 400. 0 or -EINVAL. */
int request_query_decode(Request *r, void *base);

/* The body; "" if there was none. NUL-terminated behind @ret_size (may be NULL). Borrowed. */
const char *request_body(Request *r, size_t *ret_size);

/* The body as JSON, any value or an object only: at most the route's max_body, UTF-8, limited depth, no
 * duplicate keys; whatever the Content-Type says, unless it is one of YAML's: then it is read as YAML. New
 * reference in *ret. An empty body is an error too: look at request_body() first where it may be left out.
 * 0 or -EBADMSG. */
int request_json(Request *r, json_t **ret);
int request_json_object(Request *r, json_t **ret);

/* Something of the handler's that lives as long as the request (results of several bus calls). @done may be
 * NULL. Set at most once. */
void request_set_userdata(Request *r, void *userdata, void (*done)(void *userdata));
void *request_userdata(Request *r);

/* --- the answer ------------------------------------------------------------------------------------------
 *
 * The first answer counts; a second one is ignored. All return 0, or a negative errno that a handler may
 * return as it is (the client then gets a plain 500). */

/* Takes over @value, also on failure. NULL (json_pack() failed) is answered 500. */
int request_reply_json(Request *r, unsigned status, json_t *value);

/* 204, or another status without a body. */
int request_reply_empty(Request *r, unsigned status);

/* Text that is not JSON; copied. */
int request_reply_text(Request *r, unsigned status, const char *content_type, const char *text);

/* The first @size bytes of a file, which must be regular. Takes @fd over, also on failure. */
int request_reply_file(Request *r, unsigned status, const char *content_type, int fd, uint64_t size);

/* An error in the dialect's form. */
int request_reply_error(Request *r, unsigned status, const char *format, ...) _printf_(3, 4);

/* The same, with the status of the error table: by errno (any sign; the table's own text if @format is
 * NULL), or by bus error with the text that came with it. */
int request_reply_errno(Request *r, int error, const char *format, ...) _printf_(3, 4);
int request_reply_bus_error(Request *r, const sd_bus_error *error);

/* One more header for the answer; call it before request_reply_…(). Cache-Control is "no-store" if nobody
 * says otherwise. Strings are copied. 0 or -ENOMEM. */
int request_add_header(Request *r, const char *name, const char *value);
