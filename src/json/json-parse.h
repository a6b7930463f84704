/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parsing JSON text. What comes from outside is limited in size and depth. */

#include <jansson.h>

/* What json_parse_object() takes: larger texts and deeper values are errors. */
#define JSON_TEXT_MAX ((size_t) 16 * 1024 * 1024)
#define JSON_DEPTH_MAX 64

/* Parses text into an object: UTF-8 (RFC 8259), size and depth limited, duplicate keys and NUL refused. On
 * failure -EBADMSG and a text with line and column in *ret_error (caller frees; it never quotes the input,
 * which may hold a secret), or -ENOMEM. */
int json_parse_object(const char *text, size_t size, json_t **ret, char **ret_error);
/* The same for any JSON value. */
int json_parse_any(const char *text, size_t size, json_t **ret, char **ret_error);
