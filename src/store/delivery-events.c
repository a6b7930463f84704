/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making deliveries of what happens to jobs and schedules. */

#include "store/delivery-events.h"
#include "basic/string-util.h"
#include "spec/job-id.h"
#include "store/jobs.h"
#include "store/schedules.h"
#include "store/sql.h"
#include "store/webhook-json.h"

WebhookEvent deliveries_event_of(JobState state) {
        switch (state) {
        case JOB_RUNNING:
                return WEBHOOK_JOB_STARTED;
        case JOB_COMPLETED:
                return WEBHOOK_JOB_COMPLETED;
        case JOB_FAILED:
                return WEBHOOK_JOB_FAILED;
        case JOB_CANCELLED:
                return WEBHOOK_JOB_CANCELLED;
        default:
                return _WEBHOOK_EVENT_INVALID;
        }
}

/* Progress that nobody has been told of yet is not worth telling once there is newer. */
static int drop_older(Store *s, int64_t webhook_seq, const char *subject) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERY_DROP_PROGRESS);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) webhook_seq);
        sql_bind_text(st, 2, subject);
        return sql_run(s, st);
}

static int add_one(Store *s, int64_t webhook_seq, WebhookEvent event, const char *subject, usec_t timestamp,
                json_t *data) {
        _cleanup_sql_done_ sqlite3_stmt *st = NULL;
        _cleanup_free_ char *id = NULL, *body = NULL;
        int r = event == WEBHOOK_JOB_PROGRESS ? drop_older(s, webhook_seq, subject) : 0;

        if (r >= 0)
                r = job_id_make(&id);
        if (r < 0)
                return r;
        body = webhook_body(webhook_event_to_string(event), timestamp, id, data);
        if (!body)
                return -ENOMEM;
        st = sql_statement(s, SQL_DELIVERY_INSERT);
        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) webhook_seq);
        sql_bind_text(st, 2, id);
        sql_bind_text(st, 3, webhook_event_to_string(event));
        sql_bind_text(st, 4, subject);
        sql_bind_text(st, 5, body);
        sql_bind_uint(st, 6, timestamp);
        return sql_run(s, st);
}

static int seq_read(sqlite3_stmt *st, void *ret) {
        *(int64_t *) ret = sqlite3_column_int64(st, 0);
        return 0;
}

static int find_webhooks(Store *s, WebhookEvent event, int64_t **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WEBHOOKS_FOR_EVENT);
        _cleanup_free_ int64_t *list = NULL;
        size_t n = 0;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) 1 << event);
        r = SQL_READ_ROWS(s, st, seq_read, list, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}

static int add_to(Store *s, const int64_t *webhooks, size_t n, WebhookEvent event, const char *subject,
                usec_t timestamp, json_t *data) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_one(s, webhooks[i], event, subject, timestamp, data);
        return r;
}

int deliveries_add_job(Store *s, WebhookEvent event, const char *id, usec_t timestamp) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ int64_t *webhooks = NULL;
        _cleanup_json_ json_t *data = NULL;
        size_t n = 0;
        int r = find_webhooks(s, event, &webhooks, &n);

        if (r < 0 || n == 0)
                return r;
        r = store_job_get(s, id, &row);
        if (r < 0)
                return r;
        data = job_row_webhook_data(row);
        return data ? add_to(s, webhooks, n, event, id, timestamp, data) : -ENOMEM;
}

static int set_schedule(json_t *data, const ScheduleRow *schedule) {
        if (json_object_set_new(data, "schedule_id", json_string(schedule->id)) < 0 ||
                        json_object_set_new(data, "schedule_name", json_string(schedule->name)) < 0)
                return -ENOMEM;
        return 0;
}

int deliveries_add_run(Store *s, WebhookEvent event, const char *job_id, usec_t timestamp) {
        _cleanup_(schedule_row_freep) ScheduleRow *schedule = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ int64_t *webhooks = NULL;
        _cleanup_free_ char *schedule_id = NULL;
        _cleanup_json_ json_t *data = NULL;
        size_t n = 0;
        int r = find_webhooks(s, event, &webhooks, &n);

        if (r < 0 || n == 0)
                return r;
        r = store_schedule_of_job(s, job_id, &schedule_id);
        if (r >= 0)
                r = store_schedule_get(s, schedule_id, &schedule);
        if (r >= 0)
                r = store_job_get(s, job_id, &row);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        data = job_row_webhook_data(row);
        r = data ? set_schedule(data, schedule) : -ENOMEM;
        return r < 0 ? r
                     : add_to(s, webhooks, n, event, schedule_id,
                                       timestamp > 0 ? timestamp : row->created_at, data);
}
