/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-browse.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/job-json.h"
#include "api/v1/v1-compare.h"
#include "api/v1/v1-find.h"
#include "api/v1/v1-hardware.h"
#include "basic/string-util.h"
#include "json/json-table.h"

static const SchemaField browse_fields[] = {
        { "provider", SCHEMA_STRING, SCHEMA_OPTIONAL, "A type of providers, or the ID of one." },
        { "provider_id", SCHEMA_STRING, SCHEMA_OPTIONAL, "The ID of a provider." },
        { "vm", SCHEMA_STRING, SCHEMA_OPTIONAL, "The name, path, ID or UUID of a VM." },
        { "path", SCHEMA_STRING, SCHEMA_OPTIONAL, "Instead of vm: a directory, whose VMs are listed." },
        {},
};
const Schema v1_browse_body = { .name = "BrowseVM", .fields = browse_fields };
const Reply v1_browse_vm_replies[] = {
        { .status = 200,
                        .value = { .type = SCHEMA_OBJECT,
                                        .description = "The VM, as in lists, and its "
                                                       "hardware; or a directory." } },
        {},
};

static const SchemaField compare_fields[] = {
        { "source", SCHEMA_ANY, .description = "{\"provider\", \"vm\"}, or the name of a VM." },
        { "target", SCHEMA_ANY, .description = "Likewise." },
        { "ignore", SCHEMA_ARRAY, SCHEMA_OPTIONAL, "Fields that are not compared: \"mac\"." },
        {},
};
const Schema v1_compare_body = { .name = "CompareVMs", .fields = compare_fields };
const Reply v1_compare_replies[] = { REPLY_OBJECT(200, "What is alike.", v1_comparison_schema), {} };

typedef struct BrowseRequest {
        V1VmsRequest vms;
        json_t *body;
        V1VmName names[2]; /* of the body */
        char **ignore;
} BrowseRequest;

static void browse_request_free(void *userdata) {
        BrowseRequest *q = userdata;

        v1_vms_request_done(&q->vms);
        json_decref(q->body);
        strv_free(q->ignore);
        free(q);
}

static int browse_request_new(Request *r, BrowseRequest **ret) {
        BrowseRequest *q = new0(BrowseRequest, 1);

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, browse_request_free);
        q->vms.all = true;
        q->vms.vms = json_array();
        *ret = q;
        return q->vms.vms ? request_json_object(r, &q->body) : -ENOMEM;
}

/* Adds the VM of this name to those whose hardware is read. 1; 0: it was answered; negative errno. */
static int add_vm(Request *r, BrowseRequest *q, const V1VmName *name) {
        V1Provider *p = NULL;
        const V1Vm *vm = NULL;
        int k = v1_vm_find(r, &q->vms.gather, name, &p, &vm);

        if (k > 0 && json_array_append_new(q->vms.vms, v1_vm_json(vm, p->type, p->id)) < 0)
                return -ENOMEM;
        return k;
}

/* What could not be read at all is an error here. */
static int check_read(Request *r, const BrowseRequest *q) {
        return q->vms.warnings ? (request_reply_error(r, 502, "%s", q->vms.warnings[0]), -EREMOTEIO) : 0;
}

/* --- a directory ----------------------------------------------------------------------------------- */

/* A path without slashes at its ends. */
static char *trim(const char *path) {
        size_t n;

        path += strspn(path, "/");
        n = strlen(path);
        while (n > 0 && path[n - 1] == '/')
                n--;
        return strndup(path, n);
}

/* What follows the directory @path in @full; NULL: it is not below it. */
static const char *below(const char *full, const char *path) {
        const char *rest = startswith(full + strspn(full, "/"), path);

        if (!rest || !*path)
                return rest;
        return *rest == '/' ? rest + 1 : NULL;
}

static json_t *entry_json(const char *path, const char *name, size_t size) {
        return json_pack("{s:s%, s:o, s:s}", "name", name, size, "path",
                        *path ? json_sprintf("%s/%.*s", path, (int) size, name)
                              : json_sprintf("%.*s", (int) size, name),
                        "type", "folder");
}

static int add_entry(const V1Vm *vm, const char *path, json_t *directories, json_t *vms) {
        const char *rest = vm->path ? below(vm->path, path) : NULL, *slash = rest ? strchr(rest, '/') : NULL;
        char *name;
        int k = 0;

        if (!rest || !*rest)
                return 0;
        if (!slash)
                return json_array_append_new(vms,
                                       json_pack("{s:o, s:o, s:s?}", "name", json_text(vm->name), "id",
                                                       json_text(vm->id), "power_state",
                                                       v1_power_to_string(vm->power))) < 0
                                ? -ENOMEM
                                : 0;
        name = strndup(rest, (size_t) (slash - rest));
        if (!name)
                return -ENOMEM;
        if (!json_object_get(directories, name) &&
                        json_object_set_new(directories, name, entry_json(path, name, strlen(name))) < 0)
                k = -ENOMEM;
        free(name);
        return k;
}

/* Directories are known from the paths of VMs: one without any is not. */
static json_t *directory_json(const V1Gather *g, const char *path) {
        _cleanup_json_ json_t *found = json_object(), *directories = json_array(), *vms = json_array();
        const char *slash = strrchr(path, '/'), *key;
        json_t *directory;

        for (size_t i = 0; i < g->n; i++)
                for (size_t k = 0; k < g->providers[i]->inventory.n; k++)
                        if (add_entry(&g->providers[i]->inventory.vms[k], path, found, vms) < 0)
                                return NULL;
        json_object_foreach(found, key, directory)
                if (json_array_append(directories, directory) < 0)
                        return NULL;
        return json_pack("{s:s, s:o, s:O, s:O}", "path", path, "parent",
                        slash ? json_stringn(path, (size_t) (slash - path)) : json_string(""), "folders",
                        directories, "vms", vms);
}

static int on_directory(Request *r) {
        BrowseRequest *q = request_userdata(r);
        const V1Gather *g = &q->vms.gather;
        _cleanup_free_ char *path = trim(json_string_value(json_object_get(q->body, "path")));
        _cleanup_json_ json_t *reply = NULL;

        if (!path)
                return -ENOMEM;
        if (g->n != 1)
                return request_reply_error(
                                r, 400, "provider_id: must name one provider, to list a directory");
        if (g->providers[0]->error && !g->providers[0]->has_vms)
                return request_reply_error(r, 502, "%s: %s", g->providers[0]->id, g->providers[0]->error);
        reply = directory_json(g, path);
        if (reply && *path && json_array_size(json_object_get(reply, "folders")) == 0 &&
                        json_array_size(json_object_get(reply, "vms")) == 0)
                return request_reply_error(r, 404, "There are no VMs below %s.", path);
        return request_reply_json(r, 200, TAKE_PTR(reply));
}

/* --- browse ---------------------------------------------------------------------------------------- */

static int reply_vm(Request *r) {
        BrowseRequest *q = request_userdata(r);
        int k = check_read(r, q);

        return k < 0 ? k : request_reply_json(r, 200, json_incref(json_array_get(q->vms.vms, 0)));
}

static int on_inventory(Request *r) {
        BrowseRequest *q = request_userdata(r);
        int k = add_vm(r, q, &q->names[0]);

        return k <= 0 ? k : v1_hardware_read(r, reply_vm);
}

int v1_browse_named(Request *r, const char *provider, const char *vm) {
        BrowseRequest *q = new0(BrowseRequest, 1);

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, browse_request_free);
        q->vms.all = true;
        q->vms.vms = json_array();
        q->names[0] = (V1VmName){ provider, vm };
        return q->vms.vms ? v1_gather(r, &q->vms.gather,
                                            &(V1GatherOptions){ .which = provider,
                                                            .vms = true,
                                                            .done = on_inventory })
                          : -ENOMEM;
}

int v1_browse_vm(Request *r) {
        const json_t *path;
        BrowseRequest *q;
        int k = browse_request_new(r, &q);

        if (k >= 0)
                k = v1_vm_name_read(r, q->body, "", &q->names[0]);
        if (k < 0)
                return k;
        path = json_object_get(q->body, "path");
        if (!q->names[0].vm && !json_is_string(path))
                return request_reply_error(r, 400, "vm: is required, or path");
        return v1_gather(r, &q->vms.gather,
                        &(V1GatherOptions){ .which = q->names[0].provider,
                                        .vms = true,
                                        .done = q->names[0].vm ? on_inventory : on_directory });
}

/* --- compare --------------------------------------------------------------------------------------- */

static int reply_comparison(Request *r) {
        BrowseRequest *q = request_userdata(r);
        int k = check_read(r, q);

        return k < 0 ? k
                     : request_reply_json(r, 200,
                                       v1_compare(json_array_get(q->vms.vms, 0),
                                                       json_array_get(q->vms.vms, 1), q->ignore,
                                                       now_realtime()));
}

static bool are_the_same(const json_t *vms) {
        const json_t *a = json_array_get(vms, 0), *b = json_array_get(vms, 1);

        return json_equal(json_object_get(a, "id"), json_object_get(b, "id")) &&
                        json_equal(json_object_get(a, "provider_id"), json_object_get(b, "provider_id"));
}

static int on_both(Request *r) {
        BrowseRequest *q = request_userdata(r);
        int k = add_vm(r, q, &q->names[0]);

        if (k > 0)
                k = add_vm(r, q, &q->names[1]);
        if (k <= 0)
                return k;
        if (are_the_same(q->vms.vms))
                return request_reply_error(r, 400, "target: is the same VM as source");
        return v1_hardware_read(r, reply_comparison);
}

static int read_side(Request *r, const json_t *body, const char *key, const char *prefix, V1VmName *ret) {
        const json_t *value = json_object_get(body, key);
        int k = 0;

        if (json_is_string(value))
                *ret = (V1VmName){ .vm = json_string_value(value) };
        else if (json_is_object(value))
                k = v1_vm_name_read(r, value, prefix, ret);
        if (k >= 0 && isempty(ret->vm))
                k = (request_reply_error(r, 400,
                                     "%s: is required: the name of a VM, or {\"provider\", \"vm\"}", key),
                                -EINVAL);
        return k;
}

static int read_ignore(Request *r, BrowseRequest *q) {
        const json_t *list = json_object_get(q->body, "ignore"), *word;
        size_t i;

        if (list && !json_is_array(list) && !json_is_null(list))
                return request_reply_error(r, 400, "ignore: must be a list of fields"), -EINVAL;
        json_array_foreach(list, i, word) {
                if (!json_is_string(word))
                        return request_reply_error(r, 400, "ignore: must be a list of fields"), -EINVAL;
                if (strv_extend(&q->ignore, json_string_value(word)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int v1_compare_vms(Request *r) {
        BrowseRequest *q;
        int k = browse_request_new(r, &q);

        if (k >= 0)
                k = read_side(r, q->body, "source", "source.", &q->names[0]);
        if (k >= 0)
                k = read_side(r, q->body, "target", "target.", &q->names[1]);
        if (k >= 0)
                k = read_ignore(r, q);
        return k < 0 ? k : v1_gather(r, &q->vms.gather, &(V1GatherOptions){ .vms = true, .done = on_both });
}
