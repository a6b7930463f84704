/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-gather.h"

#include "api/bus-client.h"
#include "api/hosts/hosts-client.h"
#include "basic/string-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

#define MAX_AGE (60 * USEC_PER_SEC)
#define VMS_STEP 1000u
#define VMS_MAX 100000u

void v1_gather_done(V1Gather *g) {
        for (size_t i = 0; i < g->n; i++) {
                v1_provider_unref(g->providers[i]);
                v1_inventory_done(&g->readings[i]);
        }
        free(g->providers);
        free(g->readings);
        *g = (V1Gather){};
}

static int finish_one(Request *r, V1Gather *g) {
        return --g->n_out == 0 ? g->done(r) : 0;
}

static int note_error(V1Provider *p, const sd_bus_error *error) {
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
                return v1_provider_note(p, "It did not answer within 20 s.", 504);
        const ErrorEntry *e = error_entry_by_bus_name(error->name);
        return v1_provider_note(p, isempty(error->message) ? e->text : error->message, e->http_status);
}

static void take_reading(V1Provider *p, V1Inventory *reading, usec_t read_at) {
        v1_inventory_done(&p->inventory);
        p->inventory = *reading;
        *reading = (V1Inventory){};
        p->vm_count = p->inventory.n;
        p->has_vms = true;
        p->read_at = read_at;
}

/* --- vSphere --------------------------------------------------------------------------------------- */

int v1_source_call_new(Request *r, const char *member, const char *name, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_t *source = json_pack("{s:s}", "name", name);
        _cleanup_free_ char *text = source ? json_dumps(source, JSON_COMPACT) : NULL;
        int k = text ? vsphere_call_new(r, member, &m) : -ENOMEM;

        if (k >= 0)
                k = sd_bus_message_append(m, "s", text);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(m);
        return 0;
}

static int ask_page(Request *r, V1Gather *g, size_t i, const char *cursor);

/* What a server sends that is no VM is left out. */
static int add_vms(V1Inventory *reading, const char *text, usec_t seen) {
        _cleanup_json_ json_t *list = json_loads(text, 0, NULL);
        const json_t *o;
        size_t i;

        json_array_foreach(list, i, o) {
                int k;

                if (reading->n >= VMS_MAX)
                        return 0;
                if (!GREEDY_REALLOC(reading->vms, reading->allocated, reading->n + 1))
                        return -ENOMEM;
                k = v1_vm_from_vsphere(o, seen, &reading->vms[reading->n]);
                if (k == -ENOMEM)
                        return k;
                reading->n += k >= 0;
        }
        return 0;
}

static int on_page(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1Gather *g = request_userdata(r);
        size_t i = PTR_TO_SIZE(userdata);
        const char *text, *cursor;
        uint64_t total, read_at;
        int k;

        if (error) {
                k = note_error(g->providers[i], error);
                return k < 0 ? k : finish_one(r, g);
        }
        k = sd_bus_message_read(m, "sstt", &text, &cursor, &total, &read_at);
        if (k >= 0)
                k = add_vms(&g->readings[i], text, read_at);
        if (k < 0)
                return k;
        if (*cursor && g->readings[i].n < VMS_MAX) {
                g->n_out--;
                return ask_page(r, g, i, cursor);
        }
        take_reading(g->providers[i], &g->readings[i], read_at);
        k = v1_provider_note(g->providers[i], NULL, 0);
        return k < 0 ? k : finish_one(r, g);
}

static int ask_page(Request *r, V1Gather *g, size_t i, const char *cursor) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = v1_source_call_new(r, "ListVMs", g->providers[i]->id, &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "sus", "", VMS_STEP, cursor);
        if (k < 0)
                return k;
        g->n_out++;
        return manager_call_within(r, m, V1_PROVIDER_TIMEOUT, on_page, SIZE_TO_PTR(i));
}

static int on_tested(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1Gather *g = request_userdata(r);
        V1Provider *p = g->providers[PTR_TO_SIZE(userdata)];
        _cleanup_json_ json_t *server = NULL;
        const char *text;
        int k = 0;

        if (error)
                k = note_error(p, error);
        else {
                k = sd_bus_message_read(m, "s", &text);
                server = k >= 0 ? json_loads(text, 0, NULL) : NULL;
                const char *version = json_string_value(json_object_get(server, "version"));
                if (k >= 0 && version)
                        k = free_and_strdup(&p->version, version);
                if (k >= 0)
                        k = v1_provider_note(p, NULL, 0);
        }
        return k < 0 ? k : finish_one(r, g);
}

static int ask_whether(Request *r, V1Gather *g, size_t i) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = v1_source_call_new(r, "TestSource", g->providers[i]->id, &m);

        if (k < 0)
                return k;
        g->n_out++;
        return manager_call_within(r, m, V1_PROVIDER_TIMEOUT, on_tested, SIZE_TO_PTR(i));
}

/* --- libvirt --------------------------------------------------------------------------------------- */

/* hyper-hostd keeps its database up to date while it runs. */
static int read_vms(Request *r, V1Provider *p) {
        _cleanup_(vm_rows_done) VmRows rows = {};
        V1Inventory reading = {};
        usec_t now = now_realtime();
        Store *store;
        int k = api_hosts_store(request_api(r), &store);

        if (k >= 0)
                k = store_vms_list(store, p->host, &rows);
        if (k < 0)
                return k == -ENOENT ? 0 : k;
        reading.vms = new0(V1Vm, rows.n + 1);
        if (!reading.vms)
                return -ENOMEM;
        for (size_t i = 0; k >= 0 && i < rows.n; i++) {
                usec_t seen = p->connected ? now : rows.rows[i].updated_at;

                k = v1_vm_from_libvirt(&rows.rows[i], p->id, seen, &reading.vms[i]);
                reading.n += k >= 0;
        }
        if (k >= 0)
                take_reading(p, &reading, now);
        v1_inventory_done(&reading);
        return k;
}

static V1Provider *find_host(const V1Gather *g, const char *host) {
        for (size_t i = 0; i < g->n; i++)
                if (streq_ptr(g->providers[i]->host, host))
                        return g->providers[i];
        return NULL;
}

static int note_host(V1Provider *p, const HostView *h) {
        p->vm_count = h->n_vms;
        if (streq(h->state, "CONNECTED"))
                return v1_provider_note(p, NULL, 0);
        return v1_provider_note(p, isempty(h->error) ? "It is not connected." : h->error, 502);
}

/* A host that hyper-hostd does not know is the libvirt of this machine, which nobody has added. */
static int note_others(const V1Gather *g, const sd_bus_error *error) {
        int k = 0;

        for (size_t i = 0; i < g->n && k >= 0; i++) {
                V1Provider *p = g->providers[i];

                if (p->type != V1_PROVIDER_LIBVIRT)
                        continue;
                if (error && p->host)
                        k = note_error(p, error);
                else if (!p->host)
                        k = v1_provider_note(
                                        p, "It was not added: see 'hyperctl host add qemu:///system'.", 502);
        }
        return k;
}

static int on_hosts(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        V1Gather *g = request_userdata(r);
        int k = note_others(g, error);
        HostView h;

        if (k >= 0 && !error)
                k = hosts_list_enter(m);
        while (k >= 0 && !error && (k = hosts_list_next(m, &h)) > 0) {
                V1Provider *p = find_host(g, h.id);

                if (p)
                        k = note_host(p, &h);
        }
        for (size_t i = 0; i < g->n && k >= 0; i++)
                if (g->want_vms && g->providers[i]->host)
                        k = read_vms(r, g->providers[i]);
        return k < 0 ? k : finish_one(r, g);
}

static int ask_hosts(Request *r, V1Gather *g) {
        g->n_out++;
        return hosts_list(r, on_hosts);
}

/* --- all ------------------------------------------------------------------------------------------- */

static int choose(Request *r, V1Gather *g, const char *which) {
        const V1Providers *all;
        int k = v1_providers_get(r, &all);

        if (k < 0)
                return k;
        g->providers = new0(V1Provider *, all->n + 1);
        g->readings = new0(V1Inventory, all->n + 1);
        if (!g->providers || !g->readings)
                return -ENOMEM;
        for (size_t i = 0; i < all->n; i++)
                if (v1_provider_is_meant(all->list[i], which))
                        g->providers[g->n++] = v1_provider_ref(all->list[i]);
        return 0;
}

static bool is_fresh(const V1Provider *p, bool vms) {
        usec_t now = now_realtime(), at = vms && !p->error ? p->read_at : p->tried_at,
               age = p->error ? MIN(MAX_AGE, USEC_PER_SEC << MIN(p->n_failed, 6u)) : MAX_AGE;

        return at > 0 && at <= now && now - at < age;
}

int v1_gather(Request *r, V1Gather *g, const V1GatherOptions *options) {
        bool asks_hosts = false;
        int k = choose(r, g, options->which);

        g->done = options->done;
        g->want_vms = options->vms;
        /* One more, so that it does not end before all are asked. */
        g->n_out = 1;
        for (size_t i = 0; i < g->n && k >= 0; i++) {
                V1Provider *p = g->providers[i];

                asks_hosts |= p->type == V1_PROVIDER_LIBVIRT;
                if (p->type != V1_PROVIDER_VSPHERE || (!options->refresh && is_fresh(p, options->vms)))
                        continue;
                k = options->vms ? ask_page(r, g, i, "") : ask_whether(r, g, i);
        }
        if (k >= 0 && asks_hosts)
                k = ask_hosts(r, g);
        return k < 0 ? k : finish_one(r, g);
}
