/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-ws.h"
#include "api/hypersdk/hypersdk-dashboard.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/hypersdk/hypersdk-read.h"
#include "api/job-feed.h"
#include "api/job-json.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "store/facts.h"
#include "store/jobs-list.h"
#include "store/jobs.h"

#define STATUS_INTERVAL (2 * USEC_PER_SEC)
#define STATUS_FRESH (500 * USEC_PER_MSEC) /* so old may the one be that a new client gets */
#define MESSAGE_MAX 4096 /* clients have nothing to say here */

/* What serves all clients; lives while there are any. */
typedef struct Feed {
        WebSocketGroup *group;
        JobFeed *jobs;
        sd_event_source *status_timer;

        WsMessage *list; /* "jobs", as it was at @list_version */
        int64_t list_version;
        WsMessage *status;
        usec_t status_made; /* monotonic */

        unsigned n_clients;
        usec_t cpu, cpu_at; /* of this process, at the last "metrics" (monotonic) */
} Feed;

/* --- messages -------------------------------------------------------------------------------------- */

/* Takes @data over; NULL is passed on. */
static WsMessage *make_message(const char *type, json_t *data) {
        return ws_message_from_json(json_pack("{s:s, s:o, s:o}", "type", type, "timestamp",
                        json_time(now_realtime()), "data", data));
}

/* -ENOENT: there is no database yet, which to clients is the same as one without jobs. */
static int make_list(Feed *f) {
        Api *a = websocket_group_api(f->group);
        WsMessage *m;
        int64_t version = 0;
        json_t *data;
        Store *store;
        int r;

        r = api_store(a, &store);
        if (r >= 0)
                r = store_version(store, &version);
        if (r >= 0 && f->list && version == f->list_version)
                return 0;
        if (r < 0 && r != -ENOENT)
                return r;

        r = hypersdk_read_jobs(a, &(JobFilter){ .order = JOB_ORDER_NEWEST, .limit = HYPERSDK_LIMIT_DEFAULT },
                        &data);
        if (r < 0)
                return r;
        m = make_message("jobs", data);
        if (!m)
                return -ENOMEM;
        ws_message_unref(f->list);
        f->list = m;
        f->list_version = version;
        return 0;
}

static int make_status(Feed *f, usec_t now, usec_t fresh) {
        json_t *data;
        WsMessage *m;
        int r;

        if (f->status && now < f->status_made + fresh)
                return 0;
        r = hypersdk_read_status(websocket_group_api(f->group), &data);
        if (r < 0)
                return r;
        m = make_message("status", data);
        if (!m)
                return -ENOMEM;
        ws_message_unref(f->status);
        f->status = m;
        f->status_made = now;
        return 0;
}

/* How much of a CPU was used since the last message, in percent. */
static double read_cpu_percent(Feed *f, usec_t now) {
        usec_t cpu = hypersdk_dashboard_cpu(), used = cpu > f->cpu ? cpu - f->cpu : 0,
               elapsed = now > f->cpu_at ? now - f->cpu_at : 0;
        bool first = f->cpu_at == 0;

        f->cpu = cpu;
        f->cpu_at = now;
        return first || elapsed == 0 ? 0 : 100.0 * (double) used / (double) elapsed;
}

static int send_metrics(Feed *f, usec_t now) {
        Api *a = websocket_group_api(f->group);
        const ApiCounters *counters = api_counters(a);
        uint64_t counts[_JOB_STATE_MAX] = {};
        _cleanup_(job_rows_done) JobRows recent = {};
        _cleanup_ws_message_ WsMessage *m = NULL;
        usec_t realtime = now_realtime(), started = api_started_at(a);
        Store *store;
        int r;

        r = api_store(a, &store);
        if (r >= 0)
                r = store_jobs_count(store, counts);
        if (r >= 0)
                r = store_jobs_list(store,
                                &(JobFilter){ .order = JOB_ORDER_NEWEST, .limit = HYPERSDK_DASHBOARD_JOBS },
                                &recent);
        if (r < 0 && r != -ENOENT)
                return r;
        m = make_message("metrics",
                        hypersdk_dashboard_json(
                                        &(HypersdkDashboard){
                                                        .counts = counts,
                                                        .recent = &recent,
                                                        .requests = counters->requests,
                                                        .errors = counters->by_class[4] +
                                                                        counters->by_class[5],
                                                        .busy = counters->busy,
                                                        .memory = hypersdk_dashboard_memory(),
                                                        .cpu_percent = read_cpu_percent(f, now),
                                                        .connections = counters->connections,
                                                        .websockets = f->n_clients,
                                                        .uptime = realtime > started ? realtime - started
                                                                                     : 0,
                                        },
                                        realtime));
        if (!m)
                return -ENOMEM;
        websocket_group_send(f->group, m);
        return 0;
}

static int send_update(const FeedJob *j, void *userdata) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_ws_message_ WsMessage *m = NULL;
        Feed *f = userdata;
        Store *store;
        int r;

        r = api_store(websocket_group_api(f->group), &store);
        if (r >= 0)
                r = store_job_get(store, j->id, &row);
        if (r < 0)
                return r;
        feed_job_add_progress(j, row);
        m = make_message("job_update", hypersdk_job_json(row));
        if (!m)
                return -ENOMEM;
        websocket_group_send(f->group, m);
        return 0;
}

/* --- changes --------------------------------------------------------------------------------------- */

static void on_schedule(const ScheduleEvent *event, void *userdata) {
        _cleanup_ws_message_ WsMessage *m = NULL;
        Feed *f = userdata;

        m = make_message("schedule_event",
                        json_pack("{s:o, s:s, s:o}", "schedule_id", json_text(event->schedule_id), "event",
                                        schedule_event_to_string(event->kind), "job_id",
                                        json_text(event->job_id)));
        websocket_group_send(f->group, m);
}

static int on_status_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        Feed *f = userdata;
        int r;

        r = make_status(f, now, 0);
        if (r < 0)
                log_warning_errno(r, "Failed to read the status for WebSocket clients: %m");
        else
                websocket_group_send(f->group, f->status);
        r = send_metrics(f, now);
        if (r < 0)
                log_warning_errno(r, "Failed to read the metrics for WebSocket clients: %m");

        job_feed_forget(f->jobs, now);
        (void) sd_event_source_set_time(source, MAX(usec + STATUS_INTERVAL, now));
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- clients --------------------------------------------------------------------------------------- */

static Feed *feed_free(Feed *f) {
        if (!f)
                return NULL;
        job_feed_free(f->jobs);
        sd_event_source_disable_unref(f->status_timer);
        ws_message_unref(f->list);
        ws_message_unref(f->status);
        return mfree(f);
}
DEFINE_CLEANUP_FUNC(Feed *, feed_free);

/* A job here reports its progress twice a second, and has a few more events at its start and its end. A
 * worker may report as often as it likes. */
static const JobFeedOps feed_ops = { .per_second = 10, .on_job = send_update, .on_schedule = on_schedule };

static int on_start(WebSocketGroup *g) {
        _cleanup_(feed_freep) Feed *f = new0(Feed, 1);
        Api *a = websocket_group_api(g);
        int r;

        if (!f)
                return -ENOMEM;
        f->group = g;
        r = job_feed_new(a, &feed_ops, f, &f->jobs);
        if (r < 0)
                return log_error_errno(r, "Failed to follow the journal: %m");
        r = sd_event_add_time_relative(api_event(a), &f->status_timer, CLOCK_MONOTONIC, STATUS_INTERVAL, 0,
                        on_status_timer, f);
        if (r < 0)
                return r;
        websocket_group_set_userdata(g, TAKE_PTR(f));
        return 0;
}

static void on_stop(WebSocketGroup *g) {
        feed_free(websocket_group_userdata(g));
}

static int on_open(WebSocket *w) {
        Feed *f = websocket_group_userdata(websocket_group(w));
        int r;

        f->n_clients++; /* on_close() follows, also if this fails */
        r = make_list(f);
        if (r >= 0)
                r = make_status(f, now_monotonic(), STATUS_FRESH);
        if (r < 0)
                return r;
        websocket_send(w, f->list);
        websocket_send(w, f->status);
        return 0;
}

static void on_close(WebSocket *w) {
        Feed *f = websocket_group_userdata(websocket_group(w));

        f->n_clients--;
}

const WebSocketProtocol hypersdk_websocket = {
        .max_message = MESSAGE_MAX,
        .on_start = on_start,
        .on_stop = on_stop,
        .on_open = on_open,
        .on_close = on_close,
};
