/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Warm jobs: passes, the time between them, the cutover, and what is put back after the end. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "manager/job-cutover.h"
#include "manager/queue.h"
#include "manager/restore.h"
#include "manager/wake-timer.h"
#include "shared/error-table.h"
#include "spec/job-file.h"
#include "spec/job-remains.h"
#include "spec/job-result.h"
#include "spec/warm-state.h"
#include "store/totals.h"
#include "unit/lib/manager-test.h"

#define HOUR (3600 * USEC_PER_SEC)
#define TIMER "hyper-passes.timer"

static void work(Fixture *f) {
        finish_lookups(f);
        settle_down(f);
}

static void submit_warm(Fixture *f, const char *id, const char *parameters) {
        _cleanup_free_ char *spec = strprintf(
                        "{\"job_id\":\"%s\",\"operation\":\"convert\",\"source\":{\"type\":\"vsphere\","
                        "\"vcenter_url\":\"vc\",\"username\":\"u\",\"password\":\"p\",\"vm_path\":\"%s\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s/%s.qcow2\"},"
                        "\"parameters\":{\"warm\":true%s}}",
                        id, id, f->dir, id, parameters);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_msg(call(f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0) >= 0, "%s", error.message);
        work(f);
}

/* As the job leaves it when a pass is complete. */
static void leave_pass(Fixture *f, const char *id, unsigned attempt, unsigned pass, double estimate) {
        _cleanup_free_ char *directory = directory_of(f, id);
        const JobResult result = {
                .attempt = attempt,
                .outcome = OUTCOME_PASS,
                .phase = PHASE_CONVERSION,
                .warm = { .pass = pass, .bytes = 1000, .seconds = 10, .estimate_seconds = estimate },
        };

        ck_assert_int_ge(job_result_write(&result, directory), 0);
}

static void pass_ends(Fixture *f, const char *id, unsigned pass, double estimate) {
        leave_pass(f, id, 1, pass, estimate);
        fake_ends(f, id, "success", CLD_EXITED, JOB_EXIT_PASS, true);
}

static void time_passes(Fixture *f, usec_t time) {
        test_clock += time;
        queue_wake(f->manager);
        settle_down(f);
        work(f);
}

static int set_cutover(
                Fixture *f, const char *id, const char *when, char **ret_warning, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_free_ char *path = NULL;
        const char *warning;

        ck_assert_int_ge(sd_bus_path_encode(HYPER_JOB_PATH_PREFIX, id, &path), 0);
        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, path,
                                         HYPER_JOB_INTERFACE, "SetCutover"),
                        0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", when), 0);
        int r = call_message(f, TAKE_PTR(m), &reply, error);
        if (r >= 0) {
                ck_assert_int_gt(sd_bus_message_read(reply, "s", &warning), 0);
                if (ret_warning)
                        *ret_warning = strdup(warning);
        }
        settle_down(f);
        work(f);
        return r;
}

static void refused(Fixture *f, const char *id, const char *when, const char *name, const char *words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_int_lt(set_cutover(f, id, when, NULL, &error), 0);
        ck_assert_str_eq(error.name, name);
        ck_assert_msg(strstr(error.message, words), "%s", error.message);
}

static void accepted(Fixture *f, const char *id, usec_t at, const char *warning) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *told = NULL;
        char time[RFC3339_SIZE];

        ck_assert_msg(set_cutover(f, id, at == 0 ? "now" : format_rfc3339(time, at), &told, &error) >= 0,
                        "%s", error.message);
        ck_assert_msg(warning ? strstr(told, warning) != NULL : isempty(told), "%s", told);
}

static JobPlan *plan_of(Fixture *f, const char *id) {
        _cleanup_free_ char *directory = directory_of(f, id);
        JobPlan *plan = NULL;

        ck_assert_int_eq(job_plan_read(directory, &plan), 0);
        return plan;
}

static void expect_pass(Fixture *f, const char *id, unsigned pass, bool cutover) {
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;

        expect_state(f, id, JOB_RUNNING);
        ck_assert(unit_is_live(f, id));
        plan = plan_of(f, id);
        ck_assert_uint_eq(plan->warm_pass, pass);
        ck_assert_int_eq(plan->cutover, cutover);
        ck_assert_uint_eq(plan->attempt, manager_get_job(f->manager, id)->row->attempt);
}

static JobRow *row_of(Fixture *f, const char *id) {
        JobRow *row = NULL;

        ck_assert_int_eq(store_job_get(f->store, id, &row), 0);
        return row;
}

static void expect_waiting(Fixture *f, const char *id, usec_t due_at) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);

        expect_state(f, id, JOB_QUEUED);
        /* (The clock of the test moves a little with each look.) */
        ck_assert_uint_ge(row->due_at + USEC_PER_SEC, due_at);
        ck_assert_uint_le(row->due_at, due_at + USEC_PER_SEC);
        ck_assert_uint_eq(manager_get_job(f->manager, id)->row->due_at, row->due_at);
        ck_assert(!unit_is_live(f, id));
        ck_assert_uint_eq(row->attempt, 0);
}

static usec_t row_due(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);

        return row->due_at;
}

static WarmState warm_of(Fixture *f, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);
        WarmState warm;

        ck_assert_int_eq(warm_state_decode(row->warm, &warm), 0);
        return warm;
}

static FakeUnit *wake_timer(Fixture *f) {
        for (size_t i = 0; i < f->n_units; i++)
                if (streq(f->units[i].name, TIMER))
                        return f->units[i].live ? &f->units[i] : NULL;
        return NULL;
}

static void cutover_ends(Fixture *f, const char *id, unsigned pass) {
        _cleanup_free_ char *directory = directory_of(f, id);
        const JobResult result = { .attempt = 1,
                .outcome = OUTCOME_COMPLETED,
                .phase = PHASE_FINALIZATION,
                .warm = { .pass = pass, .bytes = 10, .seconds = 5, .downtime_seconds = 2.5 } };

        ck_assert_int_ge(job_result_write(&result, directory), 0);
        leave_mark(f, id, JOB_MARK_PUBLISHED);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
}

static void wait_for_exit(Fixture *f) {
        usec_t end = now_monotonic() + 60 * USEC_PER_SEC;

        f->manager->settings->daemon.idle_timeout = 1;
        f->manager->last_call = 0;
        sd_event_source_set_time_relative(f->manager->idle_timer, 0);
        while (!f->exited && now_monotonic() < end)
                settle_down(f);
        ck_assert(f->exited);
}

static void fail_in_cutover(Fixture *f, const char *id) {
        submit_warm(f, id, "");
        pass_ends(f, id, 1, 1);
        accepted(f, id, 0, NULL);
        leave_result(f, id, 1, OUTCOME_FAILED, "the guest does not shut down");
        fake_ends(f, id, "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        expect_state(f, id, JOB_FAILED);
        ck_assert(unit_of(f, id)->put_back);
}

/* As "hyper-job put-back" does that could not do all. */
static void leave_remains(Fixture *f, const char *id, unsigned tries) {
        _cleanup_free_ char *directory = directory_of(f, id);
        const JobRemains remains = {
                .tries = tries,
                .next_at = test_clock + job_remains_pause(tries),
                .message = (char *) "the server is away; it is off: power it on",
                .powered_off = true,
        };

        ck_assert_int_ge(job_remains_write(&remains, directory), 0);
        fake_ends(f, id, "exit-code", CLD_EXITED, 1, true);
        ck_assert_int_eq(access(directory, F_OK), tries < JOB_REMAINS_TRIES ? 0 : -1);
}

static void leave_nothing(Fixture *f, const char *id) {
        _cleanup_free_ char *directory = directory_of(f, id);

        ck_assert_int_eq(job_mark_clear(directory, JOB_REMAINS_FILE), 0);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
        ck_assert_int_lt(access(directory, F_OK), 0);
}

/* @text is part of what the result says; NULL: nothing. */
static void expect_remains(Fixture *f, const char *id, const char *text, bool again) {
        _cleanup_(job_row_freep) JobRow *row = row_of(f, id);
        _cleanup_json_ json_t *result = json_loads(row->result, 0, NULL);
        json_t *remains = json_object_get(result, "remains");
        const char *message = json_string_value(json_object_get(remains, "message"));

        ck_assert_int_eq(json_is_object(remains), text != NULL);
        ck_assert_msg(!text || strstr(message, text), "%s", message);
        ck_assert_int_eq(json_is_string(json_object_get(remains, "next_try")), again);
}

BUS_TEST(a_warm_job_waits_between_its_passes_and_ends_with_the_cutover)
        JobTotals totals;

        f.manager->settings->jobs.max_running = 1;
        submit_warm(&f, "a", "");
        expect_pass(&f, "a", 1, false);
        pass_ends(&f, "a", 1, 20);
        expect_waiting(&f, "a", test_clock + HOUR);
        expect_reason(&f, "a", "Pass 1 is complete after 10s");
        ck_assert_ptr_nonnull(strstr(f.warm_events, "warm_waiting a: The next pass begins at 20"));

        /* It has no slot meanwhile. */
        submit(&f, "other", NULL);
        work(&f);
        expect_state(&f, "other", JOB_RUNNING);
        leave_mark(&f, "other", JOB_MARK_PUBLISHED);
        fake_ends(&f, "other", "success", CLD_EXITED, 0, true);

        time_passes(&f, HOUR - 2 * USEC_PER_SEC);
        expect_state(&f, "a", JOB_QUEUED);
        time_passes(&f, 3 * USEC_PER_SEC);
        expect_pass(&f, "a", 2, false);
        pass_ends(&f, "a", 2, 15);
        accepted(&f, "a", 0, NULL);
        expect_pass(&f, "a", 3, true);
        cutover_ends(&f, "a", 3);
        expect_state(&f, "a", JOB_COMPLETED);
        expect_states(&f, "a",
                        "CREATED VALIDATED QUEUED ASSIGNED RUNNING QUEUED ASSIGNED RUNNING QUEUED ASSIGNED "
                        "RUNNING COMPLETED");
        WarmState warm = warm_of(&f, "a");
        ck_assert_uint_eq(warm.passes, 3);
        ck_assert_uint_eq(warm.total_bytes, 2010);
        ck_assert_double_eq(warm.downtime_seconds, 2.5);
        ck_assert_int_eq(store_job_totals(f.store, &totals), 0);
        ck_assert_uint_eq(totals.warm_passes, 3);
        ck_assert_uint_eq(totals.warm_cutovers, 1);
        ck_assert_double_eq(totals.warm_downtime, 2.5);
        ck_assert_ptr_null(f.manager->jobs);
        ck_assert(!unit_of(&f, "a")->put_back);
BUS_TEST_END

BUS_TEST(a_cutover_has_a_time)
        usec_t at = test_clock + HOUR + HOUR / 2;
        char text[RFC3339_SIZE];
        _cleanup_free_ char *parameters = strprintf(",\"cutover\":\"%s\"", format_rfc3339(text, at));

        submit_warm(&f, "a", parameters);
        pass_ends(&f, "a", 1, 20);
        usec_t next = test_clock + HOUR;
        expect_waiting(&f, "a", next);
        time_passes(&f, HOUR);
        expect_pass(&f, "a", 2, false);
        pass_ends(&f, "a", 2, 20);
        /* Before that of another pass. */
        expect_waiting(&f, "a", at);
        ck_assert_ptr_nonnull(strstr(f.warm_events, "warm_waiting a: The cutover begins at 20"));
        time_passes(&f, HOUR / 2 - 2 * USEC_PER_SEC);
        expect_state(&f, "a", JOB_QUEUED);
        time_passes(&f, 3 * USEC_PER_SEC);
        expect_pass(&f, "a", 3, true);
BUS_TEST_END

BUS_TEST(a_pass_that_would_delay_the_cutover_is_left_out)
        submit_warm(&f, "a", ",\"interval_seconds\":600");
        pass_ends(&f, "a", 1, 3100);
        expect_waiting(&f, "a", test_clock + HOUR / 6);
        usec_t at = test_clock + HOUR;
        accepted(&f, "a", at, NULL);
        expect_waiting(&f, "a", at);
        /* A later one leaves time. */
        accepted(&f, "a", at + HOUR, NULL);
        expect_waiting(&f, "a", test_clock + HOUR / 6);
        ck_assert_int_ge(set_cutover(&f, "a", "cancel", NULL, NULL), 0);
        expect_waiting(&f, "a", test_clock + HOUR / 6);
        ck_assert_uint_eq(warm_of(&f, "a").cutover_at, 0);
BUS_TEST_END

BUS_TEST(a_cutover_in_a_pass_follows_it)
        submit_warm(&f, "a", "");
        refused(&f, "a", "now", HYPER_BUS_ERROR_WRONG_STATE, "The first pass of job a is not complete");
        accepted(&f, "a", test_clock, "The first pass is not complete");
        expect_pass(&f, "a", 1, false);
        pass_ends(&f, "a", 1, 60);
        expect_pass(&f, "a", 2, true);
        /* From here on it is too late. */
        refused(&f, "a", "now", HYPER_BUS_ERROR_WRONG_STATE, "has begun already");
        refused(&f, "a", "cancel", HYPER_BUS_ERROR_WRONG_STATE, "has begun already");

        submit_warm(&f, "b", "");
        pass_ends(&f, "b", 1, 60);
        time_passes(&f, HOUR);
        expect_pass(&f, "b", 2, false);
        accepted(&f, "b", test_clock + HOUR, NULL);
        accepted(&f, "b", test_clock + 30 * USEC_PER_SEC, "Pass 2 is under way");
        accepted(&f, "b", 0, "probably in 1min");
        pass_ends(&f, "b", 2, 60);
        expect_pass(&f, "b", 3, true);
BUS_TEST_END

BUS_TEST(what_is_no_cutover_is_refused)
        submit(&f, "cold", NULL);
        submit_warm(&f, "a", "");
        work(&f);
        refused(&f, "cold", "now", HYPER_BUS_ERROR_WRONG_STATE, "is not a warm job");
        refused(&f, "a", "cancel", HYPER_BUS_ERROR_WRONG_STATE, "No cutover of job a is planned");
        refused(&f, "a", "tomorrow", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must be \"now\"");
        refused(&f, "a", "", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must be \"now\"");
        refused(&f, "a", "9999-99-99T00:00:00Z", HYPER_BUS_ERROR_INVALID_ARGUMENT, "must be \"now\"");
        pass_ends(&f, "a", 1, 1);
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        refused(&f, "a", "now", HYPER_BUS_ERROR_WRONG_STATE, "is CANCELLED already");
BUS_TEST_END

BUS_TEST(attempts_are_counted_for_failures_only)
        submit_warm(&f, "a", "");
        for (unsigned pass = 1; pass <= 8; pass++) {
                expect_pass(&f, "a", pass, false);
                pass_ends(&f, "a", pass, 1);
                time_passes(&f, HOUR);
        }
        /* The default are 3 retries, in each pass. */
        for (unsigned attempt = 1; attempt <= 3; attempt++) {
                expect_pass(&f, "a", 9, false);
                leave_result(&f, "a", attempt, OUTCOME_TRANSIENT, "the server is busy");
                fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_TRANSIENT, true);
                expect_state(&f, "a", JOB_RETRYING);
                time_passes(&f, 60 * USEC_PER_SEC);
        }
        leave_pass(&f, "a", 4, 9, 1);
        fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_PASS, true);
        expect_waiting(&f, "a", test_clock + HOUR);
        time_passes(&f, HOUR);
        expect_pass(&f, "a", 10, false);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "tracking is not possible");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        expect_state(&f, "a", JOB_FAILED);
BUS_TEST_END

BUS_TEST(the_result_of_another_pass_is_no_result)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        time_passes(&f, HOUR);
        pass_ends(&f, "a", 1, 1);
        expect_state(&f, "a", JOB_RETRYING);
        ck_assert_uint_eq(warm_of(&f, "a").passes, 1);
        time_passes(&f, 60 * USEC_PER_SEC);
        leave_pass(&f, "a", 2, 2, 1);
        fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_PASS, true);
        expect_waiting(&f, "a", test_clock + HOUR);
        /* A cutover does not end with one. */
        accepted(&f, "a", 0, NULL);
        expect_pass(&f, "a", 3, true);
        pass_ends(&f, "a", 3, 1);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "reports that a pass is complete");
BUS_TEST_END

BUS_TEST(a_cancelled_job_that_waits_is_put_back)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        _cleanup_free_ char *part = strprintf("%s/.a.qcow2.hyper-part", f.dir),
                            *directory = directory_of(&f, "a");
        ck_assert_int_eq(mkdir(part, 0700), 0);
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert(has_mark(&f, "a", JOB_MARK_CANCELLED));
        ck_assert(unit_is_live(&f, "a"));
        ck_assert(unit_of(&f, "a")->finish);
        ck_assert(unit_of(&f, "a")->put_back);
        ck_assert(unit_of(&f, "a")->has_credentials);

        /* The manager is killed, and then the power goes: it is done once more. */
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        manager_up(&f);
        settle_down(&f);
        ck_assert(unit_is_live(&f, "a"));
        ck_assert(unit_of(&f, "a")->put_back);
        ck_assert_int_eq(rmdir(part), 0);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        ck_assert_ptr_null(f.manager->jobs);
        ck_assert_int_lt(access(directory, F_OK), 0);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 3);
BUS_TEST_END

BUS_TEST(a_failed_job_is_put_back_and_can_be_retried)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        accepted(&f, "a", 0, NULL);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "the guest does not shut down");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        expect_state(&f, "a", JOB_FAILED);
        ck_assert(unit_of(&f, "a")->put_back);
        ck_assert(!unit_of(&f, "a")->finish); /* nothing of it is published */
        fake_ends(&f, "a", "exit-code", CLD_EXITED, 1, true);
        ck_assert_ptr_null(f.manager->jobs);

        /* It goes on with the same pass, and that is the cutover. */
        ck_assert_int_ge(call(&f, "RetryJob", NULL, NULL, "sa{sv}", "a", 1, "secrets", "a{ss}", 1,
                                         "source.password", "p"),
                        0);
        work(&f);
        expect_pass(&f, "a", 2, true);
BUS_TEST_END

/* Its paths are looked at before each attempt: earlier ones may have shut the source down. */
BUS_TEST(a_job_that_cannot_begin_its_next_attempt_is_put_back)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        _cleanup_free_ char *path = strprintf("%s/a.qcow2", f.dir);
        _cleanup_close_ int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(file, 0);
        time_passes(&f, HOUR);
        expect_state(&f, "a", JOB_FAILED);
        ck_assert(unit_is_live(&f, "a"));
        ck_assert(unit_of(&f, "a")->put_back);
        ck_assert(unit_of(&f, "a")->has_credentials);
        leave_nothing(&f, "a");
BUS_TEST_END

BUS_TEST(what_could_not_be_put_back_is_shown_and_tried_again)
        fail_in_cutover(&f, "a");
        leave_remains(&f, "a", 1);
        expect_remains(&f, "a", "it is off: power it on", true);
        ck_assert_ptr_null(f.manager->jobs);

        /* Not by a manager that starts before the time has come; and its secrets are still there then. */
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        ck_assert(!unit_is_live(&f, "a"));
        time_passes(&f, 2 * USEC_PER_MINUTE);
        ck_assert(unit_is_live(&f, "a"));
        ck_assert(unit_of(&f, "a")->put_back);
        ck_assert(unit_of(&f, "a")->has_credentials);
        leave_remains(&f, "a", 2);
        time_passes(&f, 3 * USEC_PER_MINUTE);
        leave_nothing(&f, "a");
        expect_remains(&f, "a", NULL, false);
        expect_state(&f, "a", JOB_FAILED);
        time_passes(&f, HOUR);
        ck_assert(!unit_is_live(&f, "a"));
BUS_TEST_END

BUS_TEST(a_cancelled_job_shows_what_is_left_and_is_given_up_at_last)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        _cleanup_free_ char *directory = directory_of(&f, "a");
        /* The unit did not get as far. */
        fake_ends(&f, "a", "exit-code", CLD_EXITED, 243, true);
        expect_remains(&f, "a", "did not start (exit-code)", true);
        for (unsigned tries = 2; tries <= JOB_REMAINS_TRIES; tries++) {
                time_passes(&f, HOUR + USEC_PER_MINUTE);
                ck_assert(unit_is_live(&f, "a"));
                leave_remains(&f, "a", tries);
        }
        expect_remains(&f, "a", "power it on", false);
        ck_assert_int_lt(access(directory, F_OK), 0);
        expect_state(&f, "a", JOB_CANCELLED);
BUS_TEST_END

BUS_TEST(the_manager_exits_while_something_is_left)
        fail_in_cutover(&f, "a");
        leave_remains(&f, "a", 4);
        wait_for_exit(&f);
        ck_assert_ptr_nonnull(wake_timer(&f));
        bool needed = false;
        ck_assert_int_eq(restore_is_needed(f.store, f.manager->state_directory, &needed), 0);
        ck_assert(needed);
BUS_TEST_END

BUS_TEST(a_retry_forgets_what_was_left)
        fail_in_cutover(&f, "a");
        leave_remains(&f, "a", 1);
        ck_assert_int_ge(call(&f, "RetryJob", NULL, NULL, "sa{sv}", "a", 1, "secrets", "a{ss}", 1,
                                         "source.password", "p"),
                        0);
        work(&f);
        expect_pass(&f, "a", 2, true);
        _cleanup_free_ char *directory = directory_of(&f, "a");
        ck_assert_int_eq(job_mark_is_set(directory, JOB_REMAINS_FILE), 0);
        cutover_ends(&f, "a", 2);
        expect_state(&f, "a", JOB_COMPLETED);
        ck_assert_int_lt(access(directory, F_OK), 0);
BUS_TEST_END

BUS_TEST(a_job_that_never_began_needs_no_putting_back)
        f.manager->draining = true;
        submit_warm(&f, "a", "");
        f.manager->draining = false;
        ck_assert_int_ge(cancel(&f, "a"), 0);
        settle_down(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert_ptr_null(unit_of(&f, "a"));
        ck_assert_ptr_null(f.manager->jobs);
BUS_TEST_END

BUS_TEST(passes_outlive_the_manager)
        submit_warm(&f, "a", "");
        /* killed in a pass */
        manager_down(&f);
        manager_up(&f);
        expect_pass(&f, "a", 1, false);
        manager_down(&f);
        leave_pass(&f, "a", 1, 1, 1);
        fake_ends(&f, "a", "", 0, 0, false);
        usec_t due = test_clock + HOUR;
        manager_up(&f);
        settle_down(&f);
        expect_waiting(&f, "a", due);
        /* killed while it waits */
        accepted(&f, "a", due + HOUR, NULL);
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        expect_waiting(&f, "a", due);
        ck_assert_uint_eq(warm_of(&f, "a").cutover_at, due + HOUR);
        /* away when the pass was due */
        manager_down(&f);
        test_clock = due + 5 * USEC_PER_SEC;
        manager_up(&f);
        work(&f);
        expect_pass(&f, "a", 2, false);
        /* power cut in the pass: it is repeated */
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        manager_up(&f);
        settle_down(&f);
        expect_state(&f, "a", JOB_RETRYING);
        time_passes(&f, 60 * USEC_PER_SEC);
        expect_pass(&f, "a", 2, false);
        leave_pass(&f, "a", 2, 2, 1);
        fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_PASS, true);
        time_passes(&f, HOUR);
        /* power cut in the cutover, likewise */
        expect_pass(&f, "a", 3, true);
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        manager_up(&f);
        settle_down(&f);
        time_passes(&f, 60 * USEC_PER_SEC);
        expect_pass(&f, "a", 3, true);
BUS_TEST_END

BUS_TEST(the_manager_exits_while_jobs_wait)
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        ck_assert_ptr_null(wake_timer(&f));
        char expected[64];
        time_t t = (time_t) ((row_due(&f, "a") + USEC_PER_SEC - 1) / USEC_PER_SEC);
        strftime(expected, sizeof(expected), "OnCalendar=%Y-%m-%d %H:%M:%S UTC", gmtime(&t));
        wait_for_exit(&f);
        ck_assert_int_eq(f.exit_code, 0);
        ck_assert_ptr_nonnull(wake_timer(&f));
        ck_assert_str_eq(wake_timer(&f)->when[0], expected);
        ck_assert_ptr_null(wake_timer(&f)->when[1]);
BUS_TEST_END

static void on_set(Manager *m, int r) {
        ck_assert_int_eq(r, 0);
}

BUS_TEST(the_next_manager_removes_the_timer)
        ck_assert_int_ge(wake_timer_set(f.manager, test_clock + HOUR, on_set), 0);
        settle_down(&f);
        ck_assert_ptr_nonnull(wake_timer(&f));
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        ck_assert_ptr_null(wake_timer(&f));
BUS_TEST_END

BUS_TEST(a_job_that_waits_has_no_place_in_the_queue)
        uint64_t position;

        f.manager->settings->jobs.max_running = 1;
        submit_warm(&f, "a", "");
        pass_ends(&f, "a", 1, 1);
        submit(&f, "b", NULL);
        submit(&f, "c", NULL);
        work(&f);
        ck_assert_int_eq(store_job_queue_position(f.store, "a", NULL, &position), 0);
        ck_assert_uint_eq(position, 0);
        ck_assert_int_eq(store_job_queue_position(f.store, "c", NULL, &position), 0);
        ck_assert_uint_eq(position, 1);
BUS_TEST_END

TEST_MAIN("manager-warm", a_warm_job_waits_between_its_passes_and_ends_with_the_cutover,
                a_cutover_has_a_time, a_pass_that_would_delay_the_cutover_is_left_out,
                a_cutover_in_a_pass_follows_it, what_is_no_cutover_is_refused,
                attempts_are_counted_for_failures_only, the_result_of_another_pass_is_no_result,
                a_cancelled_job_that_waits_is_put_back, a_failed_job_is_put_back_and_can_be_retried,
                a_job_that_cannot_begin_its_next_attempt_is_put_back,
                what_could_not_be_put_back_is_shown_and_tried_again,
                a_cancelled_job_shows_what_is_left_and_is_given_up_at_last,
                the_manager_exits_while_something_is_left, a_retry_forgets_what_was_left,
                a_job_that_never_began_needs_no_putting_back, passes_outlive_the_manager,
                the_manager_exits_while_jobs_wait, the_next_manager_removes_the_timer,
                a_job_that_waits_has_no_place_in_the_queue)
