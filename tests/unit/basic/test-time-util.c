/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/time-util.h"
#include "unit/lib/test.h"

static usec_t parsed(const char *s) {
        usec_t t = USEC_INFINITY;

        ck_assert_int_eq(parse_rfc3339(s, &t), 0);
        return t;
}

START_TEST(a_formatted_time_reads_back_as_itself) {
        char buf[RFC3339_SIZE];
        const usec_t times[] = { 0, 1, 951782400 * USEC_PER_SEC, 1769853600123456,
                253402300799 * USEC_PER_SEC };

        for (size_t i = 0; i < ELEMENTSOF(times); i++)
                ck_assert_uint_eq(parsed(format_rfc3339(buf, times[i])), times[i]);
        ck_assert_str_eq(format_rfc3339(buf, 1769853600 * USEC_PER_SEC), "2026-01-31T10:00:00Z");
        ck_assert_str_eq(format_rfc3339(buf, 1769853600 * USEC_PER_SEC + 5), "2026-01-31T10:00:00.000005Z");
}
END_TEST

START_TEST(offsets_and_fractions_are_understood) {
        usec_t ten = parsed("2026-01-31T10:00:00Z");

        ck_assert_uint_eq(parsed("2026-01-31T12:30:00+02:30"), ten);
        ck_assert_uint_eq(parsed("2026-01-31t05:00:00-05:00"), ten);
        ck_assert_uint_eq(parsed("2026-01-31 10:00:00.5z"), ten + 500000);
        ck_assert_uint_eq(parsed("2026-01-31T10:00:00.123456789Z"), ten + 123456);
}
END_TEST

START_TEST(what_is_no_time_is_refused) {
        static const char *const bad[] = { "", "now", "2026-01-31", "2026-01-31T10:00:00",
                "2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "2026-01-31T24:00:00Z",
                "2026-01-31T10:00:00Zx", "2026-01-31T10:00:00.Z", "1969-12-31T23:59:59Z",
                "2026-01-31T10:00:00+2:00", "1970-01-01T00:00:00+01:00", "2026-01-31T10:00:00.1234567890Z" };
        usec_t t;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(parse_rfc3339(bad[i], &t) == -EINVAL, "%s was taken", bad[i]);
        ck_assert_uint_eq(parsed("2028-02-29T00:00:00Z"), 1835395200 * USEC_PER_SEC);
}
END_TEST

START_TEST(spans_show_two_units_at_most) {
        char buf[TIMESPAN_SIZE];

        ck_assert_str_eq(format_timespan(buf, 0), "0");
        ck_assert_str_eq(format_timespan(buf, 300 * USEC_PER_MSEC), "300ms");
        ck_assert_str_eq(format_timespan(buf, 62 * USEC_PER_SEC), "1min 2s");
        ck_assert_str_eq(format_timespan(buf, 90061 * USEC_PER_SEC), "1d 1h");
        ck_assert_str_eq(format_timespan(buf, 3601 * USEC_PER_SEC), "1h");
}
END_TEST

START_TEST(calendar_times_are_in_utc) {
        char buf[CALENDAR_SIZE];

        ck_assert_int_eq(format_calendar(buf, 1835395200 * USEC_PER_SEC + 999999), 0);
        ck_assert_str_eq(buf, "2028-02-29 00:00:00 UTC");
}
END_TEST

TEST_MAIN("time-util", a_formatted_time_reads_back_as_itself, offsets_and_fractions_are_understood,
                what_is_no_time_is_refused, spans_show_two_units_at_most, calendar_times_are_in_utc)
