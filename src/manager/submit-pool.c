/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/submit-pool.h"

#include "basic/string-util.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "spec/kvm-domain.h"
#include "json/json-parse.h"

/* hyper-hostd gives up libvirt sooner. */
#define CALL_TIMEOUT (70 * USEC_PER_SEC)

static const char field[] = "destination.pool";

bool submit_has_pool(const JobSpec *spec) {
        const JobEndpoint *e = &spec->destination;

        return e->type == ENDPOINT_KVM && e->kvm.pool && !kvm_spec_is_remote(&e->kvm);
}

int submit_pool_ask(Manager *m, const JobSpec *spec, sd_bus_message_handler_t on_reply, void *userdata,
                sd_bus_slot **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = sd_bus_message_new_method_call(m->bus, &call, HYPER_HOSTS_BUS_NAME, HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_MANAGER_INTERFACE, "DescribeTarget");

        if (r >= 0)
                r = sd_bus_message_append(call, "ss", KVM_URI, spec->destination.kvm.pool);
        return r < 0 ? r : sd_bus_call_async(m->bus, ret, call, on_reply, userdata, CALL_TIMEOUT);
}

int submit_pool_path(const KvmTarget *t, const JobSpec *spec, char **ret, JsonErrors *fields) {
        const char *slash = strrchr(spec->destination.path, '/');
        _cleanup_free_ char *why = NULL, *path = NULL;
        int r = kvm_pool_check(spec->destination.kvm.pool, t, &why);

        if (r >= 0 && (isempty(t->pool_path) || t->pool_path[0] != '/')) {
                why = strdup("has no directory");
                r = why ? -EBADMSG : -ENOMEM;
        }
        if (r < 0 && why) {
                r = json_errors_add(fields, field, "%s", why);
                return r < 0 ? r : -EBADMSG;
        }
        if (r < 0)
                return r;
        path = strprintf("%s%s", t->pool_path, slash);
        if (!path)
                return -ENOMEM;
        *ret = TAKE_PTR(path);
        return 0;
}

/* The spec as it was given, with @path in place of the pool. */
static int replace_pool(const char *text, const char *path, char **ret) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *object = NULL;
        int r = json_parse_object(text, strlen(text), &object, &error);

        if (r < 0)
                return r;
        json_t *destination = json_object_get(object, "destination");
        (void) json_object_del(destination, "pool");
        if (json_object_set_new(destination, "path", json_string(path)) < 0)
                return -ENOMEM;
        *ret = json_dumps(object, JSON_COMPACT);
        return *ret ? 0 : -ENOMEM;
}

int submit_pool_read(sd_bus_message *reply, const char *text, const JobSpec *spec, char **ret,
                JsonErrors *fields, sd_bus_error *error) {
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        _cleanup_kvm_target_ KvmTarget *t = NULL;
        _cleanup_free_ char *path = NULL;
        const char *answer;

        if (failed)
                return bus_error_add_field(fields, error, HYPER_BUS_ERROR_UNAVAILABLE, field,
                                "libvirt could not be asked for the storage pool %s: %s",
                                spec->destination.kvm.pool, strna(failed->message));
        int r = sd_bus_message_read(reply, "s", &answer);
        if (r >= 0)
                r = kvm_target_decode(answer, strlen(answer), &t);
        if (r < 0)
                return r;
        r = submit_pool_path(t, spec, &path, fields);
        if (r == -EBADMSG)
                return bus_error_set_fields(error, HYPER_BUS_ERROR_INVALID_SPEC, fields);
        return r < 0 ? r : replace_pool(text, path, ret);
}
