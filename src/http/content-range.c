/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "basic/string-util.h"
#include "http/content-range.h"

#define BLANK " \t"
#define DIGITS "0123456789"

/* Takes a decimal number off @s; NULL if there is none, or it is too large. */
static const char *take_number(const char *s, uint64_t *ret) {
        size_t n = strspn(s, DIGITS);
        uint64_t value = 0;

        if (n == 0)
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                                __builtin_add_overflow(value, (uint64_t) (s[i] - '0'), &value))
                        return NULL;
        *ret = value;
        return s + n;
}

static const char *take_character(const char *s, char c) {
        return s && *s == c ? s + 1 : NULL;
}

int content_range_parse(const char *value, ContentRange *ret) {
        static const char unit[] = "bytes";
        ContentRange range;
        const char *s = value + strspn(value, BLANK);

        if (strncasecmp(s, unit, strlen(unit)) != 0)
                return -EBADMSG;
        s = take_character(s + strlen(unit), ' ');
        s = s ? take_number(s + strspn(s, BLANK), &range.first) : NULL;
        s = take_character(s, '-');
        s = s ? take_number(s, &range.last) : NULL;
        s = take_character(s, '/');
        s = s ? take_number(s, &range.size) : NULL;
        if (!s || s[strspn(s, BLANK "\r\n")] != '\0' || range.first > range.last || range.last >= range.size)
                return -EBADMSG;
        *ret = range;
        return 0;
}
