/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What http-server.c does with a request. */

#include <microhttpd.h>

#include "api/http/http-server-state.h"
#include "api/http/request.h"

Request *request_new(HttpServer *s, struct MHD_Connection *connection, const char *target);

/* Reads the target, finds the route. 0, or a negative errno with the error answer set. */
int request_begin(Request *r, const char *method);

/* Adds to the body: 0; -EFBIG over @max; -ENOBUFS if all requests together hold too much; -ENOMEM. */
int request_append_body(Request *r, const char *data, size_t size, size_t max);

/* Calls the body reader of the route. */
void request_body_piece(Request *r, const char *data, size_t size);

/* Calls the handler and makes sure that an answer is set or under way. */
void request_handle(Request *r);
/* What a handler's or a callback's return value means, if it set no answer. */
void request_handler_returned(Request *r, int result);

/* The connection is done with it: nobody hears an answer any more. */
void request_over(Request *r);
