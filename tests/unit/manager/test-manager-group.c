/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Group commit in the manager: those that come together share a flush, nobody hears of what is not durable,
 * and a commit that fails fails each of them and changes nothing. */

#include "manager/job-cancel.h"
#include "manager/queue.h"
#include "manager/submit-options.h"
#include "manager/submit.h"
#include "manager/webhook/outbox.h"
#include "manager/worker/worker-report.h"
#include "manager/worker/worker.h"
#include "store/jobs.h"
#include "store/sql.h"
#include "unit/lib/manager-test.h"

static unsigned commits, answers, refusals;
static bool refuse;

static int on_commit(void *userdata) {
        commits++;
        return refuse;
}

static void watch(Fixture *f) {
        f->manager->settings->worker.local = false;
        (void) sqlite3_commit_hook(f->store->db, on_commit, NULL);
        commits = answers = refusals = 0;
        refuse = false;
}

static void on_answer(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata) {
        bool *expected = userdata;

        answers++;
        if (r < 0) {
                ck_assert_ptr_nonnull(strstr(error->message, "could not be recorded"));
                refusals++;
        } else if (expected)
                ck_assert(created == *expected);
}

static int submit_to(Fixture *f, const char *id, const char *destination, bool *created) {
        _cleanup_free_ char *spec = strprintf(
                        "{\"job_id\":\"%s\",\"operation\":\"convert\",\"source\":{\"type\":\"file\","
                        "\"path\":\"/nowhere/a.raw\"},"
                        "\"destination\":{\"type\":\"file\",\"path\":\"%s\",\"format\":\"qcow2\"}}",
                        id, destination);
        SubmitOptions options = { .dialect = "worker", .any_worker = true, .role = ROLE_ADMIN };
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_errors_done) JsonErrors fields = {};

        return manager_submit(f->manager, spec, &options, on_answer, created, &fields, &error);
}

static void submit_some(Fixture *f, const char *prefix, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                _cleanup_free_ char *id = strprintf("%s-%u", prefix, i),
                                    *destination = strprintf("/nowhere/%s-%u.qcow2", prefix, i);

                ck_assert_int_eq(submit_to(f, id, destination, NULL), 0);
        }
}

static void register_worker(Fixture *f, const char *id) {
        _cleanup_free_ char *text = strprintf("{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"]}", id);
        bool created;

        ck_assert_int_ge(manager_register_worker(f->manager, text, &created, &f->fields, NULL), 0);
}

BUS_TEST(submissions_that_come_together_share_a_flush)
        watch(&f);
        submit_some(&f, "a", 50);
        ck_assert_uint_eq(commits, 0);
        ck_assert_uint_eq(answers, 0);
        settle_down(&f);
        ck_assert_uint_eq(commits, 1);
        ck_assert_uint_eq(answers, 50);
        expect_states(&f, "a-49", "CREATED VALIDATED QUEUED");
        ck_assert_ptr_nonnull(strstr(f.signals, "a-49 VALIDATED>QUEUED"));
BUS_TEST_END

static int submit_later(sd_event_source *source, void *userdata) {
        submit_some(userdata, "b", 10);
        return 0;
}

/* Those who look at the database after a change wait until the loop has nothing to read: what they read would
 * end the group of those who come meanwhile. */
BUS_TEST(what_follows_from_a_change_ends_no_group)
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;

        watch(&f);
        outbox_wake(f.manager->outbox);
        submit_some(&f, "a", 10);
        /* More to read in the next round of the loop */
        ck_assert_int_ge(sd_event_add_defer(f.event, &source, submit_later, &f), 0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 20);
        ck_assert_uint_eq(commits, 1);
        ck_assert(!outbox_is_busy(f.manager->outbox));
BUS_TEST_END

BUS_TEST(nobody_hears_of_what_is_not_durable)
        _cleanup_(store_freep) Store *reader = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;

        watch(&f);
        submit_some(&f, "a", 2);
        ck_assert_int_eq(store_open(sqlite3_db_filename(f.store->db, "main"), STORE_READER, &reader), 0);
        ck_assert_int_eq(store_job_get(reader, "a-0", &row), -ENOENT);
        ck_assert_ptr_null(manager_get_job(f.manager, "a-0"));
        ck_assert_str_eq(f.signals, "");
        ck_assert_str_eq(f.logged, "");
        /* Whoever asks for it makes it durable, and then hears of it. */
        ck_assert_int_ge(call(&f, "GetJob", NULL, NULL, "s", "a-1"), 0);
        ck_assert_int_eq(store_job_get(reader, "a-0", &row), 0);
        settle_down(&f);
        ck_assert_ptr_nonnull(manager_get_job(f.manager, "a-0"));
        ck_assert_uint_eq(answers, 2);
        ck_assert_ptr_nonnull(strstr(f.logged, "a-1 QUEUED"));
BUS_TEST_END

BUS_TEST(a_commit_that_fails_fails_each)
        watch(&f);
        refuse = true;
        submit_some(&f, "a", 3);
        settle_down(&f);
        ck_assert_uint_eq(answers, 3);
        ck_assert_uint_eq(refusals, 3);
        ck_assert_ptr_null(f.manager->jobs);
        ck_assert_str_eq(f.signals, "");
        ck_assert_str_eq(f.logged, "");
        refuse = false;
        submit_some(&f, "a", 3);
        settle_down(&f);
        ck_assert_uint_eq(answers, 6);
        ck_assert_uint_eq(refusals, 3);
        expect_state(&f, "a-2", JOB_QUEUED);
BUS_TEST_END

BUS_TEST(the_same_job_twice_is_one)
        bool yes = true, no = false;

        watch(&f);
        ck_assert_int_eq(submit_to(&f, "a", "/nowhere/a.qcow2", &yes), 0);
        ck_assert_int_eq(submit_to(&f, "a", "/nowhere/a.qcow2", &no), 0);
        ck_assert_int_lt(submit_to(&f, "a", "/nowhere/b.qcow2", NULL), 0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 2);
        ck_assert_uint_eq(refusals, 0);
BUS_TEST_END

BUS_TEST(two_do_not_write_to_one_place)
        watch(&f);
        ck_assert_int_eq(submit_to(&f, "a", "/nowhere/a.qcow2", NULL), 0);
        ck_assert_int_lt(submit_to(&f, "b", "/nowhere/a.qcow2", NULL), 0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 1);
        expect_state(&f, "a", JOB_QUEUED);
BUS_TEST_END

/* A large group is not waited for. */
BUS_TEST(a_group_has_an_end)
        watch(&f);
        submit_some(&f, "a", 1000);
        ck_assert_uint_ge(answers, 512);
        settle_down(&f);
        ck_assert_uint_eq(answers, 1000);
        ck_assert_uint_ge(commits, 4);
BUS_TEST_END

static void on_given(Manager *m, int r, const char *spec, void *userdata) {
        char **ret = userdata;

        answers++;
        if (r < 0)
                refusals++;
        *ret = spec ? strdup(spec) : NULL;
}

BUS_TEST(workers_that_ask_together_share_a_flush)
        _cleanup_free_ char *one = NULL, *two = NULL, *three = NULL;

        watch(&f);
        register_worker(&f, "w1");
        register_worker(&f, "w2");
        submit_some(&f, "a", 2);
        settle_down(&f);
        commits = answers = 0;
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w1\"}", on_given, &one, &f.fields,
                                         NULL),
                        0);
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w2\"}", on_given, &two, &f.fields,
                                         NULL),
                        0);
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w1\"}", on_given, &three, &f.fields,
                                         NULL),
                        0);
        ck_assert_int_lt(manager_dequeue(f.manager, "{\"worker_id\":\"w3\"}", on_given, NULL, &f.fields,
                                         NULL),
                        0);
        ck_assert_int_eq(manager_get_job(f.manager, "a-0")->row->state, JOB_QUEUED);
        ck_assert_uint_eq(answers, 0);
        settle_down(&f);
        ck_assert_uint_eq(commits, 1);
        ck_assert_uint_eq(answers, 3);
        ck_assert_ptr_nonnull(strstr(one, "a-0"));
        ck_assert_ptr_nonnull(strstr(two, "a-1"));
        ck_assert_ptr_null(three);
        ck_assert_int_eq(manager_get_job(f.manager, "a-0")->row->state, JOB_ASSIGNED);
BUS_TEST_END

BUS_TEST(a_worker_gets_nothing_that_is_not_recorded)
        _cleanup_free_ char *one = NULL, *two = NULL;

        watch(&f);
        register_worker(&f, "w1");
        submit_some(&f, "a", 1);
        settle_down(&f);
        answers = 0;
        refuse = true;
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w1\"}", on_given, &one, &f.fields,
                                         NULL),
                        0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 1);
        ck_assert_uint_eq(refusals, 1);
        ck_assert_ptr_null(one);
        ck_assert_int_eq(manager_get_job(f.manager, "a-0")->row->state, JOB_QUEUED);
        refuse = false;
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w1\"}", on_given, &two, &f.fields,
                                         NULL),
                        0);
        settle_down(&f);
        ck_assert_ptr_nonnull(strstr(two, "a-0"));
BUS_TEST_END

/* A cancel comes while the job is being given away. */
BUS_TEST(a_cancel_finds_the_job_where_it_is)
        _cleanup_free_ char *one = NULL;

        watch(&f);
        register_worker(&f, "w1");
        submit_some(&f, "a", 1);
        settle_down(&f);
        ck_assert_int_eq(manager_dequeue(f.manager, "{\"worker_id\":\"w1\"}", on_given, &one, &f.fields,
                                         NULL),
                        0);
        ck_assert_int_eq(manager_cancel_job(f.manager, "a-0", NULL), 0);
        settle_down(&f);
        ck_assert_ptr_nonnull(one);
        expect_states(&f, "a-0", "CREATED VALIDATED QUEUED ASSIGNED CANCELLED");
BUS_TEST_END

/* Each of two workers holds a job, and nothing is counted yet. */
static void hold_two(Fixture *f) {
        watch(f);
        register_worker(f, "w0");
        register_worker(f, "w1");
        submit_some(f, "a", 2);
        settle_down(f);
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_free_ char *text = strprintf("{\"worker_id\":\"w%u\"}", i), *spec = NULL;

                ck_assert_int_eq(manager_dequeue(f->manager, text, on_given, &spec, &f->fields, NULL), 0);
                settle_down(f);
                ck_assert_ptr_nonnull(spec);
        }
        commits = answers = refusals = 0;
}

static void on_reported(Manager *m, int r, void *userdata) {
        answers++;
        if (r < 0)
                refusals++;
}

static int report_events(Fixture *f, const char *job, const char *worker) {
        return manager_report_events(f->manager, job, worker, "{\"phase\":\"conversion\",\"percentage\":10}",
                        on_reported, NULL, &f->fields, NULL);
}

static int report_result(Fixture *f, const char *job, const char *worker) {
        return manager_report_result(f->manager, job, worker, "{\"status\":\"completed\"}", on_reported,
                        NULL, &f->fields, NULL);
}

BUS_TEST(reports_that_come_together_share_a_flush)
        hold_two(&f);
        ck_assert_int_eq(report_events(&f, "a-0", "w0"), 0);
        ck_assert_int_eq(report_events(&f, "a-1", "w1"), 0);
        submit_some(&f, "b", 1);
        ck_assert_uint_eq(answers, 0);
        ck_assert_uint_eq(commits, 0);
        ck_assert_int_eq(manager_get_job(f.manager, "a-0")->row->state, JOB_ASSIGNED);
        settle_down(&f);
        ck_assert_uint_eq(commits, 1);
        ck_assert_uint_eq(answers, 3);
        ck_assert_int_eq(manager_get_job(f.manager, "a-1")->row->state, JOB_RUNNING);
        commits = 0;
        ck_assert_int_eq(report_result(&f, "a-0", "w0"), 0);
        ck_assert_int_eq(report_result(&f, "a-1", "w1"), 0);
        ck_assert_uint_eq(answers, 3);
        settle_down(&f);
        ck_assert_uint_eq(commits, 1);
        ck_assert_uint_eq(answers, 5);
        expect_states(&f, "a-1", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
        ck_assert_ptr_null(manager_get_job(f.manager, "a-0"));
BUS_TEST_END

/* The result comes while the first event is being recorded, without that its answer was awaited. */
BUS_TEST(a_report_finds_what_was_reported_before)
        hold_two(&f);
        ck_assert_int_eq(report_events(&f, "a-0", "w0"), 0);
        ck_assert_int_eq(report_result(&f, "a-0", "w0"), 0);
        ck_assert_int_lt(report_result(&f, "a-0", "w0"), 0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 2);
        ck_assert_uint_eq(refusals, 0);
        expect_states(&f, "a-0", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
BUS_TEST_END

BUS_TEST(a_report_that_is_not_recorded_changes_nothing)
        hold_two(&f);
        refuse = true;
        ck_assert_int_eq(report_events(&f, "a-0", "w0"), 0);
        ck_assert_int_eq(report_result(&f, "a-1", "w1"), 0);
        settle_down(&f);
        ck_assert_uint_eq(answers, 2);
        ck_assert_uint_eq(refusals, 2);
        ck_assert_int_eq(manager_get_job(f.manager, "a-0")->row->state, JOB_ASSIGNED);
        ck_assert_int_eq(manager_get_job(f.manager, "a-1")->row->state, JOB_ASSIGNED);
        refuse = false;
        ck_assert_int_eq(report_result(&f, "a-0", "w0"), 0);
        settle_down(&f);
        ck_assert_uint_eq(refusals, 2);
        expect_states(&f, "a-0", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
BUS_TEST_END

/* A cancel comes while the end is being recorded: it finds the job finished. */
BUS_TEST(a_cancel_comes_behind_the_end)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        hold_two(&f);
        ck_assert_int_eq(report_result(&f, "a-0", "w0"), 0);
        ck_assert_int_lt(manager_cancel_job(f.manager, "a-0", &error), 0);
        ck_assert_str_eq(error.message, "Job a-0 is COMPLETED already");
        ck_assert_uint_eq(answers, 1);
BUS_TEST_END

/* A worker that is gone gives back all its jobs with one flush. */
BUS_TEST(what_a_worker_loses_shares_a_flush)
        hold_two(&f);
        ck_assert_int_eq(report_events(&f, "a-0", "w0"), 0);
        ck_assert_int_eq(report_events(&f, "a-1", "w1"), 0);
        settle_down(&f);
        commits = 0;
        test_clock += 301 * USEC_PER_SEC;
        queue_wake(f.manager);
        settle_down(&f);
        ck_assert_uint_eq(commits, 1);
        expect_state(&f, "a-0", JOB_RETRYING);
        expect_state(&f, "a-1", JOB_RETRYING);
BUS_TEST_END

TEST_MAIN("manager-group", submissions_that_come_together_share_a_flush,
                what_follows_from_a_change_ends_no_group, nobody_hears_of_what_is_not_durable,
                a_commit_that_fails_fails_each, the_same_job_twice_is_one, two_do_not_write_to_one_place,
                a_group_has_an_end, workers_that_ask_together_share_a_flush,
                a_worker_gets_nothing_that_is_not_recorded, a_cancel_finds_the_job_where_it_is,
                reports_that_come_together_share_a_flush, a_report_finds_what_was_reported_before,
                a_report_that_is_not_recorded_changes_nothing, a_cancel_comes_behind_the_end,
                what_a_worker_loses_shares_a_flush)
