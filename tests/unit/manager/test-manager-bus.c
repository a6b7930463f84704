/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1 as its callers meet it, and the description in dbus/ against what the daemon says of itself. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "manager/idle.h"
#include "manager/manager.h"
#include "manager/submit-options.h"
#include "shared/error-table.h"
#include "spec/job-file.h"
#include "unit/lib/introspection.h"
#include "unit/lib/manager-test.h"
#include "unit/lib/private-bus.h"

static void refused(Fixture *f, const char *name, const char *words, const char *spec) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = call(f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0);

        ck_assert_msg(r < 0, "accepted: %s", spec);
        ck_assert_msg(streq(error.name, name) && strstr(error.message, words), "%s: %s", error.name,
                        error.message);
}

BUS_TEST(wrong_specs_are_refused_by_field)
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "JSON", "");
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "JSON", "[]");
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "operation", "{}");
        _cleanup_free_ char
                        *timeout = make_spec(&f, "a",
                                        ",\"execution_policy\":{\"timeout_seconds\":1,\"priority\":101}"),
                        *id = make_spec(&f, "../a", NULL);
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC,
                        "execution_policy.timeout_seconds: must be 60 to 2592000, or 0", timeout);
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "execution_policy.priority", timeout);
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "job_id", id);
        refused(&f, HYPER_BUS_ERROR_PATH_REFUSED, "source.path: /etc/passwd",
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/etc/passwd\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/tmp/x.raw\"}}");
        _cleanup_free_ char *large = malloc(JOB_SPEC_MAX + 2);
        memset(large, ' ', JOB_SPEC_MAX + 1);
        large[JOB_SPEC_MAX + 1] = '\0';
        refused(&f, HYPER_BUS_ERROR_TOO_LARGE, "at most", large);
        ck_assert_ptr_null(f.manager->jobs);
BUS_TEST_END

BUS_TEST(an_error_says_which_fields_it_is_about)
        _cleanup_free_ char
                        *wrong = make_spec(&f, "a",
                                        ",\"execution_policy\":{\"timeout_seconds\":1,\"priority\":101}"),
                        *spec = make_spec(&f, "a", NULL), *other = make_spec(&f, "b", NULL);

        /* The body is one string, and each line of it is about one field. */
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "\nexecution_policy.", wrong);
        ck_assert_uint_eq(f.fields.n_errors, 2);
        ck_assert(json_errors_has(&f.fields, "execution_policy.priority"));
        ck_assert(json_errors_has(&f.fields, "execution_policy.timeout_seconds"));
        refused(&f, HYPER_BUS_ERROR_PATH_REFUSED, "source.path: /etc/passwd: ",
                        "{\"operation\":\"convert\",\"source\":{\"type\":\"file\",\"path\":\"/etc/passwd\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"/tmp/x.raw\"}}");
        ck_assert_uint_eq(f.fields.n_errors, 1);
        ck_assert_str_eq(f.fields.errors[0].field, "source.path");
        ck_assert_ptr_nonnull(startswith(f.fields.errors[0].text, "/etc/passwd: "));

        /* About the whole, and about no field. */
        refused(&f, HYPER_BUS_ERROR_INVALID_SPEC, "JSON", "[]");
        ck_assert_uint_eq(f.fields.n_errors, 1);
        ck_assert_str_eq(f.fields.errors[0].field, "");
        ck_assert_int_lt(call(&f, "GetJob", NULL, NULL, "s", "none"), 0);
        ck_assert_uint_eq(f.fields.n_errors, 1);
        ck_assert_str_eq(f.fields.errors[0].field, "");

        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        _cleanup_json_ json_t *first = json_loads(spec, 0, NULL), *second = json_loads(other, 0, NULL);
        json_object_set(second, "destination", json_object_get(first, "destination"));
        _cleanup_free_ char *there = json_dumps(second, 0);
        refused(&f, HYPER_BUS_ERROR_INVALID_ARGUMENT, "destination.path: job a", there);
        ck_assert_str_eq(f.fields.errors[0].field, "destination.path");
        ck_assert_str_eq(f.fields.errors[0].text, "job a, which is not finished, writes there");
BUS_TEST_END

static void refused_option(Fixture *f, const char *words, const char *key, const char *type, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(f, "a", NULL);
        sd_bus_message *m = NULL;
        va_list ap;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "SubmitJob"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", spec), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", key), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'v', type), 0);
        va_start(ap, type);
        ck_assert_int_ge(sd_bus_message_appendv(m, type, ap), 0);
        va_end(ap);
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        /* Sealed and read back as the daemon would: the reader is what is tested here. */
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
        ck_assert_int_ge(sd_bus_message_skip(m, "s"), 0);

        _cleanup_(submit_options_done) SubmitOptions o = {};
        ck_assert_int_lt(submit_options_read(m, &o, &error), 0);
        ck_assert_msg(error.message && strstr(error.message, words), "%s", strna(error.message));
        sd_bus_message_unref(m);
}

BUS_TEST(wrong_options_are_refused_by_name)
        char name[80];

        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        refused_option(&f, "colour: there is no such option", "colour", "s", "red");
        refused_option(&f, "dialect: must be of type s", "dialect", "u", 1u);
        refused_option(&f, "dialect: must be a short word", "dialect", "s", "Not a word");
        refused_option(&f, "warnings: must be of type as", "warnings", "s", "x");
        refused_option(&f, "secrets: must be of type a{ss}", "secrets", "s", "x");
        refused_option(&f, "secrets: names must be", "secrets", "a{ss}", 1, "../../etc/passwd", "x");
        refused_option(&f, "secrets: names must be", "secrets", "a{ss}", 1, name, "x");
        refused_option(&f, "any-worker: must be of type b", "any-worker", "s", "yes");
        /* What is shown is cut, but not within a character. */
        memcpy(name + 63, "\xc3\xa9", 3);
        refused_option(&f, "aaa\xef\xbf\xbd: there is no such option", name, "s", "x");
BUS_TEST_END

BUS_TEST(the_same_job_twice_is_one_job)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(&f, "a", NULL),
                            *other = make_spec(&f, "a", ",\"audit_info\":{\"x\":1}");
        sd_bus_message *m = NULL;
        const char *id, *path;
        int created;

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_ge(call(&f, "SubmitJob", &m, NULL, "sa{sv}", spec, 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "sob", &id, &path, &created), 0);
        ck_assert_str_eq(id, "a");
        ck_assert(!created);
        m = sd_bus_message_unref(m);
        ck_assert_int_eq(call(&f, "SubmitJob", NULL, &error, "sa{sv}", other, 0), -EEXIST);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_JOB_EXISTS);

        /* Also when it is over, its source gone and its output there. */
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir);
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_ge(call(&f, "SubmitJob", &m, NULL, "sa{sv}", spec, 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "sob", &id, &path, &created), 0);
        ck_assert(!created);
        sd_bus_message_unref(m);
BUS_TEST_END

BUS_TEST(a_job_without_an_id_gets_one)
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir),
                            *spec = strprintf("{\"operation\":\"convert\",\"source\":{\"type\":\"file\","
                                              "\"path\":\"%s\"},"
                                              "\"destination\":{\"type\":\"file\",\"path\":\"%s/"
                                              "x.raw\"},\"resolved_paths\":{\"source\":\"/etc/shadow\"}}",
                                            source, f.dir);
        sd_bus_message *m = NULL;
        const char *id;

        make_file(source, "disk");
        ck_assert_int_ge(call(&f, "SubmitJob", &m, NULL, "sa{sv}", spec, 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &id), 0);
        ck_assert_uint_eq(strlen(id), 36);
        settle_down(&f);
        /* What a client calls "resolved" is not believed. */
        _cleanup_(job_spec_freep) JobSpec *stored = NULL;
        ck_assert_int_eq(manager_load_spec(f.manager, id, &stored), 0);
        ck_assert_str_eq(stored->source.path, source);
        sd_bus_message_unref(m);
BUS_TEST_END

BUS_TEST(where_links_led_at_submission_is_kept)
        _cleanup_free_ char *real = strprintf("%s/real.raw", f.dir), *link = strprintf("%s/link.raw", f.dir),
                            *spec = strprintf("{\"job_id\":\"a\",\"operation\":\"convert\",\"source\":{"
                                              "\"type\":\"file\",\"path\":\"%s\"},"
                                              "\"destination\":{\"type\":\"file\",\"path\":\"%s/x.raw\"}}",
                                            link, f.dir),
                            *directory = directory_of(&f, "a");
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        sd_bus_message *m = NULL;
        int created;

        make_file(real, "disk");
        ck_assert_int_eq(symlink(real, link), 0);
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        ck_assert_int_eq(unlink(link), 0);
        settle_down(&f);
        ck_assert_int_eq(job_plan_read(directory, &plan), 0);
        ck_assert_str_eq(plan->spec->source.path, real);
        ck_assert_str_eq(plan->source_files[0], real);
        /* It is still the same job to who asks for it again. */
        ck_assert_int_ge(call(&f, "SubmitJob", &m, NULL, "sa{sv}", spec, 0), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "sob", NULL, NULL, &created), 0);
        ck_assert(!created);
        sd_bus_message_unref(m);
BUS_TEST_END

/* The ids that ListJobs gives, with one filter or none: a list of one word, or a word and a limit of two. */
static uint64_t list(
                Fixture *f, const char *expected, const char *type, const char *key, const char *value) {
        _cleanup_strv_free_ char **ids = NULL;
        sd_bus_message *m = NULL;
        const char *id;
        uint64_t total;

        if (!key)
                ck_assert_int_ge(call(f, "ListJobs", &m, NULL, "a{sv}", 0), 0);
        else if (streq(type, "as"))
                ck_assert_int_ge(call(f, "ListJobs", &m, NULL, "a{sv}", 1, key, "as", 1, value), 0);
        else
                ck_assert_int_ge(call(f, "ListJobs", &m, NULL, "a{sv}", 2, key, "s", value, "limit", "t",
                                                 (uint64_t) 2),
                                0);
        ck_assert_int_gt(sd_bus_message_read(m, "t", &total), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(sosssdttsttts)"), 0);
        while (sd_bus_message_read(m, "(sosssdttsttts)", &id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                               NULL, NULL, NULL, NULL) > 0)
                ck_assert_int_ge(strv_extend(&ids, id), 0);
        sd_bus_message_unref(m);
        _cleanup_free_ char *joined = strv_join(ids, " ");
        ck_assert_str_eq(joined, expected);
        return total;
}

BUS_TEST(lists)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        f.manager->settings->jobs.max_running = 1;
        submit(&f, "a", NULL);
        submit(&f, "b", ",\"execution_policy\":{\"priority\":10}");
        submit(&f, "c", NULL);
        settle_down(&f);
        ck_assert_uint_eq(list(&f, "c b a", NULL, NULL, NULL), 3);
        ck_assert_uint_eq(list(&f, "a", "as", "states", "RUNNING"), 1);
        ck_assert_uint_eq(list(&f, "b", "as", "ids", "b"), 1);
        ck_assert_uint_eq(list(&f, "", "as", "ids", "none"), 0);
        ck_assert_uint_eq(list(&f, "a b", "s", "order", "oldest"), 3);

        ck_assert_int_eq(call(&f, "ListJobs", NULL, &error, "a{sv}", 1, "order", "s", "up"), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error.message, "order: must be newest, oldest or queue"));
        ck_assert_int_eq(call(&f, "ListJobs", NULL, NULL, "a{sv}", 1, "limit", "t", (uint64_t) 1001),
                        -EINVAL);
        ck_assert_int_eq(call(&f, "ListJobs", NULL, NULL, "a{sv}", 1, "limit", "t", (uint64_t) 0), -EINVAL);
        ck_assert_int_eq(call(&f, "ListJobs", NULL, NULL, "a{sv}", 1, "limit", "u", 5u), -EINVAL);
        ck_assert_int_eq(call(&f, "ListJobs", NULL, NULL, "a{sv}", 1, "states", "as", 1, "DONE"), -EINVAL);
        ck_assert_int_eq(call(&f, "ListJobs", NULL, NULL, "a{sv}", 1, "colour", "s", "red"), -EINVAL);
BUS_TEST_END

BUS_TEST(details_are_json)
        sd_bus_message *m = NULL;
        const char *path, *text;

        submit(&f, "a-b", NULL);
        settle_down(&f);
        ck_assert_int_ge(call(&f, "GetJob", &m, NULL, "s", "a-b"), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "os", &path, &text), 0);
        ck_assert_str_eq(path, "/org/hyper1/job/a_2db");
        _cleanup_json_ json_t *o = json_loads(text, 0, NULL);
        const char *state, *unit;
        json_t *history, *started, *finished;
        ck_assert_int_eq(json_unpack(o, "{s:s, s:s, s:o, s:o, s:o}", "state", &state, "unit", &unit,
                                         "state_history", &history, "started_at", &started, "finished_at",
                                         &finished),
                        0);
        ck_assert_str_eq(state, "RUNNING");
        ck_assert_str_eq(unit, "hyper-job-a\\x2db.service");
        ck_assert_uint_eq(json_array_size(history), 5);
        ck_assert(json_is_string(started));
        ck_assert(json_is_null(finished));
        ck_assert_int_eq(call(&f, "GetJob", NULL, NULL, "s", "none"), -ENOENT);
        ck_assert_int_eq(call(&f, "GetJob", NULL, NULL, "s", "../../etc"), -ENOENT);
        sd_bus_message_unref(m);
BUS_TEST_END

/* Calls any interface of the daemon. */
static sd_bus_message *ask(Fixture *f, const char *path, const char *interface, const char *member,
                const char *types, const char *a, const char *b) {
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_method_call(
                                         f->client, &m, HYPER_BUS_NAME, path, interface, member),
                        0);
        if (types)
                ck_assert_int_ge(sd_bus_message_append(m, types, a, b), 0);
        return private_bus_call(m);
}

static char *job_property(Fixture *f, const char *path, const char *name) {
        sd_bus_message *m = ask(
                        f, path, "org.freedesktop.DBus.Properties", "Get", "ss", HYPER_JOB_INTERFACE, name);
        const char *s;

        ck_assert_int_gt(sd_bus_message_read(m, "v", "s", &s), 0);
        char *copy = strdup(s);
        sd_bus_message_unref(m);
        return copy;
}

static size_t count_managed(Fixture *f) {
        sd_bus_message *m = ask(f, HYPER_BUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                        NULL, NULL, NULL);
        size_t n = 0;

        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"), 0);
        while (sd_bus_message_skip(m, "{oa{sa{sv}}}") > 0)
                n++;
        sd_bus_message_unref(m);
        return n;
}

BUS_TEST(job_objects)
        submit(&f, "a", NULL);
        settle_down(&f);
        _cleanup_free_ char *running = job_property(&f, "/org/hyper1/job/a", "State"),
                            *spec = job_property(&f, "/org/hyper1/job/a", "Spec");
        ck_assert_str_eq(running, "RUNNING");
        ck_assert_ptr_nonnull(strstr(spec, "\"operation\":\"convert\""));
        ck_assert_uint_eq(count_managed(&f), 1);

        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        /* A finished one is not listed, but is there for who knows its path. */
        ck_assert_uint_eq(count_managed(&f), 0);
        _cleanup_free_ char *completed = job_property(&f, "/org/hyper1/job/a", "State"),
                            *result = job_property(&f, "/org/hyper1/job/a", "Result");
        ck_assert_str_eq(completed, "COMPLETED");
        ck_assert_ptr_nonnull(strstr(result, "\"outputs\""));
        sd_bus_message *m = ask(&f, "/org/hyper1/job/a", HYPER_JOB_INTERFACE, "Cancel", NULL, NULL, NULL);
        ck_assert(sd_bus_message_is_method_error(m, HYPER_BUS_ERROR_JOB_FINISHED));
        sd_bus_message_unref(m);
        m = ask(&f, "/org/hyper1/job/none", HYPER_JOB_INTERFACE, "Cancel", NULL, NULL, NULL);
        ck_assert(sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT));
        sd_bus_message_unref(m);
        m = ask(&f, "/org/hyper1/job/_2e_2e", HYPER_JOB_INTERFACE, "Cancel", NULL, NULL, NULL);
        ck_assert(sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT));
        sd_bus_message_unref(m);
BUS_TEST_END

BUS_TEST(a_job_has_the_screenshot_of_its_proof_of_boot)
        const char *object = "/org/hyper1/job/a";
        _cleanup_free_ char *directory = strprintf("%s/screenshots", f.manager->state_directory),
                            *path = strprintf("%s/a.png", directory);
        const void *png;
        size_t size;

        submit(&f, "a", NULL);
        settle_down(&f);
        sd_bus_message *m = ask(&f, object, HYPER_JOB_INTERFACE, "Screenshot", NULL, NULL, NULL);
        ck_assert(sd_bus_message_is_method_error(m, HYPER_BUS_ERROR_NO_SUCH_FILE));
        sd_bus_message_unref(m);

        ck_assert_int_eq(mkdir(directory, 0700), 0);
        ck_assert_int_eq(symlink("/etc/hostname", path), 0);
        m = ask(&f, object, HYPER_JOB_INTERFACE, "Screenshot", NULL, NULL, NULL);
        ck_assert(sd_bus_message_is_method_error(m, NULL));
        sd_bus_message_unref(m);
        ck_assert_int_eq(unlink(path), 0);

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "\x89PNG\0\n", 6, 0600), 0);
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        m = ask(&f, object, HYPER_JOB_INTERFACE, "Screenshot", NULL, NULL, NULL);
        ck_assert_int_gt(sd_bus_message_read_array(m, 'y', &png, &size), 0);
        ck_assert(size == 6 && memcmp(png, "\x89PNG\0\n", 6) == 0);
        sd_bus_message_unref(m);
BUS_TEST_END

BUS_TEST(a_job_is_cancelled_through_its_object)
        submit(&f, "a", NULL);
        settle_down(&f);
        sd_bus_message *m = ask(&f, "/org/hyper1/job/a", HYPER_JOB_INTERFACE, "Cancel", NULL, NULL, NULL);
        ck_assert(!sd_bus_message_is_method_error(m, NULL));
        sd_bus_message_unref(m);
        ck_assert_int_eq(state_of(&f, "a"), JOB_CANCELLED);
        settle_down(&f);
        ck_assert(unit_of(&f, "a")->stopped);
BUS_TEST_END

BUS_TEST(a_bad_configuration_is_not_taken)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = strprintf("%s/config.yaml", f.config);

        make_file(path, "jobs:\n  max_running: 3\n");
        ck_assert_int_ge(call(&f, "Reload", NULL, NULL, NULL), 0);
        ck_assert_uint_eq(f.manager->settings->jobs.max_running, 3);
        make_file(path, "jobs:\n  max_runing: 5\n");
        ck_assert_int_lt(call(&f, "Reload", NULL, &error, NULL), 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(error.message, "config.yaml:2: jobs.max_runing"));
        ck_assert_uint_eq(f.manager->settings->jobs.max_running, 3);

        sd_bus_message *m = NULL;
        const char *text;
        ck_assert_int_ge(call(&f, "GetConfig", &m, NULL, NULL), 0);
        ck_assert_int_gt(sd_bus_message_read(m, "s", &text), 0);
        ck_assert_ptr_nonnull(strstr(text, "\"max_running\":3"));
        sd_bus_message_unref(m);
BUS_TEST_END

START_TEST(a_manager_with_nothing_to_do_ends_and_gives_its_name_up_first) {
        Fixture f;

        fixture_open(&f);
        manager_up(&f);
        f.manager->settings->daemon.idle_timeout = USEC_PER_SEC / 5;
        sd_event_source_set_time_relative(f.manager->idle_timer, 0);
        submit(&f, "a", NULL);
        usec_t end = now_monotonic() + USEC_PER_SEC;
        while (now_monotonic() < end)
                settle_down(&f);
        ck_assert(!f.exited); /* a job runs */
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        end = now_monotonic() + 5 * USEC_PER_SEC;
        while (!f.exited && now_monotonic() < end)
                settle_down(&f);
        ck_assert(f.exited);
        ck_assert_int_eq(f.exit_code, 0);
        ck_assert(f.manager->draining);
        fixture_close(&f);
}
END_TEST

START_TEST(a_job_that_comes_in_the_last_moment_is_not_forgotten) {
        Fixture f;

        fixture_open(&f);
        manager_up(&f);
        f.manager->last_call = 0;
        f.manager->settings->daemon.idle_timeout = USEC_PER_MSEC;
        usec_t end = now_monotonic() + 5 * USEC_PER_SEC;
        do /* what it does at its start keeps it from ending */
                settle_down(&f);
        while (!manager_is_idle(f.manager) && now_monotonic() < end);
        /* The call is on its way when the manager decides to end. */
        _cleanup_free_ char *spec = make_spec(&f, "a", NULL);
        ck_assert_int_ge(
                        sd_bus_call_method_async(f.client, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                        HYPER_MANAGER_INTERFACE, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0),
                        0);
        ck_assert_int_ge(sd_bus_flush(f.client), 0);
        sd_event_source_set_priority(f.manager->idle_timer, SD_EVENT_PRIORITY_IMPORTANT);
        sd_event_source_set_time_relative(f.manager->idle_timer, 0);
        end = now_monotonic() + 5 * USEC_PER_SEC;
        while (!f.exited && now_monotonic() < end)
                settle_down(&f);
        ck_assert(f.exited);
        ck_assert_int_eq(f.exit_code, 75); /* systemd starts it again for this status */
        ck_assert_int_eq(state_of(&f, "a"), JOB_QUEUED);
        ck_assert_ptr_null(unit_of(&f, "a"));
        fixture_close(&f);
}
END_TEST

/* --- introspection --------------------------------------------------------------------------------- */

static void compare(Fixture *f, const char *path, const char *interface) {
        sd_bus_message *m =
                        ask(f, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL, NULL);
        const char *xml;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &xml), 0);
        introspection_compare(xml, interface);
        sd_bus_message_unref(m);
}

BUS_TEST(the_description_is_what_the_daemon_says)
        submit(&f, "a", NULL);
        compare(&f, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE);
        compare(&f, "/org/hyper1/job/a", HYPER_JOB_INTERFACE);
        compare(&f, HYPER_BUS_PATH, HYPER_DELIVERIES_INTERFACE);
        compare(&f, HYPER_BUS_PATH, HYPER_SOURCES_INTERFACE);
        compare(&f, HYPER_BUS_PATH, HYPER_SESSIONS_INTERFACE);
        compare(&f, HYPER_BUS_PATH, HYPER_SLURM_INTERFACE);
        ck_assert_int_ge(call(&f, "CreateSchedule", NULL, NULL, "sa{sv}",
                                         "{\"id\":\"a\",\"schedule\":\"@daily\",\"job\":{\"operation\":"
                                         "\"convert\","
                                         "\"source\":{\"type\":\"file\",\"path\":\"/srv/a\"},"
                                         "\"destination\":{\"type\":\"file\",\"path\":\"/srv/b.raw\"}}}",
                                         0),
                        0);
        compare(&f, "/org/hyper1/schedule/a", HYPER_SCHEDULE_INTERFACE);
BUS_TEST_END

TEST_MAIN("manager-bus", an_error_says_which_fields_it_is_about, wrong_specs_are_refused_by_field,
                wrong_options_are_refused_by_name, the_same_job_twice_is_one_job,
                a_job_without_an_id_gets_one, where_links_led_at_submission_is_kept, lists, details_are_json,
                job_objects, a_job_has_the_screenshot_of_its_proof_of_boot,
                a_job_is_cancelled_through_its_object, a_bad_configuration_is_not_taken,
                a_manager_with_nothing_to_do_ends_and_gives_its_name_up_first,
                a_job_that_comes_in_the_last_moment_is_not_forgotten,
                the_description_is_what_the_daemon_says)
