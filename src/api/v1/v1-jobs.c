/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-jobs.h"

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/reading.h"
#include "api/v1/v1-job-json.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "spec/operation.h"
#include "store/schedules.h"
#include "json/json-table.h"

#define SEARCH_MAX 200u

/* --- the list -------------------------------------------------------------------------------------- */

typedef enum Order { ORDER_DEFAULT, ORDER_ASC, ORDER_DESC } Order;

typedef struct JobsQuery {
        V1Page page;
        uint32_t statuses, providers, types;
        usec_t after, before;
        const char *search, *os;
        int sort, order;
} JobsQuery;

/* Bits of a mask of types: the operations, and before them what only v1 knows. */
#define TYPE_EXPORT (1u << 30)
#define TYPE_MIGRATION (1u << 31)

static uint32_t type_from_word(const char *s) {
        int o = job_operation_from_string(s);

        if (streq(s, "export"))
                return TYPE_EXPORT;
        if (streq(s, "migration"))
                return TYPE_MIGRATION;
        return o >= 0 && o < 30 ? 1u << o : 0;
}

static char *types_text(uint32_t types) {
        _cleanup_strv_free_ char **words = NULL;
        int r = 0;

        for (int o = 0; r >= 0 && o < _OPERATION_MAX; o++)
                if (types & 1u << o)
                        r = strv_extend(&words, job_operation_to_string(o));
        if (r >= 0 && types & TYPE_EXPORT)
                r = strv_extend(&words, "export");
        if (r >= 0 && types & TYPE_MIGRATION)
                r = strv_extend(&words, "migration");
        return r < 0 ? NULL : strv_join(words, ",");
}

static int order_from_string(const char *s) {
        return streq(s, "asc") ? ORDER_ASC : streq(s, "desc") ? ORDER_DESC : -EINVAL;
}

const QueryField v1_jobs_parameters[] = {
        V1_PAGE_FIELDS(offsetof(JobsQuery, page)),
        { "status", QUERY_ENUM_SET, offsetof(JobsQuery, statuses), .from_string = job_status_from_string,
                        .expected = "any of queued, running, completed, failed, cancelled" },
        { "provider", QUERY_ENUM_SET, offsetof(JobsQuery, providers),
                        .from_string = job_provider_from_string,
                        .expected = "any of vsphere, libvirt, local, nbd" },
        { "type", QUERY_ENUM_SET, offsetof(JobsQuery, types), .mask_from_string = type_from_word,
                        .expected = "any of export, migration, convert, inspect, fs_repair, lvm_repair, "
                                    "offline_fix, boot_repair, initramfs_regenerate, selinux_prep" },
        { "created_after", QUERY_TIMESTAMP, offsetof(JobsQuery, after) },
        { "created_before", QUERY_TIMESTAMP, offsetof(JobsQuery, before) },
        { "search", QUERY_STRING, offsetof(JobsQuery, search), .max = SEARCH_MAX,
                        .description = "A part of the ID, of the machine's name, of the source or of the "
                                       "output." },
        { "sort", QUERY_ENUM, offsetof(JobsQuery, sort), .from_string = job_sort_from_string,
                        .expected = "one of created_at, updated_at, started_at, completed_at, status, type, "
                                    "provider, vm_name, progress, priority, id" },
        { "order", QUERY_ENUM, offsetof(JobsQuery, order), .from_string = order_from_string,
                        .expected = "one of asc, desc",
                        .description = "Default: desc for times, asc otherwise." },
        {},
};

static const SchemaField jobs_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &v1_job_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
const Schema v1_jobs_schema = { .name = "Jobs", .fields = jobs_fields };

static const SchemaField cancelled_fields[] = {
        { "id", SCHEMA_STRING },
        { "status", SCHEMA_STRING, .description = "\"cancelled\"" },
        { "message", SCHEMA_STRING },
        {},
};
const Schema v1_cancelled_schema = { .name = "CancelledJob", .fields = cancelled_fields };

static bool is_descending(const JobsQuery *q) {
        return q->order == ORDER_DEFAULT ? q->sort <= SORT_COMPLETED_AT : q->order == ORDER_DESC;
}

static uint64_t queue_position(Store *store, const JobRow *row) {
        uint64_t position = 0;

        if (row->state == JOB_QUEUED)
                (void) store_job_queue_position(store, row->id, NULL, &position);
        return position;
}

static json_t *job_json(Store *store, const JobPageRow *row, usec_t now) {
        _cleanup_free_ char *schedule_id = NULL;

        (void) store_schedule_of_job(store, row->row->id, &schedule_id);
        return v1_job_json(row,
                        &(V1JobMore){ .queue_position = queue_position(store, row->row),
                                        .schedule_id = schedule_id },
                        now);
}

typedef struct JobsReading {
        JobPageFilter filter; /* its texts are ours */
        char *types, *search;
        V1Page page;
        json_t *data; /* once it is read */
        uint64_t total;
} JobsReading;

static JobsReading *jobs_reading_free(JobsReading *g) {
        free(g->types);
        free(g->search);
        json_decref(g->data);
        return mfree(g);
}
DEFINE_CLEANUP_FUNC(JobsReading *, jobs_reading_free);

static void destroy_reading(void *userdata) {
        jobs_reading_free(userdata);
}

static int read_page(Store *store, void *userdata) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        usec_t now = now_realtime();
        JobsReading *g = userdata;
        int r = store_jobs_page(store, &g->filter, &rows);

        if (r < 0)
                return r;
        for (size_t i = 0; i < rows.n; i++)
                if (json_array_append_new(g->data, job_json(store, &rows.rows[i], now)) < 0)
                        return -ENOMEM;
        g->total = rows.total;
        return 0;
}

/* No database yet is the same as one without jobs. */
static int reply_page(Request *r, int result, void *userdata) {
        JobsReading *g = userdata;
        json_t *reply;
        int k;

        if (result < 0 && result != -ENOENT)
                return result;
        reply = json_object();
        k = v1_page_add(reply, &g->page, json_incref(g->data), g->total);
        if (k < 0) {
                json_decref(reply);
                return k;
        }
        return request_reply_json(r, 200, reply);
}

int v1_list_jobs(Request *r) {
        static const ReadingOps ops = { read_page, reply_page, destroy_reading };
        _cleanup_(jobs_reading_freep) JobsReading *g = NULL;
        JobsQuery q = { .page = V1_PAGE_INIT };
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        if (request_query(r, "os"))
                return request_reply_error(r, 400, "os: jobs have no such field");
        if (q.search && isempty(q.search))
                return request_reply_error(r, 400, "search: must be 1 to %u characters", SEARCH_MAX);
        g = new0(JobsReading, 1);
        if (!g)
                return -ENOMEM;
        g->data = json_array();
        g->types = q.types ? types_text(q.types) : NULL;
        g->search = q.search ? strdup(q.search) : NULL;
        if (!g->data || (q.types && !g->types) || (q.search && !g->search))
                return -ENOMEM;
        g->page = q.page;
        g->filter = (JobPageFilter){
                .statuses = q.statuses,
                .providers = q.providers,
                .types = g->types,
                .after = q.after,
                .before = q.before,
                .search = g->search,
                .sort = (JobSort) q.sort,
                .descending = is_descending(&q),
                .offset = q.page.offset,
                .limit = q.page.limit,
        };
        return request_read(r, &ops, TAKE_PTR(g));
}

/* --- one job --------------------------------------------------------------------------------------- */

static int reply_no_job(Request *r) {
        return request_reply_error(r, MHD_HTTP_NOT_FOUND, "There is no such job.");
}

int v1_reply_job(Request *r, unsigned status, const char *id) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_jobs_page_get(store, id, &rows);
        if (k == -ENOENT)
                return reply_no_job(r);
        if (k < 0)
                return k;
        return request_reply_json(r, status, job_json(store, &rows.rows[0], now_realtime()));
}

int v1_get_job(Request *r) {
        return v1_reply_job(r, 200, request_param(r, "id"));
}

/* GET /convert/status */
typedef struct ConversionQuery {
        const char *job_id;
} ConversionQuery;

const QueryField v1_conversion_query[] = {
        { "job_id", QUERY_STRING, offsetof(ConversionQuery, job_id), .description = "Required." },
        {},
};

int v1_get_conversion(Request *r) {
        ConversionQuery q = {};
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        return isempty(q.job_id) ? request_reply_error(r, 400, "job_id: is required")
                                 : v1_reply_job(r, 200, q.job_id);
}

static int on_cancelled(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        if (sd_bus_error_has_name(error, HYPER_BUS_ERROR_JOB_FINISHED))
                return request_reply_error(r, MHD_HTTP_CONFLICT, "The job has ended already.");
        if (error)
                return request_reply_bus_error(r, error);
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s, s:s}", "id", request_param(r, "id"), "status", "cancelled",
                                        "message", "The job is cancelled."));
}

int v1_cancel_job(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, "CancelJob", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "id"));
        return k < 0 ? k : manager_call(r, m, on_cancelled, NULL);
}
