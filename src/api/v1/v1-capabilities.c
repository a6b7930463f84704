/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-capabilities.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/v1/v1-provider.h"
#include "basic/string-util.h"
#include "shared/machine.h"
#include "json/json-table.h"

typedef struct CapabilitiesQuery {
        const char *provider;
} CapabilitiesQuery;

const QueryField v1_capabilities_query[] = {
        { "provider", QUERY_STRING, offsetof(CapabilitiesQuery, provider),
                        .description = "A type of providers, or the ID of one: only this." },
        {},
};

static const SchemaField fields[] = {
        { "provider", SCHEMA_STRING },
        { "registered", SCHEMA_BOOLEAN, .description = "False: it is not built in." },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "capabilities", SCHEMA_OBJECT },
        {},
};
static const Schema capabilities_schema = { .name = "ProviderCapabilities", .fields = fields };
static const SchemaField list_fields[] = { { "data", SCHEMA_ARRAY, .schema = &capabilities_schema }, {} };
static const Schema list_schema = { .name = "AllCapabilities", .fields = list_fields };
const Reply v1_capabilities_replies[] = {
        REPLY_OBJECT(200, "All types; with provider, the object of this one.", list_schema), {}
};

/* What is true of each type, if nothing is missing. */
typedef struct TypeFacts {
        const char *type;
        bool list, export, power;
        const char *transports[3];
        bool cbt, snapshots, live;
} TypeFacts;

static const TypeFacts types[] = {
        { "libvirt", .list = true, .power = true },
        { "local", .export = true, .transports = { "file" } },
        { "nbd", .export = true, .transports = { "nbd" } },
        { "vsphere", .list = true, .export = true, .power = true, .transports = { "nfc", "https" },
                        .cbt = true, .snapshots = true, .live = true },
};

/* Known, and not built in. */
static const char *const others[] = { "alibabacloud", "aws", "azure", "gcp", "hyperv", "kubevirt", "oci",
        "openstack", "ovirt", "proxmox", "xen" };

static const char *const formats[] = { "ova", "ovf", "qcow2", "raw", "vmdk" };

static bool has_program(const char *name) {
        char *path = machine_find_program(name);

        free(path);
        return path;
}

/* The programs that the jobs of each type need. */
static json_t *missing_programs(void) {
        static const char *const programs[] = { "qemu-img", "qemu-nbd" };
        json_t *missing = json_array();

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if (!has_program(programs[i]))
                        (void) json_array_append_new(missing, json_string(programs[i]));
        return missing;
}

static json_t *words(const char *const *list, size_t n) {
        json_t *array = json_array();

        for (size_t i = 0; i < n && list[i]; i++)
                (void) json_array_append_new(array, json_string(list[i]));
        return array;
}

static json_t *registered_json(const TypeFacts *t, usec_t now) {
        json_t *missing = missing_programs();
        bool export = t->export && json_array_size(missing) == 0;

        return json_pack("{s:s, s:b, s:o, s:{s:b, s:b, s:o, s:o, s:b, s:b, s:b, s:b, s:o}}", "provider",
                        t->type, "registered", 1, "timestamp", json_time(now), "capabilities", "list",
                        t->list, "export", export, "formats",
                        words(formats, export ? ELEMENTSOF(formats) : 0), "transports",
                        words(t->transports, ELEMENTSOF(t->transports)), "cbt", t->cbt, "snapshots",
                        t->snapshots, "live", t->live, "power", t->power, "missing", missing);
}

static json_t *other_json(const char *type, usec_t now) {
        return json_pack("{s:s, s:b, s:o, s:{}}", "provider", type, "registered", 0, "timestamp",
                        json_time(now), "capabilities");
}

static int reply_all(Request *r, usec_t now) {
        json_t *list = json_array();

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                (void) json_array_append_new(list, registered_json(&types[i], now));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                (void) json_array_append_new(list, other_json(others[i], now));
        return request_reply_json(r, 200, json_pack("{s:o}", "data", list));
}

/* The type of a provider of this ID, or the word itself. */
static int type_of(Request *r, const char *word, const char **ret) {
        const V1Providers *all;
        int k = v1_providers_get(r, &all);

        *ret = word;
        for (size_t i = 0; k >= 0 && i < all->n; i++)
                if (streq(all->list[i]->id, word))
                        *ret = v1_provider_type_to_string(all->list[i]->type);
        return k;
}

int v1_get_capabilities(Request *r) {
        CapabilitiesQuery q = {};
        usec_t now = now_realtime();
        const char *type;
        int k = request_query_decode(r, &q);

        if (k < 0)
                return k;
        if (!q.provider)
                return reply_all(r, now);
        k = type_of(r, q.provider, &type);
        if (k < 0)
                return k;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(types[i].type, type))
                        return request_reply_json(r, 200, registered_json(&types[i], now));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (streq(others[i], type))
                        return request_reply_json(r, 200, other_json(others[i], now));
        return request_reply_error(
                        r, 400, "provider: must be libvirt, local, nbd or vsphere, or the ID of a provider");
}
