/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-alerts.h"

#include <inttypes.h>
#include <unistd.h>

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/v1/v1-machine.h"
#include "api/v1/v1-page.h"
#include "api/v1/v1-provider.h"
#include "api/v1/v1-settings.h"
#include "basic/string-util.h"
#include "spec/carbon-hold.h"
#include "store/deliveries.h"
#include "store/jobs-list.h"
#include "store/jobs-page.h"
#include "store/lease.h"
#include "store/schedule-runs.h"
#include "store/schedules.h"
#include "store/webhooks.h"
#include "store/workers.h"
#include "tls/tls-pair.h"

#define JOBS_MAX 200u
#define DAY (24 * USEC_PER_HOUR)
#define STALLED (10 * USEC_PER_MINUTE)
#define STALLED_CRITICAL (60 * USEC_PER_MINUTE)
#define STALE (6 * USEC_PER_HOUR)
#define DISCONNECTED (5 * USEC_PER_MINUTE)
#define EXPIRING (14 * DAY)
#define EXPIRING_CRITICAL (3 * DAY)
#define IN_A_ROW 3u

/* systemd-timesyncd creates the file when it has the time; where it does not run, nothing is known. */
#define TIMESYNC_DIRECTORY "/run/systemd/timesync"

static int add(json_t *alerts, const char *name, bool critical, const char *subject, usec_t started_at,
                char *message) {
        int r = message &&
                                        json_array_append_new(alerts,
                                                        json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "id",
                                                                        json_sprintf("%s:%s", name, subject),
                                                                        "name", name, "severity",
                                                                        critical ? "critical" : "warning",
                                                                        "subject", json_text(subject),
                                                                        "message", json_text(message),
                                                                        "started_at",
                                                                        json_time(started_at))) >= 0
                        ? 0
                        : -ENOMEM;

        free(message);
        return r;
}

/* --- this machine ---------------------------------------------------------------------------------- */

int v1_alerts_of_disks(json_t *alerts, char *const *roots) {
        STRV_FOREACH(root, roots) {
                V1Space s;

                if (v1_space(*root, &s) < 0 || s.available >= s.total / 10)
                        continue;
                int r = add(alerts, "disk_space", s.available < s.total / 100 * 3, *root, 0,
                                strprintf("%" PRIu64 " MiB are free on the disk of %s, less than 10%%.",
                                                s.available >> 20, *root));
                if (r < 0)
                        return r;
        }
        return 0;
}

int v1_alerts_of_certificate(json_t *alerts, usec_t not_after, usec_t now) {
        if (not_after == 0 || not_after > now + EXPIRING)
                return 0;
        bool over = not_after <= now;
        usec_t days = over ? 0 : (not_after - now) / DAY;
        return add(alerts, "certificate_expiring", over || not_after <= now + EXPIRING_CRITICAL,
                        TLS_CREDENTIAL_CERTIFICATE, 0,
                        over ? strdup("The certificate of hyper-tls.socket has expired.")
                             : strprintf("The certificate of hyper-tls.socket expires in %" PRIu64 " days.",
                                               days));
}

usec_t v1_certificate_end(void) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_tls_pair_ TlsPair pair = {};
        _cleanup_free_ char *why = NULL;

        return directory && tls_pair_read(directory, &pair, &why) >= 0 ? pair.not_after : 0;
}

static int alerts_of_clock(json_t *alerts) {
        if (access(TIMESYNC_DIRECTORY, F_OK) < 0 || access(TIMESYNC_DIRECTORY "/synchronized", F_OK) >= 0)
                return 0;
        return add(alerts, "clock_unsynchronized", false, "clock", 0,
                        strdup("systemd-timesyncd has not synchronized the clock; see 'timedatectl "
                               "timesync-status'."));
}

/* --- jobs ------------------------------------------------------------------------------------------ */

/* The source of the job, as a text that can be compared; NULL: it has none. */
static char *source_of(const JobRow *row) {
        _cleanup_json_ json_t *spec = json_loads(strempty(row->spec), 0, NULL);
        const json_t *source = json_object_get(spec, "source");

        return source ? json_dumps(source, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
}

/* A job with the same source, one of @sources, has been completed since. */
static bool is_made_good(const JobRow *failed, const JobPageRows *completed, char *const *sources) {
        _cleanup_free_ char *source = source_of(failed);

        for (size_t i = 0; source && i < completed->n; i++)
                if (completed->rows[i].row->updated_at > failed->updated_at && streq_ptr(source, sources[i]))
                        return true;
        return false;
}

static int list_jobs(Store *store, JobStatus status, JobPageRows *ret) {
        const JobPageFilter filter = { .statuses = 1u << status,
                .sort = status == STATUS_RUNNING ? SORT_UPDATED_AT : SORT_COMPLETED_AT,
                .descending = status != STATUS_RUNNING,
                .limit = JOBS_MAX };

        return store_jobs_page(store, &filter, ret);
}

static int add_failed(json_t *alerts, Store *store, usec_t now) {
        _cleanup_(job_page_rows_done) JobPageRows failed = {}, completed = {};
        char *sources[JOBS_MAX] = {};
        int r = list_jobs(store, STATUS_FAILED, &failed);

        if (r >= 0 && failed.n > 0)
                r = list_jobs(store, STATUS_COMPLETED, &completed);
        for (size_t i = 0; i < completed.n; i++)
                sources[i] = source_of(completed.rows[i].row);
        for (size_t i = 0; i < failed.n && r >= 0; i++) {
                const JobRow *row = failed.rows[i].row;

                if (row->updated_at + DAY > now && !is_made_good(row, &completed, sources))
                        r = add(alerts, "job_failed", false, row->id, row->updated_at,
                                        strprintf("Job %s has failed: %s", row->id, strempty(row->reason)));
        }
        for (size_t i = 0; i < completed.n; i++)
                free(sources[i]);
        return r;
}

static int add_stalled(json_t *alerts, Store *store, usec_t now) {
        _cleanup_(job_page_rows_done) JobPageRows running = {};
        int r = list_jobs(store, STATUS_RUNNING, &running);

        for (size_t i = 0; i < running.n && r >= 0; i++) {
                const JobRow *row = running.rows[i].row;
                usec_t silent = now > row->updated_at ? now - row->updated_at : 0;

                if (silent >= STALLED)
                        r = add(alerts, "job_stalled", silent >= STALLED_CRITICAL, row->id, row->updated_at,
                                        strprintf("Job %s has made no progress for %" PRIu64 " minutes.",
                                                        row->id, silent / USEC_PER_MINUTE));
        }
        return r;
}

/* Jobs that wait for a low carbon intensity, by data that are old. The longest waiting ones are looked at. */
static int add_stale(json_t *alerts, Store *store, usec_t now) {
        _cleanup_(job_rows_done) JobRows waiting = {};
        int r = store_jobs_on_hold(store, JOBS_MAX, &waiting);

        for (size_t i = 0; i < waiting.n && r >= 0; i++) {
                const JobRow *row = waiting.rows[i];
                _cleanup_(carbon_hold_freep) CarbonHold *h = NULL;

                if (carbon_hold_decode(row->carbon, &h) < 0 || h->released_at > 0 || h->stale_since == 0 ||
                                now < h->stale_since + STALE)
                        continue;
                r = add(alerts, "carbon_stale", false, row->id, h->stale_since,
                                strprintf("Job %s waits for a low carbon intensity, but its source has given "
                                          "nothing new for %" PRIu64 " hours.",
                                                row->id, (now - h->stale_since) / USEC_PER_HOUR));
        }
        return r;
}

int v1_alerts_of_jobs(json_t *alerts, Store *store, usec_t now) {
        int r = add_failed(alerts, store, now);

        if (r >= 0)
                r = add_stalled(alerts, store, now);
        return r < 0 ? r : add_stale(alerts, store, now);
}

/* --- schedules, webhooks, workers ------------------------------------------------------------------ */

static bool has_failed(const char *status) {
        return streq_ptr(status, "FAILED") || streq_ptr(status, RUN_REFUSED);
}

static int add_schedule(json_t *alerts, Store *store, const ScheduleRow *row) {
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        unsigned failed = 0;
        int r = store_schedule_runs_list(store, row->id, IN_A_ROW, &runs);

        if (r < 0)
                return r;
        while (failed < runs.n && has_failed(runs.runs[failed].status))
                failed++;
        return add(alerts, "schedule_failed", failed >= IN_A_ROW, row->id, row->last_run_at,
                        strprintf("The last run of schedule %s has failed.", row->id));
}

int v1_alerts_of_schedules(json_t *alerts, Store *store) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        int r = store_schedules_failed(store, &rows);

        for (size_t i = 0; i < rows.n && r >= 0; i++)
                r = add_schedule(alerts, store, rows.rows[i]);
        return r;
}

int v1_alerts_of_webhooks(json_t *alerts, Store *store) {
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        int r = store_webhooks_list(store, &rows);

        for (size_t i = 0; i < rows.n && r >= 0; i++) {
                _cleanup_(delivery_rows_done) DeliveryRows last = {};
                char subject[24];

                r = store_deliveries_list(store, rows.rows[i]->seq, 1, &last);
                if (r < 0 || last.n == 0 || isempty(last.rows[0].error) ||
                                last.rows[0].state == DELIVERY_DELIVERED)
                        continue;
                (void) snprintf(subject, sizeof(subject), "%zu", i);
                r = add(alerts, "webhook_failing", last.rows[0].state == DELIVERY_FAILED, subject,
                                last.rows[0].tried_at,
                                strprintf("The last delivery to webhook %zu has failed: %s", i,
                                                last.rows[0].error));
        }
        return r;
}

int v1_alerts_of_workers(json_t *alerts, Store *store, usec_t now) {
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        int r = store_workers_silent(store, now > WORKER_LEASE ? now - WORKER_LEASE : 0, &rows);

        for (size_t i = 0; i < rows.n && r >= 0; i++) {
                const WorkerRow *row = &rows.rows[i];

                r = add(alerts, "worker_lost", row->jobs > 0, row->id, row->heartbeat_at,
                                strprintf("Worker %s was not heard from for %" PRIu64 " minutes.", row->id,
                                                (now - row->heartbeat_at) / USEC_PER_MINUTE));
        }
        return r;
}

/* --- providers ------------------------------------------------------------------------------------- */

/* Those that a client has asked for since, and that were there before. */
static int alerts_of_providers(json_t *alerts, Api *a, usec_t now) {
        const V1Providers *all;
        int r = v1_providers_kept(a, &all);

        if (r < 0) /* there is an alert about the database then */
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; r >= 0 && i < all->n; i++) {
                const V1Provider *p = all->list[i];

                if (p->error && p->last_seen > 0 && p->last_seen + DISCONNECTED <= now)
                        r = add(alerts, "provider_disconnected", false, p->id, p->last_seen,
                                        strprintf("Provider %s is not connected: %s", p->id, p->error));
        }
        return r;
}

/* --- all ------------------------------------------------------------------------------------------- */

static int add_stored(json_t *alerts, Api *a, usec_t now) {
        Store *store;
        int r = api_store(a, &store);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return add(alerts, "database_error", true, "database", 0,
                                strdup("The database cannot be read; see the journal of hyper.service."));
        r = v1_alerts_of_jobs(alerts, store, now);
        if (r >= 0)
                r = v1_alerts_of_schedules(alerts, store);
        if (r >= 0)
                r = v1_alerts_of_webhooks(alerts, store);
        return r < 0 ? r : v1_alerts_of_workers(alerts, store, now);
}

static const char *text_of(const json_t *alert, const char *key) {
        return strempty(json_string_value(json_object_get(alert, key)));
}

static int compare_started(const json_t *x, const json_t *y) {
        const char *a = text_of(x, "started_at"), *b = text_of(y, "started_at");

        if (isempty(a) != isempty(b))
                return isempty(a) ? 1 : -1;
        return strcmp(a, b);
}

/* The order of a list: the worst first, or by time. */
static int compare(const void *a, const void *b, void *userdata) {
        const json_t *x = *(json_t *const *) a, *y = *(json_t *const *) b;
        bool by_time = userdata;
        int c = by_time ? 0 : strcmp(text_of(x, "severity"), text_of(y, "severity"));

        if (c == 0)
                c = compare_started(x, y);
        return c != 0 ? c : strcmp(text_of(x, "id"), text_of(y, "id"));
}

/* A new array with the same elements in order. */
static json_t *sorted(json_t *alerts, bool by_time) {
        size_t n = json_array_size(alerts);
        _cleanup_free_ json_t **list = new0(json_t *, n + 1);
        json_t *array = json_array();

        if (!list || !array)
                return json_decref(array), NULL;
        for (size_t i = 0; i < n; i++)
                list[i] = json_array_get(alerts, i);
        qsort_r(list, n, sizeof(json_t *), compare, by_time ? (void *) list : NULL);
        for (size_t i = 0; i < n; i++)
                if (json_array_append(array, list[i]) < 0)
                        return json_decref(array), NULL;
        return array;
}

json_t *v1_alerts_of_machine_json(usec_t now) {
        _cleanup_(settings_freep) Settings *settings = v1_settings();
        _cleanup_json_ json_t *alerts = json_array();
        int r = settings && alerts ? v1_alerts_of_disks(alerts, settings->files.roots) : -ENOMEM;

        if (r >= 0)
                r = v1_alerts_of_certificate(alerts, v1_certificate_end(), now);
        if (r >= 0)
                r = alerts_of_clock(alerts);
        return r < 0 ? NULL : TAKE_PTR(alerts);
}

json_t *v1_alerts_json(Api *a, usec_t now) {
        _cleanup_json_ json_t *alerts = v1_alerts_of_machine_json(now);
        int r = alerts ? add_stored(alerts, a, now) : -ENOMEM;

        if (r >= 0)
                r = alerts_of_providers(alerts, a, now);
        return r < 0 ? NULL : sorted(alerts, false);
}

/* --- the list -------------------------------------------------------------------------------------- */

enum { SEVERITY_WARNING, SEVERITY_CRITICAL };
enum { SORT_SEVERITY, SORT_STARTED };

static int severity_from_string(const char *s) {
        return streq(s, "warning") ? SEVERITY_WARNING : streq(s, "critical") ? SEVERITY_CRITICAL : -EINVAL;
}

static int sort_from_string(const char *s) {
        return streq(s, "severity") ? SORT_SEVERITY : streq(s, "started_at") ? SORT_STARTED : -EINVAL;
}

typedef struct AlertsQuery {
        V1Page page;
        uint32_t severities;
        const char *search;
        int sort, order;
} AlertsQuery;

const QueryField v1_alerts_query[] = {
        V1_PAGE_FIELDS(offsetof(AlertsQuery, page)),
        { "status", QUERY_ENUM_SET, offsetof(AlertsQuery, severities), .from_string = severity_from_string,
                        .expected = "any of warning, critical" },
        { "search", QUERY_STRING, offsetof(AlertsQuery, search), .max = V1_SEARCH_MAX,
                        .description = "A part of the name, message or subject." },
        { "sort", QUERY_ENUM, offsetof(AlertsQuery, sort), .from_string = sort_from_string,
                        .expected = "one of severity, started_at" },
        { "order", QUERY_ENUM, offsetof(AlertsQuery, order), .from_string = v1_order_from_string,
                        .expected = "one of asc, desc",
                        .description = "Default: the worst first; desc for started_at." },
        {},
};

static const SchemaField alert_fields[] = {
        { "id", SCHEMA_STRING, .description = "The name and the subject." },
        { "name", SCHEMA_STRING, .description = "\"disk_space\", \"job_failed\"" },
        { "severity", SCHEMA_STRING, .description = "warning or critical" },
        { "subject", SCHEMA_STRING },
        { "message", SCHEMA_STRING },
        { "started_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        {},
};
static const Schema alert_schema = { .name = "Alert", .fields = alert_fields };
static const SchemaField alerts_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &alert_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
static const Schema alerts_schema = { .name = "Alerts", .fields = alerts_fields };
const Reply v1_alerts_replies[] = { REPLY_OBJECT(200, "A page of alerts.", alerts_schema), {} };

static bool matches(const json_t *alert, const AlertsQuery *q) {
        int severity = severity_from_string(text_of(alert, "severity"));

        if (q->severities != 0 && (severity < 0 || !(q->severities & 1u << severity)))
                return false;
        return !q->search || v1_search_matches(text_of(alert, "name"), q->search) ||
                        v1_search_matches(text_of(alert, "message"), q->search) ||
                        v1_search_matches(text_of(alert, "subject"), q->search);
}

/* "desc" of severity and "asc" of time are the orders of compare(); the others are these backwards. */
static bool is_backwards(const AlertsQuery *q) {
        return q->sort == SORT_SEVERITY ? q->order == V1_ORDER_ASC : q->order != V1_ORDER_ASC;
}

int v1_list_alerts(Request *r) {
        static const char *const others[] = { "provider", "type", "os", "created_after", "created_before",
                NULL };
        _cleanup_json_ json_t *alerts = NULL, *chosen = json_array(), *list = NULL, *reply = json_object();
        AlertsQuery q = { .page = V1_PAGE_INIT };
        json_t *alert, *page;
        size_t i, from, to, n;
        int k = request_query_decode(r, &q);

        if (k >= 0)
                k = v1_check_filters(r, others, q.search);
        if (k < 0)
                return k;
        alerts = v1_alerts_json(request_api(r), now_realtime());
        json_array_foreach(alerts, i, alert)
                if (matches(alert, &q) && json_array_append(chosen, alert) < 0)
                        return -ENOMEM;
        list = alerts ? sorted(chosen, q.sort == SORT_STARTED) : NULL;
        page = list ? json_array() : NULL;
        n = json_array_size(list);
        v1_page_bounds(&q.page, n, &from, &to);
        for (i = from; i < to; i++)
                if (json_array_append(page, json_array_get(list, is_backwards(&q) ? n - 1 - i : i)) < 0)
                        return json_decref(page), -ENOMEM;
        k = page ? v1_page_add(reply, &q.page, page, n) : -ENOMEM;
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}
