/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "basic/string-util.h"

int free_and_strdup(char **p, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*p);
        *p = copy;
        return 0;
}

char *vstrprintf(const char *format, va_list ap) {
        char *s;

        return vasprintf(&s, format, ap) < 0 ? NULL : s;
}

char *strprintf(const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        char *s = vstrprintf(format, ap);
        va_end(ap);
        return s;
}

bool utf8_is_valid(const char *s) {
        const uint8_t *p = (const uint8_t *) s;

        while (*p) {
                uint32_t c, least;
                size_t more;

                if (*p < 0x80) {
                        p++;
                        continue;
                }
                if ((*p & 0xe0) == 0xc0)
                        c = *p & 0x1f, more = 1, least = 0x80;
                else if ((*p & 0xf0) == 0xe0)
                        c = *p & 0x0f, more = 2, least = 0x800;
                else if ((*p & 0xf8) == 0xf0)
                        c = *p & 0x07, more = 3, least = 0x10000;
                else
                        return false;
                for (p++; more > 0; more--, p++) {
                        if ((*p & 0xc0) != 0x80)
                                return false;
                        c = c << 6 | (*p & 0x3f);
                }
                if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                        return false;
        }
        return true;
}

char **strv_free(char **l) {
        STRV_FOREACH(s, l)
                free(*s);
        return mfree(l);
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        STRV_FOREACH(s, l)
                n++;
        return n;
}

bool strv_contains(char *const *l, const char *s) {
        STRV_FOREACH(i, l)
                if (streq(*i, s))
                        return true;
        return false;
}

int strv_consume(char ***l, char *s) {
        size_t n = strv_length(*l);

        if (!s)
                return -ENOMEM;
        char **grown = reallocarray(*l, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }
        grown[n] = s;
        grown[n + 1] = NULL;
        *l = grown;
        return 0;
}

int strv_extend(char ***l, const char *s) {
        return strv_consume(l, strdup(s));
}

int strv_extendf(char ***l, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        char *s = vstrprintf(format, ap);
        va_end(ap);
        return strv_consume(l, s);
}

char *strv_join(char *const *l, const char *separator) {
        size_t size = 1, gap = strlen(separator);

        STRV_FOREACH(s, l)
                size += strlen(*s) + gap;
        char *joined = malloc(size), *p = joined;
        if (!joined)
                return NULL;
        *p = 0;
        STRV_FOREACH(s, l) {
                if (s != l)
                        p = stpcpy(p, separator);
                p = stpcpy(p, *s);
        }
        return joined;
}
