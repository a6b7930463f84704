/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon as one object: what all requests share. Everything it needs is handed in, so tests run it on
 * their own sockets, with their own database, journal directory, and bus. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/time-util.h"
#include "shared/role.h"
#include "shared/settings.h"
#include "store/store.h"

typedef struct Api Api;
typedef struct Dialect Dialect;
typedef struct EventHub EventHub;
typedef struct BusClient BusClient;
typedef struct Metrics Metrics;
typedef struct QueueWaiters QueueWaiters;
typedef struct SseHub SseHub;
typedef struct WebSocketHub WebSocketHub;

typedef struct ApiConfig {
        const char *database; /* path of the manager's database; need not exist yet */
        const char *hosts_database; /* the same of hyper-hostd's; NULL: there is none */
        const char *journal_directory; /* NULL: the system's journal */
        const char *bus_address; /* NULL: the system bus */
        const char *pages_directory; /* NULL: where they are installed */
        bool metrics; /* serve /metrics */
        const char *refusal; /* every request is answered 503 with this; NULL: none is */
        char *const *cors_origins; /* strv: web pages that may use all listeners; NULL: none but our own */
        bool require_key; /* on the loopback interface too, in each dialect */
        bool local_anybody; /* each user of this machine is admin; else the groups decide */
        int (*role_of_user)(uid_t uid, Role *ret); /* NULL: by the user database */
        SubmitStatus submit_status; /* of the HyperSDK API */
        unsigned rate_limit, rate_burst; /* 0: the defaults (access.h) */
        usec_t websocket_ping; /* between two pings to a WebSocket client; 0: WEBSOCKET_PING */
        usec_t idle_timeout; /* leave the loop after so long without a request; 0: never */
} ApiConfig;

/* @config's strings are copied. */
int api_new(sd_event *event, const ApiConfig *config, Api **ret);
Api *api_free(Api *a);
DEFINE_CLEANUP_FUNC(Api *, api_free);

/* Puts another configuration in force while the daemon runs. Of @config only what a running daemon can
 * change is heeded: metrics, cors_origins, require_key, local_anybody, submit_status, the rate limits and
 * idle_timeout. On failure nothing has changed. 0 or -ENOMEM. */
int api_configure(Api *a, const ApiConfig *config);

/* Takes over a socket of NETLINK_SOCK_DIAG (api/access/peer.h): without one, a client over TCP has no
 * identity. */
void api_take_peer_socket(Api *a, int fd);
bool api_has_peer_socket(Api *a);

/* Serves @dialect on a listening socket, which is taken over, also on failure. 1 if other
 * machines can reach it, 0 if not. -EADDRNOTAVAIL if they could and there is no API key; -EINVAL for a
 * broken route table. */
int api_add_listener(Api *a, const Dialect *dialect, int fd);

/* Stops accepting, ends streams and WebSockets (their clients come back), lets the answers in flight
 * finish, and then leaves the event loop with @exit_code. What is not answered within 10 s is given up. */
void api_shutdown(Api *a, int exit_code);

sd_event *api_event(Api *a);
BusClient *api_manager(Api *a);
BusClient *api_hosts(Api *a);
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
const ApiCounters *api_counters(Api *a);
const Metrics *api_metrics(Api *a); /* NULL: they are turned off */
usec_t api_started_at(Api *a); /* realtime */
SubmitStatus api_submit_status(Api *a);
