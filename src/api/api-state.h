/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What all requests share. api.c assembles it, starts it, and ends it; everything else of the daemon only
 * uses it. */

#include <limits.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "api/access/peer.h"
#include "api/database.h"
#include "basic/time-util.h"
#include "shared/role.h"
#include "shared/settings.h"
#include "store/store.h"

typedef struct Access Access;
typedef struct AuthClient AuthClient;
typedef struct LoginLimit LoginLimit;
typedef struct Api Api;
typedef struct Dialect Dialect;
typedef struct EventHub EventHub;
typedef struct BusClient BusClient;
typedef struct Metrics Metrics;
typedef struct QueueWaiters QueueWaiters;
typedef struct ReplyCache ReplyCache;
typedef struct Request Request;
typedef struct RequestWorks RequestWorks;
typedef struct RoleCache RoleCache;
typedef struct SseHub SseHub;
typedef struct Tickets Tickets;
typedef struct WebSocketHub WebSocketHub;

typedef struct ApiConfig {
        const char *database; /* path of the manager's database; need not exist yet */
        const char *hosts_database; /* the same of hyper-hostd's; NULL: there is none */
        const char *journal_directory; /* NULL: the system's journal */
        const char *bus_address; /* NULL: the system bus */
        const char *pages_directory; /* NULL: where they are installed */
        const char *cache_directory; /* for what is kept while the daemon does not run; NULL: nothing is */
        bool metrics; /* serve /metrics */
        const char *refusal; /* every request is answered 503 with this; NULL: none is */
        char *const *cors_origins; /* strv: web pages that may use all listeners; NULL: none but our own */
        bool require_key; /* on the loopback interface too, in each dialect */
        bool local_anybody; /* each user of this machine is admin; else the groups decide */
        int (*role_of_user)(uid_t uid, Role *ret); /* NULL: by the user database */
        SubmitStatus submit_status; /* of the HyperSDK API */
        unsigned rate_limit, rate_burst; /* 0: the defaults (access.h) */
        unsigned v1_rate_limit, v1_user_rate_limit; /* of the v1 API; 0: the defaults (access.h) */
        const char *auth_socket; /* of hyper-auth; NULL: AUTH_SOCKET */
        usec_t websocket_ping; /* between two pings to a WebSocket client; 0: WEBSOCKET_PING */
        usec_t idle_timeout; /* leave the loop after so long without a request; 0: never */
} ApiConfig;

/* How many requests came since the start, and by class of status (1xx to 5xx); streams are counted when
 * they end. The place where metrics will be taken from. */
typedef struct ApiCounters {
        uint64_t requests; /* finished ones */
        uint64_t by_class[6]; /* [2]: 2xx …; [0]: clients that went away before the answer */
        usec_t busy; /* sum of the time from the request's first line to its last byte, without streams */
        unsigned in_flight; /* requests being worked on, streams not included */
        unsigned streams;
        unsigned connections;
} ApiCounters;

/* Together with ROLE_CACHE_TIME this is how long a stream goes on at most when its role or key is gone:
 * under 10 s. */
#define API_SWEEP_INTERVAL (5 * USEC_PER_SEC)

/* Threads that write files, and that read the database, at the same time. */
#define WORKS_MAX 4u
#define READINGS_MAX 2u

struct Api {
        sd_event *event;
        ApiConfig config; /* its strings are ours */
        char **cors_origins;
        char hostname[HOST_NAME_MAX + 1];
        LIST_HEAD(, Listener) listeners;
        LIST_HEAD(, Request) requests;
        BusClient *manager, *hosts, *vsphere, *carbon;
        EventHub *events;
        SseHub *sse;
        WebSocketHub *websockets;
        QueueWaiters *queue_waiters;

        Database database, hosts_database;
        ReplyCache *replies; /* from the first */
        Access *access;
        AuthClient *auth;
        LoginLimit *logins;
        Tickets *tickets;
        RequestWorks *works; /* for files */
        RequestWorks *readings; /* of the database (reading.h) */
        PeerFinder peers;
        RoleCache *roles;
        Metrics *metrics; /* NULL: turned off */
        void *kept; /* by api_keep() */
        void (*free_kept)(void *kept);

        ApiCounters counters;
        usec_t started; /* realtime */
        size_t bodies; /* bytes held for bodies */
        usec_t last_activity; /* monotonic */
        sd_event_source *idle_timer, *sweep_timer, *end_timer, *end_check, *newcomers_timer;
        bool ending;
        int exit_code;

        void (*wake)(BusClient *c, const char *name); /* starts the owner of a database */
};

/* Takes over a socket of NETLINK_SOCK_DIAG (api/access/peer.h): without one, a client over TCP has no
 * identity. */
void api_take_peer_socket(Api *a, int fd);
bool api_has_peer_socket(Api *a);

sd_event *api_event(Api *a);
BusClient *api_manager(Api *a);
BusClient *api_hosts(Api *a);
BusClient *api_vsphere(Api *a);
BusClient *api_carbon(Api *a);
const char *api_bus_address(Api *a); /* NULL: the system bus */
EventHub *api_events(Api *a);
SseHub *api_sse(Api *a);
QueueWaiters *api_queue_waiters(Api *a);
WebSocketHub *api_websockets(Api *a);
const char *api_pages_directory(Api *a); /* of files for browsers, without a "/" at its end */
const char *api_journal_directory(Api *a); /* for journal_read_events() and journal_read_log() */

/* The database, opened when it is first asked for and again if it was replaced. -ENOENT while there is none
 * yet: to a client that is the same as one without jobs. -EAGAIN while its owner,
 * which was started, has to look after it first. Other errors have been logged; pass them on. Valid
 * until the handler returns. */
int api_store(Api *a, Store **ret);
/* The same for hyper-hostd's (store/hosts.h). */
int api_hosts_store(Api *a, Store **ret);

const char *api_cache_directory(Api *a); /* or NULL */

/* What the v1 API keeps between requests: NULL until api_keep() is called, once. */
void *api_kept(Api *a);
void api_keep(Api *a, void *kept, void (*free_kept)(void *kept));

const ApiCounters *api_counters(Api *a);
const Metrics *api_metrics(Api *a); /* NULL: they are turned off */
AuthClient *api_auth(Api *a);
LoginLimit *api_logins(Api *a);
Tickets *api_tickets(Api *a);
RequestWorks *api_works(Api *a);
RequestWorks *api_readings(Api *a); /* of the journal, too */
usec_t api_started_at(Api *a); /* realtime */
SubmitStatus api_submit_status(Api *a);

/* --- for http/, access/ and stream/ ---------------------------------------------------------------- */

/* What they tell the daemon, so that it can count, become idle and end. */
void api_connection_opened(Api *a);
void api_connection_closed(Api *a);
void api_request_begun(Api *a, Request *r);
void api_request_streams(Api *a, Request *r); /* it is a stream from now on, or a WebSocket */
void api_request_done(Api *a, Request *r);

/* Memory for bodies, of all requests together. */
bool api_take_body(Api *a, size_t size);
void api_give_body(Api *a, size_t size);

/* Who may ask, as the database says now. -EAGAIN while that cannot be known; other errors have been
 * logged. */
int api_access(Api *a, Access **ret);
/* The same for the rates alone. */
Access *api_any_access(Api *a);

/* The user at the other end of a connection that was just accepted from a listener of this machine's. False
 * if nobody needs to know, or the user cannot be found. */
bool api_find_peer(Api *a, int fd, uid_t *ret);
/* The role of a user of this machine; at most some seconds old. */
Role api_role_of(Api *a, uid_t uid);
bool api_local_is_anybody(Api *a);

/* For a route that is from_database: the answer kept for @path, NULL if there is none; and keeping one. */
const char *api_kept_reply(Api *a, const Dialect *dialect, const char *path, size_t *ret_size);
void api_keep_reply(Api *a, const Dialect *dialect, const char *path, const char *text, size_t size);

bool api_requires_key(Api *a); /* on the loopback interface too */
bool api_allows_origin(Api *a, const char *origin);
usec_t api_ping_interval(Api *a);
const char *api_hostname(Api *a);
bool api_is_ending(Api *a);
const char *api_refusal(Api *a); /* NULL: requests are welcome */
/* Close streams and WebSockets whose clients may not have them any more. */
void api_end_refused_streams(Api *a);
bool api_is_busy(const Api *a); /* a request or stream is not finished */
