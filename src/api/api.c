/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/access/access-check.h"
#include "api/access/access.h"
#include "api/access/login-limit.h"
#include "api/access/role-cache.h"
#include "api/access/ticket.h"
#include "api/api.h"
#include "api/auth-client.h"
#include "api/bus-client.h"
#include "api/http/http-server.h"
#include "api/http/reply-cache.h"
#include "api/http/reply.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"
#include "api/http/request-work.h"
#include "api/metrics.h"
#include "api/queue-waiters.h"
#include "api/stream/event-hub.h"
#include "api/stream/sse.h"
#include "api/stream/websocket.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define SHUTDOWN_TIMEOUT (10 * USEC_PER_SEC)

typedef struct Listener Listener;
struct Listener {
        LIST_ENTRY(Listener) listeners;
        Router *router;
        HttpServer *server;
};

/* --- counting, idleness, the end ------------------------------------------------------------------- */

static bool api_has_newcomers(Api *a) {
        usec_t now = now_monotonic();
        Listener *l;

        LIST_FOREACH(l, &a->listeners, listeners)
                if (http_server_has_newcomers(l->server, now))
                        return true;
        return false;
}

static void api_leave(Api *a) {
        a->newcomers_timer = sd_event_source_disable_unref(a->newcomers_timer);
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

        if (!api_is_busy(a) && !api_has_newcomers(a))
                api_leave(a);
        return 0;
}

/* By now, whoever had just connected has sent a request or is not waited for. */
static int on_newcomers_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        return on_end(source, userdata);
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

        if (api_is_busy(a) || api_has_newcomers(a)) {
                k = sd_event_add_time_relative(a->event, &a->end_timer, CLOCK_MONOTONIC, SHUTDOWN_TIMEOUT, 0,
                                on_end_timeout, a);
                if (k >= 0)
                        k = sd_event_add_time_relative(a->event, &a->newcomers_timer, CLOCK_MONOTONIC,
                                        HTTP_NEWCOMER_TIME, 1, on_newcomers_timer, a);
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
        /* Otherwise, whoever guesses passwords would only have to wait for us to leave. */
        due = MAX(due, login_limit_full_at(a->logins));
        due = MAX(due, tickets_gone_at(a->tickets));
        if (due <= now) {
                log_debug("No request for a while, leaving.");
                api_shutdown(a, 0);
                return 0;
        }
        (void) sd_event_source_set_time(source, due);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static const char *why_refused(const Request *r) {
        if (r->session)
                return "The session has ended, or its user no longer has the role for this.";
        return isempty(r->key.text) ? "The user no longer has the role for this."
                                    : "The API key is no longer valid.";
}

void api_end_refused_streams(Api *a) {
        Request *r;

        LIST_FOREACH(r, &a->requests, requests) {
                if ((!r->is_stream && !r->park) || request_is_still_allowed(r))
                        continue;
                request_park_over(r);
                if (r->stream)
                        r->stream_ops->refuse(r->stream, why_refused(r));
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
        api_end_refused_streams(a);
        (void) sd_event_source_set_time_relative(source, API_SWEEP_INTERVAL);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* --- the daemon ------------------------------------------------------------------------------------ */

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
                .cache_directory = config->cache_directory ? strdup(config->cache_directory) : NULL,
                .refusal = config->refusal ? strdup(config->refusal) : NULL,
                .require_key = config->require_key,
                .local_anybody = config->local_anybody,
                .submit_status = config->submit_status,
                .rate_limit = config->rate_limit,
                .rate_burst = config->rate_burst,
                .v1_rate_limit = config->v1_rate_limit,
                .v1_user_rate_limit = config->v1_user_rate_limit,
                .auth_socket = strdup(config->auth_socket ? config->auth_socket : AUTH_SOCKET),
                .websocket_ping = config->websocket_ping > 0 ? config->websocket_ping : WEBSOCKET_PING,
                .idle_timeout = config->idle_timeout,
        };
        a->database = (Database){ .path = a->config.database, .open = store_open };
        a->hosts_database = (Database){ .path = a->config.hosts_database, .open = store_open_hosts };
        if (!a->config.database || !a->config.auth_socket ||
                        (config->hosts_database && !a->config.hosts_database) ||
                        (config->bus_address && !a->config.bus_address) ||
                        (config->journal_directory && !a->config.journal_directory) ||
                        (config->pages_directory && !a->config.pages_directory) ||
                        (config->cache_directory && !a->config.cache_directory) ||
                        (config->refusal && !a->config.refusal))
                return -ENOMEM;
        return copy_origins(config->cors_origins, &a->cors_origins);
}

static void set_strict_limits(Api *a, const ApiConfig *config) {
        access_set_strict_limits(
                        a->access, &(AccessLimits){ config->v1_rate_limit, config->v1_user_rate_limit });
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
        set_strict_limits(a, config);
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

static void on_job_waits(const char *job_id, void *userdata) {
        queue_waiters_wake(userdata, job_id);
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
        a->wake = bus_client_wake;

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
        set_strict_limits(a, config);
        r = login_limit_new(&a->logins);
        if (r >= 0)
                r = tickets_new(&a->tickets);
        if (r < 0)
                return r;
        r = auth_client_new(event, a->config.auth_socket, &a->auth);
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
        r = bus_client_new(event, config->bus_address, VSPHERE_CALL_TIMEOUT, VSPHERE_CALLS_MAX, &a->vsphere);
        if (r < 0)
                return r;
        r = bus_client_new(event, config->bus_address, CARBON_CALL_TIMEOUT, CARBON_CALLS_MAX, &a->carbon);
        if (r < 0)
                return r;
        r = request_works_new(event, WORKS_MAX, &a->works);
        if (r < 0)
                return r;
        r = queue_waiters_new(a, &a->queue_waiters);
        if (r < 0)
                return r;
        bus_client_set_waiters(a->manager, on_job_waits, a->queue_waiters);
        r = request_works_new(event, READINGS_MAX, &a->readings);
        if (r < 0)
                return r;
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

int api_add_listener(Api *a, const Dialect *dialect, int fd, const TlsPair *tls) {
        _cleanup_(listener_freep) Listener *l = NULL;
        _cleanup_close_ int owned = fd;
        int r;

        l = new0(Listener, 1);
        if (!l)
                return -ENOMEM;
        r = router_new(dialect, &l->router);
        if (r < 0)
                return r;
        r = http_server_new(a, dialect, l->router, TAKE_FD(owned), tls, &l->server);
        if (r < 0)
                return r;

        LIST_INSERT_HEAD(&a->listeners, l, listeners);
        r = !http_server_is_local(l->server);
        TAKE_PTR(l);
        return r;
}

static int on_refused_client(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        safe_close(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
        return 0;
}

int api_refuse_socket(Api *a, int fd) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        _cleanup_close_ int owned = fd;
        int r = sd_event_add_io(a->event, &source, fd, EPOLLIN, on_refused_client, a);

        if (r < 0)
                return r;
        (void) sd_event_source_set_io_fd_own(source, true);
        TAKE_FD(owned);
        return sd_event_source_set_floating(source, true);
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
        a->vsphere = bus_client_free(a->vsphere);
        a->carbon = bus_client_free(a->carbon);
        a->readings = request_works_free(a->readings);
        a->auth = auth_client_free(a->auth);
        a->works = request_works_free(a->works);
        api_abandon_requests(a);
        while (!LIST_EMPTY(&a->listeners)) {
                Listener *l = LIST_FIRST(&a->listeners);

                LIST_REMOVE(l, listeners);
                listener_free(l);
        }
        queue_waiters_free(a->queue_waiters);
        if (a->kept)
                a->free_kept(a->kept);
        sse_hub_free(a->sse);
        websocket_hub_free(a->websockets);
        event_hub_free(a->events);
        database_done(&a->database);
        database_done(&a->hosts_database);
        reply_cache_free(a->replies);
        metrics_free(a->metrics);
        access_free(a->access);
        login_limit_free(a->logins);
        tickets_free(a->tickets);
        role_cache_free(a->roles);
        safe_close(a->peers.fd);
        sd_event_source_disable_unref(a->idle_timer);
        sd_event_source_disable_unref(a->sweep_timer);
        sd_event_source_disable_unref(a->end_timer);
        sd_event_source_disable_unref(a->end_check);
        sd_event_source_disable_unref(a->newcomers_timer);
        sd_event_unref(a->event);
        free((char *) a->config.database);
        free((char *) a->config.hosts_database);
        free((char *) a->config.bus_address);
        free((char *) a->config.journal_directory);
        free((char *) a->config.pages_directory);
        free((char *) a->config.cache_directory);
        free((char *) a->config.refusal);
        free((char *) a->config.auth_socket);
        strv_free(a->cors_origins);
        free(a);
        return NULL;
}
