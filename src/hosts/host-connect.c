/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-connect.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/bus-objects.h"
#include "hosts/host-lost.h"
#include "hosts/host-sync.h"
#include "hosts/hosts.h"
#include "hosts/libvirt-error.h"
#include "hosts/stats.h"
#include "shared/error-table.h"
#include "spec/host-uri.h"

/* libvirt sends a keepalive after 5 s without data; after three without a reply, it disconnects. */
#define KEEPALIVE_INTERVAL 5
#define KEEPALIVE_COUNT 3

/* --- connecting ------------------------------------------------------------------------------------ */

typedef struct ConnectTask {
        Task task;
        Host *host; /* the loop's */
        char *uri;
        bool is_file; /* it is described in a file of this machine */
        HostFacts facts;
} ConnectTask;

static int run_connect(Task *t, HostThread *w, virConnectPtr *connection) {
        ConnectTask *c = CONTAINER_OF(t, ConnectTask, task);
        int r;

        *connection = virConnectOpen(c->uri);
        if (!*connection) {
                r = libvirt_error(&t->error);
                if (c->is_file && r != -ENOMEM) {
                        /* libvirt's words would quote it. */
                        free(t->error);
                        t->error = strprintf("%s cannot be read as a host of libvirt's test driver", c->uri);
                }
                return r == -ENODEV ? -EREMOTEIO : r;
        }
        /* Local drivers without a daemon have nothing to keep alive. */
        (void) virConnectSetKeepAlive(*connection, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT);
        r = host_thread_watch(w, *connection, &t->error);
        return r < 0 ? r : libvirt_facts(*connection, &c->facts, &t->error);
}

static void free_connect(Task *t) {
        ConnectTask *c = CONTAINER_OF(t, ConnectTask, task);

        host_facts_done(&c->facts);
        free(c->uri);
        free(c);
}

static bool is_hopeless(int r) {
        return r == -EINVAL || r == -EACCES || r == -EOPNOTSUPP;
}

static void connected(Host *h) {
        log_info("Connected to host %s.", h->row.id);
        host_set_state(h, HOST_CONNECTED, "");
        host_answer_connect_calls(h, NULL);
        stats_poll(h);
}

static void done_connect(Task *t, int r) {
        ConnectTask *c = CONTAINER_OF(t, ConnectTask, task);
        Host *h = c->host;
        char span[TIMESPAN_SIZE];
        _cleanup_free_ char *text = NULL;

        if (r == -ECANCELED)
                return;
        if (r < 0) {
                /* After a timeout t->error belongs to the thread. */
                text = r == -ETIMEDOUT
                                ? strprintf("the host did not answer within %s",
                                                  format_timespan(span,
                                                                  h->hosts->settings->hosts.call_timeout))
                                : strdup(isempty(t->error) ? strerror(-r) : t->error);
                return host_lost(h, is_hopeless(r) ? HOST_ERROR : HOST_DISCONNECTED, strempty(text));
        }
        host_take_facts(h, &c->facts);
        h->pause = 0;
        if (!h->adding)
                connected(h);
        host_look_at_all(h);
}

static void on_vm(void *userdata, const char *uuid) {
        Host *h = userdata;

        if (isempty(uuid))
                host_look_at_all(h);
        else
                host_look_at(h, uuid);
}

static void on_closed(void *userdata) {
        host_lost(userdata, HOST_DISCONNECTED, "the connection to the host broke");
}

static int try_connect(Host *h, const HostUri *uri) {
        const HostThreadHandler handler = { .on_vm = on_vm, .on_closed = on_closed, .userdata = h };
        ConnectTask *c;
        int r;

        if (host_find_ghost(h) < 0)
                return -EBUSY;
        c = new0(ConnectTask, 1);
        if (!c)
                return -ENOMEM;
        c->task = (Task){ .run = run_connect, .done = done_connect, .free = free_connect };
        c->host = h;
        c->is_file = uri->transport == TRANSPORT_TEST;
        c->uri = host_uri_build(uri, h->hosts->keyfile);
        r = c->uri ? host_thread_new(h->hosts->event, &handler, &h->thread) : -ENOMEM;
        if (r < 0) {
                free_connect(&c->task);
                return r;
        }
        return host_thread_run(h->thread, &c->task, h->hosts->settings->hosts.call_timeout);
}

/* An older hyper took other URIs, and the configuration may be another one: what is not allowed is never
 * opened. */
static void refuse_uri(Host *h, const char *why) {
        _cleanup_free_ char *text =
                        strprintf("its URI is not allowed, it %s; remove the host, and add it again", why);

        h->refused = true;
        host_lost(h, HOST_ERROR, text ? text : why);
        h->retry = sd_event_source_disable_unref(h->retry);
}

void host_check_uri(Host *h) {
        const char *why = NULL;
        HostUri uri;
        bool allowed = host_uri_parse(h->row.uri, h->hosts->settings->hosts.allow_test, &uri, &why) >= 0;

        if (allowed && h->refused && !h->row.manual)
                host_connect(h);
        else if (!allowed && !h->refused && !h->adding)
                refuse_uri(h, why);
}

void host_connect(Host *h) {
        const char *why = NULL;
        HostUri uri;
        int r = host_uri_parse(h->row.uri, h->hosts->settings->hosts.allow_test, &uri, &why);

        if (r < 0)
                return refuse_uri(h, why);
        h->refused = false;
        if (uri.no_verify)
                log_warning("Host %s is connected to without checking that it is that host (no_verify=1): "
                            "whoever is "
                            "in between can act as it.",
                                h->row.id);
        r = try_connect(h, &uri);
        if (r == -EBUSY)
                host_lost(h, HOST_DISCONNECTED,
                                "the host hangs: earlier calls to it have not come back yet");
        else if (r < 0)
                host_lost(h, HOST_DISCONNECTED, strerror(-r));
}

/* --- on request ------------------------------------------------------------------------------------ */

static int set_manual(Host *h, bool manual, sd_bus_error *error) {
        bool before = h->row.manual;
        int r;

        if (before == manual)
                return 0;
        h->row.manual = manual;
        h->row.updated_at = now_realtime();
        r = store_host_set_definition(h->hosts->store, &h->row);
        if (r >= 0)
                return 0;
        h->row.manual = before;
        return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "Host %s could not be changed: %s",
                        h->row.id, store_error_text(h->hosts->store));
}

int host_call_connect(Host *h, sd_bus_message *message, sd_bus_error *error) {
        int r = set_manual(h, false, error);

        if (r < 0)
                return r;
        if (h->row.state == HOST_CONNECTED)
                return sd_bus_reply_method_return(message, NULL);
        if (!GREEDY_REALLOC(h->connect_calls, h->n_connect_allocated, h->n_connect_calls + 1))
                return -ENOMEM;
        h->connect_calls[h->n_connect_calls++] = sd_bus_message_ref(message);
        if (!h->thread) {
                h->retry = sd_event_source_disable_unref(h->retry);
                h->pause = 0;
                host_connect(h);
        }
        return 1;
}

int host_disconnect(Host *h, sd_bus_error *error) {
        int r = set_manual(h, true, error);

        if (r < 0)
                return r;
        host_drop_connection(h);
        h->retry = sd_event_source_disable_unref(h->retry);
        host_answer_connect_calls(h, "it was disconnected in between");
        if (h->row.state == HOST_CONNECTED)
                log_info("Host %s was disconnected on request.", h->row.id);
        host_set_state(h, HOST_DISCONNECTED, "");
        host_bus_changed(h);
        return 0;
}
