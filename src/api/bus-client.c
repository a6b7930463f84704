/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-handle.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

/* Of hyper-job-*.service, as sd_bus_path_encode(3) writes it. */
#define JOB_UNIT_PATH_PREFIX "/org/freedesktop/systemd1/unit/hyper_2djob_2d"

#define PROPERTY_TIMEOUT (2 * USEC_PER_SEC)

typedef struct Call {
        TAILQ_ENTRY(Call) calls;
        BusClient *client;
        Request *request;
        sd_bus_message *message;
        sd_bus_slot *slot;
        usec_t timeout;
        manager_reply_func func;
        void *userdata;
} Call;

struct BusClient {
        sd_event *event;
        char *address; /* NULL: the system bus */
        usec_t timeout;
        unsigned max_calls;
        sd_bus *bus; /* NULL: not connected, the next call will */
        bus_client_job_func waiters; /* told of jobs that wait; or NULL */
        void *waiters_userdata;
        sd_bus_slot *queue_match, *ready_match;
        void (*hint)(void *userdata); /* or NULL */
        void *hint_userdata;
        sd_bus_slot *hint_matches[2];
        TAILQ_HEAD(, Call) sent, waiting;
        unsigned n_sent;
        usec_t woken; /* monotonic */
};

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        sd_bus_slot_unref(call->slot);
        sd_bus_message_unref(call->message);
        request_unref(call->request);
        free(call);
        return NULL;
}

/* What a call without a function of its own does. */
static int call_default(Request *r, const sd_bus_error *error) {
        return error ? request_reply_bus_error(r, error) : request_reply_empty(r, MHD_HTTP_NO_CONTENT);
}

/* Hands the answer to the request, and frees the call, which is on no list any more. */
static void call_finish(Call *call, sd_bus_message *reply, const sd_bus_error *error) {
        Request *r = call->request;
        int k;

        r->n_calls--;
        if (call->func)
                k = call->func(r, reply, error, call->userdata);
        else
                k = call_default(r, error);
        request_handler_returned(r, k);
        call_free(call);
}

static void bus_client_pump(BusClient *c);
static void cancel_call(const Call *call);

static void give_hint(BusClient *c) {
        if (c->hint)
                c->hint(c->hint_userdata);
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(m);
        Call *call = userdata;
        BusClient *c = call->client;
        /* What libsystemd says when the connection ends is true, but not what a person can act on. */
        const sd_bus_error lost = SD_BUS_ERROR_MAKE_CONST(HYPER_BUS_ERROR_UNAVAILABLE,
                        "The connection to the system bus was lost before the answer came. "
                        "Whether it did what was asked is not known: look before you try again.");

        if (error && sd_bus_is_open(sd_bus_message_get_bus(m)) <= 0)
                error = &lost;

        /* hyper-vsphered would go on. */
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) &&
                        c == api_vsphere(request_api(call->request)))
                cancel_call(call);
        TAILQ_REMOVE(&c->sent, call, calls);
        c->n_sent--;
        give_hint(c);
        call_finish(call, m, error);
        bus_client_pump(c);
        return 0;
}

static int call_send(Call *call) {
        BusClient *c = call->client;
        int r;

        r = sd_bus_call_async(c->bus, &call->slot, call->message, on_reply, call, call->timeout);
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&c->sent, call, calls);
        c->n_sent++;
        return 0;
}

static const sd_bus_error *unavailable(void) {
        static const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(HYPER_BUS_ERROR_UNAVAILABLE,
                        "The system bus cannot be reached, so nothing can be changed right now. Nothing was "
                        "done; try again in a moment, and see 'systemctl status dbus' if it stays so.");

        return &error;
}

/* Sends what waits, as far as the bus lets us. */
static void bus_client_pump(BusClient *c) {
        while (!TAILQ_EMPTY(&c->waiting) && c->n_sent < c->max_calls) {
                Call *call = TAILQ_FIRST(&c->waiting);
                int r;

                TAILQ_REMOVE(&c->waiting, call, calls);
                r = c->bus ? call_send(call) : -ENOTCONN;
                if (r < 0) {
                        log_debug_errno(r, "Failed to call the manager: %m");
                        call_finish(call, NULL, unavailable());
                }
        }
}

static void drop_hint_matches(BusClient *c) {
        for (size_t i = 0; i < ELEMENTSOF(c->hint_matches); i++)
                c->hint_matches[i] = sd_bus_slot_unref(c->hint_matches[i]);
}

/* libsystemd has failed the calls that were out before it tells us this. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        BusClient *c = userdata;

        log_notice("The connection to the bus was lost; the next request that needs it connects again.");
        c->queue_match = sd_bus_slot_unref(c->queue_match);
        c->ready_match = sd_bus_slot_unref(c->ready_match);
        drop_hint_matches(c);
        c->bus = sd_bus_close_unref(c->bus);
        bus_client_pump(c);
        if (c->waiters)
                c->waiters(NULL, c->waiters_userdata);
        return 0;
}

int api_bus_open(const char *address, const char *description, sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (!address)
                return sd_bus_open_system_with_description(ret, description);

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_set_bus_client(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

static int on_unit_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        if (startswith(sd_bus_message_get_path(m), JOB_UNIT_PATH_PREFIX))
                give_hint(userdata);
        return 0;
}

static int on_manager_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        give_hint(userdata);
        return 0;
}

static void add_hint_matches(BusClient *c) {
        int r;

        if (!c->hint)
                return;
        r = sd_bus_add_match_async(c->bus, &c->hint_matches[0],
                        "type='signal',sender='org.freedesktop.systemd1',"
                        "path_namespace='/org/freedesktop/systemd1/unit',"
                        "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                        "arg0='org.freedesktop.systemd1.Service'",
                        on_unit_changed, NULL, c);
        if (r >= 0)
                r = sd_bus_add_match_async(c->bus, &c->hint_matches[1],
                                "type='signal',sender='" HYPER_BUS_NAME "',path='" HYPER_BUS_PATH
                                "',interface='" HYPER_MANAGER_INTERFACE "'",
                                on_manager_signal, NULL, c);
        if (r < 0)
                log_warning_errno(r, "Failed to listen for changes of jobs; events will be told later: %m");
}

static int bus_client_connect(BusClient *c) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (c->bus)
                return 0;

        r = api_bus_open(c->address, "hyper-apid", &bus);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                        "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, c);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, c->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        c->bus = TAKE_PTR(bus);
        add_hint_matches(c);
        return 0;
}

void bus_client_watch_events(BusClient *c, void (*func)(void *userdata), void *userdata) {
        c->hint = func;
        c->hint_userdata = userdata;
        drop_hint_matches(c);
        if (!func)
                return;
        if (c->bus)
                add_hint_matches(c);
        else if (bus_client_connect(c) < 0)
                log_debug("Without the bus, events are seen when journald says that its file has changed.");
}

static int on_job_queued(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        BusClient *c = userdata;
        const char *id;

        if (c->waiters && sd_bus_message_read(m, "s", &id) > 0)
                c->waiters(id, c->waiters_userdata);
        return 0;
}

int bus_client_watch_queue(BusClient *c) {
        int r;

        if (c->queue_match)
                return 0;
        if (!c->bus)
                return -ENOTCONN;
        r = sd_bus_add_match_async(c->bus, &c->ready_match,
                        "type='signal',sender='" HYPER_BUS_NAME "',path='" HYPER_BUS_PATH
                        "',interface='" HYPER_MANAGER_INTERFACE "',member='JobReady'",
                        on_job_queued, NULL, c);
        if (r < 0)
                return log_warning_errno(r, "Failed to listen for jobs whose limits are free: %m");
        /* Sent before the call that follows, so it is in force when that is answered. */
        r = sd_bus_add_match_async(c->bus, &c->queue_match,
                        "type='signal',sender='" HYPER_BUS_NAME "',path='" HYPER_BUS_PATH
                        "',interface='" HYPER_MANAGER_INTERFACE "',member='JobStateChanged',arg3='QUEUED'",
                        on_job_queued, NULL, c);
        return r < 0 ? log_warning_errno(r, "Failed to listen for jobs that wait: %m") : 0;
}

void bus_client_set_waiters(BusClient *c, bus_client_job_func func, void *userdata) {
        c->waiters = func;
        c->waiters_userdata = userdata;
}

static int call_new(BusClient *c, Request *r, const char *name, const char *path, const char *interface,
                const char *member, sd_bus_message **ret) {
        int k = bus_client_connect(c);

        if (k < 0) {
                log_warning_errno(k, "Failed to connect to the bus: %m");
                request_reply_bus_error(r, unavailable());
                return k;
        }
        return sd_bus_message_new_method_call(c->bus, ret, name, path, interface, member);
}

int manager_call_new(Request *r, const char *member, sd_bus_message **ret) {
        return call_new(api_manager(request_api(r)), r, HYPER_BUS_NAME, HYPER_BUS_PATH,
                        HYPER_MANAGER_INTERFACE, member, ret);
}

int job_call_new(Request *r, const char *id, const char *member, sd_bus_message **ret) {
        _cleanup_free_ char *path = job_bus_path(id);

        if (!path)
                return -ENOMEM;
        return call_new(api_manager(request_api(r)), r, HYPER_BUS_NAME, path, HYPER_JOB_INTERFACE, member,
                        ret);
}

int hosts_call_new(Request *r, const char *path, const char *interface, const char *member,
                sd_bus_message **ret) {
        return call_new(api_hosts(request_api(r)), r, HYPER_HOSTS_BUS_NAME, path, interface, member, ret);
}

int vsphere_call_new(Request *r, const char *member, sd_bus_message **ret) {
        return call_new(api_vsphere(request_api(r)), r, HYPER_VSPHERE_BUS_NAME, HYPER_VSPHERE_BUS_PATH,
                        HYPER_VSPHERE_INTERFACE, member, ret);
}

int carbon_call_new(Request *r, const char *member, sd_bus_message **ret) {
        return call_new(api_carbon(request_api(r)), r, HYPER_CARBON_BUS_NAME, HYPER_CARBON_BUS_PATH,
                        HYPER_CARBON_INTERFACE, member, ret);
}

static BusClient *client_of(Api *a, sd_bus_message *m) {
        const char *name = sd_bus_message_get_destination(m);

        if (streq(name, HYPER_HOSTS_BUS_NAME))
                return api_hosts(a);
        if (streq(name, HYPER_CARBON_BUS_NAME))
                return api_carbon(a);
        return streq(name, HYPER_VSPHERE_BUS_NAME) ? api_vsphere(a) : api_manager(a);
}

/* --- calls whose HTTP client is gone --------------------------------------------------------------- */

static void cancel_call(const Call *call) {
        BusClient *c = call->client;
        uint64_t serial;

        if (c->bus && sd_bus_message_get_cookie(call->message, &serial) >= 0)
                (void) sd_bus_call_method_async(c->bus, NULL, HYPER_VSPHERE_BUS_NAME, HYPER_VSPHERE_BUS_PATH,
                                HYPER_VSPHERE_INTERFACE, "CancelCall", NULL, NULL, "t", serial);
}

static void drop_calls(BusClient *c, Request *r) {
        Call *call, *next;

        for (call = TAILQ_FIRST(&c->sent); call; call = next) {
                next = TAILQ_NEXT(call, calls);
                if (call->request != r)
                        continue;
                cancel_call(call);
                TAILQ_REMOVE(&c->sent, call, calls);
                c->n_sent--;
                r->n_calls--;
                call_free(call);
        }
        for (call = TAILQ_FIRST(&c->waiting); call; call = next) {
                next = TAILQ_NEXT(call, calls);
                if (call->request != r)
                        continue;
                TAILQ_REMOVE(&c->waiting, call, calls);
                r->n_calls--;
                call_free(call);
        }
}

static void on_client_gone(Request *r) {
        BusClient *c = api_vsphere(request_api(r));

        drop_calls(c, r);
        (void) request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "The call was cancelled, since the client has closed its connection.");
        bus_client_pump(c);
}

/* Without this, the call ends when its time is over. */
static void watch_client(BusClient *c, Request *r) {
        bool waited = r->waited;

        if (!r->park)
                (void) request_park(r, now_monotonic() + 2 * c->timeout, on_client_gone);
        r->waited = waited;
}

/* --- calls ----------------------------------------------------------------------------------------- */

static Call *make_call(
                BusClient *c, Request *r, sd_bus_message *m, manager_reply_func func, void *userdata) {
        Call *call = new0(Call, 1);

        if (!call)
                return NULL;
        call->client = c;
        call->request = request_ref(r);
        call->message = sd_bus_message_ref(m);
        call->timeout = c->timeout;
        call->func = func;
        call->userdata = userdata;
        return call;
}

int vsphere_get_property(Request *r, const char *name, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        BusClient *c = api_vsphere(request_api(r));
        Call *call;
        int k = bus_client_connect(c);

        if (k >= 0)
                k = sd_bus_message_new_method_call(c->bus, &m, HYPER_VSPHERE_BUS_NAME,
                                HYPER_VSPHERE_BUS_PATH, "org.freedesktop.DBus.Properties", "Get");
        if (k >= 0)
                k = sd_bus_message_set_auto_start(m, false);
        if (k >= 0)
                k = sd_bus_message_append(m, "ss", HYPER_VSPHERE_INTERFACE, name);
        if (k < 0)
                return k;
        call = make_call(c, r, m, func, NULL);
        if (!call)
                return -ENOMEM;
        call->timeout = PROPERTY_TIMEOUT;
        /* It does not wait for calls that wait for servers. */
        k = call_send(call);
        if (k < 0) {
                call_free(call);
                return k;
        }
        r->n_calls++;
        return 0;
}

int manager_call_within(
                Request *r, sd_bus_message *m, usec_t timeout, manager_reply_func func, void *userdata) {
        BusClient *c = client_of(request_api(r), m);
        Call *call = make_call(c, r, m, func, userdata);

        if (!call)
                return -ENOMEM;
        call->timeout = MIN(timeout, c->timeout);
        if (TAILQ_EMPTY(&c->waiting) && c->n_sent < c->max_calls) {
                int k = c->bus ? call_send(call) : -ENOTCONN;

                if (k < 0) {
                        log_warning_errno(k, "Failed to call the manager: %m");
                        call_free(call);
                        request_reply_bus_error(r, unavailable());
                        return k;
                }
        } else
                TAILQ_INSERT_TAIL(&c->waiting, call, calls);

        r->n_calls++;
        if (c == api_vsphere(request_api(r)))
                watch_client(c, r);
        return 0;
}

int manager_call(Request *r, sd_bus_message *m, manager_reply_func func, void *userdata) {
        return manager_call_within(r, m, USEC_INFINITY, func, userdata);
}

void manager_drop_chunk(Api *a, const char *upload_id, uint64_t index) {
        BusClient *c = api_manager(a);
        int r = c->bus ? sd_bus_call_method_async(c->bus, NULL, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_MANAGER_INTERFACE, "EndChunk", NULL, NULL, "stb", upload_id,
                                         index, 0)
                       : 0;

        if (r < 0)
                log_warning_errno(r, "Failed to give up a chunk of upload %s: %m", upload_id);
}

void bus_client_wake(BusClient *c, const char *name) {
        usec_t now = now_monotonic();
        int r;

        if (now < c->woken + USEC_PER_SEC)
                return;
        c->woken = now;
        log_info("The database of %s cannot be read before %s has looked after it; starting that.", name,
                        name);
        r = bus_client_connect(c);
        if (r >= 0)
                r = sd_bus_call_method_async(c->bus, NULL, name, "/", "org.freedesktop.DBus.Peer", "Ping",
                                NULL, NULL, NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to start %s: %m", name);
}

int bus_client_new(sd_event *event, const char *bus_address, usec_t timeout, unsigned max_calls,
                BusClient **ret) {
        BusClient *c;

        c = new0(BusClient, 1);
        if (!c)
                return -ENOMEM;
        TAILQ_INIT(&c->sent);
        TAILQ_INIT(&c->waiting);
        if (free_and_strdup(&c->address, bus_address) < 0) {
                free(c);
                return -ENOMEM;
        }
        c->event = sd_event_ref(event);
        c->timeout = timeout;
        c->max_calls = max_calls;

        *ret = c;
        return 0;
}

BusClient *bus_client_free(BusClient *c) {
        Call *call;

        if (!c)
                return NULL;

        while ((call = TAILQ_FIRST(&c->sent))) {
                TAILQ_REMOVE(&c->sent, call, calls);
                call->request->n_calls--;
                call_free(call);
        }
        while ((call = TAILQ_FIRST(&c->waiting))) {
                TAILQ_REMOVE(&c->waiting, call, calls);
                call->request->n_calls--;
                call_free(call);
        }
        sd_bus_slot_unref(c->queue_match);
        sd_bus_slot_unref(c->ready_match);
        drop_hint_matches(c);
        sd_bus_close_unref(c->bus);
        sd_event_unref(c->event);
        free(c->address);
        free(c);
        return NULL;
}
