/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that say which machines may carry them out. */

#include "basic/string-util.h"
#include "manager/queue.h"
#include "spec/label.h"
#include "store/limits.h"
#include "unit/lib/manager-test.h"

static void label_this_machine(Fixture *f, const char *label) {
        _cleanup_free_ char *labels = NULL;

        ck_assert_int_ge(strv_extend(&f->manager->settings->worker.labels, label), 0);
        labels = labels_to_text(f->manager->settings->worker.labels);
        ck_assert_int_ge(store_placement_set_local(f->store, true, labels), 0);
}

static void enlist(Fixture *f, const char *id, const char *labels) {
        _cleanup_free_ char *text = strprintf("{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"],"
                                              "\"labels\":%s}",
                        id, labels);

        ck_assert_int_ge(call(f, "RegisterWorker", NULL, NULL, "s", text), 0);
}

static void submit_for_workers(Fixture *f, const char *id, const char *extra) {
        _cleanup_free_ char *spec = make_spec(f, id, extra);

        ck_assert_int_ge(call(f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
}

static void refused(Fixture *f, const char *extra, const char *words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *spec = make_spec(f, "refused", extra);
        int r = call(f, "SubmitJob", NULL, &error, "sa{sv}", spec, 0);

        ck_assert_msg(r < 0 && strstr(error.message, words), "%s: %s", words, strna(error.message));
}

static void expect_dequeue(Fixture *f, const char *worker, const char *job, bool found) {
        _cleanup_free_ char *text = job ? strprintf("{\"worker_id\":\"%s\",\"job_id\":\"%s\"}", worker, job)
                                        : strprintf("{\"worker_id\":\"%s\"}", worker);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int got;

        ck_assert_int_ge(call(f, "Dequeue", &reply, NULL, "s", text), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "b", &got), 0);
        ck_assert_int_eq(got, found);
}

BUS_TEST(a_job_that_stays_here_must_suit_this_machine)
        refused(&f, ",\"placement\":{\"all\":[\"san-b\"]}", "placement.all: this machine does not have");
        label_this_machine(&f, "san-b");
        refused(&f, ",\"placement\":{\"none\":[\"san-b\"]}", "placement.none: this machine has the label");
        submit(&f, "a", ",\"placement\":{\"all\":[\"san-b\"],\"none\":[\"test\"],\"preferred\":[\"fast\"]}");
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(labels_of_a_job_are_checked)
        refused(&f, ",\"placement\":{\"all\":[\"San\"]}", "placement.all: must be labels");
        refused(&f, ",\"placement\":{\"none\":[\"a b\"]}", "placement.none: must be labels");
        refused(&f, ",\"placement\":{\"preferred\":[\"+x\"]}", "placement.preferred: must be labels");
        refused(&f, ",\"placement\":{\"all\":\"x\"}", "placement.all");
        refused(&f, ",\"placement\":[\"x\"]", "placement");
        refused(&f, ",\"placement\":{\"all\":[\"x\"],\"none\":[\"x\"]}",
                        "placement.none: must not have the label \"x\"");
        refused(&f, ",\"executor\":\"slurm\",\"placement\":{\"none\":[\"x\"]}",
                        "placement.none: must not be given for the executor slurm");
BUS_TEST_END

BUS_TEST(a_worker_gets_what_its_labels_allow)
        enlist(&f, "plain", "[]");
        enlist(&f, "san", "[\"vlan10\",\"san-b\",\"vlan10\"]");
        submit_for_workers(&f, "a", ",\"placement\":{\"all\":[\"san-b\",\"vlan10\"]}");
        settle_down(&f);
        expect_state(&f, "a", JOB_QUEUED); /* this machine has no labels */
        expect_dequeue(&f, "plain", NULL, false);
        expect_dequeue(&f, "san", NULL, true);
        expect_state(&f, "a", JOB_ASSIGNED);
BUS_TEST_END

BUS_TEST(a_worker_that_asks_for_a_job_hears_why_it_does_not_get_it)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        enlist(&f, "w1", "[\"vlan10\",\"test\"]");
        submit_for_workers(&f, "a", ",\"placement\":{\"none\":[\"test\"],\"all\":[\"san-b\"]}");
        ck_assert_int_lt(call(&f, "Dequeue", NULL, &error, "s", "{\"worker_id\":\"w1\",\"job_id\":\"a\"}"),
                        0);
        ck_assert_msg(strstr(error.message, "whose labels are: test,vlan10"), "%s", error.message);
        enlist(&f, "w1", "[\"san-b\"]");
        expect_dequeue(&f, "w1", "a", true);
BUS_TEST_END

BUS_TEST(labels_of_a_worker_are_checked)
        ck_assert_int_lt(call(&f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w\",\"capabilities\":[],\"labels\":[\"a\\nb\"]}"),
                        0);
        ck_assert(json_errors_has(&f.fields, "labels"));
        ck_assert_int_lt(call(&f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w\",\"capabilities\":[],\"labels\":\"a\"}"),
                        0);
        ck_assert(json_errors_has(&f.fields, "labels"));
BUS_TEST_END

BUS_TEST(this_machine_takes_what_its_labels_allow)
        label_this_machine(&f, "san-b");
        submit_for_workers(&f, "a", ",\"placement\":{\"all\":[\"san-b\"]}");
        submit_for_workers(&f, "b", ",\"placement\":{\"all\":[\"vlan10\"]}");
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        expect_state(&f, "b", JOB_QUEUED);
        label_this_machine(&f, "vlan10");
        queue_wake(f.manager);
        settle_down(&f);
        expect_state(&f, "b", JOB_RUNNING);
BUS_TEST_END

BUS_TEST(this_machine_leaves_what_prefers_others_to_the_end)
        f.manager->settings->jobs.max_running = 1;
        submit(&f, "first", NULL);
        settle_down(&f);
        enlist(&f, "fast", "[\"fast\"]");
        submit_for_workers(&f, "prefers",
                        ",\"placement\":{\"preferred\":[\"fast\"]},"
                        "\"execution_policy\":{\"priority\":90}");
        submit_for_workers(&f, "any", NULL);
        ck_assert_str_eq(queue_next(f.manager, true)->row->id, "any");
        ck_assert_int_ge(cancel(&f, "any"), 0);
        settle_down(&f);
        ck_assert_str_eq(queue_next(f.manager, true)->row->id, "prefers");
BUS_TEST_END

BUS_TEST(storage_that_other_machines_have_is_for_them)
        _cleanup_free_ char *above = strdup(f.dir);

        ck_assert_int_eq(storage_rules_set(&f.manager->settings->storage, f.dir, "san-b"), 0);
        refused(&f, NULL, "placement: only machines with the label \"san-b\" have the storage");
        enlist(&f, "plain", "[]");
        enlist(&f, "san", "[\"san-b\"]");
        submit_for_workers(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_QUEUED);
        expect_dequeue(&f, "plain", NULL, false);
        expect_dequeue(&f, "san", NULL, true);
        /* A path that only begins with the same letters is elsewhere. */
        above[strlen(above) - 1] = '\0';
        storage_rules_done(&f.manager->settings->storage);
        ck_assert_int_eq(storage_rules_set(&f.manager->settings->storage, above, "san-b"), 0);
        submit(&f, "b", NULL);
        settle_down(&f);
        expect_state(&f, "b", JOB_RUNNING);
BUS_TEST_END

TEST_MAIN("manager-placement", a_job_that_stays_here_must_suit_this_machine, labels_of_a_job_are_checked,
                a_worker_gets_what_its_labels_allow,
                a_worker_that_asks_for_a_job_hears_why_it_does_not_get_it, labels_of_a_worker_are_checked,
                this_machine_takes_what_its_labels_allow, this_machine_leaves_what_prefers_others_to_the_end,
                storage_that_other_machines_have_is_for_them)
