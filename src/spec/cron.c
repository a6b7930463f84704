/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <stdlib.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "spec/cron.h"

#define WORDS_MAX 6

typedef struct Field {
        const char *name;
        unsigned min, max;
        unsigned first; /* the number of the first of @names */
        const char *const *names;
        unsigned n_names;
} Field;

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
        "oct", "nov", "dec" };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

enum { FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY, _FIELD_MAX };

static const Field fields[_FIELD_MAX] = {
        [FIELD_MINUTE] = { "minute", 0, 59, 0, NULL, 0 },
        [FIELD_HOUR] = { "hour", 0, 23, 0, NULL, 0 },
        [FIELD_DAY] = { "day of month", 1, 31, 0, NULL, 0 },
        [FIELD_MONTH] = { "month", 1, 12, 1, month_names, ELEMENTSOF(month_names) },
        [FIELD_WEEKDAY] = { "day of week", 0, 7, 0, day_names, ELEMENTSOF(day_names) },
};

static const struct {
        const char *name, *fields;
} macros[] = {
        { "@hourly", "0 * * * *" },
        { "@daily", "0 0 * * *" },
        { "@midnight", "0 0 * * *" },
        { "@weekly", "0 0 * * 0" },
        { "@monthly", "0 0 1 * *" },
        { "@yearly", "0 0 1 1 *" },
        { "@annually", "0 0 1 1 *" },
};

void cron_done(Cron *c) {
        c->zone = mfree(c->zone);
}

/* --- errors ---------------------------------------------------------------------------------------- */

static int set_error(char **ret_error, char *text) {
        if (!text)
                return -ENOMEM;
        *ret_error = text;
        return -EINVAL;
}

static int field_error(const Field *f, const char *word, char **ret_error) {
        return set_error(ret_error,
                        strprintf("%s '%.64s': must be *, numbers from %u to %u%s, lists (1,2), ranges "
                                  "(1-3) or steps (*/5)",
                                        f->name, word, f->min, f->max,
                                        f->n_names == 12                 ? " or jan to dec"
                                                        : f->n_names > 0 ? " or sun to sat"
                                                                         : ""));
}

/* --- one field ------------------------------------------------------------------------------------- */

static int parse_number(const Field *f, const char *s, size_t n, unsigned *ret) {
        unsigned value = 0;

        for (unsigned i = 0; n == 3 && i < f->n_names; i++)
                if (strncasecmp(s, f->names[i], 3) == 0) {
                        *ret = f->first + i;
                        return 0;
                }
        if (n == 0 || n > 4)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return -EINVAL;
                value = value * 10 + (unsigned) (s[i] - '0');
        }
        *ret = value;
        return 0;
}

/* "*", "5", "1-5", each with or without "/step". */
static int parse_item(const Field *f, const char *s, size_t n, uint64_t *mask, bool *restricted) {
        const char *slash = memchr(s, '/', n);
        size_t m = slash ? (size_t) (slash - s) : n;
        unsigned from = f->min, to = f->max, step = 1;
        bool all = m == 1 && (*s == '*' || *s == '?');

        if (slash && (parse_number(&(Field){}, slash + 1, n - m - 1, &step) < 0 || step == 0))
                return -EINVAL;
        if (!all) {
                const char *dash = memchr(s, '-', m);
                size_t k = dash ? (size_t) (dash - s) : m;

                if (parse_number(f, s, k, &from) < 0)
                        return -EINVAL;
                if (dash) {
                        if (parse_number(f, dash + 1, m - k - 1, &to) < 0)
                                return -EINVAL;
                } else if (!slash)
                        to = from;
                if (from < f->min || from > to || to > f->max)
                        return -EINVAL;
        } else if (f->max == 7) /* "*" has one Sunday */
                to = 6;
        if (!all || step > 1)
                *restricted = true;
        for (unsigned i = from; i <= to; i += step)
                *mask |= UINT64_C(1) << i;
        return 0;
}

static int parse_field(
                const Field *f, const char *s, uint64_t *ret, bool *ret_restricted, char **ret_error) {
        bool restricted = true, item_restricted;
        uint64_t mask = 0;

        for (const char *p = s;; p++) {
                size_t n = strcspn(p, ",");

                item_restricted = false;
                if (parse_item(f, p, n, &mask, &item_restricted) < 0)
                        return field_error(f, s, ret_error);
                if (!item_restricted) /* "1,*" is everything */
                        restricted = false;
                p += n;
                if (!*p)
                        break;
        }
        *ret = mask;
        *ret_restricted = restricted;
        return 0;
}

/* --- the whole ------------------------------------------------------------------------------------- */

/* Go's time.ParseDuration(), as far as it makes sense here: "1h30m", "90m", "45s", whole numbers. */
static int parse_every(const char *s, usec_t *ret, char **ret_error) {
        static const struct {
                char unit;
                usec_t size;
        } units[] = { { 'h', 3600 * USEC_PER_SEC }, { 'm', 60 * USEC_PER_SEC }, { 's', USEC_PER_SEC } };
        usec_t sum = 0;
        const char *p = s;

        while (*p) {
                usec_t n = 0, size = 0;
                const char *digits = p;

                for (; *p >= '0' && *p <= '9' && n <= CRON_EVERY_MAX; p++)
                        n = n * 10 + (usec_t) (*p - '0');
                for (size_t i = 0; i < ELEMENTSOF(units) && *p; i++)
                        if (units[i].unit == *p)
                                size = units[i].size;
                if (p == digits || size == 0 || n > CRON_EVERY_MAX / size ||
                                (sum += n * size) > CRON_EVERY_MAX)
                        goto wrong;
                p++;
        }
        if (sum >= USEC_PER_SEC) {
                *ret = sum;
                return 0;
        }
wrong:
        return set_error(ret_error,
                        strprintf("@every '%.64s': must be a time from 1s to 366 days in h, m and s, like "
                                  "90m or 1h30m",
                                        s));
}

static unsigned days_in_month(unsigned month) {
        return month == 2 ? 29 : 30 + ((0x15aa >> month) & 1);
}

/* Days of the month that none of the months has. */
static bool never_occurs(const Cron *c) {
        if (c->weekdays_restricted || !c->days_restricted)
                return false;
        for (unsigned month = 1; month <= 12; month++)
                if (c->months & (1u << month))
                        for (unsigned day = 1; day <= days_in_month(month); day++)
                                if (c->days & (1u << day))
                                        return false;
        return true;
}

/* Cuts @s at blanks, in place. -E2BIG for more than @max words. */
static int split_words(char *s, char **words, size_t max) {
        size_t n = 0;

        for (char *p = s;;) {
                p += strspn(p, " \t");
                if (!*p)
                        return (int) n;
                if (n == max)
                        return -E2BIG;
                words[n++] = p;
                p += strcspn(p, " \t");
                if (*p)
                        *p++ = '\0';
        }
}

static int parse_fields(char *s, Cron *c, char **ret_error) {
        char *words[_FIELD_MAX];
        uint64_t masks[_FIELD_MAX];
        bool restricted[_FIELD_MAX];
        int n = split_words(s, words, _FIELD_MAX);

        if (n != _FIELD_MAX)
                return set_error(ret_error,
                                strprintf("has %s than the five fields minute, hour, day of month, month, "
                                          "day of week (0 2 * * *)",
                                                n < 0 ? "more" : "fewer"));
        for (size_t i = 0; i < _FIELD_MAX; i++) {
                int r = parse_field(&fields[i], words[i], &masks[i], &restricted[i], ret_error);

                if (r < 0)
                        return r;
        }
        c->minutes = masks[FIELD_MINUTE];
        c->hours = (uint32_t) masks[FIELD_HOUR];
        c->days = (uint32_t) masks[FIELD_DAY];
        c->months = (uint16_t) masks[FIELD_MONTH];
        /* 7 is Sunday, too */
        c->weekdays = (uint8_t) ((masks[FIELD_WEEKDAY] | masks[FIELD_WEEKDAY] >> 7) & 0x7f);
        c->wild = strchr("*?", *words[FIELD_MINUTE]) || strchr("*?", *words[FIELD_HOUR]);
        c->days_restricted = restricted[FIELD_DAY];
        c->weekdays_restricted = restricted[FIELD_WEEKDAY];
        if (never_occurs(c))
                return set_error(ret_error,
                                strprintf("day of month '%.64s': no such day is in the months '%.64s'",
                                                words[FIELD_DAY], words[FIELD_MONTH]));
        return 0;
}

bool cron_zone_is_valid(const char *zone) {
        if (isempty(zone) || *zone == '/' || strlen(zone) > 64 || strstr(zone, "..") || strstr(zone, "//") ||
                        zone[strlen(zone) - 1] == '/')
                return false;
        for (const char *p = zone; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("_-+/", *p))
                        return false;
        return true;
}

static int parse_zone(char **s, Cron *c, char **ret_error) {
        const char *zone = startswith(*s, "TZ=");
        size_t n;

        if (!zone)
                zone = startswith(*s, "CRON_TZ=");
        if (!zone)
                return 0;
        n = strcspn(zone, " \t");
        c->zone = strndup(zone, n);
        if (!c->zone)
                return -ENOMEM;
        if (!cron_zone_is_valid(c->zone))
                return set_error(ret_error,
                                strprintf("time zone '%.64s': must be a name like Europe/Berlin or UTC",
                                                c->zone));
        *s = (char *) zone + n;
        *s += strspn(*s, " \t");
        return 0;
}

static int parse_expression(char *s, Cron *c, char **ret_error) {
        int r;

        s += strspn(s, " \t");
        r = parse_zone(&s, c, ret_error);
        if (r < 0)
                return r;
        if (*s != '@')
                return parse_fields(s, c, ret_error);

        size_t n = strlen(s);
        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                s[--n] = '\0';
        const char *time = startswith(s, "@every");
        if (time && (*time == ' ' || *time == '\t'))
                return parse_every(time + strspn(time, " \t"), &c->every, ret_error);
        for (size_t i = 0; i < ELEMENTSOF(macros); i++)
                if (streq(s, macros[i].name)) {
                        _cleanup_free_ char *copy = strdup(macros[i].fields);

                        return copy ? parse_fields(copy, c, ret_error) : -ENOMEM;
                }
        return set_error(ret_error,
                        strprintf("'%.64s': must be @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
                                  "@annually or @every and a time",
                                        s));
}

int cron_parse(const char *s, Cron *ret, char **ret_error) {
        _cleanup_(cron_done) Cron c = {};
        _cleanup_free_ char *copy = NULL;
        int r;

        if (strlen(s) > CRON_LENGTH_MAX)
                return set_error(ret_error, strprintf("must be at most %u bytes long", CRON_LENGTH_MAX));
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p >= 0x7f || ((unsigned char) *p < ' ' && *p != '\t'))
                        return set_error(ret_error,
                                        strdup("has a character that is none of an expression's"));
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        r = parse_expression(copy, &c, ret_error);
        if (r < 0)
                return r;
        *ret = c;
        c = (Cron){};
        return 0;
}
