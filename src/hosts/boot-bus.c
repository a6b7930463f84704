/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/boot-bus.h"

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/define-bus.h"
#include "hosts/host-thread.h"
#include "hosts/hosts.h"
#include "hosts/libvirt-boot.h"
#include "hosts/libvirt-error.h"
#include "shared/error-table.h"
#include "spec/job-id.h"

/* What a start and an end take, besides the time of the guest. */
#define CALL_TIMEOUT (120 * USEC_PER_SEC)

typedef struct BootCall {
        Task task;
        /* The loop's */
        Hosts *hosts;
        HostThread *thread;
        sd_bus_message *message;
        sd_bus_track *track; /* the caller */
        /* What is asked */
        char *uri;
        char *job_id; /* end a proof of this job */
        KvmDomain *domain; /* begin one */
        usec_t limit, limit_default;
        atomic_bool cancelled;
        /* What comes back */
        char *answer; /* JSON */
        int screenshot;
} BootCall;

/* --- the thread ------------------------------------------------------------------------------------ */

static int check_boot(BootCall *c, virConnectPtr connection) {
        const BootRequest q = { .domain = c->domain,
                .limit = c->limit,
                .limit_default = c->limit_default,
                .cancelled = &c->cancelled };
        _cleanup_kvm_boot_ KvmBoot *boot = NULL;
        _cleanup_json_ json_t *object = NULL;

        int r = libvirt_boot(connection, &q, &boot, &c->screenshot, &c->task.error);
        if (r < 0)
                return r;
        object = kvm_boot_to_json(boot);
        c->answer = object ? json_dumps(object, JSON_COMPACT) : NULL;
        return c->answer ? 0 : -ENOMEM;
}

static int run_boot(Task *t, HostThread *thread, virConnectPtr *connection) {
        BootCall *c = CONTAINER_OF(t, BootCall, task);

        *connection = virConnectOpen(c->uri);
        if (!*connection)
                return libvirt_error(&t->error);
        return c->domain ? check_boot(c, *connection) : libvirt_boot_end(*connection, c->job_id, &t->error);
}

/* --- the loop -------------------------------------------------------------------------------------- */

static int append_screenshot(sd_bus_message *reply, int fd) {
        int r = sd_bus_message_open_container(reply, 'a', "h");

        if (r >= 0 && fd >= 0)
                r = sd_bus_message_append(reply, "h", fd);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_boot(BootCall *c, sd_bus_message *message) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0 && c->domain)
                r = sd_bus_message_append(reply, "s", c->answer);
        if (r >= 0 && c->domain)
                r = append_screenshot(reply, c->screenshot);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void done_boot(Task *t, int r) {
        BootCall *c = CONTAINER_OF(t, BootCall, task);
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *message = TAKE_PTR(c->message);

        c->cancelled = true;
        c->track = sd_bus_track_unref(c->track);
        if (r >= 0)
                r = reply_boot(c, message);
        else {
                /* After a timeout the task's own text belongs to the thread. */
                (void) bus_error_setf(&error, HYPER_BUS_ERROR_LIBVIRT, "libvirt: %s",
                                r == -ETIMEDOUT || r == -ECANCELED || isempty(t->error) ? strerror(-r)
                                                                                        : t->error);
                r = sd_bus_reply_method_error(message, &error);
        }
        if (r < 0)
                log_warning_errno(r, "Failed to reply to a call about a proof of boot: %m");
        sd_bus_message_unref(message);
        c->hosts->n_define_calls--;
        host_thread_abandon(TAKE_PTR(c->thread));
}

static void free_boot(Task *t) {
        BootCall *c = CONTAINER_OF(t, BootCall, task);

        kvm_domain_free(c->domain);
        safe_close(c->screenshot);
        free(c->uri);
        free(c->job_id);
        free(c->answer);
        free(c);
}

/* The thread sees it at its next look. */
static int on_caller_gone(sd_bus_track *track, void *userdata) {
        BootCall *c = userdata;

        c->cancelled = true;
        return 0;
}

static void on_vm(void *userdata, const char *uuid) {
}

static void on_closed(void *userdata) {
}

/* Takes @domain, also on failure; NULL: a proof of @job_id is to be ended. */
static int call_boot(Hosts *h, const char *uri, KvmDomain *domain, const char *job_id, usec_t limit,
                sd_bus_message *message) {
        const HostThreadHandler handler = { .on_vm = on_vm, .on_closed = on_closed };
        BootCall *c = new0(BootCall, 1);
        int r;

        if (!c) {
                kvm_domain_free(domain);
                return -ENOMEM;
        }
        c->task = (Task){ .run = run_boot, .done = done_boot, .free = free_boot };
        c->hosts = h;
        c->domain = domain;
        c->screenshot = -EBADF;
        c->limit = limit;
        c->limit_default = h->settings->hosts.boot_timeout;
        c->uri = strdup(uri);
        c->job_id = job_id ? strdup(job_id) : NULL;
        r = c->uri && (c->job_id || domain) ? host_thread_new(h->event, &handler, &c->thread) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_track_new(h->bus, &c->track, on_caller_gone, c);
        if (r >= 0)
                r = sd_bus_track_add_sender(c->track, message);
        if (r < 0) {
                sd_bus_track_unref(c->track);
                host_thread_abandon(c->thread);
                free_boot(&c->task);
                return r;
        }
        c->message = sd_bus_message_ref(message);
        h->n_define_calls++;
        if (domain)
                limit = limit > 0 ? limit : c->limit_default * BOOT_EMULATED_FACTOR;
        r = host_thread_run(c->thread, &c->task, limit + CALL_TIMEOUT);
        return r < 0 ? r : 1;
}

int hosts_method_check_boot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        Hosts *h = userdata;
        const char *uri, *text;
        uint32_t limit;
        int r = sd_bus_message_read(message, "ssu", &uri, &text, &limit);

        if (r >= 0)
                r = define_call_check(h, uri, error);
        if (r >= 0 && limit > KVM_BOOT_SECONDS_MAX)
                r = bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit: must be at most %u",
                                KVM_BOOT_SECONDS_MAX);
        if (r >= 0)
                r = define_call_domain(text, &domain, error);
        if (r < 0)
                return r;
        log_info("Starting the hardware of the domain %s for job %s, to see whether it boots.", domain->name,
                        domain->job_id);
        return call_boot(h, uri, TAKE_PTR(domain), NULL, limit * USEC_PER_SEC, message);
}

int hosts_method_end_boot_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Hosts *h = userdata;
        const char *uri, *job_id;
        int r = sd_bus_message_read(message, "ss", &uri, &job_id);

        if (r >= 0)
                r = define_call_check(h, uri, error);
        if (r >= 0 && !job_id_is_valid(job_id))
                r = bus_error_setf(
                                error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "job_id: is not the ID of a job");
        return r < 0 ? r : call_boot(h, uri, NULL, job_id, 0, message);
}
