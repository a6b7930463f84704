/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/carbon-hold.h"
#include "spec/carbon-spec.h"
#include "spec/job-spec.h"
#include "unit/lib/test.h"

/* The errors, or NULL with *ret. */
static char *parse(const char *parameters, const char *carbon, JobSpec **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = strprintf(
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":"
                        "\"web\"},\"destination\":{\"type\":\"file\",\"path\":\"/srv/b.qcow2\"},"
                        "\"parameters\":{%s}%s}",
                        parameters, carbon);

        return job_spec_parse(text, strlen(text), ret, &errors) < 0 ? json_errors_text(&errors) : NULL;
}

static JobSpec *good(const char *carbon) {
        JobSpec *s = NULL;
        _cleanup_free_ char *errors = parse("", carbon, &s);

        ck_assert_msg(s && !errors, "%s: %s", carbon, strna(errors));
        return s;
}

START_TEST(a_job_does_not_wait_unless_it_asks_for_it) {
        static const char *const cases[] = { "", ",\"carbon\":null" };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_spec_freep) JobSpec *s = good(cases[i]);

                ck_assert(!s->carbon.given);
                ck_assert_ptr_null(json_object_get(s->document, "carbon"));
        }
}
END_TEST

START_TEST(a_job_that_waits_has_defaults) {
        _cleanup_(job_spec_freep) JobSpec *s = good(",\"carbon\":{}"), *again = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};

        ck_assert(s->carbon.given);
        ck_assert_uint_eq(s->carbon.max_intensity, 0);
        ck_assert_uint_eq(s->carbon.duration_minutes, 60);
        ck_assert_int_eq(s->carbon.on_missing, CARBON_MISSING_RUN);
        ck_assert_uint_eq(carbon_spec_not_after(s, 7), 7 + 14400 * USEC_PER_SEC);
        /* What is stored means the same. */
        ck_assert_int_eq(job_spec_from_json(s->document, &again, &errors), 0);
        ck_assert(job_spec_equal(s, again));
}
END_TEST

START_TEST(a_job_may_say_more) {
        _cleanup_(job_spec_freep) JobSpec *
                        s = good(",\"carbon\":{\"max_intensity\":150,\"deadline\":\"2026-05-01T04:00:00+02:00\","
                                 "\"duration_minutes\":15,\"on_missing\":\"fail\",\"zone\":\"GB\"}"),
                       *again = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};

        ck_assert_uint_eq(s->carbon.max_intensity, 150);
        ck_assert_uint_eq(carbon_spec_not_after(s, 7), 1777600800 * USEC_PER_SEC);
        ck_assert_int_eq(s->carbon.on_missing, CARBON_MISSING_FAIL);
        ck_assert_str_eq(s->carbon.zone, "GB");
        ck_assert_int_eq(job_spec_from_json(s->document, &again, &errors), 0);
        ck_assert(job_spec_equal(s, again));
}
END_TEST

START_TEST(wrong_wishes_are_refused) {
        static const struct {
                const char *parameters, *carbon, *expected;
        } cases[] = {
                { "", "true", "carbon: must be an object" },
                { "", "{\"max_intensity\":2001}", "carbon.max_intensity: must be 1 to 2000" },
                { "", "{\"max_delay\":604801}", "carbon.max_delay: must be 0 to 604800" },
                { "", "{\"duration_minutes\":14}", "carbon.duration_minutes: must be 15 to 1440" },
                { "", "{\"deadline\":\"tomorrow\"}",
                                "carbon.deadline: must be a time, like 2026-05-01T02:00:00Z" },
                { "", "{\"deadline\":\"2026-05-01T02:00:00Z\",\"max_delay\":1}",
                                "carbon.max_delay: must not be given together with deadline" },
                { "", "{\"on_missing\":\"wait\"}", "carbon.on_missing: must be one of run, fail" },
                { "", "{\"zone\":\"a b\"}",
                                "carbon.zone: must consist of letters, digits, \"-\" and \"_\"" },
                { "\"warm\":true", "{}",
                                "carbon: must not be given for a warm job: its passes have times of their own" },
                { "\"carbon\":{}", "null", "parameters.carbon: must be given as carbon" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_spec_freep) JobSpec *s = NULL;
                _cleanup_free_ char *carbon = strprintf(",\"carbon\":%s", cases[i].carbon),
                                    *errors = parse(cases[i].parameters, carbon, &s);

                ck_assert_msg(errors, "%s was taken", cases[i].carbon);
                ck_assert_str_eq(errors, cases[i].expected);
        }
}
END_TEST

START_TEST(a_hold_survives_being_written) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = carbon_hold_new(), *again = NULL;
        _cleanup_free_ char *text = NULL;

        (void) snprintf(h->zone, sizeof(h->zone), "GB");
        h->submitted_at = 1000 * USEC_PER_SEC;
        h->not_after = 9000 * USEC_PER_SEC;
        h->at_submit = 200;
        h->now = 190;
        h->expected = 88.5;
        text = carbon_hold_encode(h);
        ck_assert_int_eq(carbon_hold_decode(text, &again), 0);
        ck_assert_str_eq(again->zone, "GB");
        ck_assert_uint_eq(again->not_after, h->not_after);
        ck_assert_double_eq_tol(again->expected, 88.5, 0.001);
        ck_assert_double_lt(again->at_start, 0);
        ck_assert_ptr_null(again->warning);
        again = carbon_hold_free(again);
        ck_assert_int_eq(carbon_hold_decode("[]", &again), -EBADMSG);
}
END_TEST

static void expect_json(json_t *json, const char *expected) {
        _cleanup_json_ json_t *taken = json;
        _cleanup_free_ char *text = json_dumps(taken, JSON_COMPACT | JSON_ENCODE_ANY);

        ck_assert_str_eq(text, expected);
}

START_TEST(clients_see_the_wait_and_its_end) {
        _cleanup_(carbon_hold_freep) CarbonHold *h = carbon_hold_new();

        h->submitted_at = 1000 * USEC_PER_SEC;
        h->not_after = 9000 * USEC_PER_SEC;
        h->at_submit = h->now = 200;
        h->expected = 88;
        expect_json(carbon_hold_waiting_json(h, JOB_QUEUED, 2000 * USEC_PER_SEC),
                        "{\"until\":\"1970-01-01T00:33:20Z\",\"not_after\":\"1970-01-01T02:30:00Z\","
                        "\"reason\":\"carbon\",\"intensity_now\":200.0,\"intensity_expected\":88.0}");
        expect_json(carbon_hold_ended_json(h), "null");
        expect_json(carbon_hold_waiting_json(h, JOB_CANCELLED, 0), "null");
        expect_json(carbon_hold_waiting_json(NULL, JOB_QUEUED, 0), "null");
        h->released_at = 3000 * USEC_PER_SEC;
        h->at_start = 90;
        expect_json(carbon_hold_waiting_json(h, JOB_QUEUED, 0), "null");
        expect_json(carbon_hold_ended_json(h),
                        "{\"zone\":null,\"source\":null,\"intensity_at_submit\":200.0,\"intensity_at_start\":90.0,"
                        "\"waited_seconds\":2000}");
}
END_TEST

TEST_MAIN("carbon-spec", a_job_does_not_wait_unless_it_asks_for_it, a_job_that_waits_has_defaults,
                a_job_may_say_more, wrong_wishes_are_refused, a_hold_survives_being_written,
                clients_see_the_wait_and_its_end)
