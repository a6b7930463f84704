/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/worker/worker-routes.h"
#include "api/dialect-metrics.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-cutover.h"
#include "api/job-json.h"
#include "api/job-retry.h"
#include "api/job-screenshot.h"
#include "api/job-submit.h"
#include "api/jobs-reply.h"
#include "api/openapi/docs-pages.h"
#include "api/openapi/openapi.h"
#include "api/stream/sse-stream.h"
#include "api/worker/worker-decode.h"
#include "api/worker/worker-dequeue.h"
#include "api/worker/worker-json.h"
#include "api/worker/worker-metrics.h"
#include "api/worker/worker-workers.h"
#include "basic/string-util.h"
#include "journal/journal-follow.h"
#include "journal/journal-read.h"
#include "shared/error-table.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/lease.h"

#define LIST_DEFAULT 100u
#define LIST_MAX 1000u

static int get_health(Request *r) {
        uint64_t counts[_JOB_STATE_MAX] = {}, total = 0, active = 0;
        usec_t now = now_realtime();
        Store *store;
        int k;

        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_jobs_count(store, counts);
        if (k >= 0)
                k = store_workers_count(store, now - WORKER_LEASE, &total, &active);
        if (k < 0 && k != -ENOENT)
                return k;
        return request_reply_json(r, 200,
                        worker_health_json(active + 1, counts[JOB_ASSIGNED] + counts[JOB_RUNNING], now));
}

typedef struct SubmitParameters {
        bool queue;
} SubmitParameters;

static const QueryField submit_parameters[] = {
        { .key = "queue",
                        .type = QUERY_BOOLEAN,
                        .offset = offsetof(SubmitParameters, queue),
                        .description = "Permit any worker to execute the job." },
        {},
};

/* The job as it is a moment later: the manager has written it before it answered. */
static int on_submitted(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        uint64_t position;
        const char *id;
        JobState state;
        bool created;
        Store *store;
        int k;

        if (error) {
                _cleanup_free_ char *text = job_submit_error_text(error, worker_fields, request_userdata(r));

                return text ? request_reply_bus_error(r, &SD_BUS_ERROR_MAKE_CONST(error->name, text))
                            : -ENOMEM;
        }
        k = job_submit_reply_read(reply, &id, &created);
        if (k < 0)
                return k;
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_job_queue_position(store, id, &state, &position);
        if (k < 0)
                return k;
        return request_reply_json(
                        r, created ? 201 : 200, worker_submitted_json(id, state, created, position));
}

static void origins_done(void *userdata) {
        json_decref(userdata);
}

static int post_job(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        SubmitParameters q = {};
        int k;

        k = request_query_decode(r, &q);
        if (k < 0)
                return k;
        k = request_json_object(r, &body);
        if (k < 0)
                return k;
        k = worker_job_decode(body, &job, &errors);
        if (k == -EBADMSG) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        if (k < 0)
                return k;
        request_set_userdata(r, json_incref(job.origins), origins_done);
        k = job_submit_call_new(r, &job, WORKER_DIALECT, q.queue, &m);
        return k < 0 ? k : manager_call(r, m, on_submitted, NULL);
}

typedef struct ListParameters {
        uint32_t states;
        uint64_t limit, offset;
} ListParameters;

static int state_from_string(const char *s) {
        return job_state_from_string(s);
}

static const QueryField list_parameters[] = {
        { .key = "state",
                        .type = QUERY_ENUM_SET,
                        .offset = offsetof(ListParameters, states),
                        .from_string = state_from_string,
                        .expected = "one of CREATED, VALIDATED, QUEUED, ASSIGNED, RUNNING, RETRYING, "
                                    "COMPLETED, FAILED, CANCELLED",
                        .description = "Only jobs in one of these states." },
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, limit),
                        .min = 1,
                        .max = LIST_MAX,
                        .description = "The maximum number of jobs; defaults to 100." },
        { .key = "offset",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, offset),
                        .max = INT64_MAX,
                        .description = "The number of jobs to skip." },
        {},
};

static const JobsFormat summary_format = { .to_json = worker_summary_json, .step = 200 };

static int get_jobs(Request *r) {
        ListParameters q = { .limit = LIST_DEFAULT };
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        return request_reply_jobs(r,
                        &(JobFilter){ .states = q.states,
                                        .order = JOB_ORDER_NEWEST,
                                        .limit = q.limit,
                                        .offset = q.offset },
                        json_object(), &summary_format, now_realtime());
}

static int get_job(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        JobStateRow *states = NULL;
        json_t *answer;
        Store *store;
        size_t n = 0;
        int k;

        k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_job_states(store, row->id, &states, &n);
        if (k < 0)
                return k;
        answer = worker_job_json(row, states, n);
        job_state_rows_free(states, n);
        return request_reply_json(r, 200, answer);
}

static int reply_terminal(Request *r, const JobRow *row) {
        return request_reply_error(r, 400, "Job %s is already in terminal state %s", row->id,
                        strempty(job_state_to_string(row->state)));
}

static int on_cancelled(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k;

        if (error && !streq_ptr(error->name, HYPER_BUS_ERROR_JOB_FINISHED))
                return request_reply_bus_error(r, error);
        k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        /* It may have ended between our look at it and the manager's. */
        if (error)
                return reply_terminal(r, row);
        return request_reply_json(r, 200, worker_cancelled_json(row));
}

static int delete_job(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k;

        k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        if (job_state_is_terminal(row->state))
                return reply_terminal(r, row);
        k = manager_call_new(r, "CancelJob", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", row->id);
        return k < 0 ? k : manager_call(r, m, on_cancelled, NULL);
}

static int on_retried(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = job_find(r, request_param(r, "id"), &row);
        return k < 0 ? k : request_reply_json(r, 200, worker_retried_json(row));
}

static int retry_job(Request *r) {
        return job_retry_call(r, on_retried);
}

typedef struct EventParameters {
        usec_t since;
} EventParameters;

static const QueryField event_parameters[] = {
        { .key = "since",
                        .type = QUERY_TIMESTAMP,
                        .offset = offsetof(EventParameters, since),
                        .description = "Only events after this time." },
        {},
};

/* Events that are read and sent in one step */
#define EVENTS_STEP 50u

typedef struct EventReading {
        JournalReading *reading;
        unsigned percent; /* of the last one */
} EventReading;

static void event_reading_free(void *userdata) {
        EventReading *l = userdata;

        journal_reading_free(l->reading);
        free(l);
}

static int events_step(void *userdata, json_t **ret) {
        EventReading *l = userdata;
        JobEvent **events = NULL;
        size_t n = 0;
        int r = journal_reading_step(l->reading, EVENTS_STEP, &events, &n);

        if (r < 0)
                return r;
        *ret = worker_events_json(events, n, &l->percent);
        job_events_free(events, n);
        return !*ret ? -ENOMEM : n == EVENTS_STEP;
}

static int get_events(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        EventParameters q = {};
        EventReading *l;
        int k;

        k = request_query_decode(r, &q);
        if (k < 0)
                return k;
        k = job_find(r, request_param(r, "id"), &row);
        if (k < 0)
                return k;
        /* The journal counts whole microseconds and includes the first: exclusive is one later. */
        l = new0(EventReading, 1);
        if (!l)
                return -ENOMEM;
        k = journal_reading_new(api_journal_directory(request_api(r)), row->id,
                        q.since > 0 ? q.since + 1 : 0, &l->reading);
        if (k < 0) {
                event_reading_free(l);
                return k;
        }
        return request_reply_list(r, NULL, NULL, events_step, l, event_reading_free);
}

static int stream_event(const JobEvent *event, unsigned *percent, const char **ret_name, json_t **ret_data) {
        json_t *data = worker_event_json(event, percent);

        if (!data)
                return -ENOMEM;
        /* Never "error" for an attempt that fails: the job may be tried again, and browsers hang up on
         * it. */
        *ret_name = "progress";
        *ret_data = data;
        return 0;
}

static const SseFormat stream_format = {
        .event = stream_event,
        .error = worker_error_json,
        .complete = worker_complete_json,
};

static int get_stream(Request *r) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int k = job_find(r, request_param(r, "id"), &row);

        return k < 0 ? k : request_reply_events(r, row->id, &stream_format);
}

static const ReplyEvent stream_events[] = {
        { "progress", &worker_event_schema },
        { "error", &worker_stream_error_schema },
        { "complete", &worker_complete_schema },
        {},
};

static const Route worker_routes[] = {
        { HTTP_GET, "/health", SCOPE_PUBLIC, get_health, .summary = "Health check.",
                        .replies = REPLIES(REPLY_OBJECT(200, "It does.", worker_health_schema)) },
        { HTTP_GET, "/metrics", SCOPE_READ, worker_get_metrics, .summary = "Metrics for Prometheus.",
                        .replies = REPLIES({ 200, { .type = SCHEMA_STRING, .description = "The metrics." },
                                        METRICS_CONTENT_TYPE }) },
        { HTTP_GET, "/openapi.json", SCOPE_READ, openapi_get, .for_browsers = true,
                        .summary = "OpenAPI description of this API.", .replies = openapi_replies },
        { HTTP_GET, "/docs", SCOPE_READ, docs_get_page, .for_browsers = true,
                        .summary = "Interactive documentation of this API.", .replies = docs_page_replies },
        { HTTP_GET, "/redoc", SCOPE_READ, docs_get_redoc, .for_browsers = true,
                        .summary = "Documentation of this API.", .replies = docs_page_replies },
        { HTTP_GET, "/docs/{file}", SCOPE_READ, docs_get_file, .for_browsers = true,
                        .summary = "Resources of the documentation pages.", .replies = docs_file_replies },
        { HTTP_POST, "/jobs", SCOPE_SUBMIT, post_job, .query = submit_parameters, .summary = "Submit a job.",
                        .body = &worker_spec_schema,
                        .replies = REPLIES(REPLY_OBJECT(201, "It is accepted.", worker_submitted_schema),
                                        REPLY_OBJECT(200, "It was there already, with the same spec.",
                                                        worker_submitted_schema)) },
        { HTTP_GET, "/jobs", SCOPE_READ, get_jobs, .query = list_parameters,
                        .summary = "List jobs, newest first.",
                        .replies = REPLIES(REPLY_OBJECT(200, "The jobs.", worker_jobs_schema)) },
        { HTTP_GET, "/jobs/{id}", SCOPE_READ, get_job, .summary = "Get a job and its history.",
                        .replies = REPLIES(REPLY_OBJECT(200, "The job.", worker_job_schema)) },
        { HTTP_DELETE, "/jobs/{id}", SCOPE_SUBMIT, delete_job, .summary = "Cancel a job.",
                        .replies = REPLIES(REPLY_OBJECT(200, "It is cancelled, or will be in a moment.",
                                        worker_cancelled_schema)) },
        { HTTP_POST, "/jobs/{id}/retry", SCOPE_SUBMIT, retry_job, .summary = "Retry a failed job.",
                        .body = &worker_retry_schema,
                        .replies = REPLIES(REPLY_OBJECT(
                                        200, "The job is queued again.", worker_cancelled_schema)) },
        { HTTP_POST, "/jobs/{id}/cutover", SCOPE_SUBMIT, job_cutover, .body = &job_cutover_schema,
                        .summary = "Cut over a warm job, now or at a time, or take that back.",
                        .replies = REPLIES(REPLY_OBJECT(
                                        200, "The cutover is planned.", job_cutover_reply_schema)) },
        { HTTP_GET, "/jobs/{id}/boot-screen", SCOPE_READ, job_screenshot,
                        .summary = "Get the screenshot of a proof of boot.",
                        .replies = job_screenshot_replies },
        { HTTP_GET, "/jobs/{id}/events", SCOPE_READ, get_events, .query = event_parameters,
                        .summary = "List the events of a job.",
                        .replies = REPLIES({ 200,
                                        { .type = SCHEMA_ARRAY,
                                                        .description = "Oldest first.",
                                                        .schema = &worker_event_schema } }) },
        { HTTP_GET, "/jobs/{id}/events/stream", SCOPE_READ, get_stream,
                        .summary = "Stream the events of a job as server-sent events until it ends.",
                        .replies = REPLIES({ 200,
                                        { .type = SCHEMA_STRING,
                                                        .description = "Past events, followed by new "
                                                                       "events, "
                                                                       "and at last complete. It begins "
                                                                       "behind Last-Event-ID." },
                                        "text/event-stream", stream_events }) },
        { HTTP_POST, "/jobs/{id}/events", SCOPE_WORK, worker_post_events,
                        .summary = "Report events of a leased job.", .body = &worker_report_schema,
                        .replies = REPLIES(REPLY_OBJECT(202, "It is noted.", worker_reported_schema)) },
        { HTTP_POST, "/jobs/{id}/result", SCOPE_WORK, worker_post_result,
                        .summary = "Report the result of a leased job.", .body = &worker_outcome_schema,
                        .replies = REPLIES(REPLY_OBJECT(200, "It is recorded.", worker_reported_schema)) },
        { HTTP_POST, "/workers/register", SCOPE_WORK, worker_post_register,
                        .summary = "Register a worker, or replace its registration.",
                        .body = &worker_registration_schema,
                        .replies = REPLIES(
                                        REPLY_OBJECT(201, "It is registered.", worker_registered_schema)) },
        { HTTP_POST, "/workers/{id}/heartbeat", SCOPE_WORK, worker_post_heartbeat,
                        .summary = "Renew a worker's leases.",
                        .replies = REPLIES(REPLY_OBJECT(200, "It was heard.", worker_heartbeat_schema)) },
        { HTTP_GET, "/workers", SCOPE_READ, worker_get_workers, .query = worker_workers_parameters,
                        .summary = "List workers in the order of their registration.",
                        .replies = REPLIES(REPLY_OBJECT(200, "The workers.", worker_workers_schema)) },
        { HTTP_DELETE, "/workers/{id}", SCOPE_WORK, worker_delete_worker,
                        .summary = "Remove a worker and return its jobs to the queue.",
                        .replies = REPLIES(REPLY_OBJECT(200, "It is removed.", worker_removed_schema)) },
        { HTTP_GET, "/queue", SCOPE_READ, worker_get_queue, .summary = "Get the number of queued jobs.",
                        .replies = REPLIES(REPLY_OBJECT(200, "The queue.", worker_queue_schema)) },
        { HTTP_POST, "/queue/dequeue", SCOPE_WORK, worker_post_dequeue,
                        .summary = "Assign the first suitable job, or a given one, to a worker.",
                        .body = &worker_dequeue_schema,
                        .replies = REPLIES({ 200,
                                        { .type = SCHEMA_OBJECT,
                                                        .flags = SCHEMA_NULLABLE,
                                                        .description = "The job, or null if there is none.",
                                                        .schema = &worker_spec_schema } }) },
        {},
};

static const SchemaField problem_fields[] = {
        { "code", SCHEMA_INTEGER, .description = "The HTTP status.", .max = 599 },
        { "message", SCHEMA_STRING },
        { "path", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        {},
};
static const Schema problem_schema = { .name = "Problem", .fields = problem_fields };
static const SchemaField error_fields[] = {
        { "error", SCHEMA_OBJECT, .schema = &problem_schema },
        {},
};
static const Schema error_schema = { .name = "Error", .fields = error_fields };

static json_t *error_json(Request *r, unsigned status, const char *message) {
        return json_pack("{s:{s:i, s:o, s:o, s:o}}", "error", "code", (int) status, "message",
                        json_text(message), "path", json_text(request_path(r)), "timestamp",
                        json_time(now_realtime()));
}

const Dialect worker_dialect = {
        .name = WORKER_DIALECT,
        .fd_name = "hyper-worker",
        .routes = worker_routes,
        .keys = KEYS_ONCE_MADE,
        .title = "hyper, worker API",
        .description = "Submit, monitor and cancel jobs that migrate virtual machine disks to KVM. See "
                       "hyper-api(7).",
        .error_schema = &error_schema,
        .error = error_json,
};
