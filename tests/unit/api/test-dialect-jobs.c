/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients submit, in both dialects. The cases are files below data/: what is sent, and what must become
 * of it or which errors are told. */

#include "api/hypersdk/hypersdk-decode.h"
#include "api/job-json.h"
#include "dialect/worker-job.h"
#include "unit/lib/test.h"
#include "json/json-redact.h"

typedef int (*decode_func)(json_t *object, DialectJob *ret, JsonErrors *errors);

static const struct {
        const char *name, *id_key;
        const FieldMap *fields;
        decode_func decode;
        decode_func read_back; /* what was shown */
} dialects[] = {
        { "worker", "job_id", worker_fields, worker_job_decode, worker_job_decode_held },
        { "hypersdk", "id", hypersdk_fields, hypersdk_job_decode, hypersdk_job_decode },
};

static json_t *load_cases(const char *dialect, const char *what) {
        const char *srcdir = getenv("srcdir");
        _cleanup_free_ char *path =
                        strprintf("%s/tests/unit/data/%s-%s.json", srcdir ? srcdir : ".", dialect, what);
        json_error_t error;
        json_t *cases = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

        ck_assert_msg(cases, "%s:%d: %s", path, error.line, error.text);
        ck_assert_uint_gt(json_array_size(cases), 5);
        return cases;
}

static char *text_of(const json_t *value) {
        char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

        ck_assert_ptr_nonnull(text);
        return text;
}

static void assert_json_eq(const char *what, const json_t *got, const json_t *wanted) {
        _cleanup_free_ char *a = text_of(got), *b = text_of(wanted);

        ck_assert_msg(streq(a, b), "%s:\n    got %s\n wanted %s", what, a, b);
}

static DialectJob decoded_by(decode_func func, size_t dialect, json_t *request, const char *name) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        DialectJob job = {};
        int r = func(request, &job, &errors);
        _cleanup_free_ char *text = json_errors_text(&errors);

        ck_assert_msg(r == 0, "%s: %s: %d, %s", dialects[dialect].name, name, r, text);
        return job;
}

static DialectJob decoded(size_t dialect, json_t *request, const char *name) {
        return decoded_by(dialects[dialect].decode, dialect, request, name);
}

static void check_good(size_t d) {
        _cleanup_json_ json_t *cases = load_cases(dialects[d].name, "jobs");
        size_t i, j;
        json_t *c, *field;

        json_array_foreach(cases, i, c) {
                const char *name = json_string_value(json_object_get(c, "name"));
                json_t *request = json_object_get(c, "request"), *unknown = json_object_get(c, "unknown");
                _cleanup_json_ json_t *before = json_deep_copy(request), *echo = json_redact(request);
                _cleanup_(dialect_job_done) DialectJob job = decoded(d, request, name);

                assert_json_eq(name, job.spec->document, json_object_get(c, "spec"));
                assert_json_eq(name, job.request, echo);
                assert_json_eq(name, request, before);
                ck_assert_msg(strv_length(job.warnings) == json_array_size(unknown), "%s: %zu warnings",
                                name, strv_length(job.warnings));
                json_array_foreach(unknown, j, field)
                        ck_assert_msg(strstr(job.warnings[j], json_string_value(field)), "%s: %s", name,
                                        job.warnings[j]);
        }
}

START_TEST(each_form_of_a_job_becomes_the_canonical_one) {
        for (size_t d = 0; d < ELEMENTSOF(dialects); d++)
                check_good(d);
}
END_TEST

static void check_bad(size_t d) {
        _cleanup_json_ json_t *cases = load_cases(dialects[d].name, "bad-jobs");
        size_t i, j;
        json_t *c, *wanted;

        json_array_foreach(cases, i, c) {
                const char *name = json_string_value(json_object_get(c, "name"));
                json_t *expected = json_object_get(c, "errors");
                _cleanup_(json_errors_done) JsonErrors errors = {};
                _cleanup_free_ char *text = NULL;
                DialectJob job = {};
                int r = dialects[d].decode(json_object_get(c, "request"), &job, &errors);

                text = json_errors_text(&errors);
                ck_assert_msg(r == -EBADMSG, "%s: %d", name, r);
                ck_assert_msg(errors.n_errors == json_array_size(expected), "%s: not %zu errors: %s", name,
                                json_array_size(expected), text);
                json_array_foreach(expected, j, wanted) {
                        bool found = false;

                        for (size_t e = 0; e < errors.n_errors; e++) {
                                _cleanup_free_ char *line = json_error_text(&errors.errors[e]);
                                found = found || startswith(line, json_string_value(wanted));
                        }
                        ck_assert_msg(found, "%s: no \"%s\" in: %s", name, json_string_value(wanted), text);
                }
        }
}

START_TEST(each_wrong_field_is_named) {
        for (size_t d = 0; d < ELEMENTSOF(dialects); d++)
                check_bad(d);
}
END_TEST

/* canonical → dialect → canonical is the same job again, for every job of either dialect. */
static void check_round_trip(size_t d) {
        for (size_t from = 0; from < ELEMENTSOF(dialects); from++) {
                _cleanup_json_ json_t *cases = load_cases(dialects[from].name, "jobs");
                size_t i;
                json_t *c;

                json_array_foreach(cases, i, c) {
                        json_t *spec = json_object_get(c, "spec");
                        const char *name = json_string_value(json_object_get(c, "name"));
                        _cleanup_json_ json_t *there = dialect_job_from_canonical(dialects[d].fields, spec);
                        _cleanup_(dialect_job_done) DialectJob back =
                                        decoded_by(dialects[d].read_back, d, there, name);

                        assert_json_eq(name, back.spec->document, spec);
                        ck_assert_ptr_null(back.warnings);
                }
        }
}

START_TEST(a_job_of_one_dialect_reads_well_in_the_other) {
        for (size_t d = 0; d < ELEMENTSOF(dialects); d++)
                check_round_trip(d);
}
END_TEST

START_TEST(secrets_are_cut_out) {
        _cleanup_json_ json_t *request = json_loads(
                        "{\"source\":{\"type\":\"nbd\",\"uri\":\"nbds://hush@h/x\",\"tls_psk\":\"0badcafe\","
                        "\"api_key\":\"unused\"},\"destination\":{\"path\":\"/srv/x.qcow2\"},"
                        "\"audit_info\":{\"api_token\":\"t0k3n\",\"requested_by\":\"anna\"}}",
                        0, NULL);
        _cleanup_(dialect_job_done) DialectJob job = decoded(1, request, "secrets");
        _cleanup_free_ char *document = text_of(job.spec->document), *echo = text_of(job.request);
        static const char *const secrets[] = { "0badcafe", "unused", "t0k3n" };

        for (size_t i = 0; i < ELEMENTSOF(secrets); i++) {
                ck_assert_msg(!strstr(document, secrets[i]), "%s", document);
                ck_assert_msg(!strstr(echo, secrets[i]), "%s", echo);
                STRV_FOREACH(w, job.warnings)
                        ck_assert_ptr_null(strstr(*w, secrets[i]));
        }
        ck_assert_str_eq(json_string_value(json_path_get(job.request, "source.tls_psk")), "***");
        ck_assert_str_eq(json_string_value(json_path_get(job.request, "source.api_key")), "***");
        ck_assert_str_eq(
                        json_string_value(json_object_get(job.spec->secrets, "source.tls_psk")), "0badcafe");
        ck_assert_ptr_null(strstr(echo, "hush"));
}
END_TEST

START_TEST(the_log_is_told_of_a_bounded_number_of_unknown_fields) {
        _cleanup_json_ json_t *request = json_pack("{s:{s:s}}", "image", "path", "/data/vm.vmdk");
        char key[32];

        for (unsigned i = 0; i < 1000; i++) {
                snprintf(key, sizeof(key), "field%u", i);
                ck_assert_int_eq(json_object_set_new(request, key, json_true()), 0);
        }
        _cleanup_(dialect_job_done) DialectJob job = decoded(0, request, "many");
        ck_assert_uint_eq(strv_length(job.warnings), 33);
        ck_assert_uint_eq(json_object_size(job.request), 1001);
}
END_TEST

START_TEST(a_job_has_a_size_limit) {
        _cleanup_free_ char *text = calloc(1, JOB_SPEC_MAX + 1);
        _cleanup_(json_errors_done) JsonErrors errors = {};
        DialectJob job = {};

        memset(text, 'x', JOB_SPEC_MAX);
        _cleanup_json_ json_t *request =
                        json_pack("{s:{s:s}, s:s}", "image", "path", "/data/vm.vmdk", "note", text);
        ck_assert_int_eq(worker_job_decode(request, &job, &errors), -EBADMSG);
        ck_assert_str_eq(errors.errors[0].text, "the job must be at most 1048576 bytes long");
}
END_TEST

START_TEST(the_managers_errors_are_told_in_the_clients_words) {
        static const char *const names[][2] = { { "source.path", "audit.x" },
                { "destination.path", "parameters.output_path" }, { "operation", "operation" }, { "", "" },
                { "colour", "colour" } };
        _cleanup_(json_errors_done) JsonErrors from = {}, renamed = {};
        _cleanup_json_ json_t *origins = json_pack("{s:s}", "source.path", "audit.x");

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                ck_assert_int_eq(json_errors_add(&from, names[i][0], "source.path: no"), 0);
        ck_assert_int_eq(dialect_errors_rename(worker_fields, origins, &from, &renamed), 0);
        ck_assert_uint_eq(renamed.n_errors, ELEMENTSOF(names));
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                ck_assert_str_eq(renamed.errors[i].field, names[i][1]);
                ck_assert_str_eq(renamed.errors[i].text, "source.path: no");
        }
}
END_TEST

/* The manager looks at the path that was made; the client knows the field that it was made from. */
START_TEST(an_error_about_a_name_that_was_made_has_the_name_of_its_directory) {
        _cleanup_json_ json_t *request = json_pack("{s:{s:s}, s:{s:s}}", "image", "path", "/data/vm.vmdk",
                        "artifacts", "output_path", "/vms/out/");
        _cleanup_(dialect_job_done) DialectJob job = decoded(0, request, "artifacts");
        _cleanup_(json_errors_done) JsonErrors from = {}, renamed = {};

        ck_assert_int_eq(json_errors_add(&from, "destination.path", "/vms/out/vm.qcow2: exists"), 0);
        ck_assert_int_eq(dialect_errors_rename(worker_fields, job.origins, &from, &renamed), 0);
        ck_assert_str_eq(renamed.errors[0].field, "artifacts.output_path");
}
END_TEST

TEST_MAIN("dialect-jobs", each_form_of_a_job_becomes_the_canonical_one, each_wrong_field_is_named,
                a_job_of_one_dialect_reads_well_in_the_other, secrets_are_cut_out,
                the_log_is_told_of_a_bounded_number_of_unknown_fields, a_job_has_a_size_limit,
                the_managers_errors_are_told_in_the_clients_words,
                an_error_about_a_name_that_was_made_has_the_name_of_its_directory)
