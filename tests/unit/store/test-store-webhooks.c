/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>

#include "store/deliveries.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/schedule-runs.h"
#include "store/schedules.h"
#include "store/webhooks.h"
#include "unit/lib/test.h"

#define T0 (1800000000 * USEC_PER_SEC)

static Store *open_store(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static int64_t add_hook(Store *s, const char *url, uint32_t mask, unsigned retries) {
        char *events[] = { (char *) "job.completed", NULL }, *headers[] = { (char *) "X-Key", NULL };
        WebhookRow row = { .url = (char *) url,
                .events = events,
                .event_mask = mask,
                .enabled = true,
                .timeout = 5,
                .retry_count = retries,
                .headers = headers,
                .has_secret = true,
                .credential = (char *) "abc",
                .created_at = T0 };

        ck_assert_int_eq(store_webhook_insert(s, &row), 0);
        return row.seq;
}

static void submit(Store *s, const char *id, const char *request) {
        static const JobStateRow states[] = { { JOB_CREATED, T0, (char *) "" },
                { JOB_VALIDATED, T0, (char *) "" }, { JOB_QUEUED, T0, (char *) "waits" } };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{\"source\":{\"path\":\"/srv/a.vmdk\"}}",
                .dialect = (char *) "bus",
                .request = (char *) request,
                .created_at = T0,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        ck_assert_int_eq(store_job_insert(s, &row, states, ELEMENTSOF(states)), 0);
        free(row.reason);
}

static void change(Store *s, const char *id, JobState from, JobState to) {
        const JobTransition t = { .from = from,
                .to = to,
                .timestamp = T0 + 1,
                .reason = "because",
                .begins_attempt = to == JOB_ASSIGNED };

        ck_assert_int_eq(store_job_transition(s, id, &t, 1), 0);
}

/* The events of what is due, with the id of its webhook: "1:job.submitted 1:job.started". */
static char *due(Store *s, usec_t now, unsigned limit) {
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        _cleanup_strv_free_ char **words = NULL;

        ck_assert_int_eq(store_deliveries_due(s, now, NULL, 0, limit, &rows), 0);
        for (size_t i = 0; i < rows.n; i++)
                ck_assert_int_eq(strv_extendf(&words, "%d:%s", (int) rows.rows[i].webhook_seq,
                                                 rows.rows[i].event),
                                0);
        return words ? strv_join(words, " ") : strdup("");
}

static void assert_due(Store *s, usec_t now, unsigned limit, const char *expected) {
        _cleanup_free_ char *is = due(s, now, limit);

        ck_assert_str_eq(is, expected);
}

static void record(Store *s, int64_t seq, bool success, usec_t now) {
        DeliveryResult result = { .seq = seq,
                .success = success,
                .status = success ? 200 : 500,
                .duration = 7,
                .error = success ? NULL : "status 500",
                .response = "body" };

        ck_assert_int_eq(store_deliveries_record(s, &result, 1, now), 0);
}

START_TEST(webhooks_keep_their_order) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(webhook_rows_done) WebhookRows rows = {}, fewer = {};
        int64_t a = add_hook(s, "http://a/", 1, 3), b = add_hook(s, "http://b/", 2, 3), c;

        ck_assert_int_eq(store_webhook_delete(s, a), 0);
        ck_assert_int_eq(store_webhook_delete(s, a), -ENOENT);
        c = add_hook(s, "http://c/", 4, 3);
        ck_assert_int_gt(c, b);
        ck_assert_int_eq(store_webhooks_list(s, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[0]->url, "http://b/");
        ck_assert_str_eq(rows.rows[0]->events[0], "job.completed");
        ck_assert_str_eq(rows.rows[0]->headers[0], "X-Key");
        ck_assert_str_eq(rows.rows[0]->credential, "abc");
        ck_assert_uint_eq(rows.rows[0]->timeout, 5);
        ck_assert(rows.rows[0]->enabled && rows.rows[0]->has_secret && !rows.rows[0]->from_config);
        ck_assert_str_eq(rows.rows[1]->url, "http://c/");

        /* The newest is deleted: its number does not come again. */
        ck_assert_int_eq(store_webhook_delete(s, c), 0);
        ck_assert_int_gt(add_hook(s, "http://d/", 1, 1), c);

        rows.rows[0]->enabled = false;
        ck_assert_int_eq(store_webhook_update(s, rows.rows[0]), 0);
        ck_assert_int_eq(store_webhook_update(s, rows.rows[1]), -ENOENT);
        ck_assert_int_eq(store_webhooks_list(s, &fewer), 0);
        ck_assert(!fewer.rows[0]->enabled);
}
END_TEST

START_TEST(each_webhook_is_told_what_it_asked_for) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);

        add_hook(s, "http://all/", UINT32_MAX, 3);
        add_hook(s, "http://ends/", 1u << WEBHOOK_JOB_COMPLETED | 1u << WEBHOOK_JOB_FAILED, 3);
        add_hook(s, "http://cancelled/", 1u << WEBHOOK_JOB_CANCELLED, 3);
        submit(s, "a", NULL);
        change(s, "a", JOB_QUEUED, JOB_ASSIGNED);
        change(s, "a", JOB_ASSIGNED, JOB_RUNNING);
        change(s, "a", JOB_RUNNING, JOB_COMPLETED);
        submit(s, "b", NULL);
        change(s, "b", JOB_QUEUED, JOB_CANCELLED);
        assert_due(s, T0 + 2, 100,
                        "1:job.submitted 1:job.started 1:job.completed 1:job.submitted 1:job.cancelled "
                        "2:job.completed 3:job.cancelled");
        assert_due(s, T0 + 2, 1, "1:job.submitted 2:job.completed 3:job.cancelled");
}
END_TEST

START_TEST(a_change_that_does_not_happen_is_not_told) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        const JobTransition changes[] = { { .from = JOB_QUEUED, .to = JOB_CANCELLED, .timestamp = T0 },
                { .from = JOB_RUNNING, .to = JOB_COMPLETED, .timestamp = T0 } };

        submit(s, "before", NULL);
        add_hook(s, "http://a/", UINT32_MAX, 3);
        ck_assert_int_eq(store_job_transition(s, "before", changes, 2), -ESTALE);
        assert_due(s, T0 + 1, 100, "");
}
END_TEST

START_TEST(a_delivery_says_what_is_documented) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        _cleanup_json_ json_t *first = NULL, *second = NULL;
        json_t *data;

        add_hook(s, "http://a/", UINT32_MAX, 3);
        submit(s, "named", "{\"name\":\"web\",\"vm_path\":\"DC/vm/web\"}");
        submit(s, "plain", NULL);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 100, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        first = json_loads(rows.rows[0].body, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(first, "delivery_id")), rows.rows[0].id);
        ck_assert_str_eq(json_string_value(json_object_get(first, "event")), "job.submitted");
        data = json_object_get(first, "data");
        ck_assert_str_eq(json_string_value(json_object_get(data, "job_id")), "named");
        ck_assert_str_eq(json_string_value(json_object_get(data, "job_name")), "web");
        ck_assert_str_eq(json_string_value(json_object_get(data, "vm_path")), "DC/vm/web");
        ck_assert_str_eq(json_string_value(json_object_get(data, "status")), "pending");
        second = json_loads(rows.rows[1].body, 0, NULL);
        data = json_object_get(second, "data");
        ck_assert_str_eq(json_string_value(json_object_get(data, "job_name")), "plain");
        ck_assert_str_eq(json_string_value(json_object_get(data, "vm_path")), "/srv/a.vmdk");
        ck_assert_str_ne(rows.rows[0].id, rows.rows[1].id);
}
END_TEST

START_TEST(a_failure_holds_up_its_own_webhook_only) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        usec_t next;

        add_hook(s, "http://a/", UINT32_MAX, 1);
        add_hook(s, "http://b/", UINT32_MAX, 1);
        submit(s, "one", NULL);
        submit(s, "two", NULL);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 1, &rows), 0);
        record(s, rows.rows[0].seq, false, T0 + 10);
        assert_due(s, T0 + 11, 100, "2:job.submitted 2:job.submitted");
        ck_assert_int_eq(store_deliveries_next_due(s, T0 + 11, (int64_t[]){ 2 }, 1, &next), 0);
        ck_assert_uint_eq(next, T0 + 10 + USEC_PER_SEC);
        ck_assert_int_eq(store_deliveries_next_due(s, T0 + 11, (int64_t[]){ 1, 2 }, 2, &next), -ENOENT);
        ck_assert_int_eq(store_deliveries_next_due(s, T0 + 11, NULL, 0, &next), 0);
        ck_assert_uint_eq(next, T0);

        /* The one retry fails too: given up, and the next one's turn. */
        assert_due(s, T0 + 10 + USEC_PER_SEC, 1, "1:job.submitted 2:job.submitted");
        record(s, rows.rows[0].seq, false, T0 + 2 * USEC_PER_SEC);
        assert_due(s, T0 + 2 * USEC_PER_SEC, 100, "1:job.submitted 2:job.submitted 2:job.submitted");
        /* It has ended: what is said of it now is too late. */
        record(s, rows.rows[0].seq, true, T0 + 3 * USEC_PER_SEC);
        uint64_t counts[_DELIVERY_STATE_MAX];
        ck_assert_int_eq(store_deliveries_count(s, counts), 0);
        ck_assert_uint_eq(counts[DELIVERY_FAILED], 1);
        ck_assert_uint_eq(counts[DELIVERY_DELIVERED], 0);
        ck_assert_uint_eq(counts[DELIVERY_PENDING], 3);
}
END_TEST

START_TEST(attempts_are_listed_newest_first) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {}, list = {};
        _cleanup_(webhook_rows_done) WebhookRows hooks = {};
        int64_t hook = add_hook(s, "http://a/", UINT32_MAX, 3);

        submit(s, "one", NULL);
        submit(s, "two", NULL);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 1, &rows), 0);
        record(s, rows.rows[0].seq, false, T0 + 10);
        record(s, rows.rows[0].seq, true, T0 + 20);
        ck_assert_int_eq(store_deliveries_list(s, hook, 100, &list), 0);
        ck_assert_uint_eq(list.n, 2);
        ck_assert_int_eq(list.rows[0].state, DELIVERY_PENDING);
        ck_assert_uint_eq(list.rows[0].attempts, 0);
        ck_assert_int_eq(list.rows[1].state, DELIVERY_DELIVERED);
        ck_assert_uint_eq(list.rows[1].attempts, 2);
        ck_assert_uint_eq(list.rows[1].status, 200);
        ck_assert_uint_eq(list.rows[1].duration, 7);
        ck_assert_uint_eq(list.rows[1].tried_at, T0 + 20);
        ck_assert_str_eq(list.rows[1].error, "");
        ck_assert_str_eq(list.rows[1].response, "body");
        ck_assert_int_eq(store_webhooks_list(s, &hooks), 0);
        ck_assert_uint_eq(hooks.rows[0]->delivered, 1);
        ck_assert_uint_eq(hooks.rows[0]->failed, 0);
        ck_assert_uint_eq(hooks.rows[0]->pending, 1);
}
END_TEST

START_TEST(progress_is_told_when_asked_and_only_the_newest) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {}, later = {};
        JobProgress p = { .id = "a", .phase = PHASE_CONVERSION, .percent = 10 };

        add_hook(s, "http://a/", 1u << WEBHOOK_JOB_PROGRESS, 3);
        submit(s, "a", NULL);
        submit(s, "b", NULL);
        ck_assert_int_eq(store_job_progress(s, &p, 1, T0), 0);
        assert_due(s, T0, 100, "");
        p.tell = true;
        ck_assert_int_eq(store_job_progress(s, &p, 1, T0), 0);
        p.percent = 20;
        ck_assert_int_eq(store_job_progress(s, &p, 1, T0), 0);
        p.id = "b";
        ck_assert_int_eq(store_job_progress(s, &p, 1, T0), 0);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 100, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_ptr_nonnull(strstr(rows.rows[0].body, "\"percent_complete\":20.0"));

        /* What was tried already is kept: the receiver may know its id. */
        record(s, rows.rows[0].seq, false, T0);
        p.id = "a";
        p.percent = 30;
        ck_assert_int_eq(store_job_progress(s, &p, 1, T0), 0);
        ck_assert_int_eq(store_deliveries_due(s, T0 + USEC_PER_SEC, NULL, 0, 100, &later), 0);
        ck_assert_uint_eq(later.n, 3);
        ck_assert_str_eq(later.rows[0].id, rows.rows[0].id);
}
END_TEST

START_TEST(runs_of_schedules_are_told) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        ScheduleRow schedule = { .id = (char *) "nightly",
                .name = (char *) "Every night",
                .description = (char *) "",
                .expression = (char *) "@daily",
                .enabled = true,
                .spec = (char *) "{}",
                .dialect = (char *) "bus",
                .created_at = T0,
                .updated_at = T0 };
        int64_t seq = 0;

        add_hook(s, "http://a/", 1u << WEBHOOK_SCHEDULE_TRIGGERED | 1u << WEBHOOK_SCHEDULE_COMPLETED, 3);
        ck_assert_int_eq(store_schedule_insert(s, &schedule), 0);
        ck_assert_int_eq(store_schedule_fire(s, "nightly", T0, "run-1", RUN_STARTING, T0 + 1, &seq), 0);
        assert_due(s, T0 + 2, 100, "");
        submit(s, "run-1", NULL);
        ck_assert_int_eq(store_schedule_run_change(s, seq, "nightly", "run-1", RUN_RUNNING), 0);
        submit(s, "other", NULL);
        change(s, "other", JOB_QUEUED, JOB_CANCELLED);
        change(s, "run-1", JOB_QUEUED, JOB_FAILED);
        assert_due(s, T0 + 2, 100, "1:schedule.triggered 1:schedule.completed");
        ck_assert_int_eq(store_deliveries_due(s, T0 + 2, NULL, 0, 100, &rows), 0);
        ck_assert_ptr_nonnull(strstr(rows.rows[0].body, "\"schedule_id\":\"nightly\""));
        ck_assert_ptr_nonnull(strstr(rows.rows[0].body, "\"job_id\":\"run-1\""));
        ck_assert_ptr_nonnull(strstr(rows.rows[0].body, "\"status\":\"pending\""));
        ck_assert_ptr_nonnull(strstr(rows.rows[1].body, "\"schedule_name\":\"Every night\""));
        ck_assert_ptr_nonnull(strstr(rows.rows[1].body, "\"status\":\"failed\""));
}
END_TEST

START_TEST(a_clock_that_was_set_back_delays_nothing) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        usec_t day = 86400 * USEC_PER_SEC, next;

        add_hook(s, "http://a/", UINT32_MAX, 3);
        submit(s, "a", NULL);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 1, &rows), 0);
        record(s, rows.rows[0].seq, false, T0 + day);
        assert_due(s, T0, 1, "1:job.submitted");
        ck_assert_int_eq(store_deliveries_next_due(s, T0, NULL, 0, &next), 0);
        ck_assert_uint_eq(next, T0);
}
END_TEST

START_TEST(a_disabled_webhook_waits_and_a_deleted_one_is_forgotten) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(webhook_rows_done) WebhookRows hooks = {};
        _cleanup_(delivery_rows_done) DeliveryRows list = {};
        uint64_t counts[_DELIVERY_STATE_MAX];

        int64_t hook = add_hook(s, "http://a/", UINT32_MAX, 3);
        submit(s, "a", NULL);
        ck_assert_int_eq(store_webhooks_list(s, &hooks), 0);
        hooks.rows[0]->enabled = false;
        ck_assert_int_eq(store_webhook_update(s, hooks.rows[0]), 0);
        submit(s, "b", NULL);
        assert_due(s, T0, 100, "");
        hooks.rows[0]->enabled = true;
        ck_assert_int_eq(store_webhook_update(s, hooks.rows[0]), 0);
        assert_due(s, T0, 100, "1:job.submitted");
        ck_assert_int_eq(store_webhook_delete(s, hook), 0);
        assert_due(s, T0, 100, "");
        ck_assert_int_eq(store_deliveries_list(s, hook, 10, &list), 0);
        ck_assert_uint_eq(list.n, 0);
        ck_assert_int_eq(store_deliveries_count(s, counts), 0);
        ck_assert_uint_eq(counts[DELIVERY_PENDING], 0);
}
END_TEST

START_TEST(what_has_ended_is_forgotten_in_the_end) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {}, kept = {};
        int64_t hook = add_hook(s, "http://a/", UINT32_MAX, 0);

        submit(s, "a", NULL);
        submit(s, "b", NULL);
        submit(s, "c", NULL);
        ck_assert_int_eq(store_deliveries_due(s, T0, NULL, 0, 100, &rows), 0);
        record(s, rows.rows[0].seq, true, T0 + 100);
        record(s, rows.rows[1].seq, false, T0 + 200);
        ck_assert_int_eq(store_deliveries_prune(s, T0 + 150), 0);
        ck_assert_int_eq(store_deliveries_list(s, hook, 100, &kept), 0);
        ck_assert_uint_eq(kept.n, 2);
        delivery_rows_done(&kept);
        /* What waits is kept however old it is. */
        ck_assert_int_eq(store_deliveries_prune(s, T0 + DELIVERIES_KEPT), 0);
        ck_assert_int_eq(store_deliveries_list(s, hook, 100, &kept), 0);
        ck_assert_uint_eq(kept.n, 1);
        ck_assert_int_eq(kept.rows[0].state, DELIVERY_PENDING);
        uint64_t counts[_DELIVERY_STATE_MAX];
        ck_assert_int_eq(store_deliveries_count(s, counts), 0);
        ck_assert_uint_eq(counts[DELIVERY_DELIVERED], 1);
        ck_assert_uint_eq(counts[DELIVERY_FAILED], 1);
}
END_TEST

TEST_MAIN("store-webhooks", webhooks_keep_their_order, each_webhook_is_told_what_it_asked_for,
                a_change_that_does_not_happen_is_not_told, a_delivery_says_what_is_documented,
                a_failure_holds_up_its_own_webhook_only, attempts_are_listed_newest_first,
                progress_is_told_when_asked_and_only_the_newest, runs_of_schedules_are_told,
                a_clock_that_was_set_back_delays_nothing,
                a_disabled_webhook_waits_and_a_deleted_one_is_forgotten,
                what_has_ended_is_forgotten_in_the_end)
