/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-ws.h"
#include "json/json-parse.h"

#include <uthash.h>

#include "api/bus-client.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

/* All clients share one connection to the bus; hyper-hostd emits signals for changes, and sends the
 * statistics of each VM once, however many clients subscribed. hyper-hostd may be killed or restarted:
 * clients stay, and their subscriptions are made again. */

#define MESSAGE_MAX 4096
#define WATCHED_MAX 1024u /* VMs, of all clients */
#define CLIENTS_MAX 16384u /* subscriptions to one VM */
/* A new client gets the last statistics if they are not older. */
#define FRESH (2 * USEC_PER_SEC)
/* After hyper-hostd has gone, before it is called back. */
#define RETURN_PAUSE (1 * USEC_PER_SEC)

typedef struct Feed Feed;

/* A VM that somebody subscribed to. */
typedef struct Watched {
        Feed *feed;
        char *key; /* HOST/VM */
        char *host;
        const char *vm; /* in key */
        WebSocket **clients;
        size_t n_clients, n_allocated;
        sd_bus_slot *call; /* SubscribeStats is under way */
        WsMessage *last;
        usec_t last_at; /* monotonic */
        UT_hash_handle hh;
} Watched;

/* What serves all clients; lives while there are any. */
struct Feed {
        WebSocketGroup *group;
        sd_bus *bus;
        sd_event_source *back; /* calls hyper-hostd back */
        Watched *watched;
};

/* --- messages -------------------------------------------------------------------------------------- */

/* Takes @payload over. */
static WsMessage *make_message(const char *type, json_t *payload) {
        return payload ? ws_message_from_json(json_pack("{s:s, s:o}", "type", type, "payload", payload))
                       : NULL;
}

static void broadcast(Feed *f, const char *type, json_t *payload) {
        _cleanup_ws_message_ WsMessage *m = make_message(type, payload);

        if (m)
                websocket_group_send(f->group, m);
        else
                log_oom();
}

static void send_error(WebSocket *w, const char *text) {
        _cleanup_ws_message_ WsMessage *m = make_message("error", json_pack("{s:s}", "message", text));

        websocket_send(w, m);
}

/* --- VMs that are watched -------------------------------------------------------------------------- */

static Watched *watched_free(Watched *v) {
        if (!v)
                return NULL;
        sd_bus_slot_unref(v->call);
        ws_message_unref(v->last);
        free(v->clients);
        free(v->key);
        free(v->host);
        return mfree(v);
}
DEFINE_CLEANUP_FUNC(Watched *, watched_free);

static void forget(Feed *f, Watched *v) {
        HASH_DEL(f->watched, v);
        watched_free(v);
}

/* The subscription failed: its clients receive the error. It is dropped only if the VM or the host does not
 * exist; otherwise it is made again later. */
static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(m);
        Watched *v = userdata;
        int status;

        v->call = sd_bus_slot_unref(v->call);
        if (!error)
                return 0;
        status = error_entry_by_bus_name(error->name)->http_status;
        if (status != 404 && status != 400) {
                log_warning("Failed to subscribe to the statistics of VM %s on host %s: %s", v->vm, v->host,
                                strempty(error->message));
                return 0;
        }
        for (size_t i = 0; i < v->n_clients; i++)
                send_error(v->clients[i], strempty(error->message));
        forget(v->feed, v);
        return 0;
}

static int subscribe(Watched *v) {
        v->call = sd_bus_slot_unref(v->call);
        return sd_bus_call_method_async(v->feed->bus, &v->call, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "SubscribeStats", on_subscribed, v, "ss", v->host,
                        v->vm);
}

/* The last client has gone; nothing needs to be heard of that. */
static void unsubscribe(Feed *f, Watched *v) {
        int r = sd_bus_call_method_async(f->bus, NULL, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "UnsubscribeStats", NULL, NULL, "ss", v->host, v->vm);

        if (r < 0)
                log_debug_errno(r, "Failed to end the subscription to VM %s on host %s: %m", v->vm, v->host);
        forget(f, v);
}

static int watched_new(Feed *f, const char *key, const char *host, Watched **ret) {
        _cleanup_(watched_freep) Watched *v = NULL;
        int r;

        if (HASH_COUNT(f->watched) >= WATCHED_MAX)
                return -EBUSY;
        v = new0(Watched, 1);
        if (!v)
                return -ENOMEM;
        v->feed = f;
        v->key = strdup(key);
        v->host = strdup(host);
        if (!v->key || !v->host)
                return -ENOMEM;
        v->vm = v->key + strlen(host) + 1;
        r = subscribe(v);
        if (r < 0)
                return r;
        HASH_ADD_KEYPTR(hh, f->watched, v->key, strlen(v->key), v);
        *ret = TAKE_PTR(v);
        return 0;
}

static bool is_client(const Watched *v, const WebSocket *w) {
        for (size_t i = 0; i < v->n_clients; i++)
                if (v->clients[i] == w)
                        return true;
        return false;
}

static int join(Watched *v, WebSocket *w) {
        if (is_client(v, w))
                return 0;
        if (v->n_clients >= CLIENTS_MAX)
                return -EBUSY;
        if (!GREEDY_REALLOC(v->clients, v->n_allocated, v->n_clients + 1))
                return -ENOMEM;
        v->clients[v->n_clients++] = w;
        return 0;
}

static void leave(Feed *f, Watched *v, const WebSocket *w) {
        for (size_t i = 0; i < v->n_clients; i++)
                if (v->clients[i] == w) {
                        v->clients[i] = v->clients[--v->n_clients];
                        break;
                }
        if (v->n_clients == 0)
                unsubscribe(f, v);
}

/* --- what clients say ------------------------------------------------------------------------------ */

static Watched *find_watched(Feed *f, const char *host, const char *vm) {
        _cleanup_free_ char *key = strprintf("%s/%s", host, vm);
        Watched *v = NULL;

        if (key)
                HASH_FIND_STR(f->watched, key, v);
        return v;
}

static int handle_subscribe(Feed *f, WebSocket *w, const char *host, const char *vm) {
        Watched *v = find_watched(f, host, vm);
        int r;

        if (!v) {
                _cleanup_free_ char *key = strprintf("%s/%s", host, vm);

                r = key ? watched_new(f, key, host, &v) : -ENOMEM;
                if (r < 0)
                        return r;
        } else if (v->last && now_monotonic() < v->last_at + FRESH)
                websocket_send(w, v->last);
        r = join(v, w);
        if (v->n_clients == 0)
                unsubscribe(f, v);
        return r;
}

static void handle_vm_message(Feed *f, WebSocket *w, json_t *payload, bool wants) {
        const char *host = json_string_value(json_object_get(payload, "hostId")),
                   *vm = json_string_value(json_object_get(payload, "vmName"));
        int r = 0;

        if (isempty(host) || isempty(vm) || strchr(host, '/'))
                return send_error(w, "payload: must have hostId and vmName");
        if (wants)
                r = handle_subscribe(f, w, host, vm);
        else {
                Watched *v = find_watched(f, host, vm);

                if (v)
                        leave(f, v, w);
        }
        if (r == -EBUSY)
                return send_error(w, "There are too many subscriptions.");
        if (r < 0) {
                log_warning_errno(r, "Failed to subscribe to the statistics of a VM: %m");
                send_error(w, "The service is not available just now; try again.");
        }
}

static void on_message(WebSocket *w, const char *text, size_t size) {
        Feed *f = websocket_group_userdata(websocket_group(w));
        _cleanup_json_ json_t *message = NULL;
        _cleanup_free_ char *why = NULL;
        const char *type;
        json_t *payload;

        if (json_parse_object(text, size, &message, &why) < 0)
                return send_error(w, why ? why : "not understood");
        type = strempty(json_string_value(json_object_get(message, "type")));
        payload = json_object_get(message, "payload");
        if (streq(type, "subscribe-vm-stats"))
                handle_vm_message(f, w, payload, true);
        else if (streq(type, "unsubscribe-vm-stats"))
                handle_vm_message(f, w, payload, false);
        else
                send_error(w, "type: must be subscribe-vm-stats or unsubscribe-vm-stats");
}

/* --- signals of hyper-hostd ------------------------------------------------------------------------ */

static int on_hosts_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        broadcast(userdata, "hosts-changed", json_null());
        return 0;
}

static int on_vms_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host;

        if (sd_bus_message_read(m, "s", &host) > 0)
                broadcast(userdata, "vms-changed", json_pack("{s:s}", "hostId", host));
        return 0;
}

static int on_connection_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host;
        int connected;

        if (sd_bus_message_read(m, "sb", &host, &connected) > 0)
                broadcast(userdata, "host-connection-changed",
                                json_pack("{s:s, s:b}", "hostId", host, "connected", connected));
        return 0;
}

static int on_stats(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *host, *vm, *text;
        Feed *f = userdata;
        json_t *stats;
        Watched *v;

        if (sd_bus_message_read(m, "sss", &host, &vm, &text) <= 0)
                return 0;
        v = find_watched(f, host, vm);
        stats = v ? json_loads(text, 0, NULL) : NULL;
        if (!stats)
                return 0;
        ws_message_unref(v->last);
        v->last = make_message("vm-stats-updated",
                        json_pack("{s:s, s:s, s:o}", "hostId", host, "vmName", vm, "stats", stats));
        v->last_at = now_monotonic();
        for (size_t i = 0; i < v->n_clients && v->last; i++)
                websocket_send(v->clients[i], v->last);
        return 0;
}

/* Has the bus start hyper-hostd, and asks for everything again. */
static int call_back(Feed *f) {
        int r = sd_bus_call_method_async(f->bus, NULL, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "ListHosts", NULL, NULL, NULL);

        for (Watched *v = f->watched; v && r >= 0; v = v->hh.next)
                r = subscribe(v);
        return r;
}

static int on_back(sd_event_source *s, uint64_t usec, void *userdata) {
        int r = call_back(userdata);

        if (r < 0)
                log_warning_errno(r, "Failed to call hyper-hostd: %m");
        return 0;
}

/* It ended, was killed, or is there again. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name, *old, *new;
        Feed *f = userdata;

        if (sd_bus_message_read(m, "sss", &name, &old, &new) <= 0)
                return 0;
        if (isempty(new)) {
                (void) sd_event_source_set_time_relative(f->back, RETURN_PAUSE);
                (void) sd_event_source_set_enabled(f->back, SD_EVENT_ONESHOT);
                return 0;
        }
        (void) sd_event_source_set_enabled(f->back, SD_EVENT_OFF);
        for (Watched *v = f->watched; v; v = v->hh.next)
                if (subscribe(v) < 0)
                        log_warning("Failed to subscribe to the statistics of VM %s on host %s again.",
                                        v->vm, v->host);
        broadcast(f, "hosts-changed", json_null());
        return 0;
}

/* --- clients --------------------------------------------------------------------------------------- */

static Feed *feed_free(Feed *f) {
        Watched *v, *next;

        if (!f)
                return NULL;
        HASH_ITER(hh, f->watched, v, next) {
                forget(f, v);
        }
        sd_event_source_disable_unref(f->back);
        sd_bus_flush_close_unref(f->bus);
        return mfree(f);
}
DEFINE_CLEANUP_FUNC(Feed *, feed_free);

/* With the bus gone all clients are sent away: they come back, and it is opened anew. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Feed *f = userdata;

        log_notice("The connection to the bus was lost; WebSocket clients are sent to come again.");
        websocket_group_close(f->group, WS_CLOSE_RESTART, "come again");
        return 0;
}

static int listen_to_hosts(Feed *f) {
        static const struct {
                const char *member;
                sd_bus_message_handler_t handler;
        } signals[] = {
                { "HostsChanged", on_hosts_changed },
                { "VmsChanged", on_vms_changed },
                { "HostConnectionChanged", on_connection_changed },
                { "VmStats", on_stats },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_bus_match_signal_async(f->bus, NULL, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                                HYPER_HOSTS_MANAGER_INTERFACE, signals[i].member, signals[i].handler, NULL,
                                f);
        if (r >= 0)
                r = sd_bus_add_match_async(f->bus, NULL,
                                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                "arg0='" HYPER_HOSTS_BUS_NAME "'",
                                on_owner, NULL, f);
        if (r >= 0)
                r = sd_bus_match_signal_async(f->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, f);
        return r;
}

static int on_start(WebSocketGroup *g) {
        _cleanup_(feed_freep) Feed *f = new0(Feed, 1);
        Api *a = websocket_group_api(g);
        int r;

        if (!f)
                return -ENOMEM;
        f->group = g;
        r = api_bus_open(api_bus_address(a), "hyper-apid", &f->bus);
        if (r >= 0)
                r = listen_to_hosts(f);
        if (r >= 0)
                r = sd_bus_attach_event(f->bus, api_event(a), SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_event_add_time_relative(
                                api_event(a), &f->back, CLOCK_MONOTONIC, RETURN_PAUSE, 0, on_back, f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->back, SD_EVENT_OFF);
        if (r >= 0)
                r = call_back(f);
        if (r < 0)
                return log_error_errno(r, "Failed to listen to hyper-hostd: %m");
        websocket_group_set_userdata(g, TAKE_PTR(f));
        return 0;
}

static void on_stop(WebSocketGroup *g) {
        feed_free(websocket_group_userdata(g));
}

static int on_open(WebSocket *w) {
        Feed *f = websocket_group_userdata(websocket_group(w));

        /* All others are about to go. */
        return sd_bus_is_open(f->bus) > 0 ? 0 : -ENOTCONN;
}

static void on_close(WebSocket *w) {
        Feed *f = websocket_group_userdata(websocket_group(w));
        Watched *v, *next;

        HASH_ITER(hh, f->watched, v, next) {
                if (is_client(v, w))
                        leave(f, v, w);
        }
}

const WebSocketProtocol hosts_websocket = {
        .max_message = MESSAGE_MAX,
        .on_start = on_start,
        .on_stop = on_stop,
        .on_open = on_open,
        .on_message = on_message,
        .on_close = on_close,
};
