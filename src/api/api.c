/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <unistd.h>

#include "api/access/access.h"
#include "api/access/peer.h"
#include "api/access/role-cache.h"
#include "api/api-private.h"
#include "api/bus-client.h"
#include "api/database.h"
#include "api/http/http-server.h"
#include "api/http/reply-cache.h"
#include "api/http/reply.h"
#include "api/http/request-park.h"
#include "api/metrics.h"
#include "api/queue-waiters.h"
#include "api/stream/event-hub.h"
#include "api/stream/sse-stream.h"
#include "api/stream/websocket-state.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "store/facts.h"

#define SHUTDOWN_TIMEOUT (10 * USEC_PER_SEC)
/* Together with ROLE_CACHE_TIME this is how long a stream goes on at most when its role or key is gone:
 * under 10 s. */
#define SWEEP_INTERVAL (5 * USEC_PER_SEC)

typedef struct Listener Listener;
struct Listener {
        LIST_ENTRY(Listener) listeners;
        Router *router;
        HttpServer *server;
};

struct Api {
        sd_event *event;
        ApiConfig config; /* its strings are ours */
        char **cors_origins;
        char hostname[HOST_NAME_MAX + 1];
        LIST_HEAD(, Listener) listeners;
        LIST_HEAD(, Request) requests;
        BusClient *manager, *hosts;
        EventHub *events;
        SseHub *sse;
        WebSocketHub *websockets;
        QueueWaiters *queue_waiters;

        Database database, hosts_database;
        ReplyCache *replies; /* from the first */
        Access *access;
        PeerFinder peers;
        RoleCache *roles;
        Metrics *metrics; /* NULL: turned off */

        ApiCounters counters;
        usec_t started; /* realtime */
        size_t bodies; /* bytes held for bodies */
        usec_t last_activity; /* monotonic */
        sd_event_source *idle_timer, *sweep_timer, *end_timer, *end_check;
        bool ending;
        int exit_code;
};

/* --- the databases --------------------------------------------------------------------------------- */

int api_store(Api *a, Store **ret) {
        int r = database_open(&a->database);

        if (r == -EAGAIN)
                bus_client_wake(a->manager, HYPER_BUS_NAME);
        if (r < 0)
                return r;
        if (r > 0) {
                reply_cache_flush(a->replies);
                access_forget(a->access);
        }
        *ret = a->database.store;
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

/* --- the databases, again -------------------------------------------------------------------------- */

int api_hosts_store(Api *a, Store **ret) {
        int r = database_open(&a->hosts_database);

        if (r == -EAGAIN)
                bus_client_wake(a->hosts, HYPER_HOSTS_BUS_NAME);
        if (r < 0)
                return r;
        *ret = a->hosts_database.store;
        return 0;
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

const char *api_refusal(Api *a) {
        return a->config.refusal;
}

/* --- counting, idleness, the end ------------------------------------------------------------------- */

static bool api_is_busy(const Api *a) {
        return a->counters.in_flight > 0 || a->counters.streams > 0;
}

static void api_leave(Api *a) {
        a->end_timer = sd_event_source_disable_unref(a->end_timer);
        a->end_check = sd_event_source_disable_unref(a->end_check);
        (void) sd_event_exit(a->event, a->exit_code);
}

static int on_end_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Api *a = userdata;

        log_warning("Giving up on %u answers that are still in flight.", a->counters.in_flight);
        api_leave(a);
        return 0;
}

/* Leaves as soon as the last answer is out; looked at from the loop, not from libmicrohttpd's callbacks. */
static int on_end(sd_event_source *source, void *userdata) {
        Api *a = userdata;

        if (!api_is_busy(a))
                api_leave(a);
        return 0;
}

void api_shutdown(Api *a, int exit_code) {
        Listener *l;
        Request *r;
        int k;

        if (a->ending)
                return;
        a->ending = true;
        a->exit_code = exit_code;
        a->idle_timer = sd_event_source_disable_unref(a->idle_timer);

        LIST_FOREACH(l, &a->listeners, listeners)
                http_server_quiesce(l->server);
        sse_hub_end(a->sse);
        websocket_hub_end(a->websockets);
        LIST_FOREACH(r, &a->requests, requests)
                request_park_over(r);
        /* Once more: a request that is in a socket already is answered. */
        LIST_FOREACH(l, &a->listeners, listeners)
                http_server_run(l->server);

        if (api_is_busy(a)) {
                k = sd_event_add_time_relative(a->event, &a->end_timer, CLOCK_MONOTONIC, SHUTDOWN_TIMEOUT, 0,
                                on_end_timeout, a);
                if (k >= 0)
                        k = sd_event_add_defer(a->event, &a->end_check, on_end, a);
                if (k >= 0)
                        return;
                log_warning_errno(k, "Failed to wait for the answers in flight: %m");
        }
        api_leave(a);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic(), due;
        Api *a = userdata;

        due = (api_is_busy(a) ? now : a->last_activity) + a->config.idle_timeout;
        if (due <= now) {
                log_debug("No request for a while, leaving.");
                api_shutdown(a, 0);
                return 0;
        }
        (void) sd_event_source_set_time(source, due);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void api_end_streams_without_role(Api *a) {
        Request *r;

        LIST_FOREACH(r, &a->requests, requests) {
                if ((!r->is_stream && !r->park) || request_is_still_allowed(r))
                        continue;
                request_park_over(r);
                if (r->stream)
                        sse_stream_end(r->stream);
                if (r->websocket)
                        websocket_close(r->websocket, WS_CLOSE_POLICY,
                                        isempty(r->key.text) ? "The user no longer has the role for this."
                                                             : "The API key is no longer valid.");
        }
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t now = now_monotonic();
        Api *a = userdata;
        Listener *l;

        if (a->counters.connections == 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);

        LIST_FOREACH(l, &a->listeners, listeners)
                http_server_sweep(l->server, now);
        api_end_streams_without_role(a);
        (void) sd_event_source_set_time_relative(source, SWEEP_INTERVAL);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void api_connection_opened(Api *a) {
        int enabled;

        /* Whoever has just connected is about to ask for something. */
        a->last_activity = now_monotonic();
        if (a->counters.connections++ > 0)
                return;
        if (sd_event_source_get_enabled(a->sweep_timer, &enabled) == 0) {
                (void) sd_event_source_set_time_relative(a->sweep_timer, SWEEP_INTERVAL);
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

void api_request_done(Api *a, Request *r) {
        usec_t now = now_monotonic();

        LIST_REMOVE(r, requests);
        if (r->stream)
                sse_stream_detach(r->stream);
        if (r->websocket)
                websocket_abandon(r->websocket);
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
                metrics_count(a->metrics, request_dialect(r)->name,
                                r->is_head ? "HEAD" : strempty(http_method_to_string(r->method)),
                                r->route ? r->route->path : "", r->status,
                                r->is_stream || r->waited ? USEC_INFINITY : now - r->started);

        log_debug("%s %s: %u, %" PRIu64 " µs.",
                        r->is_head ? "HEAD" : strna(http_method_to_string(r->method)),
                        r->route ? r->route->path : request_path(r), r->status, now - r->started);

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

sd_event *api_event(Api *a) {
        return a->event;
}

BusClient *api_hosts(Api *a) {
        return a->hosts;
}

const char *api_bus_address(Api *a) {
        return a->config.bus_address;
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
        return a->config.websocket_ping > 0 ? a->config.websocket_ping : WEBSOCKET_PING;
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

usec_t api_started_at(Api *a) {
        return a->started;
}

SubmitStatus api_submit_status(Api *a) {
        return a->config.submit_status;
}

static int copy_origins(char *const *origins, char ***ret) {
        STRV_FOREACH(origin, origins) {
                int r = strv_extend(ret, *origin);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int api_copy_config(Api *a, const ApiConfig *config) {
        a->config = (ApiConfig){
                .database = strdup(config->database),
                .hosts_database = config->hosts_database ? strdup(config->hosts_database) : NULL,
                .bus_address = config->bus_address ? strdup(config->bus_address) : NULL,
                .journal_directory = config->journal_directory ? strdup(config->journal_directory) : NULL,
                .pages_directory = config->pages_directory ? strdup(config->pages_directory) : NULL,
                .refusal = config->refusal ? strdup(config->refusal) : NULL,
                .require_key = config->require_key,
                .local_anybody = config->local_anybody,
                .submit_status = config->submit_status,
                .rate_limit = config->rate_limit,
                .rate_burst = config->rate_burst,
                .websocket_ping = config->websocket_ping,
                .idle_timeout = config->idle_timeout,
        };
        a->database = (Database){ .path = a->config.database, .open = store_open };
        a->hosts_database = (Database){ .path = a->config.hosts_database, .open = store_open_hosts };
        if (!a->config.database || (config->hosts_database && !a->config.hosts_database) ||
                        (config->bus_address && !a->config.bus_address) ||
                        (config->journal_directory && !a->config.journal_directory) ||
                        (config->pages_directory && !a->config.pages_directory) ||
                        (config->refusal && !a->config.refusal))
                return -ENOMEM;
        return copy_origins(config->cors_origins, &a->cors_origins);
}

int api_configure(Api *a, const ApiConfig *config) {
        _cleanup_strv_free_ char **origins = NULL;
        int r;

        r = copy_origins(config->cors_origins, &origins);
        if (r < 0)
                return r;
        if (config->metrics && !a->metrics) {
                a->metrics = metrics_new();
                if (!a->metrics)
                        return -ENOMEM;
        }
        if (!config->metrics)
                a->metrics = metrics_free(a->metrics);
        strv_free(a->cors_origins);
        a->cors_origins = TAKE_PTR(origins);
        a->config.require_key = config->require_key;
        a->config.local_anybody = config->local_anybody;
        a->config.submit_status = config->submit_status;
        access_set_limits(a->access, config->rate_limit, config->rate_burst);
        a->config.idle_timeout = config->idle_timeout;
        if (a->idle_timer) /* it looks again then */
                (void) sd_event_source_set_time_relative(a->idle_timer, config->idle_timeout);
        return 0;
}

static int api_add_timers(Api *a) {
        int r;

        r = sd_event_add_time(a->event, &a->sweep_timer, CLOCK_MONOTONIC, USEC_INFINITY, 0, on_sweep, a);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(a->sweep_timer, SD_EVENT_OFF);
        if (r < 0 || a->config.idle_timeout == 0)
                return r;
        return sd_event_add_time_relative(
                        a->event, &a->idle_timer, CLOCK_MONOTONIC, a->config.idle_timeout, 0, on_idle, a);
}

int api_new(sd_event *event, const ApiConfig *config, Api **ret) {
        _cleanup_(api_freep) Api *a = NULL;
        int r;

        a = new0(Api, 1);
        if (!a)
                return -ENOMEM;
        LIST_INIT(&a->listeners);
        LIST_INIT(&a->requests);
        a->event = sd_event_ref(event);
        a->started = now_realtime();
        a->last_activity = now_monotonic();
        a->peers.fd = -EBADF;

        r = api_copy_config(a, config);
        if (r < 0)
                return r;
        if (gethostname(a->hostname, sizeof(a->hostname) - 1) < 0)
                return -errno;
        a->replies = reply_cache_new();
        if (!a->replies)
                return -ENOMEM;
        r = access_new(config->rate_limit, config->rate_burst, &a->access);
        if (r < 0)
                return r;
        r = role_cache_new(config->role_of_user ? config->role_of_user : role_of_user, &a->roles);
        if (r < 0)
                return r;
        if (config->metrics && !(a->metrics = metrics_new()))
                return -ENOMEM;
        r = bus_client_new(event, config->bus_address, MANAGER_CALL_TIMEOUT, MANAGER_CALLS_MAX, &a->manager);
        if (r < 0)
                return r;
        r = bus_client_new(event, config->bus_address, HOSTS_CALL_TIMEOUT, HOSTS_CALLS_MAX, &a->hosts);
        if (r < 0)
                return r;
        r = queue_waiters_new(a, &a->queue_waiters);
        if (r < 0)
                return r;
        bus_client_set_waiters(a->manager, a->queue_waiters);
        r = event_hub_new(a, &a->events);
        if (r < 0)
                return r;
        r = sse_hub_new(a, &a->sse);
        if (r < 0)
                return r;
        r = websocket_hub_new(a, &a->websockets);
        if (r < 0)
                return r;
        r = api_add_timers(a);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(a);
        return 0;
}

static Listener *listener_free(Listener *l) {
        if (!l)
                return NULL;
        http_server_free(l->server);
        router_free(l->router);
        free(l);
        return NULL;
}
DEFINE_CLEANUP_FUNC(Listener *, listener_free);

int api_add_listener(Api *a, const Dialect *dialect, int fd) {
        _cleanup_(listener_freep) Listener *l = NULL;
        _cleanup_close_ int owned = fd;
        int r;

        l = new0(Listener, 1);
        if (!l)
                return -ENOMEM;
        r = router_new(dialect, &l->router);
        if (r < 0)
                return r;
        r = http_server_new(a, dialect, l->router, TAKE_FD(owned), &l->server);
        if (r < 0)
                return r;

        LIST_INSERT_HEAD(&a->listeners, l, listeners);
        r = !http_server_is_local(l->server);
        TAKE_PTR(l);
        return r;
}

/* libmicrohttpd stops only when no connection is suspended any more. */
static void api_abandon_requests(Api *a) {
        Request *r;

        LIST_FOREACH(r, &a->requests, requests)
                if (r->suspended)
                        request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "hyper-apid is stopping.");
        if (a->sse)
                sse_hub_end(a->sse);
        if (a->websockets)
                websocket_hub_cut(a->websockets);
}

Api *api_free(Api *a) {
        if (!a)
                return NULL;

        a->ending = true;
        a->end_check = sd_event_source_disable_unref(a->end_check);
        a->manager = bus_client_free(a->manager);
        a->hosts = bus_client_free(a->hosts);
        api_abandon_requests(a);
        while (!LIST_EMPTY(&a->listeners)) {
                Listener *l = LIST_FIRST(&a->listeners);

                LIST_REMOVE(l, listeners);
                listener_free(l);
        }
        queue_waiters_free(a->queue_waiters);
        sse_hub_free(a->sse);
        websocket_hub_free(a->websockets);
        event_hub_free(a->events);
        database_done(&a->database);
        database_done(&a->hosts_database);
        reply_cache_free(a->replies);
        metrics_free(a->metrics);
        access_free(a->access);
        role_cache_free(a->roles);
        safe_close(a->peers.fd);
        sd_event_source_disable_unref(a->idle_timer);
        sd_event_source_disable_unref(a->sweep_timer);
        sd_event_source_disable_unref(a->end_timer);
        sd_event_source_disable_unref(a->end_check);
        sd_event_unref(a->event);
        free((char *) a->config.database);
        free((char *) a->config.hosts_database);
        free((char *) a->config.bus_address);
        free((char *) a->config.journal_directory);
        free((char *) a->config.pages_directory);
        free((char *) a->config.refusal);
        strv_free(a->cors_origins);
        free(a);
        return NULL;
}
