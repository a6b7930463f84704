/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The manager ends and starts again while jobs run, or the whole machine does. */

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "manager/job-directory.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "unit/lib/manager-test.h"

BUS_TEST(a_running_job_is_taken_over)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        manager_up(&f);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);
        ck_assert(!unit_of(&f, "a")->stopped);
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        expect_state(&f, "a", JOB_COMPLETED);
        _cleanup_free_ char *states = states_of(&f, "a");
        ck_assert_str_eq(states, "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
BUS_TEST_END

BUS_TEST(a_unit_that_started_unseen_is_running)
        f.hold_start = true;
        submit(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_ASSIGNED);
        manager_down(&f);
        manager_up(&f);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_uint_eq(unit_of(&f, "a")->starts, 1);
BUS_TEST_END

BUS_TEST(ends_that_nobody_saw_are_found_out)
        static const char *const ids[] = { "completed", "failed", "transient", "crashed", "finish" };

        f.manager->settings->jobs.max_running = f.max_running = 8;
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                submit(&f, ids[i], NULL);
        settle_down(&f);
        manager_down(&f);
        leave_mark(&f, "completed", JOB_MARK_PUBLISHED);
        leave_result(&f, "failed", 1, OUTCOME_FAILED, "the image was refused");
        leave_result(&f, "transient", 1, OUTCOME_TRANSIENT, "the disk was full");
        leave_result(&f, "finish", 1, OUTCOME_COMPLETED, "");
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                fake_ends(&f, ids[i], "", 0, 0, false);
        manager_up(&f);
        expect_state(&f, "completed", JOB_COMPLETED);
        expect_state(&f, "failed", JOB_FAILED);
        expect_state(&f, "transient", JOB_RETRYING);
        expect_state(&f, "crashed", JOB_RETRYING);
        _cleanup_free_ char *reason = reason_of(&f, "crashed");
        ck_assert_ptr_nonnull(strstr(reason, "interrupted: its unit is gone and left no result"));
        /* The power went between the output and its name. */
        expect_state(&f, "finish", JOB_RUNNING);
        ck_assert(unit_of(&f, "finish")->finish);
        leave_mark(&f, "finish", JOB_MARK_PUBLISHED);
        fake_ends(&f, "finish", "success", CLD_EXITED, 0, true);
        expect_state(&f, "finish", JOB_COMPLETED);
BUS_TEST_END

BUS_TEST(an_attempt_that_had_no_directory_yet_is_interrupted)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        _cleanup_free_ char *directory = directory_of(&f, "a");
        ck_assert_int_eq(remove_tree(directory), 0);
        manager_up(&f);
        expect_state(&f, "a", JOB_RETRYING);
BUS_TEST_END

BUS_TEST(an_interrupted_job_that_may_not_be_repeated_fails)
        submit(&f, "a", ",\"execution_policy\":{\"idempotent\":false}");
        settle_down(&f);
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        manager_up(&f);
        expect_state(&f, "a", JOB_FAILED);
        _cleanup_free_ char *reason = reason_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(reason, "interrupted"));
        ck_assert_ptr_nonnull(strstr(reason, "not idempotent"));
BUS_TEST_END

BUS_TEST(waiting_jobs_go_on_waiting)
        f.manager->settings->jobs.max_running = f.max_running = 1;
        submit(&f, "a", NULL);
        submit(&f, "b", NULL);
        settle_down(&f);
        manager_down(&f);
        manager_up(&f);
        expect_state(&f, "a", JOB_RUNNING);
        expect_state(&f, "b", JOB_QUEUED);
        leave_mark(&f, "a", JOB_MARK_PUBLISHED);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        expect_state(&f, "b", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(a_cancel_is_carried_out_by_the_next_manager)
        submit(&f, "a", NULL);
        settle_down(&f);
        /* It is killed behind the transaction, before the mark and the stop. */
        const JobTransition t = {
                .from = JOB_RUNNING, .to = JOB_CANCELLED, .timestamp = test_clock, .reason = "Cancelled"
        };
        ck_assert_int_eq(store_job_transition(f.store, "a", &t, 1), 0);
        manager_down(&f);
        manager_up(&f);
        ck_assert(unit_of(&f, "a")->stopped);
        ck_assert(has_mark(&f, "a", JOB_MARK_CANCELLED));
        fake_ends(&f, "a", "exit-code", CLD_EXITED, JOB_EXIT_CANCELLED, true);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert_ptr_null(f.manager->jobs);
BUS_TEST_END

BUS_TEST(a_cancel_that_was_claimed_and_not_recorded_is_carried_out)
        _cleanup_free_ char *part = strprintf("%s/.a.qcow2.hyper-part", f.dir),
                            *directory = directory_of(&f, "a");

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        /* It is killed behind the claim; the job, which is complete, finds that when it is to publish its
         * output. */
        ck_assert_int_eq(job_mark_claim(directory, JOB_MARK_CANCELLED), 0);
        leave_result(&f, "a", 1, OUTCOME_COMPLETED, "");
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false);
        manager_up(&f);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert(has_mark(&f, "a", JOB_MARK_CANCELLED));
        ck_assert(unit_of(&f, "a")->finish);
        ck_assert_int_eq(rmdir(part), 0);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        ck_assert_ptr_null(f.manager->jobs);
BUS_TEST_END

BUS_TEST(what_a_cancelled_job_left_is_removed_by_the_next_manager)
        _cleanup_free_ char *part = strprintf("%s/.a.qcow2.hyper-part", f.dir),
                            *directory = directory_of(&f, "a");

        submit(&f, "a", NULL);
        settle_down(&f);
        ck_assert_int_eq(mkdir(part, 0700), 0);
        ck_assert_int_eq(cancel(&f, "a"), 0);
        manager_down(&f);
        fake_ends(&f, "a", "", 0, 0, false); /* a power cut */
        manager_up(&f);
        ck_assert(unit_of(&f, "a")->finish);
        ck_assert_int_eq(rmdir(part), 0);
        fake_ends(&f, "a", "success", CLD_EXITED, 0, true);
        ck_assert_int_lt(access(directory, F_OK), 0);
BUS_TEST_END

BUS_TEST(directories_of_nobody_are_removed)
        _cleanup_free_ char *directory = directory_of(&f, "nobody"),
                            *file = strprintf("%s/job.json", directory);

        manager_down(&f);
        _cleanup_free_ char *jobs = strprintf("%s/jobs", f.state);
        (void) mkdir(jobs, 0700);
        ck_assert_int_eq(mkdir(directory, 0700), 0);
        make_file(file, "{}");
        manager_up(&f);
        ck_assert_int_lt(access(directory, F_OK), 0);
BUS_TEST_END

BUS_TEST(units_of_unknown_jobs_are_left_alone)
        submit(&f, "a", NULL);
        settle_down(&f);
        manager_down(&f);
        _cleanup_free_ char *db = strprintf("%s/hyper.db", f.state), *wal = strprintf("%s-wal", db),
                            *shm = strprintf("%s-shm", db);
        ck_assert_int_eq(unlink(db), 0);
        (void) unlink(wal);
        (void) unlink(shm);
        manager_up(&f);
        ck_assert(unit_is_live(&f, "a"));
        ck_assert(!unit_of(&f, "a")->stopped);
BUS_TEST_END

TEST_MAIN("manager-restart", a_running_job_is_taken_over, a_unit_that_started_unseen_is_running,
                ends_that_nobody_saw_are_found_out, an_attempt_that_had_no_directory_yet_is_interrupted,
                an_interrupted_job_that_may_not_be_repeated_fails, waiting_jobs_go_on_waiting,
                a_cancel_is_carried_out_by_the_next_manager,
                a_cancel_that_was_claimed_and_not_recorded_is_carried_out,
                what_a_cancelled_job_left_is_removed_by_the_next_manager, directories_of_nobody_are_removed,
                units_of_unknown_jobs_are_left_alone)
