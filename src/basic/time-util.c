/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "basic/time-util.h"

static usec_t now_of(clockid_t clock) {
        struct timespec ts;

        clock_gettime(clock, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / NSEC_PER_USEC;
}

usec_t now_realtime(void) {
        return now_of(CLOCK_REALTIME);
}

usec_t now_monotonic(void) {
        return now_of(CLOCK_MONOTONIC);
}

char *format_rfc3339(char buf[static RFC3339_SIZE], usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        unsigned fraction = (unsigned) (t % USEC_PER_SEC);
        struct tm tm;

        gmtime_r(&seconds, &tm);
        size_t n = strftime(buf, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
        if (fraction > 0)
                snprintf(buf + n, RFC3339_SIZE - n, ".%06uZ", fraction);
        else
                snprintf(buf + n, RFC3339_SIZE - n, "Z");
        return buf;
}

/* Reads exactly @digits decimal digits. */
static bool take_number(const char **p, int digits, int *ret) {
        int n = 0;

        for (int i = 0; i < digits; i++, (*p)++) {
                if (**p < '0' || **p > '9')
                        return false;
                n = n * 10 + (**p - '0');
        }
        *ret = n;
        return true;
}

static bool take_char(const char **p, const char *any_of) {
        if (!**p || !strchr(any_of, **p))
                return false;
        (*p)++;
        return true;
}

static int days_in_month(int year, int month) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        if (month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
                return 29;
        return days[month - 1];
}

int parse_rfc3339(const char *s, usec_t *ret) {
        struct tm tm = {};
        int year, month, offset_hours = 0, offset_minutes = 0, sign = 0;
        usec_t fraction = 0;
        const char *p = s;

        if (!take_number(&p, 4, &year) || !take_char(&p, "-") || !take_number(&p, 2, &month) ||
                        !take_char(&p, "-") || !take_number(&p, 2, &tm.tm_mday) || !take_char(&p, "Tt ") ||
                        !take_number(&p, 2, &tm.tm_hour) || !take_char(&p, ":") ||
                        !take_number(&p, 2, &tm.tm_min) || !take_char(&p, ":") ||
                        !take_number(&p, 2, &tm.tm_sec))
                return -EINVAL;
        if (year < 1970 || month < 1 || month > 12 || tm.tm_mday < 1 ||
                        tm.tm_mday > days_in_month(year, month) || tm.tm_hour > 23 || tm.tm_min > 59 ||
                        tm.tm_sec > 60)
                return -EINVAL;
        if (take_char(&p, ".")) {
                usec_t unit = USEC_PER_SEC / 10;
                int digits = 0;

                for (; *p >= '0' && *p <= '9'; p++, digits++, unit /= 10)
                        fraction += (usec_t) (*p - '0') * unit;
                if (digits == 0 || digits > 9)
                        return -EINVAL;
        }
        if (!take_char(&p, "Zz")) {
                sign = *p == '-' ? -1 : 1;
                if (!take_char(&p, "+-") || !take_number(&p, 2, &offset_hours) || !take_char(&p, ":") ||
                                !take_number(&p, 2, &offset_minutes) || offset_hours > 23 ||
                                offset_minutes > 59)
                        return -EINVAL;
        }
        if (*p)
                return -EINVAL;
        tm.tm_year = year - 1900;
        tm.tm_mon = month - 1;

        int64_t seconds = (int64_t) timegm(&tm) - sign * (offset_hours * 3600 + offset_minutes * 60);
        if (seconds < 0)
                return -EINVAL;
        *ret = (usec_t) seconds * USEC_PER_SEC + fraction;
        return 0;
}

int format_calendar(char buf[static CALENDAR_SIZE], usec_t t) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        return gmtime_r(&seconds, &tm) && strftime(buf, CALENDAR_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm) > 0
                        ? 0
                        : -EINVAL;
}

char *format_timespan(char buf[static TIMESPAN_SIZE], usec_t span) {
        static const struct {
                const char *suffix;
                usec_t usec;
        } units[] = {
                { "d", 86400 * USEC_PER_SEC },
                { "h", 3600 * USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },
                { "s", USEC_PER_SEC },
                { "ms", USEC_PER_MSEC },
        };
        size_t length = 0;

        for (size_t i = 0, shown = 0; i < ELEMENTSOF(units) && shown < 2; i++) {
                if (span < units[i].usec) {
                        if (shown > 0)
                                break;
                        continue;
                }
                length += (size_t) snprintf(buf + length, TIMESPAN_SIZE - length, "%s%" PRIu64 "%s",
                                shown ? " " : "", span / units[i].usec, units[i].suffix);
                span %= units[i].usec;
                shown++;
        }
        if (length == 0)
                strcpy(buf, "0");
        return buf;
}
