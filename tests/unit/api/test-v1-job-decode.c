/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs of v1: the cases are files below data/, as in test-dialect-jobs. */

#include "api/v1/v1-job-decode.h"
#include "basic/string-util.h"
#include "unit/lib/test.h"
#include "json/json-table.h"

static json_t *load_cases(const char *name) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path = strprintf("%s/tests/unit/data/%s.json", srcdir ? srcdir : ".", name);
        json_error_t error;
        json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

        ck_assert_msg(cases, "%s:%d: %s", path, error.line, error.text);
        ck_assert_uint_gt(json_array_size(cases), 5);
        return cases;
}

static V1JobContext context_of(json_t *c) {
        return (V1JobContext){ .source_name = json_string_value(json_object_get(c, "source")),
                .upload_path = json_string_value(json_object_get(c, "upload")),
                .is_template = json_is_true(json_object_get(c, "template")) };
}

START_TEST(each_form_of_a_job_becomes_the_canonical_one) {
        _cleanup_json_ json_t *cases = load_cases("v1-jobs");
        json_t *c;
        size_t i;

        json_array_foreach(cases, i, c) {
                const V1JobContext context = context_of(c);
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_(dialect_job_done) DialectJob job = {};
                const char *name = json_string_value(json_object_get(c, "name"));
                int r = v1_job_decode(json_object_get(c, "request"), &context, &job, &errors);
                _cleanup_free_ char *text = json_errors_text(&errors), *got = NULL, *wanted = NULL;

                ck_assert_msg(r == 0, "%s: %d, %s", name, r, text);
                got = json_dumps(job.spec->document, JSON_COMPACT | JSON_SORT_KEYS);
                wanted = json_dumps(json_object_get(c, "spec"), JSON_COMPACT | JSON_SORT_KEYS);
                ck_assert_msg(streq(got, wanted), "%s:\n    got %s\n wanted %s", name, got, wanted);
                ck_assert_ptr_null(job.warnings);
        }
}
END_TEST

static bool has_line(const JsonErrors *errors, const char *beginning) {
        for (size_t i = 0; i < errors->n_errors; i++) {
                _cleanup_free_ char *line = json_error_text(&errors->errors[i]);

                if (startswith(line, beginning))
                        return true;
        }
        return false;
}

START_TEST(each_wrong_field_is_named) {
        _cleanup_json_ json_t *cases = load_cases("v1-bad-jobs");
        json_t *c, *wanted;
        size_t i, k;

        json_array_foreach(cases, i, c) {
                const V1JobContext context = context_of(c);
                _cleanup_(json_errors_done) JsonErrors errors = {};
                const char *name = json_string_value(json_object_get(c, "name"));
                json_t *expected = json_object_get(c, "errors");
                DialectJob job = {};
                int r = v1_job_decode(json_object_get(c, "request"), &context, &job, &errors);
                _cleanup_free_ char *text = json_errors_text(&errors);

                ck_assert_msg(r == -EBADMSG, "%s: %d", name, r);
                json_array_foreach(expected, k, wanted)
                        ck_assert_msg(has_line(&errors, json_string_value(wanted)), "%s: no \"%s\" in: %s",
                                        name, json_string_value(wanted), text);
                ck_assert_msg(errors.n_errors == json_array_size(expected), "%s: not %zu errors: %s", name,
                                json_array_size(expected), text);
        }
}
END_TEST

START_TEST(what_must_be_looked_up) {
        static const struct {
                const char *request;
                bool needed;
        } cases[] = {
                { "{\"provider\":\"vsphere\"}", true },
                { "{\"provider\":\"vsphere\",\"provider_id\":null}", true },
                { "{\"provider\":\"vsphere\",\"provider_id\":\"a\"}", false },
                { "{\"provider\":\"local\"}", false },
                { "{\"provider\":7}", false },
                { "{}", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_json_ json_t *request = json_loads(cases[i].request, 0, NULL);

                ck_assert_int_eq(v1_job_needs_source(request), cases[i].needed);
        }
}
END_TEST

TEST_MAIN("v1-job-decode", each_form_of_a_job_becomes_the_canonical_one, each_wrong_field_is_named,
                what_must_be_looked_up)
