/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/define-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/host-thread.h"
#include "hosts/host-uri.h"
#include "hosts/hosts.h"
#include "hosts/libvirt-define.h"
#include "hosts/libvirt-error.h"
#include "shared/error-table.h"

/* A start of a domain may take that long. */
#define CALL_TIMEOUT (60 * USEC_PER_SEC)
#define CALLS_MAX 16u

typedef struct DefineCall {
        Task task;
        /* The loop's */
        Hosts *hosts;
        HostThread *thread;
        sd_bus_message *message;
        /* What is asked */
        char *uri;
        KvmDomain *domain; /* NULL: only what the host is like */
        /* What comes back */
        char *answer; /* JSON */
} DefineCall;

static int ask(DefineCall *c, virConnectPtr connection) {
        _cleanup_kvm_outcome_ KvmOutcome *outcome = NULL;
        _cleanup_kvm_target_ KvmTarget *target = NULL;
        _cleanup_json_ json_t *object = NULL;

        int r = c->domain ? libvirt_define(connection, c->domain, &outcome, &c->task.error)
                          : libvirt_target(connection, &target, &c->task.error);
        if (r < 0)
                return r;
        object = outcome ? kvm_outcome_to_json(outcome) : kvm_target_to_json(target);
        c->answer = object ? json_dumps(object, JSON_COMPACT) : NULL;
        return c->answer ? 0 : -ENOMEM;
}

static int run_define(Task *t, HostThread *thread, virConnectPtr *connection) {
        DefineCall *c = CONTAINER_OF(t, DefineCall, task);

        *connection = virConnectOpen(c->uri);
        return *connection ? ask(c, *connection) : libvirt_error(&t->error);
}

static void done_define(Task *t, int r) {
        DefineCall *c = CONTAINER_OF(t, DefineCall, task);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *message = TAKE_PTR(c->message);

        if (r >= 0)
                r = sd_bus_reply_method_return(message, "s", c->answer);
        else {
                /* After a timeout the task's own text belongs to the thread. */
                (void) bus_error_setf(&error, HYPER_BUS_ERROR_LIBVIRT, "libvirt: %s",
                                r == -ETIMEDOUT ? "it did not answer in time"
                                                : r == -ECANCELED || isempty(t->error) ? strerror(-r)
                                                                                       : t->error);
                r = sd_bus_reply_method_error(message, &error);
        }
        if (r < 0)
                log_warning_errno(r, "Failed to reply to a call about a domain: %m");
        sd_bus_message_unref(message);
        c->hosts->n_define_calls--;
        host_thread_abandon(TAKE_PTR(c->thread));
}

static void free_define(Task *t) {
        DefineCall *c = CONTAINER_OF(t, DefineCall, task);

        kvm_domain_free(c->domain);
        free(c->uri);
        free(c->answer);
        free(c);
}

static void on_vm(void *userdata, const char *uuid) {
}

static void on_closed(void *userdata) {
}

int define_call_check(Hosts *h, const char *uri, sd_bus_error *error) {
        const char *why;
        HostUri parts;

        if (host_uri_parse(uri, h->settings->hosts.allow_test, &parts, &why) < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "uri: %s", why);
        if (!host_uri_is_local(uri))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "uri: must be that of this machine's libvirt, qemu:///system");
        if (h->n_define_calls >= CALLS_MAX || host_thread_abandoned() >= HOST_GHOSTS_TOTAL)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE,
                                "Too many calls wait for libvirt; try again.");
        return 0;
}

/* Takes @domain, also on failure. */
static int call_libvirt(Hosts *h, const char *uri, KvmDomain *domain, sd_bus_message *message) {
        const HostThreadHandler handler = { .on_vm = on_vm, .on_closed = on_closed };
        DefineCall *c = new0(DefineCall, 1);
        int r;

        if (!c) {
                kvm_domain_free(domain);
                return -ENOMEM;
        }
        c->task = (Task){ .run = run_define, .done = done_define, .free = free_define };
        c->hosts = h;
        c->domain = domain;
        c->uri = strdup(uri);
        r = c->uri ? host_thread_new(h->event, &handler, &c->thread) : -ENOMEM;
        if (r < 0) {
                free_define(&c->task);
                return r;
        }
        c->message = sd_bus_message_ref(message);
        h->n_define_calls++;
        r = host_thread_run(c->thread, &c->task, CALL_TIMEOUT);
        return r < 0 ? r : 1;
}

int hosts_method_describe_target(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Hosts *h = userdata;
        const char *uri;
        int r = sd_bus_message_read(message, "s", &uri);

        if (r >= 0)
                r = define_call_check(h, uri, error);
        return r < 0 ? r : call_libvirt(h, uri, NULL, message);
}

int define_call_domain(const char *text, KvmDomain **ret, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = kvm_domain_decode(text, strlen(text), ret, &errors);

        if (r == -EBADMSG) {
                _cleanup_free_ char *why = json_errors_text(&errors);
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "domain: %s", strempty(why));
        }
        return r;
}

int hosts_method_define_vm(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        Hosts *h = userdata;
        const char *uri, *text;
        int r = sd_bus_message_read(message, "ss", &uri, &text);

        if (r >= 0)
                r = define_call_check(h, uri, error);
        if (r >= 0)
                r = define_call_domain(text, &domain, error);
        if (r < 0)
                return r;
        log_info("Defining the domain %s for job %s.", domain->name, domain->job_id);
        return call_libvirt(h, uri, TAKE_PTR(domain), message);
}
