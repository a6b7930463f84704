/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a cron expression is to systemd, and when it occurs. */

#include "spec/cron-calendar.h"

#include <stdlib.h>
#include <time.h>

#include "basic/string-util.h"
#include "spec/cron.h"

#define HOUR ((time_t) 3600)
#define DAY (24 * HOUR)
#define SEARCH_TIME (30 * 366 * DAY)
/* Clock changes from this on are corrections of the clock, to which the expression does not adapt. */
#define SHIFT_MAX (3 * HOUR)

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

/* The first minute of the wall clock from @from on, before @to, that the expression names. Both are seconds
 * since 1970 in local time. */
static int match_local(const Cron *c, time_t from, time_t to, time_t *ret) {
        time_t t = from + (60 - from % 60) % 60;

        while (t < to) {
                struct tm tm;

                if (!gmtime_r(&t, &tm))
                        return -EINVAL;
                if (!day_matches(c, &tm))
                        t += DAY - t % DAY;
                else if (!(c->hours & (1u << tm.tm_hour)))
                        t += HOUR - t % HOUR;
                else if (!(c->minutes & (UINT64_C(1) << tm.tm_min)))
                        t += 60;
                else {
                        *ret = t;
                        return 0;
                }
        }
        return -ENOENT;
}

static time_t local_offset(time_t t) {
        struct tm tm;

        return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* A part of time in which the distance of local time from UTC is the same. */
typedef struct Span {
        time_t begin, end;
        time_t offset, next_offset; /* the latter from @end on */
} Span;

/* The span from @t on, which is a day long unless the clocks change before. */
static Span span_at(time_t t) {
        Span span = { .begin = t, .end = t + DAY, .offset = local_offset(t) };

        span.next_offset = local_offset(span.end);
        if (span.next_offset == span.offset)
                return span;
        for (time_t same = t; span.end - same > 1;) {
                time_t middle = same + (span.end - same) / 2;

                if (local_offset(middle) == span.offset)
                        same = middle;
                else
                        span.end = middle;
        }
        span.next_offset = local_offset(span.end);
        return span;
}

/* The first time in @span after @after. Local times before @seen have had their run. */
static int next_in_span(const Cron *c, const Span *span, time_t after, time_t seen, time_t *ret) {
        time_t from = MAX(MAX(span->begin, after + 1) + span->offset, seen), local;
        int r = match_local(c, from, span->end + span->offset, &local);

        if (r < 0)
                return r;
        *ret = local - span->offset;
        return 0;
}

static int next_in_zone(const Cron *c, time_t after, time_t *ret) {
        time_t seen = 0, local; /* (local times before 1970 do not matter) */
        Span span;
        int r;

        /* Begin before a change that may have been a short time ago. */
        for (time_t t = after - DAY; t < after + SEARCH_TIME; t = span.end) {
                span = span_at(t);
                r = next_in_span(c, &span, after, seen, ret);
                if (r != -ENOENT)
                        return r;

                time_t shift = span.next_offset - span.offset;
                if (c->wild || shift >= SHIFT_MAX || shift <= -SHIFT_MAX) {
                        seen = 0;
                        continue;
                }
                seen = MAX(seen, span.end + span.offset);
                if (shift <= 0 || span.end <= after)
                        continue;
                /* Local times up to the change are skipped. */
                r = match_local(c, seen, span.end + span.next_offset, &local);
                if (r >= 0)
                        *ret = span.end;
                if (r != -ENOENT)
                        return r;
        }
        return -ENOENT;
}

/* --- the time zone --------------------------------------------------------------------------------- */

/* The time zone of the C library is @c's from here on, until zone_leave(). */
static int zone_enter(const Cron *c, char **ret_saved) {
        const char *old = getenv("TZ");
        char *saved = NULL;

        if (c->zone) {
                if (old && !(saved = strdup(old)))
                        return -ENOMEM;
                if (setenv("TZ", c->zone, 1) < 0) {
                        free(saved);
                        return -ENOMEM;
                }
        }
        tzset();
        *ret_saved = saved;
        return 0;
}

static void zone_leave(const Cron *c, const char *saved) {
        if (!c->zone)
                return;
        (void) (saved ? setenv("TZ", saved, 1) : unsetenv("TZ"));
        tzset();
}

int cron_next(const Cron *c, usec_t after, usec_t *ret) {
        _cleanup_free_ char *saved = NULL;
        time_t t = 0;
        int r;

        if (c->every > 0 || after >= USEC_INFINITY / 2)
                return -EINVAL;
        r = zone_enter(c, &saved);
        if (r < 0)
                return r;
        r = next_in_zone(c, (time_t) (after / USEC_PER_SEC), &t);
        zone_leave(c, saved);
        if (r >= 0)
                *ret = (usec_t) t * USEC_PER_SEC;
        return r;
}

bool cron_crosses_clock_change(const Cron *c, usec_t from, usec_t to) {
        time_t end = (time_t) (to / USEC_PER_SEC) + SHIFT_MAX;
        _cleanup_free_ char *saved = NULL;
        bool found = false;

        if (c->every > 0 || to >= USEC_INFINITY / 2 || zone_enter(c, &saved) < 0)
                return false;
        for (time_t begin = (time_t) (from / USEC_PER_SEC) - SHIFT_MAX; begin < end && !found;) {
                Span span = span_at(begin);

                found = span.next_offset != span.offset && span.end <= end;
                begin = span.end;
        }
        zone_leave(c, saved);
        return found;
}

usec_t cron_every_next(usec_t every, usec_t anchor, usec_t after) {
        if (after < anchor)
                return anchor;
        return anchor + ((after - anchor) / every + 1) * every;
}
