/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-schedules.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-submit.h"
#include "api/reading.h"
#include "api/v1/v1-job-decode.h"
#include "api/v1/v1-page.h"
#include "api/v1/v1-schedule-json.h"
#include "api/v1/v1-submit.h"
#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "shared/bus-fields.h"

/* --- the list -------------------------------------------------------------------------------------- */

typedef struct SchedulesQuery {
        V1Page page;
        uint32_t statuses; /* 1: enabled, 2: disabled */
        usec_t after, before;
        const char *search;
        int sort, order;
} SchedulesQuery;

static int status_from_string(const char *s) {
        return streq(s, "enabled") ? 0 : streq(s, "disabled") ? 1 : -EINVAL;
}

static int sort_from_string(const char *s) {
        return (int) schedule_sort_from_string(s);
}

const QueryField v1_schedules_query[] = {
        V1_PAGE_FIELDS(offsetof(SchedulesQuery, page)),
        { "status", QUERY_ENUM_SET, offsetof(SchedulesQuery, statuses), .from_string = status_from_string,
                        .expected = "any of enabled, disabled" },
        { "created_after", QUERY_TIMESTAMP, offsetof(SchedulesQuery, after) },
        { "created_before", QUERY_TIMESTAMP, offsetof(SchedulesQuery, before) },
        { "search", QUERY_STRING, offsetof(SchedulesQuery, search), .max = V1_SEARCH_MAX,
                        .description = "A part of the ID, of the name, or of the name of the machine." },
        { "sort", QUERY_ENUM, offsetof(SchedulesQuery, sort), .from_string = sort_from_string,
                        .expected = "one of created_at, name, next_run, last_run" },
        { "order", QUERY_ENUM, offsetof(SchedulesQuery, order), .from_string = v1_order_from_string,
                        .expected = "one of asc, desc",
                        .description = "Default: desc for times, asc otherwise." },
        {},
};

static const SchemaField schedules_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &v1_schedule_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
const Schema v1_schedules_schema = { .name = "Schedules", .fields = schedules_fields };

static SchedulePageFilter filter_of(const SchedulesQuery *q) {
        bool by_name = q->sort == SCHEDULE_SORT_NAME;

        return (SchedulePageFilter){
                .no_enabled = q->statuses != 0 && !(q->statuses & 1u << 0),
                .no_disabled = q->statuses != 0 && !(q->statuses & 1u << 1),
                .after = q->after,
                .before = q->before,
                .search = q->search,
                .sort = (ScheduleSort) q->sort,
                .descending = q->order == V1_ORDER_DEFAULT ? !by_name : q->order == V1_ORDER_DESC,
                .offset = q->page.offset,
                .limit = q->page.limit,
        };
}

typedef struct SchedulesReading {
        SchedulePageFilter filter; /* its text is ours */
        char *search;
        V1Page page;
        json_t *data; /* once it is read */
        uint64_t total;
} SchedulesReading;

static void schedules_reading_free(void *userdata) {
        SchedulesReading *g = userdata;

        free(g->search);
        json_decref(g->data);
        free(g);
}

static int read_page(Store *store, void *userdata) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        SchedulesReading *g = userdata;
        int r = store_schedules_page(store, &g->filter, &rows);

        if (r < 0)
                return r;
        for (size_t i = 0; i < rows.n; i++)
                if (json_array_append_new(g->data, v1_schedule_json(rows.rows[i])) < 0)
                        return -ENOMEM;
        g->total = rows.total;
        return 0;
}

static int reply_page(Request *r, int result, void *userdata) {
        SchedulesReading *g = userdata;
        json_t *reply;
        int k;

        if (result < 0 && result != -ENOENT) /* no database: no schedules */
                return result;
        reply = json_object();
        k = v1_page_add(reply, &g->page, json_incref(g->data), g->total);
        if (k < 0) {
                json_decref(reply);
                return k;
        }
        return request_reply_json(r, 200, reply);
}

int v1_list_schedules(Request *r) {
        static const char *const others[] = { "provider", "type", "os", NULL };
        static const ReadingOps ops = { read_page, reply_page, schedules_reading_free };
        SchedulesQuery q = { .page = V1_PAGE_INIT };
        SchedulesReading *g;
        int k = request_query_decode(r, &q);

        if (k >= 0)
                k = v1_check_filters(r, others, q.search);
        if (k < 0)
                return k;
        g = new0(SchedulesReading, 1);
        if (!g)
                return -ENOMEM;
        g->data = json_array();
        g->search = q.search ? strdup(q.search) : NULL;
        if (!g->data || (q.search && !g->search)) {
                schedules_reading_free(g);
                return -ENOMEM;
        }
        g->page = q.page;
        g->filter = filter_of(&q);
        g->filter.search = g->search;
        return request_read(r, &ops, g);
}

/* --- one ------------------------------------------------------------------------------------------- */

static int reply_schedule(Request *r, unsigned status, const char *id) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        Store *store;
        int k = schedule_id_is_valid(id) ? api_store(request_api(r), &store) : -ENOENT;

        if (k >= 0)
                k = store_schedule_get(store, id, &row);
        if (k == -ENOENT)
                return request_reply_error(r, MHD_HTTP_NOT_FOUND, "There is no such schedule.");
        return k < 0 ? k : request_reply_json(r, status, v1_schedule_json(row));
}

int v1_get_schedule(Request *r) {
        return reply_schedule(r, 200, request_param(r, "id"));
}

/* --- definitions ----------------------------------------------------------------------------------- */

static void origins_free(void *userdata) {
        json_decref(userdata);
}

/* The manager's "job.source.path" is the client's "job." and its own name for the path. */
static int rename_field(const JsonError *e, json_t *origins, JsonErrors *ret) {
        const char *field = startswith(e->field, "job.");
        _cleanup_(json_errors_done) JsonErrors inner = {};

        if (!field)
                return json_errors_add(ret, e->field, "%s", e->text);
        const JsonErrors one = { .errors = &(JsonError){ .field = (char *) field, .text = e->text },
                .n_errors = 1 };
        int r = dialect_errors_rename(v1_job_fields, origins, &one, &inner);
        return r < 0 ? r : json_errors_adopt(ret, "job", &inner);
}

static int reply_bus_error(Request *r, const sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {}, named = {};
        _cleanup_free_ char *text = NULL;
        int k;

        if (isempty(error->message))
                return request_reply_bus_error(r, error);
        k = bus_error_fields_read(error, &fields);
        for (size_t i = 0; k >= 0 && i < fields.n_errors; i++)
                k = rename_field(&fields.errors[i], request_userdata(r), &named);
        if (k < 0)
                return k;
        text = json_errors_text(&named);
        return v1_reply_submit_error(r, error, text);
}

static int on_created(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ char *location = NULL;
        const char *id;
        int k;

        if (error)
                return reply_bus_error(r, error);
        k = sd_bus_message_read(m, "s", &id);
        if (k < 0)
                return k;
        location = strprintf("/api/v1/schedules/%s", id);
        k = location ? request_add_header(r, MHD_HTTP_HEADER_LOCATION, location) : -ENOMEM;
        return k < 0 ? k : reply_schedule(r, MHD_HTTP_CREATED, id);
}

static int on_updated(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return error ? reply_bus_error(r, error) : reply_schedule(r, 200, request_param(r, "id"));
}

/* The job of a schedule as a client of this API has sent it, or NULL: it is another one's, or has secrets,
 * which are not kept there. */
static json_t *old_job(Request *r, const char *id) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        Store *store;

        if (!id || !schedule_id_is_valid(id) || api_store(request_api(r), &store) < 0 ||
                        store_schedule_get(store, id, &row) < 0 || !row->request ||
                        !streq_ptr(row->dialect, V1_DIALECT) || strstr(row->request, "\"***"))
                return NULL;
        return json_loads(row->request, 0, NULL);
}

/* The definition of the schedule @id (NULL: a new one) for the manager in *ret_text, and its job, if there is
 * one. */
static int read_definition(
                Request *r, const char *id, char **ret_text, DialectJob *job, JsonErrors *errors) {
        _cleanup_json_ json_t *body = NULL, *definition = NULL, *template = NULL, *old = NULL;
        _cleanup_(json_errors_done) JsonErrors inner = {};
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        old = json_object_get(body, "carbon") ? old_job(r, id) : NULL;
        k = v1_schedule_decode(body, !id, old, &definition, &template, errors);
        if (k >= 0 && template) {
                k = v1_job_read(r, template, true, job, &inner);
                if (k == -EBADMSG && json_errors_adopt(errors, "job", &inner) < 0)
                        k = -ENOMEM;
                if (k >= 0 && json_object_set(definition, "job", job->spec->document) < 0)
                        k = -ENOMEM;
        }
        if (k < 0)
                return k;
        *ret_text = json_dumps(definition, JSON_COMPACT);
        return *ret_text ? 0 : -ENOMEM;
}

/* Calls @member with @id (NULL: none), the definition in the body, and the options. */
static int send_definition(Request *r, const char *member, const char *id, manager_reply_func on_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_free_ char *text = NULL;
        int k = read_definition(r, id, &text, &job, &errors);

        if (k == -EBADMSG && errors.n_errors > 0)
                return v1_reply_field_errors(r, &errors);
        if (k >= 0)
                k = manager_call_new(r, member, &m);
        if (k >= 0 && id)
                k = sd_bus_message_append(m, "s", id);
        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        if (k >= 0)
                k = job_submit_append_options(r, m, job.spec ? &job : NULL, V1_DIALECT, false);
        if (k < 0)
                return k;
        request_set_userdata(r, json_incref(job.origins), origins_free);
        return manager_call(r, m, on_reply, NULL);
}

int v1_create_schedule(Request *r) {
        return send_definition(r, "CreateSchedule", NULL, on_created);
}

int v1_update_schedule(Request *r) {
        return send_definition(r, "UpdateSchedule", request_param(r, "id"), on_updated);
}

int v1_validate_schedule(Request *r) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        json_t *reply = NULL;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        k = v1_schedule_times(body, now_realtime(), &reply, &errors);
        if (k == -EBADMSG)
                return v1_reply_field_errors(r, &errors);
        return k < 0 ? k : request_reply_json(r, 200, reply);
}

/* --- actions --------------------------------------------------------------------------------------- */

static const SchemaField message_fields[] = {
        { "id", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        {},
};
const Schema v1_schedule_message_schema = { .name = "DeletedSchedule", .fields = message_fields };

static const SchemaField triggered_fields[] = {
        { "id", SCHEMA_STRING },
        { "job_id", SCHEMA_STRING, SCHEMA_NULLABLE, "null if the previous run has not ended." },
        { "message", SCHEMA_STRING },
        {},
};
const Schema v1_triggered_schema = { .name = "TriggeredSchedule", .fields = triggered_fields };

static int send_id(Request *r, const char *member, const char *signature, manager_reply_func on_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, member, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, signature, request_param(r, "id"), 0);
        return k < 0 ? k : manager_call(r, m, on_reply, NULL);
}

static int on_deleted(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        return error ? reply_bus_error(r, error)
                     : request_reply_json(r, 200,
                                       json_pack("{s:s, s:s}", "id", request_param(r, "id"), "message",
                                                       "The schedule is deleted, but not its jobs."));
}

int v1_delete_schedule(Request *r) {
        return send_id(r, "DeleteSchedule", "s", on_deleted);
}

int v1_enable_schedule(Request *r) {
        return send_id(r, "EnableSchedule", "s", on_updated);
}

int v1_disable_schedule(Request *r) {
        return send_id(r, "DisableSchedule", "s", on_updated);
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
                        json_pack("{s:s, s:s?, s:s}", "id", request_param(r, "id"), "job_id",
                                        isempty(job_id) ? NULL : job_id, "message",
                                        isempty(job_id) ? "The previous run has not ended; overlap_policy "
                                                          "decides."
                                                        : "The job is submitted."));
}

int v1_trigger_schedule(Request *r) {
        return send_id(r, "TriggerSchedule", "sa{sv}", on_triggered);
}
