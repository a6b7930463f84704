/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Headers of requests for a part of a file (RFC 9110, 13 and 14), and of replies with one. Pure. */

#include "basic/time-util.h"

typedef enum RangeKind {
        RANGE_WHOLE, /* no range, several, or one that must be ignored */
        RANGE_PART,
        RANGE_UNSATISFIABLE, /* 416 */
} RangeKind;

/* Decodes the header Range for a file of @size bytes. *ret_offset and *ret_length are set in any case, to the
 * whole file unless it is RANGE_PART. @value may be NULL. */
RangeKind range_decode(const char *value, uint64_t size, uint64_t *ret_offset, uint64_t *ret_length);

/* Whether the list @value of If-Match or If-None-Match contains @etag, with its quotes. @weak: a weak tag of
 * the list equals the strong one (RFC 9110, 8.8.3.2). */
bool etag_list_contains(const char *value, const char *etag, bool weak);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); a fraction of a second is left out. */
#define HTTP_DATE_SIZE 30
char *format_http_date(char buf[static HTTP_DATE_SIZE], usec_t t);
/* Reads that form only. 0 or -EINVAL. */
int parse_http_date(const char *s, usec_t *ret);

/* The value of Content-Disposition for a file of this name, UTF-8 (RFC 6266); NULL when out of memory. */
char *attachment_header(const char *name);
