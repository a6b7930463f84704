/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-vms.h"

#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/v1/v1-find.h"
#include "api/v1/v1-hardware.h"
#include "api/v1/v1-page.h"
#include "api/v1/v1-vm-select.h"
#include "basic/string-util.h"
#include "json/json-table.h"

typedef struct VmsQuery {
        V1Page page;
        uint32_t powers, oses;
        const char *provider, *search;
        int sort, order;
        bool refresh;
} VmsQuery;

const QueryField v1_vms_query[] = {
        V1_PAGE_FIELDS(offsetof(VmsQuery, page)),
        { "status", QUERY_ENUM_SET, offsetof(VmsQuery, powers), .from_string = v1_power_from_status,
                        .expected = "any of running, stopped, suspended, poweredOn, poweredOff" },
        { "provider", QUERY_STRING, offsetof(VmsQuery, provider),
                        .description = "Types or IDs of providers, with commas between them." },
        { "os", QUERY_ENUM_SET, offsetof(VmsQuery, oses), .from_string = v1_os_from_string,
                        .expected = "any of linux, windows, other" },
        { "search", QUERY_STRING, offsetof(VmsQuery, search), .max = V1_SEARCH_MAX,
                        .description = "A part of the name, ID, path, os_version or address." },
        { "sort", QUERY_ENUM, offsetof(VmsQuery, sort), .from_string = v1_vm_sort_from_string,
                        .expected = "one of name, provider, os, cpu, memory_mb, power_state, last_seen" },
        { "order", QUERY_ENUM, offsetof(VmsQuery, order), .from_string = v1_order_from_string,
                        .expected = "one of asc, desc", .description = "Default: desc for last_seen." },
        { "refresh", QUERY_BOOLEAN, offsetof(VmsQuery, refresh),
                        .description = "Do not use an inventory that was read within the last minute." },
        {},
};

static const SchemaField vms_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &v1_vm_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        { "warnings", SCHEMA_ARRAY, SCHEMA_OPTIONAL, "Providers that have failed." },
        {},
};
static const Schema vms_schema = { .name = "VMs", .fields = vms_fields };
const Reply v1_vms_replies[] = { REPLY_OBJECT(200, "A page of VMs.", vms_schema), {} };

typedef struct ListRequest {
        V1VmsRequest vms;
        VmsQuery query;
        uint64_t total;
} ListRequest;

static void list_request_free(void *userdata) {
        ListRequest *q = userdata;

        v1_vms_request_done(&q->vms);
        free(q);
}

static int reply_page(Request *r) {
        ListRequest *q = request_userdata(r);
        _cleanup_json_ json_t *reply = json_object(), *warnings = json_array();
        int k = reply && warnings ? v1_page_add(reply, &q->query.page, json_incref(q->vms.vms), q->total)
                                  : -ENOMEM;

        STRV_FOREACH(w, q->vms.warnings)
                if (json_array_append_new(warnings, json_string(*w)) < 0)
                        return -ENOMEM;
        if (k >= 0 && json_array_size(warnings) > 0 && json_object_set(reply, "warnings", warnings) < 0)
                k = -ENOMEM;
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

/* A provider that fails is a warning, unless nothing else was asked for. 1: it was answered. */
static int check_providers(Request *r, ListRequest *q) {
        const V1Gather *g = &q->vms.gather;
        int k = 0;

        if (g->n == 1 && g->providers[0]->error && !g->providers[0]->has_vms &&
                        g->providers[0]->type == V1_PROVIDER_VSPHERE) {
                k = request_reply_error(r, g->providers[0]->error_status == 504 ? 504 : 502, "%s: %s",
                                g->providers[0]->id, g->providers[0]->error);
                return k < 0 ? k : 1;
        }
        for (size_t i = 0; i < g->n && k >= 0; i++)
                if (g->providers[i]->error)
                        k = strv_extendf(&q->vms.warnings, "%s: %s", g->providers[i]->id,
                                        g->providers[i]->error);
        if (g->n == 0)
                k = strv_extendf(&q->vms.warnings, "%s: no such provider is connected", q->query.provider);
        return k;
}

static int make_page(ListRequest *q) {
        bool descending = q->query.order == V1_ORDER_DESC ||
                        (q->query.order == V1_ORDER_DEFAULT && q->query.sort == V1_VM_SORT_SEEN);
        const V1VmFilter filter = { .powers = q->query.powers,
                .oses = q->query.oses,
                .search = q->query.search,
                .sort = (V1VmSort) q->query.sort,
                .descending = descending };
        _cleanup_free_ V1SelectedVm *list = NULL;
        size_t n, from, to;
        int k = v1_vms_select(q->vms.gather.providers, q->vms.gather.n, &filter, &list, &n);

        if (k < 0)
                return k;
        q->total = n;
        q->vms.vms = json_array();
        v1_page_bounds(&q->query.page, n, &from, &to);
        for (size_t i = from; i < to; i++)
                if (json_array_append_new(q->vms.vms,
                                    v1_vm_json(list[i].vm, list[i].provider->type, list[i].provider->id)) <
                                0)
                        return -ENOMEM;
        return q->vms.vms ? 0 : -ENOMEM;
}

static int on_gathered(Request *r) {
        ListRequest *q = request_userdata(r);
        int k = check_providers(r, q);

        if (k != 0)
                return k < 0 ? k : 0;
        k = make_page(q);
        return k < 0 ? k : v1_hardware_read(r, reply_page);
}

static int list_vms(Request *r, const char *provider) {
        static const char *const others[] = { "type", "created_after", "created_before", NULL };
        ListRequest *q = new0(ListRequest, 1);
        int k;

        if (!q)
                return -ENOMEM;
        request_set_userdata(r, q, list_request_free);
        q->query.page = V1_PAGE_INIT;
        k = request_query_decode(r, &q->query);
        if (provider)
                q->query.provider = provider;
        if (k >= 0)
                k = v1_check_filters(r, others, q->query.search);
        if (k >= 0)
                k = v1_check_provider(r, q->query.provider);
        if (k < 0)
                return k;
        return v1_gather(r, &q->vms.gather,
                        &(V1GatherOptions){ .which = q->query.provider,
                                        .vms = true,
                                        .refresh = q->query.refresh,
                                        .done = on_gathered });
}

int v1_list_vms(Request *r) {
        return list_vms(r, NULL);
}

int v1_list_domains(Request *r) {
        return list_vms(r, "libvirt");
}
