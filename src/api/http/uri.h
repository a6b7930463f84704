/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Request targets (RFC 3986, RFC 9112 3.2): taken apart strictly and in place. Bytes from outside. */

#include "basic/macro.h"

/* Decodes %XX in place; in a query (@plus) also "+" as a blank. -EINVAL for an escape that is none, for
 * control characters, NUL among them, however they are written, and for what is not UTF-8 when decoded. */
int uri_decode(char *s, bool plus);

/* Takes a request target in origin form ("/a?b") or absolute form ("http://host/a?b") apart: *ret_path
 * begins with "/", *ret_query and *ret_host are NULL if not there. Cuts @target up; all point into it or to
 * a constant. -EINVAL for anything else. */
int uri_split_target(char *target, const char **ret_host, char **ret_path, char **ret_query);

/* Splits a path at "/" and decodes each segment in place, so that %2F stays within its segment. One "/" at
 * the end is passed over. -EINVAL as uri_decode(), -E2BIG for more than @max segments, -ENOENT for an empty
 * segment in the middle, which no route has. */
int uri_split_path(char *path, const char **segments, size_t max, size_t *ret_n);

typedef struct QueryPair {
        const char *key, *value; /* value is NULL for a key without "=" */
} QueryPair;

/* Splits a query at "&" and decodes it in place. -EINVAL as uri_decode(), -E2BIG for more than @max. */
int uri_split_query(char *query, QueryPair *pairs, size_t max, size_t *ret_n);
