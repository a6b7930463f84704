/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/file/deploy-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "manager/file/deploy.h"
#include "manager/file/file-bus.h"
#include "manager/manager.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "shared/thread-call.h"
#include "spec/kvm-spec.h"
#include "json/json-parse.h"

/* hyper-hostd gives up libvirt sooner. */
#define CALL_TIMEOUT (630 * USEC_PER_SEC)

/* One call. */
typedef struct DeployCall {
        Manager *manager;
        sd_bus_message *message; /* NULL: it was answered */
        sd_bus_slot *slot; /* of the call of hyper-hostd */
        char **roots;
        DeployDefinition definition;
        sd_bus_error error;
} DeployCall;

static void deploy_call_free(void *userdata) {
        DeployCall *c = userdata;

        sd_bus_slot_unref(c->slot);
        strv_free(c->roots);
        deploy_definition_done(&c->definition);
        sd_bus_error_free(&c->error);
        free(c);
}

static int work(void *userdata) {
        DeployCall *c = userdata;

        return deploy_check_disks(&c->definition, c->roots, &c->error);
}

/* What hyper-hostd says of the domain, with what was asked for. */
static int reply(DeployCall *c, sd_bus_message *m) {
        const DeployDefinition *d = &c->definition;
        _cleanup_json_ json_t *vm = NULL;
        _cleanup_free_ char *text = NULL, *why = NULL;
        const char *answer;
        int r = sd_bus_message_read(m, "s", &answer);

        if (r >= 0)
                r = json_parse_object(answer, strlen(answer), &vm, &why);
        if (r < 0)
                return r;
        if (json_object_update_new(vm,
                            json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:o}", "name", d->name, "target",
                                            "libvirt", "cpu", (json_int_t) d->cpu, "memory_mb",
                                            (json_int_t) d->memory_mb, "disk_path", d->paths[0], "network",
                                            isempty(d->network) ? "default" : d->network, "autostart",
                                            d->autostart, "created_at", json_time(c->manager->clock()))) < 0)
                return -ENOMEM;
        text = json_dumps(vm, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        log_info("The domain %s was defined.", d->name);
        return sd_bus_reply_method_return(c->message, "s", text);
}

static int on_deployed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(m);
        DeployCall *c = userdata;
        int r = error ? -EREMOTEIO : reply(c, m);

        c->manager->n_calls_pending--;
        file_call_end(c->manager, &c->message, r, error);
        deploy_call_free(c);
        return 0;
}

static int call_hostd(DeployCall *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *text = NULL;
        sd_bus *bus = c->manager->bus;
        int r = deploy_domain(&c->definition, &domain);

        if (r < 0)
                return r;
        domain->start = c->definition.start;
        object = kvm_domain_to_json(domain);
        text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        r = text ? sd_bus_message_new_method_call(bus, &m, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                                   HYPER_HOSTS_MANAGER_INTERFACE, "DeployVm")
                 : -ENOMEM;
        if (r >= 0)
                r = sd_bus_message_append(m, "ssb", KVM_URI, text, c->definition.autostart);
        return r < 0 ? r : sd_bus_call_async(bus, &c->slot, m, on_deployed, c, CALL_TIMEOUT);
}

/* The call goes on in another one, which has the message and what was decoded. */
static int continue_call(const DeployCall *from, DeployDefinition *definition, sd_bus_message **message) {
        DeployCall *c = new0(DeployCall, 1);
        int r;

        if (!c)
                return -ENOMEM;
        c->manager = from->manager;
        c->definition = *definition;
        *definition = (DeployDefinition){};
        r = call_hostd(c);
        if (r < 0) {
                deploy_call_free(c);
                return r;
        }
        c->message = TAKE_PTR(*message);
        c->manager->n_calls_pending++;
        return 0;
}

/* The thread's call is freed after this. */
static void on_checked(int r, void *userdata) {
        DeployCall *c = userdata;

        if (r >= 0)
                r = continue_call(c, &c->definition, &c->message);
        if (r < 0)
                file_call_end(c->manager, &c->message, r, &c->error);
}

static int begin(Manager *m, DeployCall *c) {
        c->manager = m;
        STRV_FOREACH(root, m->settings->files.roots) {
                int r = strv_extend(&c->roots, *root);

                if (r < 0)
                        return r;
        }
        return thread_call(m->file_calls, work, on_checked, deploy_call_free, c);
}

int method_deploy_vm(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(json_errors_done) JsonErrors fields = {};
        Manager *m = userdata;
        const char *text;
        DeployCall *c;
        int r = bus_verify_polkit(message, MANAGE_FILES, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &text);
        if (r < 0)
                return r;
        c = new0(DeployCall, 1);
        if (!c)
                return -ENOMEM;
        r = deploy_definition_decode(text, &c->definition, &fields);
        if (r == -EBADMSG)
                r = bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, &fields);
        if (r >= 0)
                r = begin(m, c);
        if (r >= 0) {
                c->message = sd_bus_message_ref(message);
                return 1;
        }
        deploy_call_free(c);
        if (r == -EBUSY)
                return files_busy(error);
        return bus_reply_fields_error(message, r, error, &fields);
}
