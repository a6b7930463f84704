/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of the bus that libvirt must answer: each is a task for the host's thread, and the reply is sent
 * when the task comes back. */

#include <jansson.h>
#include <time.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/domain-xml.h"
#include "hosts/host-uri.h"
#include "hosts/hosts.h"
#include "shared/error-table.h"
#include "json/json-table.h"

/* So many calls of clients may wait for one host; the others are told to come again. Fewer than hyper-apid
 * has out at once, so that a host that hangs does not take all of those. */
#define CALLS_MAX 96u

typedef struct CallTask CallTask;

struct CallTask {
        Task task;
        /* In the thread. */
        int (*ask)(CallTask *c, virConnectPtr connection);
        /* In the loop, when that went well. */
        int (*reply)(CallTask *c);

        /* The loop's */
        Host *host;
        sd_bus_message *message;

        char *uuid; /* of a VM; NULL: about the host */
        VmAction action;
        VmRow row; /* the VM as it is afterwards; uuid NULL: not known */
        char *hardware; /* JSON */
        VmSample *samples;
        size_t n_samples;
        HostFacts facts;
};

static int run_call(Task *t, Worker *w, virConnectPtr *connection) {
        CallTask *c = CONTAINER_OF(t, CallTask, task);

        return *connection ? c->ask(c, *connection) : -ENOLINK;
}

/* Which error of the bus it is that libvirt's errno stands for; all that nobody can do anything about is
 * libvirt's own. */
static const char *error_name(int r) {
        switch (r) {
        case -ENODEV:
        case -EBADFD:
        case -ENOLINK:
                return error_entry_by_errno(r)->bus_name;
        case -ETIMEDOUT:
        case -ECANCELED:
                return HYPER_BUS_ERROR_HOST_NOT_CONNECTED;
        default:
                return HYPER_BUS_ERROR_LIBVIRT;
        }
}

static void reply_error(CallTask *c, int r) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Vm *vm = c->uuid ? host_find_vm(c->host, c->uuid) : NULL;
        char span[TIMESPAN_SIZE];

        /* After a timeout the task's own text belongs to the thread, and so it may after a cancel. */
        if (r == -ETIMEDOUT)
                (void) bus_error_setf(&error, error_name(r), "Host %s did not answer within %s",
                                c->host->row.id,
                                format_timespan(span, c->host->hosts->settings->hosts.call_timeout));
        else if (r == -ECANCELED)
                (void) bus_error_setf(
                                &error, error_name(r), "The connection to host %s broke", c->host->row.id);
        else if (vm)
                (void) bus_error_setf(&error, error_name(r), "VM %s on host %s: %s", vm->row.name,
                                c->host->row.id, isempty(c->task.error) ? strerror(-r) : c->task.error);
        else
                (void) bus_error_setf(&error, error_name(r), "Host %s: %s", c->host->row.id,
                                isempty(c->task.error) ? strerror(-r) : c->task.error);
        (void) sd_bus_reply_method_error(c->message, &error);
}

static void done_call(Task *t, int r) {
        CallTask *c = CONTAINER_OF(t, CallTask, task);
        Host *h = c->host;

        h->n_calls--;
        if (r >= 0)
                r = c->reply(c);
        if (r < 0)
                reply_error(c, r);
        /* Messages are the loop's, while free() may be called in the thread. */
        c->message = sd_bus_message_unref(c->message);
        if (r == -ENODEV && c->uuid)
                host_look_at(h, c->uuid);
        else if (r == -ETIMEDOUT && h->worker && worker_hangs(h->worker))
                host_lost(h, HOST_DISCONNECTED, "the host did not answer in time");
}

static void free_call(Task *t) {
        CallTask *c = CONTAINER_OF(t, CallTask, task);

        free(c->uuid);
        vm_row_done(&c->row);
        free(c->hardware);
        vm_samples_free(c->samples, c->n_samples);
        host_facts_done(&c->facts);
        free(c);
}

static int call_host(Host *h, const CallTask *template, const char *uuid, sd_bus_message *message,
                sd_bus_error *error) {
        CallTask *c;
        int r;

        if (!h->worker || h->row.state != HOST_CONNECTED)
                return bus_error_setf(error, HYPER_BUS_ERROR_HOST_NOT_CONNECTED,
                                "Host %s is not connected: %s", h->row.id,
                                isempty(h->row.error) ? "it has not answered yet" : h->row.error);
        if (h->n_calls >= CALLS_MAX)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many calls wait for host %s; try again.", h->row.id);
        c = new0(CallTask, 1);
        if (!c)
                return -ENOMEM;
        *c = *template;
        c->task = (Task){ .run = run_call, .done = done_call, .free = free_call };
        c->host = h;
        c->uuid = uuid ? strdup(uuid) : NULL;
        if (uuid && !c->uuid) {
                free(c);
                return -ENOMEM;
        }
        c->message = sd_bus_message_ref(message);
        h->n_calls++;
        r = worker_run(h->worker, &c->task, h->hosts->settings->hosts.call_timeout);
        if (r < 0) {
                h->n_calls--;
                sd_bus_message_unref(message);
                return r;
        }
        return 1;
}

/* --- actions --------------------------------------------------------------------------------------- */

static int ask_action(CallTask *c, virConnectPtr connection) {
        _cleanup_free_ char *ignored = NULL;
        int r = libvirt_act(connection, c->uuid, c->action, &c->task.error);

        /* So that whoever looks after the answer sees the new state; a VM that was not kept is gone now. */
        if (r >= 0 && libvirt_describe(connection, c->uuid, &c->row, &ignored) < 0)
                c->row = (VmRow){};
        return r;
}

static int reply_action(CallTask *c) {
        const Vm *vm = host_find_vm(c->host, c->uuid);

        log_info("VM %s on host %s: %s was asked for.", vm ? vm->row.name : c->uuid, c->host->row.id,
                        vm_action_to_string(c->action));
        if (c->row.uuid)
                host_take_vms(c->host, &c->row, 1, NULL);
        else
                host_look_at(c->host, c->uuid);
        (void) sd_bus_reply_method_return(c->message, NULL);
        return 0;
}

int host_call_action(
                Host *h, const char *uuid, VmAction action, sd_bus_message *message, sd_bus_error *error) {
        const CallTask template = { .ask = ask_action, .reply = reply_action, .action = action };

        return call_host(h, &template, uuid, message, error);
}

/* --- hardware -------------------------------------------------------------------------------------- */

static int ask_hardware(CallTask *c, virConnectPtr connection) {
        _cleanup_json_ json_t *hardware = NULL;
        _cleanup_free_ char *xml = NULL;
        int r = libvirt_xml(connection, c->uuid, &xml, &c->task.error);

        if (r >= 0)
                r = domain_xml_hardware(xml, strlen(xml), &hardware);
        if (r == -EBADMSG)
                c->task.error = strdup("libvirt gave a description of it that cannot be read");
        if (r < 0)
                return r;
        c->hardware = json_dumps(hardware, JSON_COMPACT);
        return c->hardware ? 0 : -ENOMEM;
}

static int reply_hardware(CallTask *c) {
        (void) sd_bus_reply_method_return(c->message, "s", c->hardware);
        return 0;
}

int host_call_hardware(Host *h, const char *uuid, sd_bus_message *message, sd_bus_error *error) {
        const CallTask template = { .ask = ask_hardware, .reply = reply_hardware };

        return call_host(h, &template, uuid, message, error);
}

/* --- statistics, once ------------------------------------------------------------------------------ */

static int ask_stats(CallTask *c, virConnectPtr connection) {
        char *const uuids[] = { c->uuid, NULL };
        int r = libvirt_sample(connection, uuids, &c->samples, &c->n_samples, &c->task.error);

        return r >= 0 && c->n_samples == 0 ? -ENODEV : r;
}

static int reply_stats(CallTask *c) {
        Vm *vm = host_find_vm(c->host, c->uuid);
        _cleanup_free_ char *text = NULL;

        if (!vm)
                return -ENODEV;
        vm_take_sample(vm, c->samples);
        text = vm_stats_to_json(vm);
        if (!text)
                return -ENOMEM;
        (void) sd_bus_reply_method_return(c->message, "s", text);
        return 0;
}

int host_call_stats(Host *h, const char *uuid, sd_bus_message *message, sd_bus_error *error) {
        const CallTask template = { .ask = ask_stats, .reply = reply_stats };

        return call_host(h, &template, uuid, message, error);
}

/* --- the host -------------------------------------------------------------------------------------- */

uint64_t host_uptime(const Host *h) {
        struct timespec t;

        /* libvirt has no way to ask another machine. */
        if (!host_uri_is_local(h->row.uri) || clock_gettime(CLOCK_BOOTTIME, &t) < 0)
                return 0;
        return (uint64_t) t.tv_sec;
}

static int ask_info(CallTask *c, virConnectPtr connection) {
        return libvirt_facts(connection, &c->facts, &c->task.error);
}

static int reply_info(CallTask *c) {
        Host *h = c->host;

        host_facts_done(&h->facts);
        h->facts = c->facts;
        c->facts = (HostFacts){};
        (void) sd_bus_reply_method_return(c->message, "suttuut", h->facts.hostname, (uint32_t) h->facts.cpu,
                        h->facts.memory, h->facts.memory_used, (uint32_t) h->facts.cores,
                        (uint32_t) h->facts.threads, host_uptime(h));
        return 0;
}

int host_call_info(Host *h, sd_bus_message *message, sd_bus_error *error) {
        const CallTask template = { .ask = ask_info, .reply = reply_info };

        return call_host(h, &template, NULL, message, error);
}
