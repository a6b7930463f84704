/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules as clients of the HyperSDK API write and read them. */

#include "api/hypersdk/hypersdk-schedule-json.h"
#include "unit/lib/test.h"

#define TEMPLATE(destination) \
        "\"job_template\":{\"source\":{\"type\":\"file\",\"path\":\"/srv/a.vmdk\"}" destination "}"

static void assert_output(const char *destination, const char *expected) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_free_ char *text = strprintf("{\"schedule\":\"@daily\"," TEMPLATE("%s") "}", destination);
        _cleanup_json_ json_t *body = json_loads(text, 0, NULL), *definition = NULL;

        ck_assert_int_eq(hypersdk_schedule_decode(body, true, &definition, &job, &errors), 0);
        ck_assert_str_eq(json_string_value(json_path_get(definition, "job.destination.path")), expected);
}

START_TEST(an_output_without_a_name_is_called_after_each_run) {
        assert_output("", "/srv/{job_id}.qcow2");
        assert_output(",\"format\":\"vmdk\"", "/srv/{job_id}.vmdk"); /* not the source */
        assert_output(",\"output_dir\":\"/out\",\"format\":\"raw\"", "/out/{job_id}.raw");
        assert_output(",\"destination\":{\"path\":\"/out/\"}", "/out/{job_id}.qcow2");
        assert_output(",\"destination\":{\"path\":\"/out/mine.raw\"}", "/out/mine.raw");
        assert_output(",\"output_dir\":\"/out\",\"source\":{\"uri\":\"nbd://h/x\"}", "/out/{job_id}.qcow2");
        assert_output(",\"destination\":{\"path\":\"/out/{job_id}/x.raw\"}", "/out/{job_id}/x.raw");
}
END_TEST

static void assert_refused(const char *text, bool create, const char *expected) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = json_loads(text, 0, NULL), *definition = NULL;

        ck_assert_int_eq(hypersdk_schedule_decode(body, create, &definition, &job, &errors), -EBADMSG);
        ck_assert_uint_ge(errors.n_errors, 1);
        _cleanup_free_ char *first = json_error_text(&errors.errors[0]);
        ck_assert_msg(startswith(first, expected), "%s", first);
}

START_TEST(mistakes_in_a_template_are_told_with_their_place) {
        assert_refused("{\"schedule\":\"@daily\"}", true, "job_template: must be given");
        assert_refused("{\"job_template\":7}", false, "job_template: must be an object");
        assert_refused("{\"job_template\":{\"source\":{\"type\":\"file\",\"path\":\"x\"}}}", false,
                        "job_template.source.path: ");
}
END_TEST

START_TEST(a_change_has_what_was_given_and_no_more) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = json_loads("{\"name\":null,\"enabled\":false,\"colour\":\"blue\"}", 0,
                                              NULL),
                              *definition = NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(hypersdk_schedule_decode(body, false, &definition, &job, &errors), 0);
        text = json_dumps(definition, JSON_COMPACT);
        ck_assert_str_eq(text, "{\"enabled\":false}"); /* null and other zero values are not given */
        ck_assert_ptr_null(job.spec);
}
END_TEST

START_TEST(a_schedule_that_came_another_way_is_put_into_words) {
        const ScheduleRow row = { .id = (char *) "a",
                .name = (char *) "A",
                .description = (char *) "",
                .expression = (char *) "@daily",
                .spec = (char *) "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/srv/"
                                 "a.vmdk\"},"
                                 "\"destination\":{\"type\":\"file\",\"path\":\"/srv/b.raw\"}}",
                .dialect = (char *) "bus" };
        _cleanup_json_ json_t *object = hypersdk_schedule_json(&row);

        ck_assert_ptr_nonnull(object);
        ck_assert_str_eq(
                        json_string_value(json_path_get(object, "job_template.source.path")), "/srv/a.vmdk");
        ck_assert(json_is_null(json_object_get(object, "next_run")));
        ck_assert(json_is_null(json_object_get(object, "last_job_id")));
        ck_assert_str_eq(json_string_value(json_object_get(object, "overlap_policy")), "skip");
        ck_assert_str_eq(json_string_value(json_path_get(object, "job_template.vm_path")), "/srv/a.vmdk");

        /* The answer to a change has the schedule in it, and its fields beside that. */
        _cleanup_json_ json_t *reply = hypersdk_schedule_reply_json(&row, "done", false, USEC_PER_SEC),
                              *sdk = hypersdk_schedule_reply_json(&row, "done", true, USEC_PER_SEC);
        ck_assert(json_equal(json_object_get(reply, "schedule"), object));
        ck_assert_str_eq(json_string_value(json_object_get(reply, "message")), "done");
        ck_assert_str_eq(json_string_value(json_object_get(reply, "name")), "A");
        ck_assert(json_is_object(json_object_get(reply, "job_template")));
        ck_assert_str_eq(json_string_value(json_object_get(sdk, "schedule")), "@daily");
        ck_assert_str_eq(json_string_value(json_object_get(sdk, "name")), "A");
}
END_TEST

TEST_MAIN("dialect-schedules", an_output_without_a_name_is_called_after_each_run,
                mistakes_in_a_template_are_told_with_their_place, a_change_has_what_was_given_and_no_more,
                a_schedule_that_came_another_way_is_put_into_words)
