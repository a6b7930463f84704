/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers over the bus: what they take, report and lose. */

#include "manager/manager.h"
#include "manager/progress.h"
#include "manager/queue.h"
#include "manager/submit-options.h"
#include "manager/submit.h"
#include "shared/error-table.h"
#include "store/jobs.h"
#include "unit/lib/manager-test.h"

/* clang-format off */
#define WORKERS_TEST(name) START_TEST(name) { Fixture f; fixture_open(&f); f.no_local_worker = true; manager_up(&f);
/* clang-format on */

#define LEASE_SECONDS 300

static void register_worker(Fixture *f, const char *id) {
        _cleanup_free_ char *text = strprintf("{\"worker_id\":\"%s\",\"capabilities\":[\"qemu_img\"],"
                                              "\"system_info\":{\"memory_mb\":16384}}",
                        id);

        ck_assert_int_ge(call(f, "RegisterWorker", NULL, NULL, "s", text), 0);
}

/* Submitted with queue=true. */
static void submit_queued(Fixture *f, const char *id, const char *extra) {
        _cleanup_free_ char *spec = make_spec(f, id, extra);

        ck_assert_int_ge(call(f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
}

/* The worker gets @id, or (NULL) nothing. */
static void expect_dequeue(Fixture *f, const char *worker, const char *id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = strprintf("{\"worker_id\":\"%s\"}", worker);
        const char *spec;
        int found;

        ck_assert_int_ge(call(f, "Dequeue", &reply, NULL, "s", text), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "bs", &found, &spec), 0);
        if (!id) {
                ck_assert(!found);
                ck_assert_str_eq(spec, "");
                return;
        }
        ck_assert(found);
        _cleanup_json_ json_t *object = json_loads(spec, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(object, "job_id")), id);
        ck_assert_ptr_nonnull(json_object_get(object, "source"));
        ck_assert_ptr_null(json_object_get(object, "resolved_paths"));
}

static int report(Fixture *f, const char *id, const char *worker, const char *events) {
        return call(f, "ReportEvents", NULL, NULL, "sss", id, worker, events);
}

static int finish(Fixture *f, const char *id, const char *worker, const char *result) {
        return call(f, "ReportResult", NULL, NULL, "sss", id, worker, result);
}

static int heartbeat(Fixture *f, const char *worker, char ***ret_jobs, char ***ret_cancelled) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = call(f, "Heartbeat", &reply, NULL, "s", worker);

        if (r < 0)
                return r;
        ck_assert_int_ge(sd_bus_message_read_strv(reply, ret_jobs), 0);
        ck_assert_int_ge(sd_bus_message_read_strv(reply, ret_cancelled), 0);
        return 0;
}

static void beat(Fixture *f, const char *worker) {
        _cleanup_strv_free_ char **jobs = NULL, **cancelled = NULL;

        ck_assert_int_eq(heartbeat(f, worker, &jobs, &cancelled), 0);
}

static void time_passes(Fixture *f, unsigned seconds) {
        test_clock += seconds * USEC_PER_SEC;
        queue_wake(f->manager);
        settle_down(f);
}

WORKERS_TEST(a_worker_takes_a_job_and_completes_it)
        _cleanup_free_ char *result = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        settle_down(&f);
        expect_state(&f, "a", JOB_QUEUED);
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", NULL);
        expect_state(&f, "a", JOB_ASSIGNED);
        ck_assert_int_ge(report(&f, "a", "w1",
                                         "[{\"phase\":\"conversion\",\"percentage\":10},{\"percentage\":45."
                                         "5}]"),
                        0);
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_int_ge(finish(&f, "a", "w1",
                                         "{\"status\":\"completed\",\"outputs\":[{\"path\":\"/srv/"
                                         "a.qcow2\"}],\"metrics\":{\"seconds\":3,\"token\":\"s3cret\"}}"),
                        0);
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
        result = result_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(result, "/srv/a.qcow2"));
        ck_assert_ptr_null(strstr(result, "s3cret"));
        ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
        ck_assert_str_eq(row->worker_id, "w1");
        ck_assert(row->percent == 100);
        ck_assert_ptr_null(f.manager->jobs);
        ck_assert_ptr_null(unit_of(&f, "a"));
        ck_assert_str_eq(f.signals,
                        "a CREATED>VALIDATED\na VALIDATED>QUEUED\na QUEUED>ASSIGNED\na ASSIGNED>RUNNING\na "
                        "RUNNING>COMPLETED\n");
BUS_TEST_END

WORKERS_TEST(an_event_that_is_repeated_counts_once)
        _cleanup_(job_row_freep) JobRow *row = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        expect_dequeue(&f, "w1", "a");
        ck_assert_int_ge(report(&f, "a", "w1",
                                         "[{\"percentage\":10,\"sequence\":1},{\"percentage\":20,"
                                         "\"sequence\":2}]"),
                        0);
        ck_assert_int_ge(report(&f, "a", "w1",
                                         "[{\"percentage\":90,\"sequence\":2},{\"percentage\":60,"
                                         "\"sequence\":3}]"),
                        0);
        ck_assert_int_lt(report(&f, "a", "w1", "{\"percentage\":90,\"sequence\":0}"), 0);
        progress_flush(f.manager);
        ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
        ck_assert(row->percent == 60);
BUS_TEST_END

WORKERS_TEST(a_percentage_never_goes_back)
        _cleanup_(job_row_freep) JobRow *row = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        expect_dequeue(&f, "w1", "a");
        ck_assert_int_ge(report(&f, "a", "w1", "{\"phase\":\"conversion\",\"percentage\":60}"), 0);
        ck_assert_int_ge(report(&f, "a", "w1", "{\"phase\":\"conversion\",\"percentage\":40}"), 0);
        ck_assert_int_ge(report(&f, "a", "w1", "{\"message\":\"no percentage\"}"), 0);
        progress_flush(f.manager);
        ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
        ck_assert(row->percent == 60);
        ck_assert_int_eq(row->phase, PHASE_CONVERSION);
BUS_TEST_END

WORKERS_TEST(only_the_worker_that_holds_a_job_reports_about_it)
        static const char event[] = "{\"percentage\":1}", done[] = "{\"status\":\"completed\"}";

        register_worker(&f, "w1");
        register_worker(&f, "w2");
        submit_queued(&f, "a", NULL);
        ck_assert_int_eq(report(&f, "a", "w1", event), -ENOLCK);
        ck_assert_int_eq(report(&f, "nothing", "w1", event), -ENOENT);
        ck_assert_int_eq(finish(&f, "nothing", "w1", done), -ENOENT);
        expect_dequeue(&f, "w1", "a");
        ck_assert_int_eq(report(&f, "a", "w2", event), -ENOLCK);
        ck_assert_int_eq(finish(&f, "a", "w2", done), -ENOLCK);
        ck_assert_int_eq(finish(&f, "a", "../w1", done), -ENOLCK);
        expect_state(&f, "a", JOB_ASSIGNED);
        ck_assert_int_ge(finish(&f, "a", "w1", done), 0);
        ck_assert_int_eq(finish(&f, "a", "w1", done), -ENOLCK);
        ck_assert_int_eq(report(&f, "a", "w1", event), -ENOLCK);
        expect_state(&f, "a", JOB_COMPLETED);
BUS_TEST_END

WORKERS_TEST(a_report_that_makes_no_sense_changes_nothing)
        static const char *const events[] = { "", "{", "[]", "7", "{\"percentage\":101}",
                "{\"percentage\":\"1\"}", "[{},{\"details\":[]}]", "{\"message\":5}" };
        static const char *const results[] = { "", "[]", "{}", "{\"status\":\"done\"}",
                "{\"status\":\"completed\",\"outputs\":{}}", "{\"status\":\"failed\",\"error\":\"x\"}" };

        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        expect_dequeue(&f, "w1", "a");
        for (size_t i = 0; i < ELEMENTSOF(events); i++)
                ck_assert_msg(report(&f, "a", "w1", events[i]) == -EINVAL, "%s", events[i]);
        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                ck_assert_msg(finish(&f, "a", "w1", results[i]) == -EINVAL, "%s", results[i]);
        expect_state(&f, "a", JOB_ASSIGNED);
BUS_TEST_END

WORKERS_TEST(a_failure_is_tried_again_as_the_policy_says)
        static const char failed[] =
                        "{\"status\":\"failed\",\"error\":{\"code\":\"disk\",\"message\":\"disk full\"}}";

        register_worker(&f, "w1");
        submit_queued(&f, "a", ",\"execution_policy\":{\"idempotent\":true,\"retry_count\":1}");
        expect_dequeue(&f, "w1", "a");
        ck_assert_int_ge(finish(&f, "a", "w1", failed), 0);
        expect_state(&f, "a", JOB_RETRYING);
        expect_dequeue(&f, "w1", NULL);
        time_passes(&f, 2);
        expect_dequeue(&f, "w1", "a");
        ck_assert_int_ge(finish(&f, "a", "w1", failed), 0);
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RETRYING QUEUED ASSIGNED FAILED");
        submit_queued(&f, "b", ",\"execution_policy\":{\"idempotent\":false}");
        expect_dequeue(&f, "w1", "b");
        ck_assert_int_ge(finish(&f, "b", "w1", failed), 0);
        expect_state(&f, "b", JOB_FAILED);
        submit_queued(&f, "c", ",\"execution_policy\":{\"idempotent\":true}");
        expect_dequeue(&f, "w1", "c");
        ck_assert_int_ge(
                        finish(&f, "c", "w1", "{\"status\":\"failed\",\"error\":{\"retryable\":false}}"), 0);
        expect_state(&f, "c", JOB_FAILED);
BUS_TEST_END

WORKERS_TEST(a_silent_worker_loses_its_jobs)
        _cleanup_free_ char *result = NULL;

        register_worker(&f, "w1");
        register_worker(&f, "w2");
        submit_queued(&f, "a", ",\"execution_policy\":{\"idempotent\":true}");
        submit_queued(&f, "b", ",\"execution_policy\":{\"idempotent\":false}");
        submit_queued(&f, "c", NULL);
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", "b");
        expect_dequeue(&f, "w2", "c");
        time_passes(&f, LEASE_SECONDS - 1);
        beat(&f, "w2");
        expect_state(&f, "a", JOB_ASSIGNED);
        time_passes(&f, 1);
        expect_state(&f, "a", JOB_RETRYING);
        expect_state(&f, "b", JOB_FAILED);
        expect_state(&f, "c", JOB_ASSIGNED);
        result = result_of(&f, "b");
        ck_assert_ptr_nonnull(strstr(result, "worker_lost"));
        ck_assert_ptr_nonnull(strstr(result, "w1"));
        ck_assert_int_eq(finish(&f, "a", "w1", "{\"status\":\"completed\"}"), -ENOLCK);
        ck_assert_int_eq(finish(&f, "b", "w1", "{\"status\":\"completed\"}"), -ENOLCK);
BUS_TEST_END

WORKERS_TEST(a_lease_counts_from_the_start_of_the_manager)
        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        expect_dequeue(&f, "w1", "a");
        manager_down(&f);
        test_clock += 2 * LEASE_SECONDS * USEC_PER_SEC;
        manager_up(&f);
        settle_down(&f);
        expect_state(&f, "a", JOB_ASSIGNED);
        ck_assert_ptr_null(unit_of(&f, "a"));
        time_passes(&f, LEASE_SECONDS - 1);
        beat(&f, "w1");
        time_passes(&f, 1);
        expect_state(&f, "a", JOB_ASSIGNED);
        ck_assert_int_ge(finish(&f, "a", "w1", "{\"status\":\"completed\"}"), 0);
        expect_state(&f, "a", JOB_COMPLETED);
BUS_TEST_END

/* It lives, and time passes, a little at a time. */
static void beats_for(Fixture *f, const char *worker, unsigned seconds) {
        for (; seconds > 0; seconds -= MIN(seconds, 100u)) {
                beat(f, worker);
                time_passes(f, MIN(seconds, 100u));
        }
}

#define ONE_MINUTE ",\"execution_policy\":{\"timeout_seconds\":60,\"idempotent\":true}"

WORKERS_TEST(a_worker_that_only_lives_does_not_keep_its_job)
        _cleanup_strv_free_ char **jobs = NULL, **cancelled = NULL;
        _cleanup_free_ char *result = NULL, *reason = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", ONE_MINUTE);
        submit_queued(&f, "b", NULL);
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", "b");
        ck_assert_int_ge(report(&f, "a", "w1", "{\"phase\":\"conversion\",\"percentage\":10}"), 0);
        ck_assert_int_ge(report(&f, "b", "w1", "{}"), 0);
        beats_for(&f, "w1", 60 + LEASE_SECONDS - 1);
        expect_state(&f, "a", JOB_RUNNING);
        time_passes(&f, 1);
        /* As it would be here. */
        expect_state(&f, "a", JOB_FAILED);
        reason = reason_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(reason, "Failed: timed out after 60 s in phase conversion"));
        ck_assert_ptr_nonnull(strstr(reason, "execution_policy.timeout_seconds"));
        ck_assert_ptr_nonnull(strstr(reason, "hyperctl retry a"));
        result = result_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(result, "\"code\":\"timeout\""));
        expect_state(&f, "b", JOB_RUNNING);
        ck_assert_int_eq(heartbeat(&f, "w1", &jobs, &cancelled), 0);
        ck_assert_uint_eq(strv_length(jobs), 1);
        ck_assert_str_eq(jobs[0], "b");
        ck_assert_uint_eq(strv_length(cancelled), 1);
        ck_assert_str_eq(cancelled[0], "a");
        ck_assert_int_eq(report(&f, "a", "w1", "{\"percentage\":99}"), -ENOLCK);
        ck_assert_int_eq(finish(&f, "a", "w1", "{\"status\":\"completed\"}"), -ENOLCK);
        expect_states(&f, "a", "CREATED VALIDATED QUEUED ASSIGNED RUNNING FAILED");
BUS_TEST_END

WORKERS_TEST(a_worker_that_never_begins_does_not_keep_its_job)
        _cleanup_free_ char *reason = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", ONE_MINUTE);
        submit_queued(&f, "once", ",\"execution_policy\":{\"timeout_seconds\":60,\"idempotent\":false}");
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", "once");
        beats_for(&f, "w1", 60 + LEASE_SECONDS);
        expect_state(&f, "a", JOB_RETRYING);
        expect_state(&f, "once", JOB_FAILED);
        reason = reason_of(&f, "a");
        ck_assert_ptr_nonnull(strstr(reason, "worker w1 has not begun within 60 s"));
        ck_assert_int_eq(report(&f, "a", "w1", "{}"), -ENOLCK);
        time_passes(&f, 2);
        register_worker(&f, "w2");
        expect_dequeue(&f, "w2", "a");
        /* The next attempt has all its time again. */
        beats_for(&f, "w2", 60 + LEASE_SECONDS - 1);
        expect_state(&f, "a", JOB_ASSIGNED);
BUS_TEST_END

WORKERS_TEST(a_deadline_outlives_the_manager)
        register_worker(&f, "w1");
        submit_queued(&f, "a", ONE_MINUTE);
        submit_queued(&f, "b", ONE_MINUTE);
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", "b");
        ck_assert_int_ge(report(&f, "a", "w1", "{}"), 0);
        ck_assert_int_ge(report(&f, "b", "w1", "{}"), 0);
        manager_down(&f);
        test_clock += 3600 * USEC_PER_SEC;
        manager_up(&f);
        settle_down(&f);
        /* Who has finished while there was no manager can say so now. */
        expect_state(&f, "a", JOB_RUNNING);
        ck_assert_int_ge(finish(&f, "b", "w1", "{\"status\":\"completed\"}"), 0);
        beats_for(&f, "w1", LEASE_SECONDS - 1);
        expect_state(&f, "a", JOB_RUNNING);
        time_passes(&f, 1);
        expect_state(&f, "a", JOB_FAILED);
BUS_TEST_END

WORKERS_TEST(a_cancel_is_told_with_the_next_heartbeat)
        _cleanup_strv_free_ char **jobs = NULL, **cancelled = NULL;

        register_worker(&f, "w1");
        submit_queued(&f, "a", NULL);
        submit_queued(&f, "b", NULL);
        expect_dequeue(&f, "w1", "a");
        expect_dequeue(&f, "w1", "b");
        ck_assert_int_eq(cancel(&f, "a"), 0);
        expect_state(&f, "a", JOB_CANCELLED);
        ck_assert_int_eq(heartbeat(&f, "w1", &jobs, &cancelled), 0);
        ck_assert_uint_eq(strv_length(jobs), 1);
        ck_assert_str_eq(jobs[0], "b");
        ck_assert_uint_eq(strv_length(cancelled), 1);
        ck_assert_str_eq(cancelled[0], "a");
        ck_assert_int_eq(finish(&f, "a", "w1", "{\"status\":\"completed\"}"), -ENOLCK);
        expect_state(&f, "a", JOB_CANCELLED);
BUS_TEST_END

WORKERS_TEST(the_jobs_of_an_unregistered_worker_go_back)
        register_worker(&f, "w1");
        submit_queued(&f, "begun", ",\"execution_policy\":{\"idempotent\":true}");
        submit_queued(&f, "waiting", ",\"execution_policy\":{\"idempotent\":false}");
        expect_dequeue(&f, "w1", "begun");
        ck_assert_int_ge(report(&f, "begun", "w1", "{}"), 0);
        expect_dequeue(&f, "w1", "waiting");
        ck_assert_int_ge(call(&f, "UnregisterWorker", NULL, NULL, "s", "w1"), 0);
        settle_down(&f);
        expect_states(&f, "begun", "CREATED VALIDATED QUEUED ASSIGNED RUNNING RETRYING QUEUED");
        expect_states(&f, "waiting", "CREATED VALIDATED QUEUED ASSIGNED QUEUED");
        ck_assert_int_eq(call(&f, "UnregisterWorker", NULL, NULL, "s", "w1"), -ENOTNAM);
        ck_assert_int_eq(call(&f, "Heartbeat", NULL, NULL, "s", "w1"), -ENOTNAM);
        ck_assert_int_eq(call(&f, "GetWorker", NULL, NULL, "s", "w1"), -ENOTNAM);
        ck_assert_int_eq(call(&f, "Dequeue", NULL, NULL, "s", "{\"worker_id\":\"w1\"}"), -ENOTNAM);
BUS_TEST_END

WORKERS_TEST(this_machine_takes_what_it_can)
        f.manager->settings->worker.local = true;
        submit_queued(&f, "a", NULL);
        submit_queued(&f, "huge", ",\"capability_requirements\":{\"min_memory_gb\":1000000}");
        submit(&f, "mine", ",\"capability_requirements\":{\"needs_lvm\":true}");
        settle_down(&f);
        expect_state(&f, "a", JOB_RUNNING);
        expect_state(&f, "mine", JOB_RUNNING);
        expect_state(&f, "huge", JOB_QUEUED);
BUS_TEST_END

/* {"operation":…} on an image that is not here. */
static int submit_operation(
                Fixture *f, const char *id, const char *operation, bool any_worker, sd_bus_error *error) {
        _cleanup_free_ char *spec = strprintf("{\"job_id\":\"%s\",\"operation\":\"%s\",\"source\":{\"type\":"
                                              "\"file\",\"path\":\"/nowhere/a.raw\"}}",
                        id, operation);

        return any_worker ? call(f, "SubmitJob", NULL, error, "sa{sv}", spec, 1, "any-worker", "b", 1)
                          : call(f, "SubmitJob", NULL, error, "sa{sv}", spec, 0);
}

WORKERS_TEST(an_operation_goes_to_a_worker_that_can_do_it)
        /* Nobody is there yet who could. */
        f.manager->settings->worker.local = false;
        ck_assert_int_ge(submit_operation(&f, "look", "inspect", true, NULL), 0);
        ck_assert_int_ge(submit_operation(&f, "repair", "fs_repair", true, NULL), 0);
        settle_down(&f);
        expect_state(&f, "look", JOB_QUEUED);
        expect_state(&f, "repair", JOB_QUEUED);
        register_worker(&f, "w1"); /* qemu_img */
        expect_dequeue(&f, "w1", "look");
        expect_dequeue(&f, "w1", NULL);
        ck_assert_int_ge(call(&f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w2\",\"capabilities\":[\"nbd_access\"]}"),
                        0);
        expect_dequeue(&f, "w2", "repair");
        ck_assert_int_ge(finish(&f, "repair", "w2", "{\"status\":\"completed\"}"), 0);
        expect_states(&f, "repair", "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED");
BUS_TEST_END

/* One that can do all of what an operation needs, and does not do it. */
WORKERS_TEST(a_worker_gets_the_operations_that_it_carries_out)
        ck_assert_int_ge(call(&f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w1\",\"capabilities\":[\"qemu_img\"],"
                                         "\"operations\":[\"convert\"]}"),
                        0);
        ck_assert_int_ge(submit_operation(&f, "look", "inspect", true, NULL), 0);
        submit_queued(&f, "copy", NULL);
        expect_dequeue(&f, "w1", "copy");
        expect_dequeue(&f, "w1", NULL);
        register_worker(&f, "w2");
        expect_dequeue(&f, "w2", "look");
BUS_TEST_END

WORKERS_TEST(no_two_jobs_change_one_image)
        ck_assert_int_ge(submit_operation(&f, "first", "fs_repair", true, NULL), 0);
        ck_assert_int_eq(submit_operation(&f, "second", "lvm_repair", true, NULL), -EINVAL);
        /* Looking does no harm, however many do. */
        ck_assert_int_ge(submit_operation(&f, "look-1", "inspect", true, NULL), 0);
        ck_assert_int_ge(submit_operation(&f, "look-2", "inspect", true, NULL), 0);
        ck_assert_int_eq(cancel(&f, "first"), 0);
        ck_assert_int_ge(submit_operation(&f, "second", "lvm_repair", true, NULL), 0);
BUS_TEST_END

WORKERS_TEST(a_schedule_is_for_this_machine)
        static const char definition[] =
                        "{\"id\":\"s\",\"schedule\":\"0 2 * * *\",\"job\":{\"operation\":\"%s\",\"source\":"
                        "{\"type\":\"file\",\"path\":\"/srv/"
                        "a\"},\"destination\":{\"type\":\"file\",\"path\":\"/srv/b\"}}}";
        _cleanup_free_ char *convert = strprintf(definition, "convert"),
                            *inspect = strprintf(definition, "inspect");

        ck_assert_int_lt(call(&f, "CreateSchedule", NULL, NULL, "sa{sv}", inspect, 0), 0);
        ck_assert_int_eq(call(&f, "CreateSchedule", NULL, NULL, "sa{sv}", convert, 1, "any-worker", "b", 1),
                        -EINVAL);
        ck_assert_int_ge(call(&f, "CreateSchedule", NULL, NULL, "sa{sv}", convert, 0), 0);
BUS_TEST_END

WORKERS_TEST(what_is_only_at_a_workers_place_waits_for_it)
        static const char spec[] = "{\"job_id\":\"far\",\"operation\":\"convert\",\"source\":{\"type\":"
                                   "\"file\",\"path\":\"/nowhere/a.raw\"},"
                                   "\"destination\":{\"type\":\"file\",\"path\":\"/nowhere/"
                                   "a.qcow2\",\"format\":\"qcow2\"}}";

        f.manager->settings->worker.local = true;
        ck_assert_int_eq(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1),
                        -EBADMSG);
        register_worker(&f, "w1");
        ck_assert_int_eq(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 0), -EBADMSG);
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
        settle_down(&f);
        expect_state(&f, "far", JOB_QUEUED);
        expect_dequeue(&f, "w1", "far");
BUS_TEST_END

WORKERS_TEST(where_only_workers_work_nobody_looks_here)
        static const char spec[] = "{\"job_id\":\"far\",\"operation\":\"convert\",\"source\":{\"type\":"
                                   "\"file\",\"path\":\"/nowhere/a.raw\"},"
                                   "\"destination\":{\"type\":\"file\",\"path\":\"/nowhere/"
                                   "a.qcow2\",\"format\":\"qcow2\"}}";

        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
        settle_down(&f);
        expect_state(&f, "far", JOB_QUEUED);
BUS_TEST_END

WORKERS_TEST(what_waits_for_a_worker_is_looked_at_again)
        _cleanup_free_ char *image = strprintf("%s/late.raw", f.dir),
                            *spec = strprintf("{\"job_id\":\"late\",\"operation\":\"convert\",\"source\":{"
                                              "\"type\":\"file\",\"path\":\"%s\"},"
                                              "\"destination\":{\"type\":\"file\",\"path\":\"%s/"
                                              "late.qcow2\",\"format\":\"qcow2\"}}",
                                            image, f.dir);

        f.manager->settings->worker.local = true;
        register_worker(&f, "w1");
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
        settle_down(&f);
        expect_state(&f, "late", JOB_QUEUED);
        make_file(image, "disk");
        time_passes(&f, 59);
        expect_state(&f, "late", JOB_QUEUED);
        time_passes(&f, 1);
        expect_state(&f, "late", JOB_RUNNING);
BUS_TEST_END

WORKERS_TEST(when_the_last_worker_goes_it_is_told_what_is_wrong)
        static const char spec[] = "{\"job_id\":\"far\",\"operation\":\"convert\",\"source\":{\"type\":"
                                   "\"file\",\"path\":\"/nowhere/a.raw\"},"
                                   "\"destination\":{\"type\":\"file\",\"path\":\"/nowhere/"
                                   "a.qcow2\",\"format\":\"qcow2\"}}";
        _cleanup_free_ char *result = NULL;

        f.manager->settings->worker.local = true;
        register_worker(&f, "w1");
        ck_assert_int_ge(call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 1, "any-worker", "b", 1), 0);
        settle_down(&f);
        expect_state(&f, "far", JOB_QUEUED);
        ck_assert_int_ge(call(&f, "UnregisterWorker", NULL, NULL, "s", "w1"), 0);
        settle_down(&f);
        expect_state(&f, "far", JOB_FAILED);
        result = result_of(&f, "far");
        ck_assert_ptr_nonnull(strstr(result, "source_missing"));
BUS_TEST_END

static void is_accepted(Manager *m, int r, const char *id, bool created, const JsonErrors *fields,
                sd_bus_error *error, void *userdata) {
        ck_assert_int_eq(r, 0);
        ck_assert(created);
}

/* More than are looked at in one go: none is forgotten, and none keeps a slot from those that can be
 * done. */
WORKERS_TEST(many_that_wait_for_workers_hold_nobody_up)
        f.manager->settings->worker.local = true;
        register_worker(&f, "w1");
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char
                                *id = strprintf("far-%u", i),
                                *spec = strprintf("{\"job_id\":\"%s\",\"operation\":\"convert\",\"source\":{"
                                                  "\"type\":\"file\",\"path\":\"/nowhere/a.raw\"},"
                                                  "\"destination\":{\"type\":\"file\",\"path\":\"/nowhere/"
                                                  "%u.qcow2\",\"format\":\"qcow2\"}}",
                                                id, i);
                SubmitOptions options = { .dialect = "worker", .any_worker = true, .role = ROLE_ADMIN };
                _cleanup_(json_errors_done) JsonErrors fields = {};

                ck_assert_int_ge(manager_submit(f.manager, spec, &options, is_accepted, NULL, &fields, NULL),
                                0);
        }
        submit(&f, "here", NULL);
        settle_down(&f);
        expect_state(&f, "here", JOB_RUNNING);
        submit_queued(&f, "anywhere", NULL);
        time_passes(&f, 1);
        expect_state(&f, "anywhere", JOB_RUNNING);
        expect_state(&f, "far-0", JOB_QUEUED);
        expect_state(&f, "far-99", JOB_QUEUED);
        expect_dequeue(&f, "w1", "far-0");
BUS_TEST_END

WORKERS_TEST(a_job_with_a_secret_stays_here)
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ char *spec = make_spec(&f, "a", NULL);

        register_worker(&f, "w1");
        if (call(&f, "SubmitJob", NULL, NULL, "sa{sv}", spec, 2, "any-worker", "b", 1, "secrets", "a{ss}", 1,
                            "source.tls_psk", "x") >= 0) {
                ck_assert_int_eq(store_job_get(f.store, "a", &row), 0);
                ck_assert(!row->any_worker);
                expect_dequeue(&f, "w1", NULL);
        } else /* without systemd-creds it cannot be kept, and is not accepted */
                ck_assert_int_eq(store_job_get(f.store, "a", &row), -ENOENT);
BUS_TEST_END

WORKERS_TEST(wrong_registrations_name_all_that_is_wrong)
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_int_eq(call(&f, "RegisterWorker", NULL, &error, "s",
                                         "{\"worker_id\":\"../"
                                         "x\",\"capabilities\":7,\"system_info\":{\"memory_mb\":-1}}"),
                        -EINVAL);
        ck_assert_ptr_nonnull(strstr(error.message, "worker_id: "));
        ck_assert_ptr_nonnull(strstr(error.message, "capabilities: "));
        ck_assert_ptr_nonnull(strstr(error.message, "system_info.memory_mb: "));
        ck_assert(json_errors_has(&f.fields, "worker_id"));
        ck_assert(json_errors_has(&f.fields, "capabilities"));
        ck_assert(json_errors_has(&f.fields, "system_info.memory_mb"));
        ck_assert_int_eq(call(&f, "Dequeue", NULL, NULL, "s", "{\"worker_id\":7}"), -EINVAL);
        ck_assert(json_errors_has(&f.fields, "worker_id"));
        ck_assert_int_eq(call(&f, "RegisterWorker", NULL, NULL, "s", "{\"worker_id\":\"w1\"}"), -EINVAL);
        ck_assert_int_eq(call(&f, "GetWorker", NULL, NULL, "s", "w1"), -ENOTNAM);
BUS_TEST_END

WORKERS_TEST(a_worker_is_shown_as_it_came)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *one = NULL, *all = NULL, *queue = NULL;
        _cleanup_json_ json_t *worker = NULL, *workers = NULL;
        const char *text;
        uint64_t total;

        ck_assert_int_ge(call(&f, "RegisterWorker", NULL, NULL, "s",
                                         "{\"worker_id\":\"w1\",\"capabilities\":{\"qemu_img\":true,\"new_"
                                         "thing\":false},\"execution_mode\":\"HOST\",\"system_info\":{"
                                         "\"password\":\"s3cret\"}}"),
                        0);
        ck_assert_int_ge(call(&f, "GetWorker", &one, NULL, "s", "w1"), 0);
        ck_assert_int_ge(sd_bus_message_read(one, "s", &text), 0);
        ck_assert_ptr_null(strstr(text, "s3cret"));
        worker = json_loads(text, 0, NULL);
        ck_assert(json_is_false(json_object_get(json_object_get(worker, "capabilities"), "new_thing")));
        ck_assert_str_eq(json_string_value(json_object_get(worker, "execution_mode")), "HOST");
        ck_assert(json_is_true(json_object_get(worker, "active")));
        ck_assert_int_ge(call(&f, "ListWorkers", &all, NULL, ""), 0);
        ck_assert_int_ge(sd_bus_message_read(all, "s", &text), 0);
        workers = json_loads(text, 0, NULL);
        ck_assert_uint_eq(json_array_size(workers), 1);
        submit_queued(&f, "a", NULL);
        ck_assert_int_ge(call(&f, "QueueStatus", &queue, NULL, ""), 0);
        ck_assert_int_ge(sd_bus_message_read(queue, "t", &total), 0);
        ck_assert_uint_eq(total, 1);
BUS_TEST_END

/* More than are read in one step. */
WORKERS_TEST(a_long_list_of_workers_is_whole)
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *none = NULL, *all = NULL;
        _cleanup_json_ json_t *workers = NULL;
        const char *text;

        ck_assert_int_ge(call(&f, "ListWorkers", &none, NULL, ""), 0);
        ck_assert_int_ge(sd_bus_message_read(none, "s", &text), 0);
        ck_assert_str_eq(text, "[]");
        for (unsigned i = 0; i < 200; i++) {
                _cleanup_free_ char *id = strprintf("w%u", i);

                register_worker(&f, id);
        }
        ck_assert_int_ge(call(&f, "ListWorkers", &all, NULL, ""), 0);
        ck_assert_int_ge(sd_bus_message_read(all, "s", &text), 0);
        workers = json_loads(text, 0, NULL);
        ck_assert_uint_eq(json_array_size(workers), 200);
        for (unsigned i = 0; i < 200; i++) {
                _cleanup_free_ char *id = strprintf("w%u", i);

                ck_assert_str_eq(json_string_value(json_object_get(json_array_get(workers, i), "worker_id")),
                                id);
        }
BUS_TEST_END

TEST_MAIN("manager-workers", a_long_list_of_workers_is_whole,
                a_worker_gets_the_operations_that_it_carries_out, a_worker_takes_a_job_and_completes_it,
                an_event_that_is_repeated_counts_once, a_percentage_never_goes_back,
                only_the_worker_that_holds_a_job_reports_about_it,
                a_report_that_makes_no_sense_changes_nothing, a_failure_is_tried_again_as_the_policy_says,
                a_silent_worker_loses_its_jobs, a_lease_counts_from_the_start_of_the_manager,
                a_worker_that_only_lives_does_not_keep_its_job,
                a_worker_that_never_begins_does_not_keep_its_job, a_deadline_outlives_the_manager,
                where_only_workers_work_nobody_looks_here, what_waits_for_a_worker_is_looked_at_again,
                when_the_last_worker_goes_it_is_told_what_is_wrong,
                many_that_wait_for_workers_hold_nobody_up, a_cancel_is_told_with_the_next_heartbeat,
                the_jobs_of_an_unregistered_worker_go_back, this_machine_takes_what_it_can,
                an_operation_goes_to_a_worker_that_can_do_it, no_two_jobs_change_one_image,
                a_schedule_is_for_this_machine, what_is_only_at_a_workers_place_waits_for_it,
                a_job_with_a_secret_stays_here, wrong_registrations_name_all_that_is_wrong,
                a_worker_is_shown_as_it_came)
