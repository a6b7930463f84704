/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/api-state.h"
#include "api/access/access.h"
#include "api/access/audit.h"
#include "api/access/role-cache.h"
#include "api/http/http-server-state.h"
#include "api/http/reply-cache.h"
#include "api/http/request-state.h"
#include "api/metrics.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "store/facts.h"

/* --- the databases --------------------------------------------------------------------------------- */

int api_store(Api *a, Store **ret) {
        int r = database_open(&a->database);

        if (r == -EAGAIN)
                a->wake(a->manager, HYPER_BUS_NAME);
        if (r < 0)
                return r;
        if (r > 0) {
                reply_cache_flush(a->replies);
                access_forget(a->access);
        }
        *ret = a->database.store;
        return 0;
}

int api_hosts_store(Api *a, Store **ret) {
        int r = database_open(&a->hosts_database);

        if (r == -EAGAIN)
                a->wake(a->hosts, HYPER_HOSTS_BUS_NAME);
        if (r < 0)
                return r;
        *ret = a->hosts_database.store;
        return 0;
}

int api_access(Api *a, Access **ret) {
        Store *store = NULL;
        int r = api_store(a, &store);

        /* Where there were keys it is only away for a moment: somebody puts a backup in its place. */
        if (r == -ENOENT && access_has_keys(a->access))
                return -EAGAIN;
        if (r < 0 && r != -ENOENT)
                return r;
        r = access_update(a->access, store);
        if (r < 0)
                return log_error_errno(r, "Failed to read the API keys from %s: %m", a->database.path);
        *ret = a->access;
        return 0;
}

Access *api_any_access(Api *a) {
        return a->access;
}

const char *api_kept_reply(Api *a, const Dialect *dialect, const char *path, size_t *ret_size) {
        Store *store;
        int64_t version;

        if (api_store(a, &store) < 0 || store_version(store, &version) < 0)
                return NULL;
        return reply_cache_get(a->replies, version, dialect->name, path, ret_size);
}

/* The version is that from before the handler read: if something came in between, the answer is forgotten at
 * the next question. */
void api_keep_reply(Api *a, const Dialect *dialect, const char *path, const char *text, size_t size) {
        if (a->database.store)
                (void) reply_cache_put(a->replies, dialect->name, path, text, size);
}

/* --- the users of this machine --------------------------------------------------------------------- */

void api_take_peer_socket(Api *a, int fd) {
        safe_close(a->peers.fd);
        a->peers.fd = fd;
}

bool api_has_peer_socket(Api *a) {
        return a->peers.fd >= 0;
}

bool api_local_is_anybody(Api *a) {
        return a->config.local_anybody;
}

bool api_find_peer(Api *a, int fd, uid_t *ret) {
        int r = a->config.local_anybody ? -ENODATA : peer_find_user(&a->peers, fd, ret);

        if (r < 0 && !a->config.local_anybody)
                log_debug_errno(r, "The user of a connection cannot be found: %m");
        return r >= 0;
}

Role api_role_of(Api *a, uid_t uid) {
        return role_cache_get(a->roles, uid, now_monotonic());
}

/* --- counting -------------------------------------------------------------------------------------- */

bool api_is_busy(const Api *a) {
        return a->counters.in_flight > 0 || a->counters.streams > 0;
}

void api_connection_opened(Api *a) {
        int enabled;

        /* Whoever has just connected is about to ask for something. */
        a->last_activity = now_monotonic();
        if (a->counters.connections++ > 0)
                return;
        if (sd_event_source_get_enabled(a->sweep_timer, &enabled) == 0) {
                (void) sd_event_source_set_time_relative(a->sweep_timer, API_SWEEP_INTERVAL);
                (void) sd_event_source_set_enabled(a->sweep_timer, SD_EVENT_ONESHOT);
        }
}

void api_connection_closed(Api *a) {
        a->counters.connections--;
}

void api_request_begun(Api *a, Request *r) {
        LIST_INSERT_HEAD(&a->requests, r, requests);
        a->counters.in_flight++;
}

void api_request_streams(Api *a, Request *r) {
        r->is_stream = true;
        a->counters.in_flight--;
        a->counters.streams++;
}

/* For the log: its route, or where there is none, the path as the client sent it. */
static const char *request_name(const Request *r) {
        if (r->route)
                return r->route->path;
        return r->path_text ? r->path_text : "/";
}

void api_request_done(Api *a, Request *r) {
        usec_t now = now_monotonic();

        LIST_REMOVE(r, requests);
        audit_request(r);
        if (r->stream)
                r->stream_ops->over(r->stream);
        if (r->is_stream) {
                a->counters.streams--;
        } else {
                a->counters.in_flight--;
                if (!r->waited)
                        a->counters.busy += now - r->started;
        }
        a->last_activity = now;
        a->counters.requests++;
        a->counters.by_class[r->status / 100 % ELEMENTSOF(a->counters.by_class)]++;

        if (a->metrics)
                metrics_count(a->metrics, http_server_dialect(r->server)->name,
                                r->is_head ? "HEAD" : strempty(http_method_to_string(r->method)),
                                r->route ? r->route->path : "", r->status,
                                r->is_stream || r->waited ? USEC_INFINITY : now - r->started);

        log_debug("%s %s: %u, %" PRIu64 " µs.",
                        r->is_head ? "HEAD" : strna(http_method_to_string(r->method)), request_name(r),
                        r->status, now - r->started);

        if (a->end_check && !api_is_busy(a))
                (void) sd_event_source_set_enabled(a->end_check, SD_EVENT_ONESHOT);
}

bool api_take_body(Api *a, size_t size) {
        if (a->bodies + size > HTTP_BODIES_MAX)
                return false;
        a->bodies += size;
        return true;
}

void api_give_body(Api *a, size_t size) {
        assert(a->bodies >= size);
        a->bodies -= size;
}

/* --- the daemon ------------------------------------------------------------------------------------ */

const char *api_refusal(Api *a) {
        return a->config.refusal;
}

sd_event *api_event(Api *a) {
        return a->event;
}

BusClient *api_hosts(Api *a) {
        return a->hosts;
}

BusClient *api_vsphere(Api *a) {
        return a->vsphere;
}

BusClient *api_carbon(Api *a) {
        return a->carbon;
}

const char *api_bus_address(Api *a) {
        return a->config.bus_address;
}

const char *api_cache_directory(Api *a) {
        return a->config.cache_directory;
}

void *api_kept(Api *a) {
        return a->kept;
}

void api_keep(Api *a, void *kept, void (*free_kept)(void *kept)) {
        a->kept = kept;
        a->free_kept = free_kept;
}

QueueWaiters *api_queue_waiters(Api *a) {
        return a->queue_waiters;
}

BusClient *api_manager(Api *a) {
        return a->manager;
}

EventHub *api_events(Api *a) {
        return a->events;
}

WebSocketHub *api_websockets(Api *a) {
        return a->websockets;
}

bool api_requires_key(Api *a) {
        return a->config.require_key;
}

bool api_allows_origin(Api *a, const char *origin) {
        return strv_contains(a->cors_origins, origin);
}

usec_t api_ping_interval(Api *a) {
        return a->config.websocket_ping;
}

SseHub *api_sse(Api *a) {
        return a->sse;
}

const char *api_pages_directory(Api *a) {
        return a->config.pages_directory ? a->config.pages_directory : DATADIR "/hyper/docs";
}

const char *api_journal_directory(Api *a) {
        return a->config.journal_directory;
}

const char *api_hostname(Api *a) {
        return a->hostname;
}

bool api_is_ending(Api *a) {
        return a->ending;
}

const ApiCounters *api_counters(Api *a) {
        return &a->counters;
}

const Metrics *api_metrics(Api *a) {
        return a->metrics;
}

AuthClient *api_auth(Api *a) {
        return a->auth;
}

Tickets *api_tickets(Api *a) {
        return a->tickets;
}

RequestWorks *api_works(Api *a) {
        return a->works;
}

RequestWorks *api_readings(Api *a) {
        return a->readings;
}

LoginLimit *api_logins(Api *a) {
        return a->logins;
}

usec_t api_started_at(Api *a) {
        return a->started;
}

SubmitStatus api_submit_status(Api *a) {
        return a->config.submit_status;
}
