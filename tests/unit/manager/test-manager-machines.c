/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs whose source is a virtual machine of vSphere: their server, their login, their turn. */

#include <sys/wait.h>
#include <unistd.h>

#include "spec/job-result.h"
#include "store/limits.h"
#include "unit/lib/manager-test.h"

#define LOGIN "\"vcenter_url\":\"VC.example.com\",\"username\":\"u\",\"password\":\"s3cret\""

static char *spec_of(Fixture *f, const char *id, const char *login) {
        return strprintf("{\"job_id\":\"%s\",\"operation\":\"convert\",\"source\":{\"type\":\"vsphere\",%s,"
                         "\"vm_path\":\"DC/vm/%s\"},\"destination\":{\"type\":\"file\","
                         "\"path\":\"%s/%s.qcow2\"}}",
                        id, login, id, f->dir, id);
}

static int try_submit(Fixture *f, const char *id, const char *login, sd_bus_error *error) {
        _cleanup_free_ char *spec = spec_of(f, id, login);
        int r = call(f, "SubmitJob", NULL, error, "sa{sv}", spec, 0);

        finish_lookups(f);
        return r;
}

static void submit_machine(Fixture *f, const char *id, const char *login) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_msg(try_submit(f, id, login, &error) >= 0, "%s: %s", id, error.message);
}

static void add_source(Fixture *f) {
        ck_assert_int_ge(call(f, "AddSource", NULL, NULL, "ss",
                                         "{\"name\":\"vc1\",\"vcenter_url\":\"stored.example.com\","
                                         "\"username\":\"admin\",\"datacenter\":\"DC\"}",
                                         "s3cret"),
                        0);
}

static json_t *stored_source(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;

        ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
        ck_assert_ptr_null(strstr(row->spec, "s3cret"));
        _cleanup_json_ json_t *spec = json_loads(row->spec, 0, NULL);
        return json_deep_copy(json_object_get(spec, "source"));
}

static const char *text_of(json_t *object, const char *key) {
        return strna(json_string_value(json_object_get(object, key)));
}

static bool has_password(Fixture *f, const char *id) {
        _cleanup_free_ char *path = strprintf("%s/credentials/job-%s@source.password.cred", f->state, id);

        return access(path, F_OK) == 0;
}

static void limit_servers(Fixture *f, unsigned max) {
        ck_assert_int_eq(limit_rules_set(&f->manager->settings->limits, "vcenter:*", max), 0);
        store_limits_set_rules(f->store, &f->manager->settings->limits);
}

BUS_TEST(a_server_is_read_by_so_many_jobs_at_a_time)
        f.manager->settings->jobs.max_running = 8;
        limit_servers(&f, 2);
        submit_machine(&f, "a", LOGIN);
        submit_machine(&f, "b", LOGIN);
        submit_machine(&f, "c", LOGIN);
        submit_machine(&f, "d", "\"vcenter_url\":\"other\",\"username\":\"u\",\"password\":\"p\"");
        submit(&f, "e", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        expect_state(&f, "b", JOB_RUNNING);
        expect_state(&f, "c", JOB_QUEUED);
        expect_state(&f, "d", JOB_RUNNING);
        expect_state(&f, "e", JOB_RUNNING);
        /* A job that has ended makes room for another one, also after a restart. */
        manager_down(&f);
        manager_up(&f);
        f.manager->settings->jobs.max_running = 8;
        limit_servers(&f, 2);
        settle_down(&f);
        expect_state(&f, "c", JOB_QUEUED);
        leave_result(&f, "a", 1, OUTCOME_COMPLETED, NULL);
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        finish_lookups(&f);
        settle_down(&f);
        expect_state(&f, "c", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(a_password_is_a_credential_of_the_job)
        submit_machine(&f, "a", LOGIN);
        settle_down(&f);
        _cleanup_json_ json_t *source = stored_source(&f, "a");
        ck_assert_str_eq(text_of(source, "password"), "***");
        ck_assert_str_eq(text_of(source, "vcenter_url"), "https://vc.example.com");
        ck_assert(has_password(&f, "a"));
BUS_TEST_END

BUS_TEST(a_named_source_is_filled_in)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL, stolen = SD_BUS_ERROR_NULL;

        ck_assert_int_lt(try_submit(&f, "a", "\"name\":\"vc1\"", &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "vc1"));
        add_source(&f);
        submit_machine(&f, "a", "\"name\":\"vc1\"");
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        _cleanup_json_ json_t *source = stored_source(&f, "a");
        ck_assert_str_eq(text_of(source, "name"), "vc1");
        ck_assert_str_eq(text_of(source, "vcenter_url"), "https://stored.example.com");
        ck_assert_str_eq(text_of(source, "username"), "admin");
        ck_assert_str_eq(text_of(source, "datacenter"), "DC");
        ck_assert(has_password(&f, "a"));
        /* The same again is the same job; it lives on without the source. */
        submit_machine(&f, "a", "\"name\":\"vc1\"");
        ck_assert_int_ge(call(&f, "RemoveSource", NULL, NULL, "s", "vc1"), 0);
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        /* The password of a source goes to no other server. */
        add_source(&f);
        submit_machine(&f, "b",
                        "\"name\":\"vc1\",\"vcenter_url\":\"evil.example.com\",\"password\":\"***\"");
        _cleanup_json_ json_t *other = stored_source(&f, "b");
        ck_assert_str_eq(text_of(other, "vcenter_url"), "https://stored.example.com");
        ck_assert_int_lt(try_submit(&f, "c", "\"name\":\"vc1\",\"vcenter_url\":\"evil.example.com\"",
                                         &stolen),
                        0);
BUS_TEST_END

/* Its password has been removed when it failed, and is there again. */
BUS_TEST(a_failed_job_of_a_named_source_is_retried)
        add_source(&f);
        submit_machine(&f, "a", "\"name\":\"vc1\"");
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "no");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, 1, true);
        settle_down(&f);
        expect_state(&f, "a", JOB_FAILED);
        ck_assert(!has_password(&f, "a"));
        ck_assert_int_ge(call(&f, "RetryJob", NULL, NULL, "sa{sv}", "a", 0), 0);
        ck_assert(has_password(&f, "a"));
BUS_TEST_END

TEST_MAIN("manager-machines", a_server_is_read_by_so_many_jobs_at_a_time,
                a_password_is_a_credential_of_the_job, a_named_source_is_filled_in,
                a_failed_job_of_a_named_source_is_retried)
