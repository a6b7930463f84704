/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-spec.h"
#include "spec/warm-spec.h"
#include "unit/lib/test.h"

#define VM "{\"type\":\"vsphere\",\"name\":\"vc\",\"vm_path\":\"web\"}"
#define FILE_TO "{\"type\":\"file\",\"path\":\"/srv/b.qcow2\"}"

/* The errors, or NULL with *ret. */
static char *parse(const char *source, const char *destination, const char *parameters, JobSpec **ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = strprintf(
                        "{\"operation\":\"convert\",\"source\":%s,\"destination\":%s,\"parameters\":{%s}}",
                        source, destination, parameters);

        return job_spec_parse(text, strlen(text), ret, &errors) < 0 ? json_errors_text(&errors) : NULL;
}

static JobSpec *good(const char *destination, const char *parameters) {
        JobSpec *s = NULL;
        _cleanup_free_ char *errors = parse(VM, destination, parameters, &s);

        ck_assert_msg(s && !errors, "%s: %s", parameters, strna(errors));
        return s;
}

START_TEST(a_warm_job_has_defaults) {
        _cleanup_(job_spec_freep) JobSpec *s = good(FILE_TO, "\"warm\":true"), *again = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        json_t *parameters = json_object_get(s->document, "parameters");

        ck_assert(s->parameters.warm);
        ck_assert_uint_eq(s->parameters.cutover_at, 0);
        ck_assert_uint_eq(s->parameters.interval_seconds, 3600);
        ck_assert_uint_eq(s->parameters.shutdown_timeout, 300);
        ck_assert(!s->parameters.power_off);
        ck_assert(s->parameters.power_on_after_failure);
        ck_assert_int_eq(s->parameters.verify, VERIFY_PRECOPY);
        ck_assert_str_eq(json_string_value(json_object_get(parameters, "cutover")), "manual");
        ck_assert_str_eq(json_string_value(json_object_get(parameters, "verify")), "precopy");
        /* What is stored means the same. */
        ck_assert_int_eq(job_spec_from_json(s->document, &again, &errors), 0);
        ck_assert(job_spec_equal(s, again));
}
END_TEST

START_TEST(a_warm_job_may_say_more) {
        _cleanup_(job_spec_freep)
                        JobSpec *s = good("{\"type\":\"kvm\",\"start\":true,\"format\":\"raw\"}",
                                                "\"warm\":true,\"cutover\":\"2026-05-01T04:00:00+02:00\","
                                                "\"interval_seconds\":60,\"shutdown_timeout_seconds\":20,"
                                                "\"power_off\":true,\"power_on_after_failure\":false,"
                                                "\"verify\":\"cutover\",\"conversion_method\":\"https\""),
                                *again = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        json_t *parameters = json_object_get(s->document, "parameters");

        ck_assert_uint_eq(s->parameters.cutover_at, 1777600800 * USEC_PER_SEC);
        ck_assert_uint_eq(s->parameters.interval_seconds, 60);
        ck_assert_uint_eq(s->parameters.shutdown_timeout, 20);
        ck_assert(s->parameters.power_off);
        ck_assert(!s->parameters.power_on_after_failure);
        ck_assert_int_eq(s->parameters.verify, VERIFY_CUTOVER);
        ck_assert_str_eq(json_string_value(json_object_get(parameters, "cutover")), "2026-05-01T02:00:00Z");
        ck_assert_int_eq(job_spec_from_json(s->document, &again, &errors), 0);
        ck_assert(job_spec_equal(s, again));
        ck_assert_uint_eq(again->parameters.cutover_at, s->parameters.cutover_at);
        ck_assert(!again->parameters.power_on_after_failure);
}
END_TEST

START_TEST(verification_has_old_words_too) {
        static const struct {
                const char *given;
                JobVerify verify;
        } cases[] = { { "true", VERIFY_PRECOPY }, { "\"full\"", VERIFY_PRECOPY },
                { "\"precopy\"", VERIFY_PRECOPY }, { "false", VERIFY_OFF }, { "\"none\"", VERIFY_OFF } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *parameters = strprintf("\"warm\":true,\"verify\":%s", cases[i].given);
                _cleanup_(job_spec_freep) JobSpec *s = good(FILE_TO, parameters), *again = NULL;
                _cleanup_(json_errors_done) JsonErrors errors = {};

                ck_assert_int_eq(s->parameters.verify, cases[i].verify);
                ck_assert_int_eq(job_spec_from_json(s->document, &again, &errors), 0);
                ck_assert_int_eq(again->parameters.verify, cases[i].verify);
        }
}
END_TEST

START_TEST(what_does_not_go_together_is_refused) {
        static const struct {
                const char *source, *destination, *parameters, *expected;
        } cases[] = {
                { "{\"type\":\"file\",\"path\":\"/a\"}", FILE_TO, "\"warm\":true",
                                "parameters.warm: must be false unless the source is of type \"vsphere\"" },
                { VM, "{\"type\":\"nbd\",\"uri\":\"nbd://h\"}", "\"warm\":true",
                                "parameters.warm: must be false unless the destination is a qcow2 or raw "
                                "file" },
                { VM, "{\"type\":\"file\",\"path\":\"/b.ova\",\"format\":\"ova\"}", "\"warm\":true",
                                "parameters.warm: must be false unless the destination is a qcow2 or raw "
                                "file" },
                { VM, "{\"type\":\"file\",\"path\":\"/dev/sda\",\"format\":\"raw\"}", "\"warm\":true",
                                "parameters.warm: must be false if the destination is a device: the passes "
                                "change an image" },
                { VM, FILE_TO, "\"warm\":true,\"compress\":true",
                                "parameters.compress: must not be given for a warm job: later passes "
                                "cannot change compressed clusters" },
                { VM, FILE_TO, "\"warm\":true,\"compression\":\"zstd\"",
                                "parameters.compression: must not be given for a warm job: later passes "
                                "cannot change compressed clusters" },
                { VM, FILE_TO, "\"warm\":true,\"source_power\":\"keep\"",
                                "parameters.source_power: must not be given for a warm job: the virtual "
                                "machine runs until the cutover" },
                { VM, FILE_TO, "\"warm\":true,\"conversion_method\":\"nfc\"",
                                "parameters.conversion_method: must not be nfc for a warm job: an export has "
                                "all of a disk, not what has changed" },
                { VM, FILE_TO, "\"warm\":true,\"cutover\":\"tomorrow\"",
                                "parameters.cutover: must be \"manual\", or a time such as "
                                "2026-05-01T02:00:00Z" },
                { VM, FILE_TO, "\"warm\":true,\"interval_seconds\":0",
                                "parameters.interval_seconds: must be 1 to 604800" },
                { VM, FILE_TO, "\"warm\":1", "parameters.warm: must be true or false" },
                { VM, FILE_TO, "\"cutover\":\"manual\",\"interval_seconds\":5,\"verify\":\"precopy\"",
                                "parameters.cutover: must not be given unless parameters.warm is true; "
                                "parameters.interval_seconds: must not be given unless parameters.warm is "
                                "true; "
                                "parameters.verify: must be true, false or full unless parameters.warm "
                                "is true" },
                { VM, FILE_TO, "\"warm\":false,\"power_on_after_failure\":true",
                                "parameters.power_on_after_failure: must not be given unless parameters.warm "
                                "is true" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(job_spec_freep) JobSpec *s = NULL;
                _cleanup_free_ char *errors =
                                parse(cases[i].source, cases[i].destination, cases[i].parameters, &s);

                ck_assert_msg(errors, "%s was taken", cases[i].parameters);
                ck_assert_str_eq(errors, cases[i].expected);
        }
}
END_TEST

TEST_MAIN("warm-spec", a_warm_job_has_defaults, a_warm_job_may_say_more, verification_has_old_words_too,
                what_does_not_go_together_is_refused)
