/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/boot-bus.h"

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/define-bus.h"
#include "hosts/libvirt-boot.h"
#include "hosts/thread-call.h"
#include "shared/error-table.h"
#include "spec/job-id.h"

/* What a start and an end take, besides the time of the guest. */
#define CALL_TIMEOUT (120 * USEC_PER_SEC)

typedef struct BootCall {
        ThreadCall call;
        /* What is asked */
        char *job_id; /* end a proof of this job */
        KvmDomain *domain; /* begin one */
        usec_t limit, limit_default;
        /* What comes back */
        char *answer; /* JSON */
        int screenshot;
} BootCall;

/* --- the thread ------------------------------------------------------------------------------------ */

static int check_boot(BootCall *c, virConnectPtr connection, char **ret_error) {
        const BootRequest q = { .domain = c->domain,
                .local = c->call.local,
                .limit = c->limit,
                .limit_default = c->limit_default,
                .cancelled = &c->call.cancelled };
        _cleanup_kvm_boot_ KvmBoot *boot = NULL;
        _cleanup_json_ json_t *object = NULL;

        int r = libvirt_boot(connection, &q, &boot, &c->screenshot, ret_error);
        if (r < 0)
                return r;
        object = kvm_boot_to_json(boot);
        c->answer = object ? json_dumps(object, JSON_COMPACT) : NULL;
        return c->answer ? 0 : -ENOMEM;
}

static int run_boot(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        BootCall *c = CONTAINER_OF(call, BootCall, call);

        return c->domain ? check_boot(c, connection, ret_error)
                         : libvirt_boot_end(connection, c->job_id, ret_error);
}

/* --- the loop -------------------------------------------------------------------------------------- */

static int append_screenshot(sd_bus_message *reply, int fd) {
        int r = sd_bus_message_open_container(reply, 'a', "h");

        if (r >= 0 && fd >= 0)
                r = sd_bus_message_append(reply, "h", fd);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_boot(ThreadCall *call, sd_bus_message *reply) {
        BootCall *c = CONTAINER_OF(call, BootCall, call);
        int r = c->domain ? sd_bus_message_append(reply, "s", c->answer) : 0;

        return r < 0 || !c->domain ? r : append_screenshot(reply, c->screenshot);
}

static void free_boot(ThreadCall *call) {
        BootCall *c = CONTAINER_OF(call, BootCall, call);

        kvm_domain_free(c->domain);
        safe_close(c->screenshot);
        free(c->job_id);
        free(c->answer);
        free(c);
}

static BootCall *boot_call_new(void) {
        BootCall *c = new0(BootCall, 1);

        if (c) {
                c->call.run = run_boot;
                c->call.reply = reply_boot;
                c->call.free = free_boot;
                c->screenshot = -EBADF;
        }
        return c;
}

int hosts_method_check_boot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        Hosts *h = userdata;
        const char *uri, *text;
        uint32_t limit;
        int r = sd_bus_message_read(message, "ssu", &uri, &text, &limit);

        if (r >= 0)
                r = call_target_find(h, uri, &target, error);
        if (r >= 0 && limit > KVM_BOOT_SECONDS_MAX)
                r = bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "limit: must be at most %u",
                                KVM_BOOT_SECONDS_MAX);
        if (r >= 0)
                r = define_call_domain(text, &domain, error);
        if (r < 0)
                return r;
        BootCall *c = boot_call_new();
        if (!c)
                return -ENOMEM;
        log_info("Starting the hardware of the domain %s for job %s, to see whether it boots.", domain->name,
                        domain->job_id);
        c->domain = TAKE_PTR(domain);
        c->limit = limit * USEC_PER_SEC;
        c->limit_default = h->settings->hosts.boot_timeout;
        usec_t time = limit > 0 ? c->limit : c->limit_default * BOOT_EMULATED_FACTOR;
        return thread_call_start(&c->call, h, &target, time + CALL_TIMEOUT, message);
}

int hosts_method_end_boot_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        Hosts *h = userdata;
        const char *uri, *job_id;
        int r = sd_bus_message_read(message, "ss", &uri, &job_id);

        if (r >= 0)
                r = call_target_find(h, uri, &target, error);
        if (r >= 0 && !job_id_is_valid(job_id))
                r = bus_error_setf(
                                error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "job_id: is not the ID of a job");
        if (r < 0)
                return r;
        BootCall *c = boot_call_new();
        if (!c || !(c->job_id = strdup(job_id))) {
                if (c)
                        free_boot(&c->call);
                return -ENOMEM;
        }
        return thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
}
