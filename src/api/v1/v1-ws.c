/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-ws.h"

#include "api/job-feed.h"
#include "api/job-json.h"
#include "api/v1/v1-alerts.h"
#include "api/v1/v1-job-json.h"
#include "api/v1/v1-schedule-json.h"
#include "api/v1/v1-system.h"
#include "api/v1/v1-upload-watch.h"
#include "api/v1/v1-upload.h"
#include "api/v1/v1-ws-list.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"

#define STATUS_INTERVAL (2 * USEC_PER_SEC)
#define ALERTS_INTERVAL (10 * USEC_PER_SEC)
#define MESSAGE_MAX 4096

typedef struct Client {
        WebSocket *socket;
        V1Subscription wants;
        uint64_t turn; /* of the list of jobs; 0: it has been sent */
        WsQueue late; /* what came before that, for after it */
        LIST_ENTRY(Client) clients;
} Client;

/* What serves all clients; lives while there are any. */
typedef struct Feed {
        WebSocketGroup *group;
        JobFeed *jobs;
        sd_event_source *timer;
        V1JobList *list;
        V1UploadWatch *uploads;
        usec_t alerts_at; /* monotonic: when they were looked at */
        json_t *alerts; /* those that are active, by id */
        LIST_HEAD(, Client) clients;
} Feed;

/* --- messages -------------------------------------------------------------------------------------- */

static bool is_wanted(const Client *c, V1Topic topic, const char *job_id) {
        return c->wants.topics & 1u << topic &&
                        (!job_id || !c->wants.job_ids || strv_contains(c->wants.job_ids, job_id));
}

/* NULL, without memory, ends the connection. */
static void client_send(Client *c, WsMessage *m) {
        if (c->turn == 0)
                return websocket_send(c->socket, m);
        if (!m || ws_queue_push(&c->late, m) < 0)
                websocket_close(c->socket, WS_CLOSE_INTERNAL_ERROR, "out of memory");
}

/* To those who want it; takes @data over. NULL, without memory, ends the connections. */
static void send_all(Feed *f, V1Topic topic, const char *job_id, const char *type, json_t *data) {
        _cleanup_ws_message_ WsMessage *m = v1_ws_message(type, data);
        Client *c;

        LIST_FOREACH(c, &f->clients, clients)
                if (is_wanted(c, topic, job_id))
                        client_send(c, m);
}

static json_t *status_json(Api *a) {
        uint64_t counts[_JOB_STATE_MAX] = {}, by_status[_STATUS_MAX] = {};
        json_t *o = json_object();
        Store *store;

        if (api_store(a, &store) >= 0)
                (void) store_jobs_count(store, counts);
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                by_status[job_status_of_state(s)] += counts[s];
        for (JobStatus s = 0; s < _STATUS_MAX; s++)
                (void) json_object_set_new(o, job_status_to_string(s), json_count(by_status[s]));
        return o;
}

static json_t *metrics_json(Api *a) {
        _cleanup_json_ json_t *health = v1_system_health_json(a);

        if (!health)
                return NULL;
        return json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:O?}", "cpu_percent",
                        json_path_get(health, "cpu.percent"), "memory_percent",
                        json_path_get(health, "memory.percent"), "load", json_path_get(health, "cpu.load"),
                        "disks", json_object_get(health, "disks"), "jobs", json_object_get(health, "jobs"),
                        "pressure", json_object_get(health, "pressure"));
}

/* --- alerts ---------------------------------------------------------------------------------------- */

/* The item, and whether it is active. */
static json_t *alert_json(json_t *alert, bool active) {
        json_t *copy = json_copy(alert);

        return json_object_set_new(copy, "active", json_boolean(active)) < 0 ? json_decref(copy),
               NULL                                                          : copy;
}

/* Alerts by their id. */
static json_t *read_alerts(Api *a) {
        _cleanup_json_ json_t *list = v1_alerts_json(a, now_realtime()), *map = json_object();
        json_t *alert;
        size_t i;

        if (!list || !map)
                return NULL;
        json_array_foreach(list, i, alert) {
                const char *id = json_string_value(json_object_get(alert, "id"));

                if (id && json_object_set(map, id, alert) < 0)
                        return NULL;
        }
        return TAKE_PTR(map);
}

/* Tells of those that begin, change or end. */
static void look_at_alerts(Feed *f, usec_t now) {
        json_t *alerts = read_alerts(websocket_group_api(f->group)), *alert;
        const char *id;

        f->alerts_at = now;
        if (!alerts)
                return (void) log_oom();
        json_object_foreach(alerts, id, alert)
                if (!json_equal(alert, json_object_get(f->alerts, id)))
                        send_all(f, V1_TOPIC_ALERTS, NULL, "alert", alert_json(alert, true));
        json_object_foreach(f->alerts, id, alert)
                if (!json_object_get(alerts, id))
                        send_all(f, V1_TOPIC_ALERTS, NULL, "alert", alert_json(alert, false));
        json_decref(f->alerts);
        f->alerts = alerts;
}

/* --- changes --------------------------------------------------------------------------------------- */

static int on_job(const FeedJob *j, void *userdata) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        Feed *f = userdata;
        Store *store;
        int r = api_store(websocket_group_api(f->group), &store);

        if (r >= 0)
                r = store_jobs_page_get(store, j->id, &rows);
        if (r < 0)
                return r;
        feed_job_add_progress(j, rows.rows[0].row);
        send_all(f, V1_TOPIC_JOBS, j->id, "job_update",
                        v1_job_json(&rows.rows[0], &(V1JobMore){}, now_realtime()));
        return 0;
}

static void on_schedule(const ScheduleEvent *event, void *userdata) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = NULL;
        Feed *f = userdata;
        json_t *schedule = NULL;
        Store *store;

        if (api_store(websocket_group_api(f->group), &store) >= 0 &&
                        store_schedule_get(store, event->schedule_id, &row) >= 0)
                schedule = v1_schedule_json(row);
        send_all(f, V1_TOPIC_SCHEDULES, NULL, "schedule_event",
                        json_pack("{s:o, s:s, s:o, s:o}", "schedule_id", json_text(event->schedule_id),
                                        "event", schedule_event_to_string(event->kind), "job_id",
                                        json_text(event->job_id), "schedule",
                                        schedule ? schedule : json_null()));
}

/* To its owner, and to administrators. */
static void on_upload(const UploadRow *row, json_t *upload, void *userdata) {
        _cleanup_ws_message_ WsMessage *m = v1_ws_message("upload_update", upload);
        Feed *f = userdata;
        Client *c;

        LIST_FOREACH(c, &f->clients, clients) {
                char buf[REQUEST_OWNER_SIZE];
                const char *owner = v1_upload_owner(websocket_request(c->socket), buf);

                if (is_wanted(c, V1_TOPIC_UPLOADS, NULL) && (isempty(owner) || streq(owner, row->owner)))
                        client_send(c, m);
        }
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        Feed *f = userdata;
        Api *a = websocket_group_api(f->group);

        send_all(f, V1_TOPIC_JOBS, NULL, "status", status_json(a));
        send_all(f, V1_TOPIC_METRICS, NULL, "metrics", metrics_json(a));
        if (now >= f->alerts_at + ALERTS_INTERVAL)
                look_at_alerts(f, now);
        job_feed_forget(f->jobs, now);
        (void) sd_event_source_set_time(source, MAX(usec + STATUS_INTERVAL, now));
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- clients --------------------------------------------------------------------------------------- */

/* The jobs, their number, the alerts that are active, and what has come meanwhile. */
static void greet(Client *c, Feed *f, WsMessage *status) {
        const char *id;
        json_t *alert;

        c->turn = 0;
        websocket_send(c->socket, v1_job_list_message(f->list));
        websocket_send(c->socket, status);
        json_object_foreach(f->alerts, id, alert) {
                _cleanup_ws_message_ WsMessage *active = v1_ws_message("alert", alert_json(alert, true));

                websocket_send(c->socket, active);
        }
        for (size_t i = c->late.begin; i < c->late.end; i++)
                websocket_send(c->socket, c->late.messages[i]);
        ws_queue_done(&c->late);
}

static WsMessage *status_message(Feed *f) {
        return v1_ws_message("status", status_json(websocket_group_api(f->group)));
}

static void on_list(int result, uint64_t turn, void *userdata) {
        Feed *f = userdata;
        _cleanup_ws_message_ WsMessage *status = status_message(f);
        Client *c;

        if (result < 0)
                log_error_errno(result, "Failed to read the jobs for a WebSocket: %m");
        LIST_FOREACH(c, &f->clients, clients) {
                if (c->turn == 0 || c->turn > turn)
                        continue;
                if (result >= 0)
                        greet(c, f, status);
                else
                        websocket_close(c->socket, WS_CLOSE_INTERNAL_ERROR, "the jobs cannot be read");
        }
}

static Feed *feed_free(Feed *f) {
        if (!f)
                return NULL;
        job_feed_free(f->jobs);
        v1_upload_watch_free(f->uploads);
        sd_event_source_disable_unref(f->timer);
        v1_job_list_free(f->list);
        json_decref(f->alerts);
        return mfree(f);
}
DEFINE_CLEANUP_FUNC(Feed *, feed_free);

static int on_start(WebSocketGroup *g) {
        static const JobFeedOps ops = { .per_second = 2, .on_job = on_job, .on_schedule = on_schedule };
        _cleanup_(feed_freep) Feed *f = new0(Feed, 1);
        Api *a = websocket_group_api(g);
        int r;

        if (!f)
                return -ENOMEM;
        f->group = g;
        LIST_INIT(&f->clients);
        f->alerts = read_alerts(a);
        f->alerts_at = now_monotonic();
        if (!f->alerts)
                return -ENOMEM;
        r = job_feed_new(a, &ops, f, &f->jobs);
        if (r < 0)
                return log_error_errno(r, "Failed to follow the journal: %m");
        r = v1_job_list_new(a, on_list, f, &f->list);
        if (r < 0)
                return r;
        r = v1_upload_watch_new(a, on_upload, f, &f->uploads);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(
                        api_event(a), &f->timer, CLOCK_MONOTONIC, STATUS_INTERVAL, 0, on_timer, f);
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
        _cleanup_ws_message_ WsMessage *status = NULL;
        Client *c = new0(Client, 1);
        int r;

        if (!c)
                return -ENOMEM;
        c->socket = w;
        c->wants.topics = (1u << _V1_TOPIC_MAX) - 1;
        LIST_INSERT_HEAD(&f->clients, c, clients);
        websocket_set_userdata(w, c);
        r = v1_job_list_ask(f->list, &c->turn);
        if (r < 0 || c->turn > 0)
                return r;
        status = status_message(f);
        greet(c, f, status);
        return 0;
}

static void on_close(WebSocket *w) {
        Client *c = websocket_userdata(w);

        if (!c)
                return;
        LIST_REMOVE(c, clients);
        v1_subscription_done(&c->wants);
        ws_queue_done(&c->late);
        free(c);
}

static void on_message(WebSocket *w, const char *text, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_ws_message_ WsMessage *m = NULL;
        _cleanup_free_ char *why = NULL;
        Client *c = websocket_userdata(w);
        V1Subscription wants = {};
        int r = v1_subscription_decode(text, size, &wants, &errors);

        if (r >= 0) {
                v1_subscription_done(&c->wants);
                c->wants = wants;
                return;
        }
        why = json_errors_text(&errors);
        m = v1_ws_message("error", r == -EBADMSG ? json_pack("{s:s*}", "message", why) : NULL);
        client_send(c, m);
}

static const WebSocketProtocol protocol = {
        .max_message = MESSAGE_MAX,
        .on_start = on_start,
        .on_stop = on_stop,
        .on_open = on_open,
        .on_message = on_message,
        .on_close = on_close,
};

int v1_open_websocket(Request *r) {
        return request_reply_websocket(r, &protocol);
}
