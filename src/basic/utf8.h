/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text of unknown origin made fit for JSON and for people. */

#include <stdarg.h>

#include "basic/macro.h"

/* A copy of at most @max bytes of @data as valid UTF-8 (RFC 3629): each byte that is none becomes U+FFFD,
 * and so does NUL; a character that would not fit whole is left out. NULL when out of memory; the caller
 * frees. */
char *utf8_make_valid(const char *data, size_t size, size_t max);

/* Replaces each control character (C0, DEL, C1) by @by in place; for a text that must stay one line. @by is
 * ASCII. Returns @s. */
char *utf8_replace_control(char *s, char by);

/* True if @s holds a control character: C0, DEL, or C1 (U+0080 to U+009F) in UTF-8. */
bool utf8_has_control(const char *s) _pure_;

/* As vstrprintf(): the text as valid UTF-8, even if the precision of "%.64s" has cut a character in two. */
char *utf8_vprintf(const char *format, va_list ap) _printf_(1, 0);
