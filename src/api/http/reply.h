/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers. The first one of a request counts; a second one is ignored. All return 0, or a negative errno
 * that a handler may return as it is (the client then gets a plain 500). */

#include <microhttpd.h>

#include "api/http/reply-header.h"
#include "api/http/request.h"

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

/* For a dialect's form of errors: what the bus calls this one (shared/error-table.h); NULL: only its status
 * is known. */
const char *request_error_name(const Request *r) _pure_;

/* --- for the server itself --- */

/* Answers with what is kept for this path, if its route allows that: 1 if there was something, 0 if not. */
int request_reply_kept(Request *r);

/* Sets the answer and lets the connection go on if it was waiting for it. Takes over @response, also if it
 * comes too late. */
void request_answer(Request *r, unsigned status, struct MHD_Response *response);

/* Adds the headers to the answer and gives it to libmicrohttpd. */
enum MHD_Result request_send(Request *r);
