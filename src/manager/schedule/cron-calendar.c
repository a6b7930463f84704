/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a cron expression is to systemd, and when it occurs. */

#include "manager/schedule/cron-calendar.h"

#include <stdlib.h>
#include <time.h>

#include "basic/string-util.h"
#include "manager/schedule/cron.h"

#define SEARCH_YEARS 30

/* --- OnCalendar= ----------------------------------------------------------------------------------- */

/* "*" if all bits from @min to @max are set, else "1,3..5". */
static char *format_mask(uint64_t mask, unsigned min, unsigned max) {
        uint64_t all = (UINT64_MAX >> (63 - max)) & (UINT64_MAX << min);
        char *text = NULL;

        if ((mask & all) == all)
                return strdup("*");
        for (unsigned i = min; i <= max; i++) {
                _cleanup_free_ char *before = text;
                unsigned last = i;

                text = NULL;
                while (last < max && mask & (UINT64_C(1) << (last + 1)) && mask & (UINT64_C(1) << i))
                        last++;
                if (!(mask & (UINT64_C(1) << i))) {
                        text = TAKE_PTR(before);
                        continue;
                }
                text = last > i ? strprintf("%s%s%02u..%02u", strempty(before), before ? "," : "", i, last)
                                : strprintf("%s%s%02u", strempty(before), before ? "," : "", i);
                if (!text)
                        return NULL;
                i = last;
        }
        return text;
}

static char *format_weekdays(uint8_t mask) {
        static const char *const names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        _cleanup_strv_free_ char **days = NULL;

        for (unsigned i = 0; i < ELEMENTSOF(names); i++)
                if (mask & (1u << i) && strv_extend(&days, names[i]) < 0)
                        return NULL;
        return strv_join(days, ",");
}

static int add_line(char ***lines, const Cron *c, bool by_day, bool by_weekday) {
        _cleanup_free_ char *minutes = format_mask(c->minutes, 0, 59), *hours = format_mask(c->hours, 0, 23),
                            *months = format_mask(c->months, 1, 12),
                            *days = by_day ? format_mask(c->days, 1, 31) : strdup("*"),
                            *weekdays = by_weekday ? format_weekdays(c->weekdays) : strdup("");

        if (!minutes || !hours || !months || !days || !weekdays)
                return -ENOMEM;
        return strv_extendf(lines, "%s%s*-%s-%s %s:%s:00%s%s", weekdays, *weekdays ? " " : "", months, days,
                        hours, minutes, c->zone ? " " : "", strempty(c->zone));
}

int cron_to_calendar(const Cron *c, char ***ret) {
        _cleanup_strv_free_ char **lines = NULL;
        int r = 0;

        if (c->every == 0) {
                if (c->days_restricted || !c->weekdays_restricted)
                        r = add_line(&lines, c, c->days_restricted, false);
                if (r >= 0 && c->weekdays_restricted)
                        r = add_line(&lines, c, false, true);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(lines);
        return 0;
}

/* --- the next time --------------------------------------------------------------------------------- */

static bool day_matches(const Cron *c, const struct tm *tm) {
        bool day = c->days & (1u << tm->tm_mday), weekday = c->weekdays & (1u << tm->tm_wday);

        if (!(c->months & (1u << (tm->tm_mon + 1))))
                return false;
        if (c->days_restricted && c->weekdays_restricted)
                return day || weekday;
        return c->days_restricted ? day : c->weekdays_restricted ? weekday : true;
}

/* The first moment at which a clock on the wall shows this time, or -ENOENT if none does. (mktime(3) with a
 * tm_isdst of -1 does not say which of two it takes.) */
static int local_to_time(const struct tm *day, int hour, int minute, time_t *ret) {
        int r = -ENOENT;

        for (int dst = 0; dst <= 1; dst++) {
                struct tm tm = { .tm_year = day->tm_year,
                        .tm_mon = day->tm_mon,
                        .tm_mday = day->tm_mday,
                        .tm_hour = hour,
                        .tm_min = minute,
                        .tm_isdst = dst },
                          back;
                time_t t = mktime(&tm);

                if (t == (time_t) -1 || !localtime_r(&t, &back) || back.tm_hour != hour ||
                                back.tm_min != minute || back.tm_mday != day->tm_mday)
                        continue;
                if (r < 0 || t < *ret)
                        *ret = t;
                r = 0;
        }
        return r;
}

/* The first time on this day that is later than @after. */
static int next_on_day(const Cron *c, const struct tm *day, time_t after, time_t *ret) {
        for (int hour = 0; hour < 24; hour++) {
                if (!(c->hours & (1u << hour)))
                        continue;
                for (int minute = 0; minute < 60; minute++) {
                        time_t t = 0;

                        if (c->minutes & (UINT64_C(1) << minute) &&
                                        local_to_time(day, hour, minute, &t) >= 0 && t > after) {
                                *ret = t;
                                return 0;
                        }
                }
        }
        return -ENOENT;
}

static int next_in_zone(const Cron *c, time_t after, time_t *ret) {
        struct tm tm;

        if (!localtime_r(&after, &tm))
                return -EINVAL;
        for (int i = 0; i < SEARCH_YEARS * 366; i++) {
                /* Noon is on every day, whatever the clocks do; timegm(3) only counts days. */
                struct tm day = {
                        .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + i, .tm_hour = 12
                };

                if (timegm(&day) == (time_t) -1)
                        return -EINVAL;
                if (day_matches(c, &day) && next_on_day(c, &day, after, ret) >= 0)
                        return 0;
        }
        return -ENOENT;
}

int cron_next(const Cron *c, usec_t after, usec_t *ret) {
        _cleanup_free_ char *saved = NULL;
        const char *old = getenv("TZ");
        time_t t;
        int r;

        if (c->every > 0 || after >= USEC_INFINITY / 2)
                return -EINVAL;
        if (c->zone) {
                if (old && !(saved = strdup(old)))
                        return -ENOMEM;
                if (setenv("TZ", c->zone, 1) < 0)
                        return -ENOMEM;
        }
        tzset();
        r = next_in_zone(c, (time_t) (after / USEC_PER_SEC), &t);
        if (c->zone) {
                (void) (old ? setenv("TZ", saved, 1) : unsetenv("TZ"));
                tzset();
        }
        if (r >= 0)
                *ret = (usec_t) t * USEC_PER_SEC;
        return r;
}

usec_t cron_every_next(usec_t every, usec_t anchor, usec_t after) {
        if (after < anchor)
                return anchor;
        return anchor + ((after - anchor) / every + 1) * every;
}
