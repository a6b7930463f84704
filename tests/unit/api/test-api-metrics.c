/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/metrics.h"
#include "unit/lib/test.h"

static const char get[] = "GET", path[] = "/jobs/{id}";

static char *requests(const Metrics *m, const char *dialect) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        metrics_write_requests(m, dialect, "x_api", f);
        ck_assert_int_eq(fclose(f), 0);
        return text;
}

static void assert_line(const char *text, const char *line) {
        _cleanup_free_ char *whole = strprintf("\n%s\n", line);

        ck_assert_msg(strstr(text, whole), "no line \"%s\" in:\n%s", line, text);
}

START_TEST(requests_are_counted_by_route_and_status) {
        _cleanup_(metrics_freep) Metrics *m = metrics_new();
        static const char dialect[] = "d";

        metrics_count(m, dialect, get, path, 200, 3 * USEC_PER_MSEC);
        metrics_count(m, dialect, get, path, 200, 300 * USEC_PER_MSEC);
        metrics_count(m, dialect, get, path, 404, 60 * USEC_PER_SEC);
        metrics_count(m, dialect, get, "", 404, 1);
        _cleanup_free_ char *text = requests(m, dialect);
        assert_line(text, "x_api_requests_total{method=\"GET\",path=\"/jobs/{id}\",status=\"OK\"} 2");
        assert_line(text, "x_api_requests_total{method=\"GET\",path=\"/jobs/{id}\",status=\"Not Found\"} 1");
        assert_line(text, "x_api_requests_total{method=\"GET\",path=\"(none)\",status=\"Not Found\"} 1");
        assert_line(text,
                        "x_api_request_duration_seconds_bucket{method=\"GET\",path=\"/jobs/"
                        "{id}\",le=\"0.001\"} 0");
        assert_line(text,
                        "x_api_request_duration_seconds_bucket{method=\"GET\",path=\"/jobs/"
                        "{id}\",le=\"0.005\"} 1");
        assert_line(text,
                        "x_api_request_duration_seconds_bucket{method=\"GET\",path=\"/jobs/"
                        "{id}\",le=\"0.5\"} 2");
        assert_line(text,
                        "x_api_request_duration_seconds_bucket{method=\"GET\",path=\"/jobs/"
                        "{id}\",le=\"+Inf\"} 3");
        assert_line(text, "x_api_request_duration_seconds_sum{method=\"GET\",path=\"/jobs/{id}\"} 60.303");
        assert_line(text, "x_api_request_duration_seconds_count{method=\"GET\",path=\"/jobs/{id}\"} 3");
}
END_TEST

START_TEST(each_dialect_has_its_own) {
        _cleanup_(metrics_freep) Metrics *m = metrics_new();
        static const char one[] = "one", two[] = "two";

        metrics_count(m, one, get, path, 200, 1);
        _cleanup_free_ char *text = requests(m, two);
        ck_assert_ptr_null(strstr(text, "/jobs"));
}
END_TEST

START_TEST(a_stream_is_counted_and_not_timed) {
        _cleanup_(metrics_freep) Metrics *m = metrics_new();
        static const char dialect[] = "d";

        metrics_count(m, dialect, get, path, 200, USEC_INFINITY);
        _cleanup_free_ char *text = requests(m, dialect);
        assert_line(text, "x_api_requests_total{method=\"GET\",path=\"/jobs/{id}\",status=\"OK\"} 1");
        ck_assert_ptr_null(strstr(text, "_count{"));
}
END_TEST

START_TEST(labels_and_numbers_are_written_as_the_format_wants) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        metrics_header(f, "a", "gauge", "What it is.");
        metrics_sample(f, "a", 1.5, "b", "x\"y\\z\n", NULL);
        metrics_sample(f, "a", 18446744073709551615.0, NULL);
        metrics_sample(f, "a", 9007199254740991.0, NULL);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_str_eq(text,
                        "# HELP a What it is.\n# TYPE a gauge\na{b=\"x\\\"y\\\\z\\n\"} 1.5\n"
                        "a 1.84467441e+19\na 9007199254740991\n");
        free(text);
}
END_TEST

TEST_MAIN("api-metrics", requests_are_counted_by_route_and_status, each_dialect_has_its_own,
                a_stream_is_counted_and_not_timed, labels_and_numbers_are_written_as_the_format_wants)
