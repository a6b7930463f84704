/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs from their submission to their end: the queue, retries, cancels. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/fd-util.h"
#include "manager/manager.h"
#include "manager/queue.h"
#include "shared/error-table.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "unit/lib/manager-test.h"

static bool directory_is_gone(Fixture *f, const char *id) {
        _cleanup_free_ char *directory = directory_of(f, id);

        return access(directory, F_OK) < 0;
}

static void part_directory(Fixture *f, const char *id, char **ret) {
        *ret = strprintf("%s/.%s.qcow2.hyper-part", f->dir, id);
}

static void run_to_completion(Fixture *f, const char *id) {
        leave_mark(f, id, JOB_MARK_PUBLISHED);
        fake_ends(f, id, "success", CLD_EXITED, 0, true);
}

/* The pause before the next attempt is over. */
static void time_passes(Fixture *f, unsigned seconds) {
        test_clock += seconds * USEC_PER_SEC;
        queue_wake(f->manager);
        settle_down(f);
}

BUS_TEST(a_job_runs_and_completes)
        submit(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert(unit_is_live(&f, "a"));
        run_to_completion(&f, "a");
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
        ck_assert(directory_is_gone(&f, "a"));
        ck_assert_ptr_null(f.manager->jobs);
        ck_assert_str_eq(f.signals,
                        "a CREATED>VALIDATED\na VALIDATED>QUEUED\na QUEUED>ASSIGNED\na ASSIGNED>RUNNING\na "
                        "RUNNING>COMPLETED\n");
        ck_assert_uint_eq(f.n_added, 1);
        ck_assert_uint_eq(f.n_removed, 1);
BUS_TEST_END

BUS_TEST(the_answer_comes_after_the_job_is_durable)
        _cleanup_free_ char *path = strprintf("%s/hyper.db", f.state), *spec = make_spec(&f, "a", NULL);
        _cleanup_(store_freep) Store *reader = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;

        f.manager->draining = true; /* nothing is started, so what is there came with the answer */
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "dialect", "s", "worker"), 0);
        ck_assert_int_eq(store_open(path, STORE_READER, &reader), 0);
        ck_assert_int_eq(store_job_get(reader, "a", &row), 0);
        ck_assert_int_eq(row->state, JOB_QUEUED);
        ck_assert_str_eq(row->reason, "Added to the queue with priority 50");
        ck_assert_str_eq(row->dialect, "worker");
        expect_states(&f, "a", "CREATED VALIDATED QUEUED");
BUS_TEST_END

BUS_TEST(no_more_run_than_may_and_the_highest_priority_first)
        f.manager->settings->jobs.max_running = 1;
        submit(&f, "first", NULL);
        settle_down(&f); /* it runs before the others come */
        submit(&f, "low", ",\"execution_policy\":{\"priority\":10}");
        submit(&f, "high", ",\"execution_policy\":{\"priority\":90}");
        submit(&f, "high-too", ",\"execution_policy\":{\"priority\":90}");
        settle_down(&f);
        static const char *const order[] = { "first", "high", "high-too", "low" };
        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                expect_state(&f, order[i], JOB_RUNNING);
                ck_assert_uint_eq(f.n_live, 1);
                run_to_completion(&f, order[i]);
        }
        ck_assert_uint_eq(f.most_live, 1);
BUS_TEST_END

BUS_TEST(what_may_pass_is_tried_again_after_a_pause)
        submit(&f, "a", ",\"execution_policy\":{\"retry_count\":1}");
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_TRANSIENT, "the server hung up");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_TRANSIENT, true);
        expect_state(&f, "a", JOB_RETRYING);
        expect_reason(&f, "a",
                        "Attempt 1 failed in phase conversion: the server hung up; the next one begins in 1 "
                        "s");
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);

        time_passes(&f, 2);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 2);
        /* The result of the attempt before is not taken for this one's. */
        leave_result(&f, "a", 1, OUTCOME_FAILED, "old news");
        fake_ends(&f, "a", "signal", CLD_KILLED, SIGKILL, true);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "killed by signal 9");
        expect_reason(&f, "a", "no retry is left after 2 attempts");
        _cleanup_free_ char *result = result_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(result, "\"error\":{"));
        ck_assert(directory_is_gone(&f, "a"));
BUS_TEST_END

static int retry(Fixture *f, const char *id, sd_bus_error *error) {
        int r = call(f, "RetryJob", NULL, error, "sa{sv}", id, 0);

        settle_down(f);
        return r;
}

BUS_TEST(a_failed_job_is_retried_on_request)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(&f, "a", NULL);
        _cleanup_(job_row_freep) JobRow *row = NULL;

        submit(&f, "a", NULL);
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "no such luck");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        expect_state(&f, "a", JOB_FAILED);
        /* It is shown, and kept for the next who asks for its object. */
        ck_assert_ptr_null(f.manager->jobs);

        /* The same once more says what can be done. */
        ck_assert_int_lt(call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0), 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_JOB_EXISTS);
        ck_assert_ptr_nonnull(strstr(error.message, "failed at 20"));
        ck_assert_ptr_nonnull(strstr(error.message, "use another id"));
        ck_assert_ptr_nonnull(strstr(error.message, "hyperctl retry a"));

        test_clock += 100 * USEC_PER_SEC;
        ck_assert_int_ge(retry(&f, "a", NULL), 0);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 2);
        ck_assert_uint_eq(f.n_added, 2);
        ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
        ck_assert_uint_eq(row->attempt, 2);
        ck_assert_ptr_null(row->result);
        ck_assert_uint_eq(row->finished_at, 0);
        ck_assert_uint_ge(row->started_at, row->created_at + 100 * USEC_PER_SEC);
        run_to_completion(&f, "a");
        expect_states(&f, "a",
                        "CREATED VALIDATED QUEUED ASSIGNED RUNNING FAILED QUEUED ASSIGNED RUNNING "
                        "COMPLETED");
        ck_assert(directory_is_gone(&f, "a"));
BUS_TEST_END

BUS_TEST(a_retry_outlives_the_manager)
        submit(&f, "a", NULL);
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "no such luck");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        f.manager->draining = true;
        ck_assert_int_ge(retry(&f, "a", NULL), 0);
        expect_state(&f, "a", JOB_QUEUED);
        manager_down(&f);
        manager_up(&f);
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(what_cannot_be_retried_is_refused)
        static const char *const wrong[] = { "runs", "done", "gone" };
        _cleanup_(sd_bus_error_free) sd_bus_error none = SD_BUS_ERROR_NULL, held = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *same = NULL;

        submit(&f, "failed", NULL);
        submit(&f, "runs", NULL);
        submit(&f, "done", NULL);
        submit(&f, "gone", NULL);
        settle_down(&f);
        run_to_completion(&f, "done");
        ck_assert_int_ge(cancel(&f, "gone"), 0);
        settle_down(&f);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                ck_assert_int_lt(retry(&f, wrong[i], &error), 0);
                ck_assert_msg(sd_bus_error_has_names(&error, HYPER_BUS_ERROR_WRONG_STATE,
                                              HYPER_BUS_ERROR_UNAVAILABLE),
                                "%s: %s", wrong[i], error.name);
        }
        ck_assert_int_lt(retry(&f, "none", &none), 0);
        ck_assert_str_eq(none.name, HYPER_BUS_ERROR_NO_SUCH_JOB);

        /* Another job writes to the same place. */
        leave_result(&f, "failed", 1, OUTCOME_FAILED, "no such luck");
        fake_ends(&f, "failed", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        same = strprintf("{\"job_id\":\"other\",\"operation\":\"convert\",\"source\":{\"type\":\"file\","
                         "\"path\":\"%s/source.raw\"},"
                         "\"destination\":{\"type\":\"file\",\"path\":\"%s/failed.qcow2\"}}",
                        f.dir, f.dir);
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", same, 0), 0);
        settle_down(&f);
        ck_assert_int_lt(retry(&f, "failed", &held), 0);
        ck_assert_str_eq(held.name, HYPER_BUS_ERROR_WRONG_STATE);
        ck_assert_ptr_nonnull(strstr(held.message, "other"));
        expect_state(&f, "failed", JOB_FAILED);
BUS_TEST_END

/* Its secrets went when it failed. (The row is written here: without systemd-creds none is accepted.) */
BUS_TEST(a_retry_without_its_secret_names_the_secret)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        JobRow row = {
                .id = (char *) "a",
                .operation = (char *) "convert",
                .spec = (char *) "{\"job_id\":\"a\",\"operation\":\"convert\",\"source\":{\"type\":\"nbd\","
                                 "\"uri\":\"nbds://user@h.example/x\",\"tls_psk\":\"***\"},"
                                 "\"destination\":{\"type\":\"file\",\"path\":\"/tmp/psk.raw\"}}",
                .dialect = (char *) "bus",
                .state = JOB_FAILED,
                .created_at = test_clock,
                .phase = _PHASE_INVALID,
                .percent = -1,
        };
        const JobStateRow failed = { JOB_FAILED, test_clock, (char *) "no such luck" };

        ck_assert_int_ge(store_job_insert(f.store, &row, &failed, 1), 0);
        row.reason = mfree(row.reason);
        ck_assert_int_lt(retry(&f, "a", &error), 0);
        ck_assert_str_eq(error.name, HYPER_BUS_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_nonnull(startswith(error.message, "source.tls_psk: this secret was removed"));
        ck_assert_uint_eq(f.fields.n_errors, 1);
        ck_assert_str_eq(f.fields.errors[0].field, "source.tls_psk");
        ck_assert_ptr_nonnull(startswith(f.fields.errors[0].text, "this secret was removed"));
BUS_TEST_END

BUS_TEST(a_job_that_is_not_idempotent_is_not_tried_again)
        submit(&f, "a", ",\"execution_policy\":{\"idempotent\":false}");
        settle_down(&f);
        fake_ends(&f, "a", "signal", CLD_KILLED, SIGKILL, true);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "not idempotent");
BUS_TEST_END

BUS_TEST(a_stop_from_outside_is_no_attempt)
        submit(&f, "a", ",\"execution_policy\":{\"retry_count\":0}");
        settle_down(&f);
        for (unsigned i = 1; i <= 3; i++) {
                leave_result(&f, "a", 1, OUTCOME_CANCELLED, "SIGTERM came");
                leave_mark(&f, "a", JOB_MARK_STOPPED);
                fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_CANCELLED, true);
                expect_state(&f, "a", JOB_RETRYING);
                ck_assert_uint_eq(manager_get_job(f.manager, "a")->row->attempt, 0);
                _cleanup_(job_row_freep) JobRow *row = NULL;
                ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
                ck_assert_uint_eq(row->attempt, 0);
                time_passes(&f, 2);
                ck_assert_uint_eq(unit_of(&f, "a")->starts, i + 1);
        }
        /* The job says so, and systemd does not. */
        leave_result(&f, "a", 1, OUTCOME_CANCELLED, "SIGTERM came");
        fake_ends(&f, "a", "success", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "no retry is left after 1 attempt");
BUS_TEST_END

BUS_TEST(a_timeout_is_final)
        submit(&f, "a", ",\"execution_policy\":{\"timeout_seconds\":7200}");
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_CANCELLED, "SIGTERM came");
        fake_ends(&f, "a", "timeout", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "timed out after 7200 s in phase conversion");
BUS_TEST_END

BUS_TEST(what_systemd_says_is_the_reason)
        f.start_error = "Transaction for hyper-job-a.service/start is destructive";
        submit(&f, "a", ",\"execution_policy\":{\"retry_count\":0}");
        settle_down(&f);
        expect_state(&f, "a", JOB_FAILED);
        expect_reason(&f, "a", "is destructive");
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED FAILED");
BUS_TEST_END

BUS_TEST(a_source_that_vanished_before_the_start)
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir);

        f.manager->settings->jobs.max_running = 1;
        submit(&f, "a", NULL);
        submit(&f, "b", NULL);
        settle_down(&f);
        ck_assert_int_eq(unlink(source), 0);
        run_to_completion(&f, "a");
        expect_state(&f, "b", JOB_FAILED);
        expect_reason(&f, "b", "Failed before it started: source.path: ");
        ck_assert_ptr_null(unit_of(&f, "b"));
        _cleanup_free_ char *result = result_of(&f, "b");
        ck_assert_ptr_nonnull(strstr(result, "\"source_missing\""));
BUS_TEST_END

BUS_TEST(a_source_that_became_a_link_before_the_start)
        _cleanup_free_ char *source = strprintf("%s/source.raw", f.dir);

        f.manager->settings->jobs.max_running = 1;
        submit(&f, "a", NULL);
        submit(&f, "b", NULL);
        settle_down(&f);
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(symlink("/etc/shadow", source), 0);
        run_to_completion(&f, "a");
        expect_state(&f, "b", JOB_FAILED);
        expect_reason(&f, "b", "a symbolic link was put into it");
BUS_TEST_END

BUS_TEST(a_waiting_job_is_cancelled)
        f.manager->settings->jobs.max_running = 1;
        submit(&f, "a", NULL);
        submit(&f, "b", NULL);
        settle_down(&f);
        ck_assert_int_eq(cancel(&f, "b"), 0);
        expect_states(&f, "b", "CREATED VALIDATED QUEUED CANCELLED");
        run_to_completion(&f, "a");
        ck_assert_ptr_null(unit_of(&f, "b"));
        ck_assert_int_eq(cancel(&f, "b"), -EALREADY);
        ck_assert_int_eq(cancel(&f, "a"), -EALREADY);
        ck_assert_int_eq(cancel(&f, "none"), -ENOENT);
BUS_TEST_END

BUS_TEST(a_running_job_is_cancelled)
        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(cancel(&f, "a"), 0);
        /* Recorded and marked before the unit is stopped. */
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert(has_mark(&f, "a", JOB_MARK_CANCELLED));
        settle_down(&f);
        ck_assert(unit_of(&f, "a")->stopped);
        ck_assert(!directory_is_gone(&f, "a"));
        leave_result(&f, "a", 1, OUTCOME_CANCELLED, "SIGTERM came");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING CANCELLED");
        ck_assert(directory_is_gone(&f, "a"));
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);
BUS_TEST_END

/* Whoever may write to the notification socket can ask systemd for more time than the unit has. */
BUS_TEST(a_unit_that_systemd_does_not_end_is_killed)
        submit(&f, "timely", NULL);
        submit(&f, "late", ",\"execution_policy\":{\"timeout_seconds\":60}");
        settle_down(&f);
        f.manager->patience = 0;
        ck_assert_int_eq(cancel(&f, "timely"), 0);
        settle_down(&f);
        ck_assert_uint_eq(unit_of(&f, "timely")->n_kills, 0);
        ck_assert_int_ge(sd_event_source_set_time_relative(
                                         manager_get_job(f.manager, "timely")->unit.overdue, 0),
                        0);
        ck_assert_int_ge(sd_event_source_set_time_relative(
                                         manager_get_job(f.manager, "late")->unit.overdue, 0),
                        0);
        while (unit_of(&f, "late")->n_kills == 0 || unit_of(&f, "timely")->n_kills == 0)
                ck_assert_int_ge(sd_event_run(f.event, USEC_INFINITY), 0);
        fake_ends(&f, "late", "signal", CLD_KILLED, SIGKILL, true);
        fake_ends(&f, "timely", "signal", CLD_KILLED, SIGKILL, true);
        expect_state(&f, "timely", JOB_CANCELLED);
BUS_TEST_END

BUS_TEST(a_job_is_cancelled_while_it_starts)
        f.hold_start = true;
        submit(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_ASSIGNED);
        ck_assert_int_eq(cancel(&f, "a"), 0);
        settle_down(&f);
        ck_assert(unit_of(&f, "a")->stopped);
        fake_started(&f, "a"); /* systemd's answer was on its way */
        fake_ends(&f, "a", "success", 0, 0, true);
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED CANCELLED");
        ck_assert(directory_is_gone(&f, "a"));
BUS_TEST_END

BUS_TEST(the_place_of_a_cancelled_job_is_free_once_its_unit_is_gone)
        _cleanup_free_ char *spec = strprintf(
                        "{\"operation\":\"convert\",\"job_id\":\"b\",\"source\":{\"type\":\"file\",\"path\":"
                        "\"%s/source.raw\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s/a.qcow2\",\"format\":\"qcow2\"}}",
                        f.dir, f.dir);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0), -EINVAL);
        ck_assert_ptr_nonnull(strstr(
                        error.message, "destination.path: job a, which is not finished, writes there"));

        ck_assert_int_eq(cancel(&f, "a"), 0);
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        submit(&f, "c", NULL);
        settle_down(&f);
        expect_state(&f, "b", JOB_QUEUED); /* a still stops */
        expect_state(&f, "c", JOB_RUNNING); /* and nobody else waits for that */
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "b", JOB_RUNNING);
BUS_TEST_END

/* A job that changes the guest on a.raw, and on further disks. */
static int submit_fix(Fixture *f, const char *id, const char *first, const char *further, char **ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = strprintf("{\"operation\":\"offline_fix\",\"job_id\":\"%s\","
                                              "\"source\":{\"type\":\"file\",\"path\":\"%s/%s.raw\","
                                              "\"format\":\"raw\",\"further_disks\":[\"%s/%s.raw\"]}}",
                        id, f->dir, first, f->dir, further);
        int r = call(f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0);

        *ret_error = error.message ? strdup(error.message) : NULL;
        return r;
}

/* On a machine without hyper-guest, a job with a guest is refused when it is submitted, unless a worker may
 * take it. */
BUS_TEST(a_job_with_a_guest_requires_its_package)
        static const char convert[] = ",\"parameters\":{\"fix\":\"%s\"}";
        static const struct {
                const char *operation, *expected;
        } operations[] = { { "inspect", "operation: guests are neither" },
                { "fs_repair", "operation: guests are neither" },
                { "convert", "parameters.fix: guests are neither" } };

        manager_down(&f);
        f.guest_program = "/nowhere/hyper-guest"; /* make_spec() makes the source */
        manager_up(&f);
        for (size_t i = 0; i < ELEMENTSOF(operations); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_free_ char *fix = strprintf(convert, "auto"), *copy = make_spec(&f, "a", fix),
                                    *alone = strprintf("{\"operation\":\"%s\",\"source\":{\"type\":"
                                                       "\"file\",\"path\":\"%s/source.raw\"}}",
                                                    operations[i].operation, f.dir);
                const char *spec = streq(operations[i].operation, "convert") ? copy : alone;

                ck_assert_int_lt(call(&f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0), 0);
                ck_assert_msg(strstr(error.message, operations[i].expected) &&
                                                strstr(error.message, "install the package hyper-guest"),
                                "%s", error.message);
                ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1),
                                0);
        }
        _cleanup_free_ char *none = strprintf(convert, "none"), *plain = make_spec(&f, "b", none);
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", plain, 0), 0);
BUS_TEST_END

BUS_TEST(each_disk_is_changed_by_one_job_at_a_time)
        static const struct {
                const char *first, *further, *field;
        } others[] = { { "b", "c", "source.path: job a, which" }, { "a", "c", "source.path: job a, which" },
                { "c", "b", "source.further_disks: job a, which" } };
        _cleanup_free_ char *text = NULL;

        for (const char *name = "abcd"; *name; name++) {
                _cleanup_free_ char *path = strprintf("%s/%c.raw", f.dir, *name);
                ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, path, "disk", 4, 0600), 0);
        }
        ck_assert_int_ge(submit_fix(&f, "a", "a", "b", &text), 0);
        settle_down(&f);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_free_ char *why = NULL;

                ck_assert_int_lt(submit_fix(&f, "x", others[i].first, others[i].further, &why), 0);
                ck_assert_msg(why && strstr(why, others[i].field), "%s", strna(why));
        }
        /* When it is cancelled, they are free; but they are used only when its unit is gone. */
        ck_assert_int_eq(cancel(&f, "a"), 0);
        free(text);
        ck_assert_int_ge(submit_fix(&f, "x", "c", "b", &text), 0);
        settle_down(&f);
        expect_state(&f, "x", JOB_QUEUED);
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "x", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(a_job_that_is_being_published_cannot_be_cancelled)
        _cleanup_free_ char *directory = directory_of(&f, "a");

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(job_mark_claim(directory, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(cancel(&f, "a"), -EALREADY);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert(!unit_of(&f, "a")->stopped);
        ck_assert(!has_mark(&f, "a", JOB_MARK_CANCELLED));
        run_to_completion(&f, "a");
        expect_state(&f, "a", JOB_COMPLETED);
BUS_TEST_END

BUS_TEST(a_job_that_could_not_be_published_can_be_cancelled_later)
        _cleanup_free_ char *directory = directory_of(&f, "a");

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(job_mark_claim(directory, JOB_MARK_PUBLISHED), 0);
        leave_result(&f, "a", 1, OUTCOME_TRANSIENT, "it broke");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_TRANSIENT, true);
        expect_state(&f, "a", JOB_RETRYING);
        time_passes(&f, 1);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_int_eq(job_mark_is_claimed(directory, JOB_MARK_PUBLISHED), 0);
        ck_assert_int_eq(cancel(&f, "a"), 0);
        ck_assert_int_eq(job_mark_claim(directory, JOB_MARK_PUBLISHED), -EALREADY);
        /* A second cancel changes nothing of that. */
        ck_assert_int_eq(cancel(&f, "a"), -EALREADY);
        ck_assert_int_eq(job_mark_is_claimed(directory, JOB_MARK_CANCELLED), 1);
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert(directory_is_gone(&f, "a"));
BUS_TEST_END

BUS_TEST(what_a_cancelled_job_left_unfinished_is_removed_by_finish)
        _cleanup_free_ char *part = NULL;

        submit(&f, "a", NULL);
        settle_down(&f);
        part_directory(&f, "a", &part);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        leave_result(&f, "a", 1, OUTCOME_TRANSIENT, "it broke");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_TRANSIENT, true);
        expect_state(&f, "a", JOB_RETRYING);

        ck_assert_int_eq(cancel(&f, "a"), 0);
        settle_down(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 2);
        ck_assert(unit_of(&f, "a")->finish);
        ck_assert(has_mark(&f, "a", JOB_MARK_CANCELLED));
        ck_assert_int_eq(rmdir(part), 0);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        ck_assert(directory_is_gone(&f, "a"));
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 2);
BUS_TEST_END

BUS_TEST(a_failed_job_keeps_its_unfinished_output)
        _cleanup_free_ char *part = NULL;

        submit(&f, "a", NULL);
        settle_down(&f);
        part_directory(&f, "a", &part);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        leave_result(&f, "a", 1, OUTCOME_FAILED, "it broke");
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_FAILED, true);
        expect_state(&f, "a", JOB_FAILED);
        ck_assert_int_eq(access(part, F_OK), 0);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);
        ck_assert(directory_is_gone(&f, "a"));
BUS_TEST_END

BUS_TEST(a_finish_that_was_cut_off_is_run_again)
        submit(&f, "a", NULL);
        settle_down(&f);
        leave_result(&f, "a", 1, OUTCOME_COMPLETED, "");
        fake_ends(&f, "a", "signal", CLD_EXITED, 0, true);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert(unit_of(&f, "a")->finish);
        run_to_completion(&f, "a");
        expect_state(&f, "a", JOB_COMPLETED);

        /* Once is enough. */
        submit(&f, "b", ",\"execution_policy\":{\"retry_count\":0}");
        settle_down(&f);
        leave_result(&f, "b", 1, OUTCOME_COMPLETED, "");
        fake_ends(&f, "b", "signal", CLD_EXITED, 0, true);
        fake_ends(&f, "b", "exit-code", CLD_EXITED, 1, true);
        expect_state(&f, "b", JOB_FAILED);
        expect_reason(&f, "b", "could not be given its final name");
BUS_TEST_END

BUS_TEST(what_is_written_to_a_server_is_complete_when_the_job_says_so)
        _cleanup_free_ char *spec = strprintf("{\"operation\":\"convert\",\"job_id\":\"a\",\"source\":{"
                                              "\"type\":\"file\",\"path\":\"%s/source.raw\"},"
                                              "\"destination\":{\"type\":\"nbd\",\"uri\":\"nbd+unix:///"
                                              "?socket=%s/s\"}}",
                                            f.dir, f.dir),
                            *source = strprintf("%s/source.raw", f.dir), *directory = directory_of(&f, "a");

        make_file(source, "disk");
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), 0);
        settle_down(&f);
        const JobResult result = { .attempt = 1,
                .outcome = OUTCOME_COMPLETED,
                .phase = PHASE_FINALIZATION,
                .outputs = json_pack("[{s:s, s:s}]", "uri", "nbd+unix:///?socket=/s", "format", "raw") };
        ck_assert_int_eq(job_result_write(&result, directory), 0);
        json_decref(result.outputs);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        expect_state(&f, "a", JOB_COMPLETED);
        _cleanup_free_ char *stored = result_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(stored, "\"uri\""));
BUS_TEST_END

BUS_TEST(a_daemon_reload_is_not_the_end_of_a_unit)
        submit(&f, "a", NULL);
        settle_down(&f);
        fake_daemon_reload(&f, "a");
        fake_daemon_reload(&f, "a");
        expect_state(&f, "a", JOB_RUNNING);
        run_to_completion(&f, "a");
        expect_state(&f, "a", JOB_COMPLETED);
BUS_TEST_END

BUS_TEST(a_start_without_an_answer_is_looked_after)
        f.lose_answer = true;
        submit(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert(unit_is_live(&f, "a"));
        run_to_completion(&f, "a");
        expect_state(&f, "a", JOB_COMPLETED);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);
BUS_TEST_END

BUS_TEST(hostile_results_are_no_results)
        static const char *const texts[] = { "", "{", "[]", "{\"attempt\":1,\"outcome\":\"completed\"",
                "\xff\xfe", "{\"attempt\":\"1\",\"outcome\":\"completed\"}" };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *id = strprintf("h%zu", i), *directory = directory_of(&f, id),
                                    *path = strprintf("%s/results/result.json", directory);

                submit(&f, id, ",\"execution_policy\":{\"retry_count\":0}");
                settle_down(&f);
                make_file(path, texts[i]);
                fake_ends(&f, id, "success", CLD_EXITED, 0, true);
                expect_state(&f, id, JOB_FAILED);
                expect_reason(&f, id, "the result that the job left cannot be read");
        }
BUS_TEST_END

BUS_TEST(two_hundred_jobs_and_fifty_cancels)
        char id[16];

        for (unsigned i = 0; i < 200; i++) {
                snprintf(id, sizeof(id), "j%u", i);
                submit(&f, id, NULL);
        }
        settle_down(&f);
        ck_assert_uint_eq(f.n_live, 4);
        for (unsigned i = 1; i < 200; i += 4) {
                snprintf(id, sizeof(id), "j%u", i);
                ck_assert_int_eq(cancel(&f, id), 0);
        }
        while (f.n_live > 0)
                for (size_t i = 0; i < f.n_units; i++)
                        if (f.units[i].live) {
                                _cleanup_free_ char *found = NULL;

                                ck_assert_int_eq(job_id_from_unit_name(f.units[i].name, &found), 0);
                                if (!f.units[i].stopped)
                                        leave_mark(&f, found, JOB_MARK_PUBLISHED);
                                fake_ends(&f, found, "success", CLD_EXITED, 0, true);
                        }
        for (unsigned i = 0; i < 200; i++) {
                snprintf(id, sizeof(id), "j%u", i);
                expect_state(&f, id, i % 4 == 1 ? JOB_CANCELLED : JOB_COMPLETED);
                ck_assert(directory_is_gone(&f, id));
        }
        ck_assert_uint_le(f.most_live, 4);
        ck_assert_ptr_null(f.manager->jobs);
BUS_TEST_END

TEST_MAIN("manager-jobs", a_retry_without_its_secret_names_the_secret, a_job_runs_and_completes,
                the_answer_comes_after_the_job_is_durable,
                no_more_run_than_may_and_the_highest_priority_first,
                what_may_pass_is_tried_again_after_a_pause, a_failed_job_is_retried_on_request,
                a_retry_outlives_the_manager, what_cannot_be_retried_is_refused,
                a_job_that_is_not_idempotent_is_not_tried_again, a_stop_from_outside_is_no_attempt,
                a_timeout_is_final, what_systemd_says_is_the_reason, a_source_that_vanished_before_the_start,
                a_source_that_became_a_link_before_the_start, a_waiting_job_is_cancelled,
                a_running_job_is_cancelled, a_unit_that_systemd_does_not_end_is_killed,
                a_job_is_cancelled_while_it_starts,
                the_place_of_a_cancelled_job_is_free_once_its_unit_is_gone,
                a_job_with_a_guest_requires_its_package, each_disk_is_changed_by_one_job_at_a_time,
                a_job_that_is_being_published_cannot_be_cancelled,
                a_job_that_could_not_be_published_can_be_cancelled_later,
                what_a_cancelled_job_left_unfinished_is_removed_by_finish,
                a_failed_job_keeps_its_unfinished_output, a_finish_that_was_cut_off_is_run_again,
                what_is_written_to_a_server_is_complete_when_the_job_says_so,
                a_daemon_reload_is_not_the_end_of_a_unit, a_start_without_an_answer_is_looked_after,
                hostile_results_are_no_results, two_hundred_jobs_and_fifty_cancels)
