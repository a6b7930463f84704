/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-call.h"

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "hosts/host-lost.h"
#include "hosts/host-sync.h"
#include "hosts/hosts.h"
#include "shared/error-table.h"

/* So many calls of clients may wait for one host; more are refused. Fewer than hyper-apid has out at once,
 * so that a host that hangs does not take all of those. */
#define CALLS_MAX 96u

static int run_call(Task *t, HostThread *thread, virConnectPtr *connection) {
        HostCall *c = CONTAINER_OF(t, HostCall, task);

        return *connection ? c->ask(c, *connection) : -ENOLINK;
}

/* The error of the bus for libvirt's errno; without one of its own it is libvirt's. */
static const char *error_name(int r) {
        switch (r) {
        case -ENODEV:
        case -EBADFD:
        case -ENOLINK:
        case -EOPNOTSUPP:
                return error_entry_by_errno(r)->bus_name;
        case -ETIMEDOUT:
        case -ECANCELED:
                return HYPER_BUS_ERROR_HOST_NOT_CONNECTED;
        default:
                return HYPER_BUS_ERROR_LIBVIRT;
        }
}

static void reply_error(HostCall *c, int r) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Vm *vm = c->uuid ? host_find_vm(c->host, c->uuid) : NULL;
        const char *id = c->host->row.id;
        char span[TIMESPAN_SIZE];

        /* After a timeout the task's own text belongs to the thread, and so it may after a cancel. */
        if (r == -ETIMEDOUT)
                (void) bus_error_setf(&error, error_name(r), "Host %s did not answer within %s", id,
                                format_timespan(span, c->host->hosts->settings->hosts.call_timeout));
        else if (r == -ECANCELED)
                (void) bus_error_setf(&error, error_name(r), "The connection to host %s broke", id);
        else if (vm)
                (void) bus_error_setf(&error, error_name(r), "VM %s on host %s: %s", vm->row.name, id,
                                isempty(c->task.error) ? strerror(-r) : c->task.error);
        else
                (void) bus_error_setf(&error, error_name(r), "Host %s: %s", id,
                                isempty(c->task.error) ? strerror(-r) : c->task.error);
        (void) sd_bus_reply_method_error(c->message, &error);
}

static void done_call(Task *t, int r) {
        HostCall *c = CONTAINER_OF(t, HostCall, task);
        Host *h = c->host;

        h->n_calls--;
        if (r >= 0)
                r = c->reply(c);
        else if (c->fail)
                c->fail(c);
        if (r < 0)
                reply_error(c, r);
        /* Messages are the loop's, while free() may be called in the thread. */
        c->message = sd_bus_message_unref(c->message);
        if (r == -ENODEV && c->uuid)
                host_look_at(h, c->uuid);
        else if (r == -ETIMEDOUT && h->thread && host_thread_hangs(h->thread))
                host_lost(h, HOST_DISCONNECTED, "the host did not answer in time");
}

static void free_call(Task *t) {
        HostCall *c = CONTAINER_OF(t, HostCall, task);

        free(c->uuid);
        free(c->name);
        vm_row_done(&c->row);
        free(c->text);
        json_decref(c->json);
        if (c->has_fd)
                safe_close(c->fd);
        vm_samples_free(c->samples, c->n_samples);
        host_facts_done(&c->facts);
        host_items_done(&c->items);
        free(c);
}

int host_call(Host *h, const HostCall *template, const char *uuid, sd_bus_message *message,
                sd_bus_error *error) {
        HostCall *c;
        int r;

        if (!h->thread || h->row.state != HOST_CONNECTED)
                return bus_error_setf(error, HYPER_BUS_ERROR_HOST_NOT_CONNECTED,
                                "Host %s is not connected: %s", h->row.id,
                                h->row.manual ? "it was disconnected; connect it first"
                                                : isempty(h->row.error) ? "it has not answered yet"
                                                                        : h->row.error);
        if (h->n_calls >= CALLS_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many calls wait for host %s; try again.", h->row.id);
        c = new0(HostCall, 1);
        if (!c)
                return -ENOMEM;
        *c = *template;
        c->task = (Task){ .run = run_call, .done = done_call, .free = free_call };
        c->host = h;
        c->uuid = uuid ? strdup(uuid) : NULL;
        c->name = template->name ? strdup(template->name) : NULL;
        if ((uuid && !c->uuid) || (template->name && !c->name)) {
                free(c->uuid);
                free(c->name);
                free(c);
                return -ENOMEM;
        }
        c->message = sd_bus_message_ref(message);
        h->n_calls++;
        r = host_thread_run(h->thread, &c->task, h->hosts->settings->hosts.call_timeout);
        if (r < 0) {
                h->n_calls--;
                sd_bus_message_unref(message);
                return r;
        }
        return 1;
}
