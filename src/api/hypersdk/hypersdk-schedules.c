/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-schedules.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-quirks.h"
#include "api/hypersdk/hypersdk-reply.h"
#include "api/hypersdk/hypersdk-schedule-json.h"
#include "api/job-json.h"
#include "api/job-submit.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "shared/bus-fields.h"
#include "shared/error-table.h"

static int find_row(Request *r, const char *id, ScheduleRow **ret) {
        Store *store;
        int k = schedule_id_is_valid(id) ? api_store(request_api(r), &store) : -ENOENT;

        if (k >= 0)
                k = store_schedule_get(store, id, ret);
        if (k == -ENOENT)
                (void) request_reply_error(r, 404, "Schedule %s not found", id);
        return k;
}

typedef struct ListParameters {
        uint64_t limit, offset;
} ListParameters;

const QueryField hypersdk_schedule_parameters[] = {
        { .key = "limit",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, limit),
                        .max = INT64_MAX },
        { .key = "offset",
                        .type = QUERY_UINT64,
                        .offset = offsetof(ListParameters, offset),
                        .max = INT64_MAX },
        {},
};

/* So many are read in one step. */
#define SCHEDULES_STEP 50u

typedef struct SchedulesList {
        Api *api;
        int64_t seq; /* of the last one told */
        uint64_t offset; /* before the first one */
        uint64_t left;
} SchedulesList;

static int schedules_step(void *userdata, json_t **ret) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        _cleanup_json_ json_t *list = json_array();
        SchedulesList *l = userdata;
        Store *store;
        int r;

        if (!list)
                return -ENOMEM;
        r = api_store(l->api, &store);
        if (r >= 0 && l->left > 0)
                r = store_schedules_list_after(
                                store, l->seq, l->offset, MIN(l->left, (uint64_t) SCHEDULES_STEP), &rows);
        if (r < 0 && r != -ENOENT) /* (without a database there is no schedule) */
                return r;
        for (size_t i = 0; i < rows.n; i++) {
                if (json_array_append_new(list, hypersdk_schedule_json(rows.rows[i])) < 0)
                        return -ENOMEM;
                l->seq = rows.rows[i]->seq;
        }
        l->offset = 0;
        l->left -= rows.n;
        *ret = TAKE_PTR(list);
        return rows.n == SCHEDULES_STEP && l->left > 0;
}

int hypersdk_list_schedules(Request *r) {
        ScheduleStats stats = {};
        ListParameters q = {};
        SchedulesList *l;
        Store *store;
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_schedules_stats(store, &stats);
        if (k < 0 && k != -ENOENT)
                return k;
        l = new0(SchedulesList, 1);
        if (!l)
                return -ENOMEM;
        *l = (SchedulesList){
                .api = request_api(r), .offset = q.offset, .left = q.limit > 0 ? q.limit : UINT64_MAX
        };
        return request_reply_list(r,
                        json_pack("{s:o, s:o}", "total", json_count(stats.total), "timestamp",
                                        json_time(now_realtime())),
                        "schedules", schedules_step, l, free);
}

int hypersdk_get_schedule(Request *r) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        int k = find_row(r, request_param(r, "id"), &row);

        return k < 0 ? k : request_reply_json(r, 200, hypersdk_schedule_json(row));
}

int hypersdk_schedule_stats(Request *r) {
        ScheduleStats s = {};
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_schedules_stats(store, &s);
        if (k < 0 && k != -ENOENT)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "total_schedules",
                                        (json_int_t) s.total, "enabled_schedules", (json_int_t) s.enabled,
                                        "disabled_schedules", (json_int_t) (s.total - s.enabled),
                                        "total_runs", (json_int_t) s.runs, "successful_runs",
                                        (json_int_t) s.successful, "failed_runs", (json_int_t) s.failed,
                                        "timestamp", json_time(now_realtime())));
}

/* --- changes --------------------------------------------------------------------------------------- */

/* What is kept of a definition while the manager looks at it. */
typedef struct Definition {
        json_t *origins; /* of the fields of its template */
        bool schedule_is_text; /* in the answer (hypersdk-quirks.h) */
} Definition;

static void definition_free(void *userdata) {
        Definition *d = userdata;

        json_decref(d->origins);
        free(d);
}

/* The manager's "job.source.path" is the client's "job_template." with its own name for the path. */
static int rename_field(const JsonError *e, json_t *origins, JsonErrors *ret) {
        const char *field = startswith(e->field, "job.");
        _cleanup_(json_errors_done) JsonErrors inner = {};

        if (!field)
                return json_errors_add(
                                ret, streq(e->field, "job") ? "job_template" : e->field, "%s", e->text);
        const JsonErrors one = { .errors = &(JsonError){ .field = (char *) field, .text = e->text },
                .n_errors = 1 };
        int k = dialect_errors_rename(hypersdk_fields, origins, &one, &inner);
        return k < 0 ? k : json_errors_adopt(ret, "job_template", &inner);
}

static int reply_bus_error(Request *r, const sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {}, named = {};
        const Definition *d = request_userdata(r);

        if (isempty(error->message))
                return request_reply_bus_error(r, error);
        int k = bus_error_fields_read(error, &fields);
        if (k < 0)
                return k;
        for (size_t i = 0; i < fields.n_errors; i++) {
                k = rename_field(&fields.errors[i], d ? d->origins : NULL, &named);
                if (k < 0)
                        return k;
        }
        _cleanup_free_ char *text = json_errors_text(&named);
        return text ? request_reply_error(r, (unsigned) error_entry_by_bus_name(error->name)->http_status,
                                      "%s", text)
                    : -ENOMEM;
}

static int reply_schedule(Request *r, unsigned status, const char *id, const char *message) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        const Definition *d = request_userdata(r);
        int k = find_row(r, id, &row);

        if (k < 0)
                return k;
        return request_reply_json(r, status,
                        hypersdk_schedule_reply_json(row, message, d->schedule_is_text, now_realtime()));
}

static int on_created(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const char *id;
        int k;

        if (error)
                return reply_bus_error(r, error);
        k = sd_bus_message_read(m, "s", &id);
        return k < 0 ? k : reply_schedule(r, 201, id, "schedule created successfully");
}

static int on_updated(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return error ? reply_bus_error(r, error)
                     : reply_schedule(r, 200, request_param(r, "id"), "schedule updated successfully");
}

/* Reads the body, and calls @member with @id (NULL: none), the definition and the options. */
static int send_definition(Request *r, const char *member, const char *id, manager_reply_func on_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL, *definition = NULL;
        _cleanup_free_ char *text = NULL;
        int k;

        k = request_json_object(r, &body);
        if (k < 0)
                return k;
        k = hypersdk_schedule_decode(body, !id, &definition, &job, &errors);
        if (k == -EBADMSG) {
                text = json_errors_text(&errors);
                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        if (k < 0)
                return k;
        text = json_dumps(definition, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        k = manager_call_new(r, member, &m);
        if (k >= 0 && id)
                k = sd_bus_message_append(m, "s", id);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        if (k >= 0)
                k = job_submit_append_options(r, m, job.spec ? &job : NULL, HYPERSDK_DIALECT, false);
        if (k < 0)
                return k;
        Definition *d = new0(Definition, 1);
        if (!d)
                return -ENOMEM;
        d->origins = json_incref(job.origins);
        d->schedule_is_text = hypersdk_quirk_applies(
                        QUIRK_SCHEDULE_IS_TEXT, request_header(r, "User-Agent"), body);
        request_set_userdata(r, d, definition_free);
        return manager_call(r, m, on_reply, NULL);
}

int hypersdk_create_schedule(Request *r) {
        return send_definition(r, "CreateSchedule", NULL, on_created);
}

int hypersdk_update_schedule(Request *r) {
        return send_definition(r, "UpdateSchedule", request_param(r, "id"), on_updated);
}

static int on_done(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return hypersdk_reply_message(r, 200, error, request_userdata(r));
}

static int send_id(Request *r, const char *member, const char *message) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, member, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "id"));
        if (k < 0)
                return k;
        request_set_userdata(r, (void *) message, NULL);
        return manager_call(r, m, on_done, NULL);
}

int hypersdk_delete_schedule(Request *r) {
        return send_id(r, "DeleteSchedule", "schedule deleted successfully");
}

int hypersdk_enable_schedule(Request *r) {
        return send_id(r, "EnableSchedule", "schedule enabled successfully");
}

int hypersdk_disable_schedule(Request *r) {
        return send_id(r, "DisableSchedule", "schedule disabled successfully");
}

static int on_triggered(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        const char *job_id;
        int k;

        if (error)
                return reply_bus_error(r, error);
        k = sd_bus_message_read(m, "s", &job_id);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s?, s:o}", "message",
                                        isempty(job_id) ? "schedule triggered; its run before is still "
                                                          "going on, and its overlap_policy decides"
                                                        : "schedule triggered successfully",
                                        "job_id", isempty(job_id) ? NULL : job_id, "timestamp",
                                        json_time(now_realtime())));
}

int hypersdk_trigger_schedule(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, "TriggerSchedule", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "sa{sv}", request_param(r, "id"), 0);
        return k < 0 ? k : manager_call(r, m, on_triggered, NULL);
}
