/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers of carbon sources, and the windows that are chosen from them.
 *
 * tests/unit/data/carbon-gb-week.json has the form that the service of Great Britain publishes, for a week,
 * but its values are made up: a daily curve with an evening peak and a dip at noon, and wind as a random
 * walk. */

#include <fcntl.h>

#include "basic/fd-util.h"
#include "carbon/carbon-answer.h"
#include "spec/carbon-window.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

#define HALF_HOUR (USEC_PER_HOUR / 2)
#define MONDAY ((usec_t) 1749427200 * USEC_PER_SEC) /* 2025-06-09T00:00:00Z */

typedef int (*decoder)(const char *text, size_t size, CarbonData *d, char **ret_error);

static CarbonData *zone(const char *name) {
        CarbonData *d = carbon_data_new();

        ck_assert_ptr_nonnull(d);
        d->zone = strdup(name);
        ck_assert_ptr_nonnull(d->zone);
        return d;
}

static CarbonData *decoded(decoder decode, const char *name, const char *text) {
        CarbonData *d = zone(name);
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(decode(text, strlen(text), d, &error) == 0, "%s", strna(error));
        return d;
}

static void refused(decoder decode, const char *name, const char *text, const char *words) {
        _cleanup_(carbon_data_freep) CarbonData *d = zone(name);
        _cleanup_free_ char *error = NULL;

        ck_assert_msg(decode(text, strlen(text), d, &error) == -EBADMSG, "taken: %s", text);
        ck_assert_msg(strstr(error, words), "%s", error);
}

static int latest(const char *text, size_t size, CarbonData *d, char **ret_error) {
        return carbon_answer_latest(text, size, MONDAY + USEC_PER_HOUR, d, ret_error);
}

static void expect_point(const CarbonData *d, size_t i, usec_t from, usec_t to, double intensity) {
        ck_assert_uint_gt(d->n_points, i);
        ck_assert_uint_eq(d->points[i].from, from);
        ck_assert_uint_eq(d->points[i].to, to);
        ck_assert_double_eq_tol(d->points[i].intensity, intensity, 0.001);
}

/* --- answers --------------------------------------------------------------------------------------- */

#define GB(from, to, intensity) "{\"from\":\"" from "\",\"to\":\"" to "\",\"intensity\":" intensity "}"

START_TEST(great_britain_has_half_hours_without_seconds) {
        _cleanup_(carbon_data_freep) CarbonData *d = decoded(carbon_answer_gb, "GB",
                        "{\"data\":[" GB("2025-06-09T00:30Z", "2025-06-09T01:00Z",
                                        "{\"forecast\":120,\"actual\":null,\"index\":\"low\"}") "," GB("2025-06-09T00:00Z",
                                        "2025-06-09T00:30Z",
                                        "{\"forecast\":142,\"actual\":139,\"index\":\"moderate\"}") "]}");

        ck_assert_uint_eq(d->n_points, 2);
        expect_point(d, 0, MONDAY, MONDAY + HALF_HOUR, 139);
        expect_point(d, 1, MONDAY + HALF_HOUR, MONDAY + USEC_PER_HOUR, 120);
        ck_assert(d->has_forecast && !d->is_marginal);
}
END_TEST

#define REGION                                                                       \
        "{\"data\":{\"regionid\":13,\"shortname\":\"London\",\"postcode\":\"RG10\"," \
        "\"data\":[" GB("2025-06-09T00:00Z", "2025-06-09T00:30Z",                    \
                        "{\"forecast\":88,\"index\":\"low\"}") "]}}"

START_TEST(a_region_must_be_the_one_that_was_asked_for) {
        _cleanup_(carbon_data_freep) CarbonData *id = decoded(carbon_answer_gb, "13", REGION),
                                                *postcode = decoded(carbon_answer_gb, "rg10", REGION);

        expect_point(id, 0, MONDAY, MONDAY + HALF_HOUR, 88);
        expect_point(postcode, 0, MONDAY, MONDAY + HALF_HOUR, 88);
        refused(carbon_answer_gb, "12", REGION, "not for the zone 12");
        refused(carbon_answer_gb, "GB", REGION, "not for the zone GB");
        refused(carbon_answer_gb, "13", "{\"data\":[]}", "not for the zone 13");
}
END_TEST

START_TEST(electricity_maps_has_hours) {
        _cleanup_(carbon_data_freep) CarbonData *d = decoded(latest, "DE",
                        "{\"zone\":\"DE\",\"carbonIntensity\":302,\"datetime\":\"2025-06-09T00:00:00.000Z\","
                        "\"isEstimated\":true}");
        static const char forecast[] =
                        "{\"zone\":\"DE\",\"forecast\":[{\"carbonIntensity\":326,\"datetime\":"
                        "\"2025-06-09T02:00:00.000Z\"},{\"carbonIntensity\":297,"
                        "\"datetime\":\"2025-06-09T01:00:00.000Z\"}]}";
        _cleanup_free_ char *error = NULL;

        ck_assert(d->is_estimated && !d->has_forecast);
        expect_point(d, 0, MONDAY, MONDAY + 2 * USEC_PER_HOUR, 302);
        ck_assert_int_eq(carbon_answer_forecast(forecast, strlen(forecast), d, &error), 0);
        ck_assert(d->has_forecast);
        expect_point(d, 0, MONDAY, MONDAY + USEC_PER_HOUR, 302);
        expect_point(d, 1, MONDAY + USEC_PER_HOUR, MONDAY + 2 * USEC_PER_HOUR, 297);
        expect_point(d, 2, MONDAY + 2 * USEC_PER_HOUR, MONDAY + 3 * USEC_PER_HOUR, 326);
        refused(carbon_answer_forecast, "FR", forecast, "not for the zone FR");
}
END_TEST

#define WATTTIME(units, region)                                                                \
        "{\"data\":[{\"point_time\":\"2025-06-09T00:00:00+00:00\",\"value\":1000}],\"meta\":{" \
        "\"data_point_period_seconds\":300,\"region\":\"" region "\",\"units\":\"" units "\"}}"

START_TEST(watttime_is_in_pounds_and_marginal) {
        _cleanup_(carbon_data_freep) CarbonData *d = decoded(
                        carbon_answer_watttime, "CAISO_NORTH", WATTTIME("lbs_co2_per_mwh", "CAISO_NORTH"));
        _cleanup_free_ char *token = NULL, *error = NULL;
        static const char login[] = "{\"token\":\"ab.cd\"}", wrong[] = "{\"token\":\"a\\r\\nHost: x\"}";

        ck_assert(d->is_marginal);
        expect_point(d, 0, MONDAY, MONDAY + 300 * USEC_PER_SEC, 453.592);
        refused(carbon_answer_watttime, "X", WATTTIME("lbs_co2_per_mwh", "Y"), "not for the zone X");
        refused(carbon_answer_watttime, "X", WATTTIME("percentile", "X"), "lbs_co2_per_mwh");
        ck_assert_int_eq(carbon_answer_login(login, strlen(login), &token, &error), 0);
        ck_assert_str_eq(token, "ab.cd");
        ck_assert_int_eq(carbon_answer_login(wrong, strlen(wrong), &token, &error), -EBADMSG);
}
END_TEST

START_TEST(hostile_answers_are_refused) {
        static const char *const answers[] = {
                "",
                "[]",
                "{}",
                "{\"data\":null}",
                "{\"data\":[]}",
                "{\"data\":[1]}",
                "{\"data\":[{}]}",
                "{\"data\":[" GB("2025-06-09T00:00Z", "2025-06-09T00:30Z", "{}") "]}",
                "{\"data\":[" GB("2025-06-09T00:00Z", "2025-06-09T00:30Z", "{\"forecast\":-1}") "]}",
                "{\"data\":[" GB("2025-06-09T00:00Z", "2025-06-09T00:30Z", "{\"forecast\":1e99}") "]}",
                "{\"data\":[" GB("2025-06-09T00:00Z", "2025-06-09T00:30Z", "{\"forecast\":\"1\"}") "]}",
                "{\"data\":[" GB("2025-06-09T00:30Z", "2025-06-09T00:00Z", "{\"forecast\":1}") "]}",
                "{\"data\":[" GB("1970-01-01T00:00Z", "2025-06-09T00:00Z", "{\"forecast\":1}") "]}",
                "{\"data\":[" GB("2025-06-09", "2025-06-09T00:00Z", "{\"forecast\":1}") "]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                refused(carbon_answer_gb, "GB", answers[i], "");
}
END_TEST

START_TEST(too_many_values_are_refused) {
        _cleanup_(carbon_data_freep) CarbonData *d = zone("GB");

        for (size_t i = 0; i < CARBON_POINTS_MAX; i++)
                ck_assert_int_eq(carbon_data_add(d, MONDAY + i, MONDAY + i + 1, 1), 0);
        ck_assert_int_eq(carbon_data_add(d, MONDAY, MONDAY + 1, 1), -EBADMSG);
}
END_TEST

/* --- the form of files and the cache --------------------------------------------------------------- */

static CarbonData *from_text(const char *text) {
        _cleanup_free_ char *error = NULL;
        CarbonData *d = NULL;

        ck_assert_msg(carbon_data_decode(text, strlen(text), &d, &error) == 0, "%s", strna(error));
        return d;
}

START_TEST(data_survive_being_written) {
        _cleanup_(carbon_data_freep)
                        CarbonData *again = NULL,
                                   *d = from_text("{\"zone\":\"DE\",\"updated_at\":"
                                                  "\"2025-06-09T00:00:00Z\",\"points\":["
                                                  "{\"from\":\"2025-06-09T01:00:00Z\",\"to\":"
                                                  "\"2025-06-09T02:00:00Z\",\"intensity\":90.5},"
                                                  "{\"from\":\"2025-06-09T00:00:00Z\",\"to\":"
                                                  "\"2025-06-09T01:30:00Z\",\"intensity\":142}]}");
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *text = NULL;

        /* What a file does not say */
        ck_assert(d->has_forecast && !d->is_marginal && !d->is_estimated);
        expect_point(d, 1, MONDAY + 3 * HALF_HOUR, MONDAY + 4 * HALF_HOUR, 90.5);
        d->is_marginal = d->is_estimated = true;
        d->has_forecast = false;
        d->error = strdup("no answer");
        json = carbon_data_to_json(d);
        text = json_dumps(json, 0);
        again = from_text(text);
        ck_assert(again->is_marginal && again->is_estimated && !again->has_forecast);
        ck_assert_str_eq(again->error, "no answer");
        ck_assert_uint_eq(again->updated_at, MONDAY);
        expect_point(again, 0, MONDAY, MONDAY + 3 * HALF_HOUR, 142);
}
END_TEST

START_TEST(wrong_files_say_where) {
        static const char *const cases[][2] = {
                { "{\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":[]}", "zone" },
                { "{\"zone\":\"a/b\",\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":[]}", "zone" },
                { "{\"zone\":\"GB\",\"updated_at\":\"now\",\"points\":[]}", "updated_at" },
                { "{\"zone\":\"GB\",\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":{}}", "points" },
                { "{\"zone\":\"GB\",\"updated_at\":\"2025-06-09T00:00:00Z\",\"points\":[{}]}", "points[0]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *error = NULL;
                CarbonData *d = NULL;

                ck_assert_int_eq(carbon_data_decode(cases[i][0], strlen(cases[i][0]), &d, &error), -EBADMSG);
                ck_assert_msg(startswith(error, cases[i][1]), "%s", error);
        }
}
END_TEST

START_TEST(an_index_has_a_word) {
        ck_assert_str_eq(carbon_index(99.9), "very low");
        ck_assert_str_eq(carbon_index(100), "low");
        ck_assert_str_eq(carbon_index(399), "moderate");
        ck_assert_str_eq(carbon_index(599), "high");
        ck_assert_str_eq(carbon_index(600), "very high");
        ck_assert_str_eq(carbon_quality(0), "excellent");
        ck_assert_str_eq(carbon_quality(1000), "very poor");
}
END_TEST

/* --- windows --------------------------------------------------------------------------------------- */

/* Half hours with these intensities. */
static CarbonData *half_hours(const unsigned *values, size_t n) {
        CarbonData *d = zone("GB");

        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(carbon_data_add(d, MONDAY + i * HALF_HOUR, MONDAY + (i + 1) * HALF_HOUR,
                                                 values[i]),
                                0);
        d->has_forecast = true;
        carbon_data_sort(d);
        return d;
}

START_TEST(the_best_windows_do_not_overlap) {
        static const unsigned values[] = { 200, 100, 50, 60, 300, 90, 90, 400 };
        _cleanup_(carbon_data_freep) CarbonData *d = half_hours(values, ELEMENTSOF(values));
        CarbonSearch search = { .from = MONDAY,
                .until = USEC_INFINITY,
                .start_until = USEC_INFINITY,
                .duration = USEC_PER_HOUR };
        CarbonWindow windows[8];

        int n = carbon_windows(d, &search, windows, ELEMENTSOF(windows));
        ck_assert_int_ge(n, 3);
        ck_assert_uint_eq(windows[0].start, MONDAY + 2 * HALF_HOUR);
        ck_assert_double_eq_tol(windows[0].average, 55, 0.001);
        ck_assert_double_eq_tol(windows[0].highest, 60, 0.001);
        ck_assert_uint_eq(windows[1].start, MONDAY + 5 * HALF_HOUR);
        ck_assert_double_eq_tol(windows[1].average, 90, 0.001);
        ck_assert_uint_eq(windows[2].start, MONDAY);
        search.max_intensity = 90;
        ck_assert_int_eq(carbon_windows(d, &search, windows, ELEMENTSOF(windows)), 2);
        search.start_until = MONDAY + 4 * HALF_HOUR;
        ck_assert_int_eq(carbon_windows(d, &search, windows, ELEMENTSOF(windows)), 1);
        search.until = MONDAY + 3 * HALF_HOUR;
        search.max_intensity = 0;
        ck_assert_int_eq(carbon_windows(d, &search, windows, ELEMENTSOF(windows)), 1);
        ck_assert_double_eq_tol(windows[0].average, 75, 0.001);
}
END_TEST

START_TEST(a_window_has_data_for_all_of_its_time) {
        static const unsigned values[] = { 200, 10 };
        _cleanup_(carbon_data_freep) CarbonData *d = half_hours(values, ELEMENTSOF(values));
        const CarbonSearch search = { .from = MONDAY,
                .until = USEC_INFINITY,
                .start_until = USEC_INFINITY,
                .duration = 90 * USEC_PER_MINUTE };
        CarbonWindow windows[2];

        ck_assert_int_eq(carbon_windows(d, &search, windows, ELEMENTSOF(windows)), 0);
}
END_TEST

static CarbonChoice choose(const CarbonData *d, usec_t now, usec_t delay, unsigned max, usec_t duration) {
        const CarbonWish wish = { .max_intensity = max,
                .not_after = now + delay,
                .duration = duration,
                .refresh = 900 * USEC_PER_SEC };
        CarbonChoice choice;

        ck_assert_int_eq(carbon_choose(d, &wish, now, &choice), 0);
        return choice;
}

START_TEST(a_limit_takes_the_first_window_that_is_low_enough) {
        static const unsigned values[] = { 200, 200, 140, 140, 50, 50, 300, 300 };
        _cleanup_(carbon_data_freep) CarbonData *d = half_hours(values, ELEMENTSOF(values));
        CarbonChoice c = choose(d, MONDAY, 4 * USEC_PER_HOUR, 150, USEC_PER_HOUR);

        ck_assert_uint_eq(c.until, MONDAY + 2 * HALF_HOUR);
        ck_assert_double_eq_tol(c.now, 200, 0.001);
        ck_assert_double_eq_tol(c.expected, 140, 0.001);
        /* Without one, the best. */
        c = choose(d, MONDAY, 4 * USEC_PER_HOUR, 0, USEC_PER_HOUR);
        ck_assert_uint_eq(c.until, MONDAY + 4 * HALF_HOUR);
        /* If none is low enough, the best, too. */
        c = choose(d, MONDAY, 4 * USEC_PER_HOUR, 20, USEC_PER_HOUR);
        ck_assert_uint_eq(c.until, MONDAY + 4 * HALF_HOUR);
        /* It is low enough now, or its time is over. */
        ck_assert_uint_eq(choose(d, MONDAY, 4 * USEC_PER_HOUR, 250, USEC_PER_HOUR).until, 0);
        ck_assert_uint_eq(choose(d, MONDAY, 0, 150, USEC_PER_HOUR).until, 0);
}
END_TEST

START_TEST(without_a_forecast_it_looks_again_and_again) {
        static const unsigned values[] = { 200, 200 };
        _cleanup_(carbon_data_freep) CarbonData *d = half_hours(values, ELEMENTSOF(values));

        d->has_forecast = false;
        ck_assert_uint_eq(choose(d, MONDAY, USEC_PER_HOUR, 150, USEC_PER_HOUR).until,
                        MONDAY + 900 * USEC_PER_SEC);
        ck_assert_uint_eq(choose(d, MONDAY, USEC_PER_MINUTE, 150, USEC_PER_HOUR).until,
                        MONDAY + USEC_PER_MINUTE);
        ck_assert_uint_eq(choose(d, MONDAY, USEC_PER_HOUR, 250, USEC_PER_HOUR).until, 0);
        ck_assert_uint_eq(choose(d, MONDAY, USEC_PER_HOUR, 0, USEC_PER_HOUR).until, 0);
}
END_TEST

/* --- a week ---------------------------------------------------------------------------------------- */

static CarbonData *week(void) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path = strprintf(
                                            "%s/tests/unit/data/carbon-gb-week.json", srcdir ? srcdir : "."),
                            *text = NULL;

        ck_assert_int_eq(read_file_at(AT_FDCWD, path, CARBON_TEXT_MAX, &text, NULL), 0);
        return decoded(carbon_answer_gb, "GB", text);
}

/* What a search by steps of a minute finds: the lowest average of all windows up to @last. */
static double lowest(const CarbonData *d, usec_t now, usec_t last, usec_t duration) {
        double best = -1;

        for (usec_t start = now; start <= last; start += USEC_PER_MINUTE) {
                double average = carbon_data_average(d, start, start + duration);

                if (average >= 0 && (best < 0 || average < best))
                        best = average;
        }
        return best;
}

START_TEST(no_choice_of_a_week_is_worse_than_now_or_too_late) {
        static const unsigned minutes[] = { 15, 47, 60, 240 }, limits[] = { 0, 60, 120, 200 };
        static const usec_t delays[] = { 0, 10 * USEC_PER_MINUTE, 4 * USEC_PER_HOUR, 36 * USEC_PER_HOUR };
        _cleanup_(carbon_data_freep) CarbonData *d = week();

        ck_assert_uint_eq(d->n_points, 7 * 48);
        ck_assert_uint_eq(d->points[0].from, MONDAY);
        for (usec_t now = MONDAY; now < MONDAY + 7 * USEC_PER_DAY; now += 67 * USEC_PER_MINUTE)
                for (size_t i = 0; i < ELEMENTSOF(minutes) * ELEMENTSOF(limits) * ELEMENTSOF(delays); i++) {
                        usec_t duration = minutes[i % 4] * USEC_PER_MINUTE, delay = delays[i / 4 % 4];
                        unsigned limit = limits[i / 16];
                        CarbonChoice c = choose(d, now, delay, limit, duration);
                        double at_once = carbon_data_average(d, now, now + duration);
                        usec_t start = c.until ?: now;
                        double then = carbon_data_average(d, start, start + duration);

                        ck_assert_uint_ge(start, now);
                        ck_assert_uint_le(start, now + delay);
                        if (at_once < 0) /* the week ends */
                                continue;
                        ck_assert_double_ge(then, 0);
                        ck_assert_double_le(then, at_once + 0.001);
                        if (c.until > 0)
                                ck_assert_double_lt(then, at_once);
                        /* It waits no longer than the limit requires, and as long as it is of use. */
                        if (limit > 0 && at_once <= limit)
                                ck_assert_uint_eq(c.until, 0);
                }
}
END_TEST

START_TEST(the_choice_is_the_best_that_a_search_finds) {
        _cleanup_(carbon_data_freep) CarbonData *d = week();

        for (usec_t now = MONDAY; now < MONDAY + 6 * USEC_PER_DAY; now += 397 * USEC_PER_MINUTE) {
                usec_t duration = 100 * USEC_PER_MINUTE, delay = 5 * USEC_PER_HOUR;
                CarbonChoice c = choose(d, now, delay, 0, duration);

                ck_assert_double_le(c.expected, lowest(d, now, now + delay, duration) + 0.001);
        }
}
END_TEST

/* clang-format off */
TEST_MAIN("carbon-data", great_britain_has_half_hours_without_seconds,
          a_region_must_be_the_one_that_was_asked_for, electricity_maps_has_hours,
          watttime_is_in_pounds_and_marginal, hostile_answers_are_refused, too_many_values_are_refused,
          data_survive_being_written, wrong_files_say_where, an_index_has_a_word,
          the_best_windows_do_not_overlap, a_window_has_data_for_all_of_its_time,
          a_limit_takes_the_first_window_that_is_low_enough, without_a_forecast_it_looks_again_and_again,
          no_choice_of_a_week_is_worse_than_now_or_too_late, the_choice_is_the_best_that_a_search_finds)
