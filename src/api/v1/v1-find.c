/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-find.h"

#include "api/http/reply.h"
#include "api/job-json.h"
#include "api/v1/v1-json.h"
#include "basic/string-util.h"
#include "json/json-table.h"

#define CANDIDATES_MAX 20u

int v1_check_provider(Request *r, const char *words) {
        const V1Providers *all;
        int k = words ? v1_providers_get(r, &all) : 0;
        bool found = !words;

        if (k < 0)
                return k;
        for (size_t i = 0; !found && i < all->n; i++)
                found = v1_provider_is_meant(all->list[i], words);
        for (int t = 0; !found && t < _V1_PROVIDER_MAX; t++)
                found = v1_provider_is_meant(&(V1Provider){ .type = t, .id = (char *) "" }, words);
        if (found)
                return 0;
        (void) request_reply_error(
                        r, 400, "provider: must be libvirt, local, nbd or vsphere, or the ID of a provider");
        return -EINVAL;
}

static int wrong(Request *r, const char *what, const char *key, const char *text) {
        (void) request_reply_error(r, 400, "%s%s: %s", what, key, text);
        return -EINVAL;
}

/* The first of the members @keys that is given. */
static int read_text(Request *r, const json_t *object, const char *what, const char *const *keys,
                const char **ret) {
        *ret = NULL;
        for (size_t i = 0; keys[i] && !*ret; i++) {
                const json_t *value = json_object_get(object, keys[i]);

                if (value && !json_is_null(value) && !json_is_string(value))
                        return wrong(r, what, keys[i], "must be a string");
                *ret = json_string_value(value);
                if (isempty(*ret))
                        *ret = NULL;
        }
        return 0;
}

int v1_vm_name_read(Request *r, const json_t *object, const char *what, V1VmName *ret) {
        static const char *const providers[] = { "provider_id", "provider", NULL },
                                 *const names[] = { "vm", "vm_name", "id", NULL };
        int k = read_text(r, object, what, providers, &ret->provider);

        if (k >= 0)
                k = read_text(r, object, what, names, &ret->vm);
        return k < 0 ? k : v1_check_provider(r, ret->provider);
}

static json_t *candidate(const V1Provider *p, const V1Vm *vm) {
        return json_pack("{s:s, s:s, s:o, s:o, s:o}", "provider", v1_provider_type_to_string(p->type),
                        "provider_id", p->id, "name", json_text(vm->name), "id", json_text(vm->id), "path",
                        json_text(vm->path));
}

static int reply_several(Request *r, const V1VmName *name, json_t *candidates) {
        _cleanup_free_ char *text = strprintf(
                        "vm: several VMs are called %s; give provider_id, and the path or the ID", name->vm);
        _cleanup_json_ json_t *reply = text ? v1_error_json(409, text, now_realtime()) : NULL;

        if (!reply || json_object_set(reply, "candidates", candidates) < 0)
                return -ENOMEM;
        return request_reply_json(r, 409, TAKE_PTR(reply));
}

/* If one that was to be asked has failed, it may be there. */
static int reply_none(Request *r, const V1Gather *g, const V1VmName *name) {
        for (size_t i = 0; i < g->n; i++) {
                const V1Provider *p = g->providers[i];

                if (p->error && !p->has_vms && p->type == V1_PROVIDER_VSPHERE &&
                                v1_provider_is_meant(p, name->provider))
                        return request_reply_error(
                                        r, p->error_status == 504 ? 504 : 502, "%s: %s", p->id, p->error);
        }
        return request_reply_error(r, 404, "There is no VM %s%s%s.", name->vm, name->provider ? " at " : "",
                        strempty(name->provider));
}

int v1_vm_find(Request *r, const V1Gather *g, const V1VmName *name, V1Provider **ret_provider,
                const V1Vm **ret_vm) {
        _cleanup_json_ json_t *candidates = json_array();
        size_t n = 0;

        for (size_t i = 0; i < g->n; i++) {
                V1Provider *p = g->providers[i];

                for (size_t k = 0; v1_provider_is_meant(p, name->provider) && k < p->inventory.n; k++) {
                        const V1Vm *vm = &p->inventory.vms[k];

                        if (!v1_vm_is_called(vm, name->vm))
                                continue;
                        if (n++ < CANDIDATES_MAX && json_array_append_new(candidates, candidate(p, vm)) < 0)
                                return -ENOMEM;
                        *ret_provider = p;
                        *ret_vm = vm;
                }
        }
        if (n == 1)
                return 1;
        int k = n == 0 ? reply_none(r, g, name) : reply_several(r, name, candidates);
        return k < 0 ? k : 0;
}
