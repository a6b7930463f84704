/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Strings, and lists of strings that end with NULL (strv). */

#include <stdarg.h>

#include "basic/macro.h"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Like streq(), with NULL equal to NULL only. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

static inline bool isempty(const char *s) {
        return !s || !*s;
}

static inline const char *strempty(const char *s) {
        return s ? s : "";
}

static inline const char *strna(const char *s) {
        return s ? s : "n/a";
}

/* The part of @s behind @prefix, or NULL if @s does not begin with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Where @suffix begins at the end of @s, or NULL. */
static inline const char *endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && streq(s + n - m, suffix) ? s + n - m : NULL;
}

/* Replaces *p by a copy of @s (NULL allowed). 0 or -ENOMEM; *p is untouched on error. */
int free_and_strdup(char **p, const char *s);

/* asprintf() that returns the string, or NULL when out of memory. The caller frees it. */
char *strprintf(const char *format, ...) _printf_(1, 2);
char *vstrprintf(const char *format, va_list ap) _printf_(1, 0);

/* True if @s is UTF-8 as RFC 3629 defines it (no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_is_valid(const char *s);

char **strv_free(char **l);
DEFINE_CLEANUP_FUNC(char **, strv_free);
#define _cleanup_strv_free_ _cleanup_(strv_freep)

size_t strv_length(char *const *l);
bool strv_contains(char *const *l, const char *s);

/* Appends a copy of @s, or @s itself; consume frees @s on failure too. 0 or -ENOMEM. */
int strv_extend(char ***l, const char *s);
int strv_consume(char ***l, char *s);
int strv_extendf(char ***l, const char *format, ...) _printf_(2, 3);

/* All strings with @separator between them; "" for an empty list; NULL when out of memory. The caller frees
 * it. */
char *strv_join(char *const *l, const char *separator);

#define STRV_FOREACH(s, l) for (char *const *s = (l); s && *s; s++)
