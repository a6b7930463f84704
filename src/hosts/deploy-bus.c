/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/deploy-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/define-bus.h"
#include "hosts/libvirt-deploy.h"
#include "hosts/running.h"
#include "hosts/thread-call.h"
#include "shared/error-table.h"

/* A start of a domain may take that long. */
#define CALL_TIMEOUT (600 * USEC_PER_SEC) /* until then, the answer says what libvirt has done */

typedef struct DeployCall {
        ThreadCall call;
        KvmDomain *domain;
        bool autostart;
        char *answer; /* JSON */
} DeployCall;

static int run_deploy(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        DeployCall *c = CONTAINER_OF(call, DeployCall, call);
        _cleanup_(deployed_vm_done) DeployedVm vm = {};
        _cleanup_json_ json_t *object = NULL;
        int r = libvirt_deploy(connection, c->domain, c->autostart, &vm, ret_error);

        if (r < 0)
                return r;
        object = json_pack("{s:s, s:s?, s:s, s:o}", "uuid", vm.uuid, "mac", vm.mac, "status",
                        vm.running ? "running" : "stopped", "vnc_port",
                        vm.vnc_port > 0 ? json_integer(vm.vnc_port) : json_null());
        c->answer = object ? json_dumps(object, JSON_COMPACT) : NULL;
        return c->answer ? 0 : -ENOMEM;
}

static int reply_deploy(ThreadCall *call, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "s", CONTAINER_OF(call, DeployCall, call)->answer);
}

static void free_deploy(ThreadCall *call) {
        DeployCall *c = CONTAINER_OF(call, DeployCall, call);

        kvm_domain_free(c->domain);
        free(c->answer);
        free(c);
}

int hosts_method_deploy_vm(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_free_ char *running = NULL;
        const char *uri, *text;
        Hosts *h = userdata;
        int autostart;
        int r = sd_bus_message_read(message, "ssb", &uri, &text, &autostart);

        if (r >= 0)
                r = call_target_find(h, uri, &target, error);
        if (r >= 0)
                r = define_call_domain(text, &domain, error);
        if (r >= 0 && domain->start)
                r = hosts_find_running(h, domain, target.host, &running);
        if (r < 0)
                return r;
        if (running)
                return bus_error_setf(error, HYPER_BUS_ERROR_WRONG_STATE, "%s", running);
        DeployCall *c = new0(DeployCall, 1);
        if (!c)
                return -ENOMEM;
        c->call.run = run_deploy;
        c->call.reply = reply_deploy;
        c->call.free = free_deploy;
        c->call.refuses = true;
        log_info("Defining the domain %s.", domain->name);
        c->domain = TAKE_PTR(domain);
        c->autostart = autostart;
        return thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
}
