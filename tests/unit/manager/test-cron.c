/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written how, and what is wrong with what. When expressions occur is compared with other readers of
 * cron by cron/check-cron. */

#include "spec/cron-calendar.h"
#include "spec/cron.h"
#include "unit/lib/test.h"

static void assert_calendar(const char *expression, const char *expected) {
        _cleanup_(cron_done) Cron c = {};
        _cleanup_free_ char *error = NULL, *joined = NULL;
        _cleanup_strv_free_ char **lines = NULL;

        ck_assert_msg(cron_parse(expression, &c, &error) == 0, "%s: %s", expression, strna(error));
        ck_assert_int_eq(cron_to_calendar(&c, &lines), 0);
        joined = strv_join(lines, " | ");
        ck_assert_str_eq(joined, expected);
}

static void assert_refused(const char *expression, const char *part) {
        _cleanup_(cron_done) Cron c = {};
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(cron_parse(expression, &c, &error) == -EINVAL, "%s is taken", expression);
        ck_assert_ptr_nonnull(error);
        ck_assert_msg(strstr(error, part), "%s: expected \"%s\" in: %s", expression, part, error);
}

START_TEST(expressions_become_calendar_events) {
        assert_calendar("0 2 * * *", "*-*-* 02:00:00");
        assert_calendar("*/15 * * * *", "*-*-* *:00,15,30,45:00");
        assert_calendar("0 0 * * 0", "Sun *-*-* 00:00:00");
        assert_calendar("0 0 * * 7", "Sun *-*-* 00:00:00");
        assert_calendar("0 0 ? * ?", "*-*-* 00:00:00");
        assert_calendar("5-9,30 22-23 1 JAN,jul *", "*-01,07-01 22..23:05..09,30:00");
        assert_calendar("0 12 * * mon-FRI", "Mon,Tue,Wed,Thu,Fri *-*-* 12:00:00");
        assert_calendar("0 12 * * 5-7", "Sun,Fri,Sat *-*-* 12:00:00");
        assert_calendar("50/4 * * * *", "*-*-* *:50,54,58:00");
        assert_calendar("*/40 * * * *", "*-*-* *:00,40:00");
        assert_calendar("0 0 1,15 * *", "*-*-01,15 00:00:00");
        assert_calendar("\t0  0 * *\t* ", "*-*-* 00:00:00");
        assert_calendar("TZ=Europe/Berlin 0 2 * * *", "*-*-* 02:00:00 Europe/Berlin");
        assert_calendar("CRON_TZ=UTC @daily", "*-*-* 00:00:00 UTC");
}
END_TEST

START_TEST(two_kinds_of_days_mean_either) {
        assert_calendar("0 0 13 * 5", "*-*-13 00:00:00 | Fri *-*-* 00:00:00");
        assert_calendar("0 0 */2 * 1",
                        "*-*-01,03,05,07,09,11,13,15,17,19,21,23,25,27,29,31 00:00:00 | Mon *-*-* 00:00:00");
        assert_calendar("0 0 1,* * 1", "Mon *-*-* 00:00:00");
        assert_calendar("0 0 1-31 * 1", "*-*-* 00:00:00 | Mon *-*-* 00:00:00");
}
END_TEST

START_TEST(macros_are_what_crontab_says) {
        assert_calendar("@hourly", "*-*-* *:00:00");
        assert_calendar("@daily", "*-*-* 00:00:00");
        assert_calendar("@midnight", "*-*-* 00:00:00");
        assert_calendar("@weekly", "Sun *-*-* 00:00:00");
        assert_calendar("@monthly", "*-*-01 00:00:00");
        assert_calendar("@yearly", "*-01-01 00:00:00");
        assert_calendar("@annually", "*-01-01 00:00:00");
}
END_TEST

static usec_t every(const char *expression) {
        _cleanup_(cron_done) Cron c = {};
        _cleanup_free_ char *error = NULL;
        usec_t t;

        ck_assert_msg(cron_parse(expression, &c, &error) == 0, "%s: %s", expression, strna(error));
        ck_assert_int_eq(cron_next(&c, 0, &t), -EINVAL);
        return c.every / USEC_PER_SEC;
}

START_TEST(every_is_a_time_as_go_writes_it) {
        assert_calendar("@every 90m", "");
        ck_assert_uint_eq(every("@every 90m"), 5400);
        ck_assert_uint_eq(every("@every 1h30m"), 5400);
        ck_assert_uint_eq(every("@every  1h0m10s "), 3610);
        ck_assert_uint_eq(every("TZ=UTC @every 1s"), 1);
        ck_assert_uint_eq(cron_every_next(10, 100, 50), 100);
        ck_assert_uint_eq(cron_every_next(10, 100, 100), 110);
        ck_assert_uint_eq(cron_every_next(10, 100, 119), 120);
        assert_refused("@every", "must be @hourly");
        assert_refused("@every 5", "@every '5': must be a time");
        assert_refused("@every 0s", "1s to 366 days");
        assert_refused("@every -5m", "1s to 366 days");
        assert_refused("@every 9000h", "366 days");
        assert_refused("@every 99999999999999999999h", "366 days");
        assert_refused("@every 1.5h", "366 days");
}
END_TEST

START_TEST(what_is_wrong_is_named) {
        assert_refused("", "fewer than the five fields");
        assert_refused("* * * *", "fewer than the five fields");
        assert_refused("* * * * * *", "more than the five fields");
        assert_refused("60 * * * *", "minute '60': must be");
        assert_refused("0 24 * * *", "hour '24': must be *, numbers from 0 to 23");
        assert_refused("0 0 0 * *", "day of month '0'");
        assert_refused("0 0 * 13 *", "month '13'");
        assert_refused("0 0 * foo *", "or jan to dec");
        assert_refused("0 0 * * 8", "day of week '8'");
        assert_refused("0 0 * * funday", "or sun to sat");
        assert_refused("5-1 * * * *", "minute '5-1'");
        assert_refused("*/0 * * * *", "minute '*/0'");
        assert_refused("1,,2 * * * *", "minute '1,,2'");
        assert_refused("1, * * * *", "minute '1,'");
        assert_refused("-1 * * * *", "minute '-1'");
        assert_refused("1-2-3 * * * *", "minute '1-2-3'");
        assert_refused("99999999999 * * * *", "minute '99999999999'");
        assert_refused("0 0 30 2 *", "no such day is in the months '2'");
        assert_refused("0 0 31 4,6,9,11 *", "no such day");
        assert_refused("TZ=../../etc/passwd * * * * *", "time zone '../../etc/passwd'");
        assert_refused("TZ=/etc/localtime * * * * *", "time zone");
        assert_refused("TZ= * * * * *", "time zone ''");
        assert_refused("@sometimes", "must be @hourly");
        assert_refused("0 0 * * \xc3\xa9", "has a character");
        assert_refused("0 0 * * *\n", "has a character");
}
END_TEST

START_TEST(days_that_are_rare_are_no_mistake) {
        _cleanup_(cron_done) Cron c = {};
        usec_t t;

        assert_calendar("0 0 29 2 *", "*-02-29 00:00:00");
        assert_calendar("0 0 30 2 1", "*-02-30 00:00:00 | Mon *-02-* 00:00:00");
        ck_assert_int_eq(cron_parse("TZ=UTC 0 0 29 2 *", &c, NULL), 0);
        ck_assert_int_eq(cron_next(&c, 1709164800 * USEC_PER_SEC, &t), 0); /* 2024-02-29, midnight */
        ck_assert_uint_eq(t / USEC_PER_SEC, 1835395200); /* 2028-02-29 */
}
END_TEST

START_TEST(the_zone_of_the_process_stays) {
        _cleanup_(cron_done) Cron c = {};
        usec_t t;

        ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0);
        ck_assert_int_eq(cron_parse("TZ=America/New_York 0 12 * * *", &c, NULL), 0);
        ck_assert_int_eq(cron_next(&c, 1769853600 * USEC_PER_SEC, &t), 0); /* 2026-01-31 10:00 UTC */
        ck_assert_uint_eq(t / USEC_PER_SEC, 1769878800); /* 17:00 UTC */
        ck_assert_str_eq(getenv("TZ"), "Asia/Tokyo");
        cron_done(&c);
        ck_assert_int_eq(cron_parse("0 12 * * *", &c, NULL), 0);
        ck_assert_int_eq(cron_next(&c, 1769853600 * USEC_PER_SEC, &t), 0);
        ck_assert_uint_eq(t / USEC_PER_SEC, 1769914800); /* 03:00 UTC of the next day */
}
END_TEST

TEST_MAIN("cron", expressions_become_calendar_events, two_kinds_of_days_mean_either,
                macros_are_what_crontab_says, every_is_a_time_as_go_writes_it, what_is_wrong_is_named,
                days_that_are_rare_are_no_mistake, the_zone_of_the_process_stays)
