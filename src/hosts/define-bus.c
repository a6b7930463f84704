/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/define-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/libvirt-define.h"
#include "hosts/running.h"
#include "hosts/thread-call.h"
#include "shared/error-table.h"

/* A start of a domain may take that long. */
#define CALL_TIMEOUT (60 * USEC_PER_SEC)

typedef struct DefineCall {
        ThreadCall call;
        /* What is asked */
        KvmDomain *domain; /* NULL: only what the host is like */
        char *pool; /* to look at then, or NULL */
        char *must_not_start; /* why, or NULL */
        /* What comes back */
        char *answer; /* JSON */
} DefineCall;

static int run_define(ThreadCall *call, virConnectPtr connection, char **ret_error) {
        DefineCall *c = CONTAINER_OF(call, DefineCall, call);
        const DefineRequest q = {
                .domain = c->domain, .local = call->local, .must_not_start = c->must_not_start
        };
        _cleanup_kvm_outcome_ KvmOutcome *outcome = NULL;
        _cleanup_kvm_target_ KvmTarget *target = NULL;
        _cleanup_json_ json_t *object = NULL;

        int r = c->domain ? libvirt_define(connection, &q, &outcome, ret_error)
                          : libvirt_target(connection, call->local, c->pool, &target, ret_error);
        if (r < 0)
                return r;
        object = outcome ? kvm_outcome_to_json(outcome) : kvm_target_to_json(target);
        c->answer = object ? json_dumps(object, JSON_COMPACT) : NULL;
        return c->answer ? 0 : -ENOMEM;
}

static int reply_define(ThreadCall *call, sd_bus_message *reply) {
        return sd_bus_message_append(reply, "s", CONTAINER_OF(call, DefineCall, call)->answer);
}

static void free_define(ThreadCall *call) {
        DefineCall *c = CONTAINER_OF(call, DefineCall, call);

        kvm_domain_free(c->domain);
        free(c->pool);
        free(c->must_not_start);
        free(c->answer);
        free(c);
}

static DefineCall *define_call_new(void) {
        DefineCall *c = new0(DefineCall, 1);

        if (c) {
                c->call.run = run_define;
                c->call.reply = reply_define;
                c->call.free = free_define;
        }
        return c;
}

int hosts_method_describe_target(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(call_target_done) CallTarget target = {};
        const char *uri, *pool;
        Hosts *h = userdata;
        int r = sd_bus_message_read(message, "ss", &uri, &pool);

        if (r >= 0)
                r = call_target_find(h, uri, &target, error);
        if (r < 0)
                return r;
        DefineCall *c = define_call_new();
        if (!c || (*pool && !(c->pool = strdup(pool)))) {
                free(c);
                return -ENOMEM;
        }
        return thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
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
        _cleanup_(call_target_done) CallTarget target = {};
        _cleanup_kvm_domain_ KvmDomain *domain = NULL;
        _cleanup_free_ char *running = NULL;
        const char *uri, *text;
        Hosts *h = userdata;
        int r = sd_bus_message_read(message, "ss", &uri, &text);

        if (r >= 0)
                r = call_target_find(h, uri, &target, error);
        if (r >= 0)
                r = define_call_domain(text, &domain, error);
        if (r >= 0 && domain->start)
                r = hosts_find_running(h, domain, target.host, &running);
        if (r < 0)
                return r;
        DefineCall *c = define_call_new();
        if (!c)
                return -ENOMEM;
        log_info("Defining the domain %s for job %s.", domain->name, domain->job_id);
        c->domain = TAKE_PTR(domain);
        c->must_not_start = TAKE_PTR(running);
        return thread_call_start(&c->call, h, &target, CALL_TIMEOUT, message);
}
