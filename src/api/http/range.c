/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/range.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

#define BLANKS " \t"
#define DIGITS "0123456789"

/* A number of up to 19 digits; more cannot be an offset in a file. */
static bool take_number(const char **p, uint64_t *ret) {
        char digits[20];
        size_t n = strspn(*p, DIGITS);

        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, *p, n);
        digits[n] = '\0';
        *p += n;
        return parse_uint64(digits, ret) >= 0;
}

/* "500-999", "500-", "-500" (RFC 9110, 14.1.2). */
static RangeKind decode_one(const char *p, uint64_t size, uint64_t *ret_offset, uint64_t *ret_length) {
        uint64_t first = 0, last = UINT64_MAX;
        bool has_first = take_number(&p, &first);

        if (*p++ != '-')
                return RANGE_WHOLE;
        bool has_last = take_number(&p, &last);
        p += strspn(p, BLANKS);
        if (*p || (!has_first && !has_last) || (has_first && has_last && last < first))
                return RANGE_WHOLE;
        if (!has_first) { /* the last bytes */
                if (last == 0 || size == 0)
                        return RANGE_UNSATISFIABLE;
                *ret_length = MIN(last, size);
                *ret_offset = size - *ret_length;
                return RANGE_PART;
        }
        if (first >= size)
                return RANGE_UNSATISFIABLE;
        *ret_offset = first;
        *ret_length = MIN(last, size - 1) - first + 1;
        return RANGE_PART;
}

RangeKind range_decode(const char *value, uint64_t size, uint64_t *ret_offset, uint64_t *ret_length) {
        *ret_offset = 0;
        *ret_length = size;
        if (!value || strncasecmp(value, "bytes=", strlen("bytes=")) != 0)
                return RANGE_WHOLE;
        value += strlen("bytes=");
        value += strspn(value, BLANKS);
        return decode_one(value, size, ret_offset, ret_length);
}

bool etag_list_contains(const char *value, const char *etag, bool weak) {
        size_t length = strlen(etag);

        for (const char *p = value; *p;) {
                p += strspn(p, BLANKS ",");
                if (*p == '*')
                        return true;
                bool is_weak = startswith(p, "W/");
                if (is_weak)
                        p += 2;
                if (*p != '"')
                        return false;
                const char *end = strchr(p + 1, '"');
                if (!end)
                        return false;
                if ((size_t) (end + 1 - p) == length && memcmp(p, etag, length) == 0 && (weak || !is_weak))
                        return true;
                p = end + 1;
        }
        return false;
}

static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
        "Nov", "Dec" };

char *format_http_date(char buf[static HTTP_DATE_SIZE], usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm = {};

        (void) gmtime_r(&seconds, &tm);
        (void) snprintf(buf, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
                        tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
                        tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        return buf;
}

int parse_http_date(const char *s, usec_t *ret) {
        struct tm tm = {};
        char month[4] = "", again[HTTP_DATE_SIZE];
        time_t seconds;

        if (strlen(s) != HTTP_DATE_SIZE - 1 ||
                        sscanf(s + 5, "%2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year,
                                        &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
                return -EINVAL;
        for (tm.tm_mon = 0; tm.tm_mon < 12 && !streq(month, months[tm.tm_mon]); tm.tm_mon++)
                ;
        tm.tm_year -= 1900;
        if (tm.tm_mon == 12 || tm.tm_year < 70)
                return -EINVAL;
        seconds = timegm(&tm);
        if (seconds < 0)
                return -EINVAL;
        /* Only what is written the one way, with the right day of the week. */
        if (!streq(format_http_date(again, (usec_t) seconds * USEC_PER_SEC), s))
                return -EINVAL;
        *ret = (usec_t) seconds * USEC_PER_SEC;
        return 0;
}

/* attr-char of RFC 8187, 3.2.1. */
static bool is_attr_char(unsigned char c) {
        return isascii(c) && (isalnum(c) || strchr("!#$&+-.^_`|~", c));
}

char *attachment_header(const char *name) {
        static const char hex[] = "0123456789ABCDEF";
        size_t n = strlen(name);
        char *text = malloc(sizeof("attachment; filename=\"\"; filename*=UTF-8''") + 4 * n), *p = text;

        if (!text)
                return NULL;
        p = stpcpy(p, "attachment; filename=\"");
        for (const char *c = name; *c; c++)
                *p++ = *c >= 0x20 && *c < 0x7f && *c != '"' && *c != '\\' && *c != '%' ? *c : '_';
        p = stpcpy(p, "\"; filename*=UTF-8''");
        for (const char *c = name; *c; c++) {
                unsigned char u = (unsigned char) *c;

                if (is_attr_char(u))
                        *p++ = *c;
                else {
                        *p++ = '%';
                        *p++ = hex[u >> 4];
                        *p++ = hex[u & 15];
                }
        }
        *p = '\0';
        return text;
}
