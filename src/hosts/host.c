/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host: one connection, kept up. */

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/host-uri.h"
#include "hosts/hosts.h"
#include "shared/error-table.h"

#define PAUSE_MIN (1 * USEC_PER_SEC)
#define PAUSE_MAX (60 * USEC_PER_SEC)
/* libvirt asks for a sign of life after 5 s of silence, and gives up after three without. */
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

static int run_connect(Task *t, Worker *w, virConnectPtr *connection) {
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
        r = worker_watch(w, *connection, &t->error);
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
        host_facts_done(&h->facts);
        h->facts = c->facts;
        c->facts = (HostFacts){};
        h->pause = PAUSE_MIN;
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

/* A place to remember the next thread that does not come back, or -EBUSY. */
static int find_ghost(Host *h) {
        for (size_t i = 0; i < ELEMENTSOF(h->ghosts); i++) {
                if (h->ghosts[i] && worker_has_ended(h->ghosts[i]))
                        h->ghosts[i] = worker_unref(h->ghosts[i]);
                if (!h->ghosts[i])
                        return (int) i;
        }
        return -EBUSY;
}

static void let_go(Host *h) {
        Worker *w = TAKE_PTR(h->worker);
        int i = find_ghost(h);

        if (!w)
                return;
        if (i >= 0)
                h->ghosts[i] = worker_ref(w);
        worker_abandon(w);
}

static int try_connect(Host *h, const HostUri *uri) {
        const WorkerHandler handler = { .on_vm = on_vm, .on_closed = on_closed, .userdata = h };
        ConnectTask *c;
        int r;

        if (find_ghost(h) < 0)
                return -EBUSY;
        c = new0(ConnectTask, 1);
        if (!c)
                return -ENOMEM;
        c->task = (Task){ .run = run_connect, .done = done_connect, .free = free_connect };
        c->host = h;
        c->is_file = uri->transport == TRANSPORT_TEST;
        c->uri = host_uri_build(uri, h->hosts->keyfile);
        r = c->uri ? worker_new(h->hosts->event, &handler, &h->worker) : -ENOMEM;
        if (r < 0) {
                free_connect(&c->task);
                return r;
        }
        return worker_run(h->worker, &c->task, h->hosts->settings->hosts.call_timeout);
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

        if (allowed && h->refused)
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

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        host_connect(userdata);
        return 0;
}

static int arm_retry(Host *h) {
        int r = 0;

        if (!h->retry)
                r = sd_event_add_time(h->hosts->event, &h->retry, CLOCK_MONOTONIC, 0, USEC_PER_SEC / 10,
                                on_retry, h);
        if (r >= 0)
                r = sd_event_source_set_time(h->retry, now_monotonic() + h->pause);
        if (r >= 0)
                r = sd_event_source_set_enabled(h->retry, SD_EVENT_ONESHOT);
        h->pause = MIN(h->pause * 2, PAUSE_MAX);
        return r;
}

void host_set_state(Host *h, HostState state, const char *error) {
        bool connection = (h->row.state == HOST_CONNECTED) != (state == HOST_CONNECTED);
        int r;

        if (h->row.state == state && streq(h->row.error, error))
                return;
        r = free_and_strdup(&h->row.error, error);
        if (r < 0)
                log_oom();
        h->row.state = state;
        h->row.updated_at = now_realtime();
        r = store_host_set_state(h->hosts->store, h->row.id, state, error, h->row.updated_at);
        if (r < 0)
                log_warning_errno(r, "Failed to write the state of host %s to the database: %s", h->row.id,
                                store_error_text(h->hosts->store));
        host_bus_changed(h);
        if (connection)
                host_bus_connection_changed(h);
}

void host_refuse(Host *h, const char *error) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

        log_info("Host %s was not added: %s", h->row.id, error);
        (void) bus_error_setf(
                        &e, HYPER_BUS_ERROR_LIBVIRT, "Host %s could not be added: %s", h->row.id, error);
        (void) sd_bus_reply_method_error(h->add_call, &e);
        host_free(h);
}

void host_lost(Host *h, HostState state, const char *error) {
        int r;

        if (h->adding)
                return host_refuse(h, error);
        if (h->row.state != state || !streq(h->row.error, error))
                log_full_errno(h->row.state == HOST_CONNECTED ? LOG_WARNING : LOG_INFO, 0,
                                "Host %s is not connected: %s", h->row.id, error);
        let_go(h);
        h->looking = h->polling = h->poll_again = h->list_wanted = false;
        h->dirty = strv_free(h->dirty);
        h->n_dirty = 0;
        r = arm_retry(h);
        if (r < 0)
                log_error_errno(r, "Failed to arm the timer of host %s: %m", h->row.id);
        host_set_state(h, state, error);
}

/* --- owning ---------------------------------------------------------------------------------------- */

int host_new(Hosts *hosts, HostRow *row, Host **ret) {
        Host *h = new0(Host, 1);

        if (!h) {
                host_row_done(row);
                return -ENOMEM;
        }
        h->hosts = hosts;
        h->row = *row;
        *row = (HostRow){};
        h->pause = PAUSE_MIN;
        HASH_ADD_KEYPTR(hh, hosts->by_id, h->row.id, strlen(h->row.id), h);
        *ret = h;
        return 0;
}

Host *host_free(Host *h) {
        Vm *vm, *next;

        if (!h)
                return NULL;
        HASH_DEL(h->hosts->by_id, h);
        let_go(h);
        for (size_t i = 0; i < ELEMENTSOF(h->ghosts); i++)
                worker_unref(h->ghosts[i]);
        sd_event_source_disable_unref(h->retry);
        sd_event_source_disable_unref(h->poll);
        sd_event_source_disable_unref(h->vms_changed);
        HASH_ITER(hh, h->vms, vm, next) {
                HASH_DEL(h->vms, vm);
                vm_free(vm);
        }
        strv_free(h->dirty);
        host_facts_done(&h->facts);
        host_row_done(&h->row);
        sd_bus_message_unref(h->add_call);
        return mfree(h);
}

Vm *host_find_vm(Host *h, const char *uuid) {
        Vm *vm;

        HASH_FIND_STR(h->vms, uuid, vm);
        return vm;
}

Vm *host_find_vm_by_any(Host *h, const char *name) {
        Vm *vm = host_find_vm(h, name);

        for (Vm *i = h->vms; i && !vm; i = i->hh.next)
                if (streq(i->row.name, name))
                        vm = i;
        return vm;
}
