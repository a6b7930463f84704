/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/worker/worker-workers.h"
#include "api/bus-client.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "api/worker/worker-decode.h"
#include "basic/string-util.h"
#include "spec/label.h"
#include "store/lease.h"

/* What the manager takes: the body, as JSON that was looked at. The caller frees. */
static int read_body(Request *r, json_t **ret_value, char **ret_text) {
        _cleanup_json_ json_t *value = NULL;
        int k = request_json(r, &value);

        if (k < 0)
                return k;
        *ret_text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!*ret_text)
                return -ENOMEM;
        *ret_value = TAKE_PTR(value);
        return 0;
}

static void body_done(void *userdata) {
        json_decref(userdata);
}

/* A call about the worker or job that the path names. */
static int call_about(Request *r, const char *member, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, member, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "id"));
        return k < 0 ? k : manager_call(r, m, func, NULL);
}

/* --- registration ---------------------------------------------------------------------------------- */

static const SchemaField registration_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "capabilities", SCHEMA_ANY, 0, "A list of words, or a map of booleans." },
        { "operations", SCHEMA_ARRAY_ANY, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "The supported operations; defaults to all." },
        { "system_info", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "memory_mb and disk_space_mb limit the jobs that are assigned to the worker." },
        { "execution_mode", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "labels", SCHEMA_ARRAY, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "Labels of the machine, which the placement of a job refers to." },
        {},
};

const Schema worker_registration_schema = { .name = "Registration", .fields = registration_fields };

static const SchemaField registered_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        { "capabilities", SCHEMA_ANY, 0, "As they came." },
        { "registered_at", SCHEMA_TIMESTAMP },
        {},
};

const Schema worker_registered_schema = { .name = "Registered", .fields = registered_fields };

static int on_registered(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        Store *store;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_worker_get(store,
                                json_string_value(json_object_get(request_userdata(r), "worker_id")), &row);
        if (k < 0)
                return k;
        return request_reply_json(r, 201,
                        json_pack("{s:o, s:s, s:o, s:o}", "worker_id", json_text(row->id), "message",
                                        "Worker registered successfully", "capabilities",
                                        json_loads(row->capabilities, 0, NULL), "registered_at",
                                        json_time(row->registered_at)));
}

int worker_post_register(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *text = NULL;
        json_t *body;
        int k = read_body(r, &body, &text);

        if (k < 0)
                return k;
        request_set_userdata(r, body, body_done);
        k = manager_call_new(r, "RegisterWorker", &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        return k < 0 ? k : manager_call(r, m, on_registered, NULL);
}

/* --- heartbeat ------------------------------------------------------------------------------------- */

static const SchemaField heartbeat_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "jobs", SCHEMA_ARRAY, .description = "The IDs of the jobs that the worker holds." },
        { "cancel_jobs", SCHEMA_ARRAY,
                        .description = "Those that were cancelled, or took too long, while it held them: it "
                                       "must let go of them. Each "
                                       "is told for 300 seconds." },
        {},
};

const Schema worker_heartbeat_schema = { .name = "Heartbeat", .fields = heartbeat_fields };

static int read_ids(sd_bus_message *reply, json_t **ret) {
        _cleanup_strv_free_ char **ids = NULL;
        _cleanup_json_ json_t *list = json_array();
        int k = sd_bus_message_read_strv(reply, &ids);

        if (k < 0)
                return k;
        STRV_FOREACH(id, ids)
                if (json_array_append_new(list, json_string(*id)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int on_heartbeat(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *jobs = NULL, *cancelled = NULL;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = read_ids(reply, &jobs);
        if (k >= 0)
                k = read_ids(reply, &cancelled);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:o, s:s, s:o, s:O, s:O}", "worker_id",
                                        json_text(request_param(r, "id")), "message", "Heartbeat received",
                                        "timestamp", json_time(now_realtime()), "jobs", jobs, "cancel_jobs",
                                        cancelled));
}

int worker_post_heartbeat(Request *r) {
        return call_about(r, "Heartbeat", on_heartbeat);
}

/* --- the list -------------------------------------------------------------------------------------- */

static const SchemaField worker_fields_shown[] = {
        { "worker_id", SCHEMA_STRING },
        { "capabilities", SCHEMA_ANY, 0, "As they came." },
        { "operations", SCHEMA_ARRAY_ANY, 0, "Those that it carries out." },
        { "system_info", SCHEMA_OBJECT },
        { "execution_mode", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "labels", SCHEMA_ARRAY, 0, "Of its machine." },
        { "registered_at", SCHEMA_TIMESTAMP },
        { "last_heartbeat", SCHEMA_TIMESTAMP, 0, "When it was last heard from." },
        { "active", SCHEMA_BOOLEAN, 0, "That was within 300 seconds." },
        { "jobs", SCHEMA_INTEGER, 0, "How many it holds." },
        {},
};

static const Schema worker_schema = { .name = "Worker", .fields = worker_fields_shown };

static const SchemaField workers_fields[] = {
        { "total", SCHEMA_INTEGER, 0, "How many there are." },
        { "active", SCHEMA_INTEGER, 0, "Those heard from within 300 seconds." },
        { "workers", SCHEMA_ARRAY, .schema = &worker_schema },
        {},
};

const Schema worker_workers_schema = { .name = "WorkerList", .fields = workers_fields };

static json_t *worker_json(const WorkerRow *row, bool active) {
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "worker_id",
                        json_text(row->id), "capabilities", json_loads(row->capabilities, 0, NULL),
                        "operations", operations_to_json(row->capability_mask), "system_info",
                        json_loads(row->system_info, 0, NULL), "execution_mode",
                        json_text(row->execution_mode), "labels", labels_to_json(row->labels),
                        "registered_at", json_time(row->registered_at), "last_heartbeat",
                        json_time(row->heartbeat_at), "active", active, "jobs", json_count(row->jobs));
}

typedef struct WorkersParameters {
        uint64_t limit, offset;
} WorkersParameters;

const QueryField worker_workers_parameters[] = {
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(WorkersParameters, limit),
                        .min = 1,
                        .max = INT64_MAX,
                        .description = "The maximum number of workers; defaults to all." },
        { .key = "offset",
                        .type = QUERY_UINT64,
                        .offset = offsetof(WorkersParameters, offset),
                        .max = INT64_MAX,
                        .description = "The number of workers to skip." },
        {},
};

/* So many are read in one step. */
#define WORKERS_STEP 100u

typedef struct WorkersList {
        Api *api;
        usec_t now;
        int64_t seq; /* of the last one told */
        uint64_t offset; /* before the first one */
        uint64_t left;
} WorkersList;

static int workers_step(void *userdata, json_t **ret) {
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        WorkersList *l = userdata;
        Store *store;
        int r;

        if (!list)
                return -ENOMEM;
        r = api_store(l->api, &store);
        if (r >= 0 && l->left > 0)
                r = store_workers_list(
                                store, l->seq, l->offset, MIN(l->left, (uint64_t) WORKERS_STEP), &rows);
        if (r < 0 && r != -ENOENT) /* (without a database there is no worker) */
                return r;
        for (size_t i = 0; i < rows.n; i++) {
                bool is_active = rows.rows[i].heartbeat_at + WORKER_LEASE > l->now;

                if (json_array_append_new(list, worker_json(&rows.rows[i], is_active)) < 0)
                        return -ENOMEM;
                l->seq = rows.rows[i].seq;
        }
        l->offset = 0;
        l->left -= rows.n;
        *ret = TAKE_PTR(list);
        return rows.n == WORKERS_STEP && l->left > 0;
}

int worker_get_workers(Request *r) {
        uint64_t total = 0, active = 0;
        WorkersParameters q = {};
        WorkersList *l;
        Store *store;
        usec_t now = now_realtime();
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_workers_count(store, now - WORKER_LEASE, &total, &active);
        if (k < 0 && k != -ENOENT)
                return k;
        l = new0(WorkersList, 1);
        if (!l)
                return -ENOMEM;
        *l = (WorkersList){ .api = request_api(r),
                .now = now,
                .offset = q.offset,
                .left = q.limit > 0 ? q.limit : UINT64_MAX };
        return request_reply_list(r,
                        json_pack("{s:o, s:o}", "total", json_count(total), "active", json_count(active)),
                        "workers", workers_step, l, free);
}

/* --- removal --------------------------------------------------------------------------------------- */

static const SchemaField removed_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        {},
};

const Schema worker_removed_schema = { .name = "WorkerRemoved", .fields = removed_fields };

static int on_removed(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:o, s:s}", "worker_id", json_text(request_param(r, "id")), "message",
                                        "Worker unregistered successfully"));
}

int worker_delete_worker(Request *r) {
        return call_about(r, "UnregisterWorker", on_removed);
}

/* --- the queue ------------------------------------------------------------------------------------- */

static const SchemaField queue_fields[] = {
        { "total_jobs", SCHEMA_INTEGER, 0, "How many wait." },
        { "by_priority", SCHEMA_OBJECT, 0, "How many of each priority that there is." },
        {},
};

const Schema worker_queue_schema = { .name = "Queue", .fields = queue_fields };

int worker_get_queue(Request *r) {
        _cleanup_(queue_status_done) QueueStatus q = {};
        _cleanup_json_ json_t *priorities = json_object();
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_queue_status(store, &q);
        if (k < 0 && k != -ENOENT)
                return k;
        for (size_t i = 0; i < q.n_priorities; i++) {
                char key[16];

                (void) snprintf(key, sizeof(key), "%u", q.priorities[i].priority);
                if (json_object_set_new(priorities, key, json_count(q.priorities[i].n)) < 0)
                        return -ENOMEM;
        }
        return request_reply_json(r, 200,
                        json_pack("{s:o, s:O}", "total_jobs", json_count(q.total), "by_priority",
                                        priorities));
}

/* --- reports --------------------------------------------------------------------------------------- */

static const SchemaField report_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "phase", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "percentage", SCHEMA_ANY, SCHEMA_OPTIONAL, "0 to 100; also as progress_percent." },
        { "sequence", SCHEMA_INTEGER, SCHEMA_OPTIONAL,
                        "Counts the events of this attempt from 1: an event whose number is not larger than "
                        "that of the "
                        "one before is a repetition, and is dropped." },
        { "message", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "details", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        {},
};

const Schema worker_report_schema = { .name = "Report",
        .description = "An event, or an array of at most 1000 events.",
        .fields = report_fields };

static const SchemaField outcome_fields[] = {
        { "worker_id", SCHEMA_STRING },
        { "status", SCHEMA_STRING, 0, "completed or failed." },
        { "outputs", SCHEMA_ARRAY_ANY, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "What was made: objects." },
        { "metrics", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "guest", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "What was found in the guest, what was changed, and what could not be." },
        { "error", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                        "phase, code, message; retryable false if trying again is of no use." },
        {},
};

const Schema worker_outcome_schema = { .name = "Outcome", .fields = outcome_fields };

static const SchemaField reported_fields[] = {
        { "job_id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        {},
};

const Schema worker_reported_schema = { .name = "Reported", .fields = reported_fields };

/* @userdata is the status to answer with. */
static int on_reported(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, (unsigned) PTR_TO_SIZE(userdata),
                        json_pack("{s:o, s:s}", "job_id", json_text(request_param(r, "id")), "message",
                                        "Report received"));
}

static int post_report(Request *r, const char *member, unsigned status) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        const char *worker, *why;
        int k = read_body(r, &body, &text);

        if (k < 0)
                return k;
        worker = worker_id_of_report(body, &why);
        if (!worker)
                return request_reply_error(r, 400, "%s", why);
        k = manager_call_new(r, member, &m);
        if (k >= 0)
                k = sd_bus_message_append(m, "sss", request_param(r, "id"), worker, text);
        return k < 0 ? k : manager_call(r, m, on_reported, SIZE_TO_PTR(status));
}

int worker_post_events(Request *r) {
        return post_report(r, "ReportEvents", 202);
}

int worker_post_result(Request *r) {
        return post_report(r, "ReportResult", 200);
}
