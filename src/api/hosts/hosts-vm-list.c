/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of VMs. The database has most of what they contain, hyper-hostd the rest: what the VMs are doing, and
 * since when they run. Both are read in steps. */

#include "api/hosts/hosts-vm-list.h"

#include <uthash.h>

#include "api/hosts/hosts-client.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "basic/string-util.h"

/* So much is read in one step. */
#define RUNTIMES_STEP 200u
#define VMS_STEP 50u

typedef struct Runtime {
        char *key; /* the UUID, a slash, and the host */
        char *task;
        usec_t started;
        UT_hash_handle hh;
} Runtime;

typedef struct ListedHost {
        char *id, *name;
        bool connected;
} ListedHost;

typedef struct VmsList {
        Api *api;
        bool is_v1;
        sd_bus_message *message; /* with the runtimes; NULL: all of them are read */
        Runtime *runtimes;
        ListedHost *hosts;
        size_t n_hosts, allocated;
        size_t next; /* the host whose turn it is */
        char *name; /* the last VM of it that was told */
        int64_t seq;
} VmsList;

static void runtime_free(VmsList *l, Runtime *r) {
        HASH_DEL(l->runtimes, r);
        free(r->key);
        free(r->task);
        free(r);
}

static void vms_list_free(void *userdata) {
        VmsList *l = userdata;
        Runtime *r, *next;

        if (!l)
                return;
        HASH_ITER(hh, l->runtimes, r, next)
                runtime_free(l, r);
        for (size_t i = 0; i < l->n_hosts; i++) {
                free(l->hosts[i].id);
                free(l->hosts[i].name);
        }
        free(l->hosts);
        free(l->name);
        sd_bus_message_unref(l->message);
        free(l);
}

static int add_host(VmsList *l, const HostView *h) {
        ListedHost *n;

        if (!GREEDY_REALLOC(l->hosts, l->allocated, l->n_hosts + 1))
                return -ENOMEM;
        n = l->hosts + l->n_hosts++;
        *n = (ListedHost){
                .id = strdup(h->id), .name = strdup(h->name), .connected = streq(h->state, "CONNECTED")
        };
        return n->id && n->name ? 0 : -ENOMEM;
}

/* --- what VMs are doing ---------------------------------------------------------------------------- */

static int add_runtime(VmsList *l, const char *host, const char *uuid, const char *task, usec_t started) {
        Runtime *r = new0(Runtime, 1);

        if (!r)
                return -ENOMEM;
        r->key = strprintf("%s/%s", uuid, host);
        r->task = strdup(task);
        r->started = started;
        if (!r->key || !r->task) {
                free(r->key);
                free(r->task);
                free(r);
                return -ENOMEM;
        }
        HASH_ADD_KEYPTR(hh, l->runtimes, r->key, strlen(r->key), r);
        return 0;
}

/* Reads some; without a message when that was all. */
static int read_runtimes(VmsList *l) {
        for (unsigned i = 0; i < RUNTIMES_STEP; i++) {
                const char *host, *uuid, *task;
                usec_t started;
                int k = sd_bus_message_read(l->message, "(ssst)", &host, &uuid, &task, &started);

                if (k == 0)
                        l->message = sd_bus_message_unref(l->message);
                if (k <= 0)
                        return k;
                k = add_runtime(l, host, uuid, task, started);
                if (k < 0)
                        return k;
        }
        return 0;
}

static int find_runtime(const VmsList *l, const char *uuid, const char *host, const Runtime **ret) {
        _cleanup_free_ char *key = strprintf("%s/%s", uuid, host);

        if (!key)
                return -ENOMEM;
        HASH_FIND_STR(l->runtimes, key, *ret);
        return 0;
}

/* --- the list -------------------------------------------------------------------------------------- */

static int append_vm(const VmsList *l, const VmRow *row, json_t *list) {
        const ListedHost *h = &l->hosts[l->next];
        const Runtime *runtime = NULL;
        int k = find_runtime(l, row->uuid, h->id, &runtime);
        const VmView vm = { .row = row,
                .host_id = h->id,
                .host_name = h->name,
                .connected = h->connected,
                .task = runtime ? runtime->task : "",
                .started = runtime ? runtime->started : 0 };

        if (k < 0)
                return k;
        return json_array_append_new(list, hosts_vm_json(&vm, l->is_v1)) < 0 ? -ENOMEM : 0;
}

/* The next VMs of the host whose turn it is. */
static int append_vms(VmsList *l, Store *store, json_t *list) {
        uint64_t limit = VMS_STEP - json_array_size(list);
        _cleanup_(vm_rows_done) VmRows rows = {};
        int k = store_vms_list_after(store, l->hosts[l->next].id, strempty(l->name), l->seq, limit, &rows);

        for (size_t i = 0; i < rows.n && k >= 0; i++)
                k = append_vm(l, &rows.rows[i], list);
        if (k < 0)
                return k;
        if (rows.n < limit) {
                l->next++;
                l->name = mfree(l->name);
                l->seq = 0;
                return 0;
        }
        l->seq = rows.rows[rows.n - 1].seq;
        return free_and_strdup(&l->name, rows.rows[rows.n - 1].name);
}

static int vms_step(void *userdata, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        VmsList *l = userdata;
        Store *store;
        int k = list ? 0 : -ENOMEM;

        if (k >= 0 && l->message)
                k = read_runtimes(l);
        if (k >= 0)
                k = api_hosts_store(l->api, &store);
        /* Each host takes a query, so that many without VMs are not all looked at in one step. */
        for (unsigned n = 0; k >= 0 && !l->message && l->next < l->n_hosts && n < VMS_STEP &&
                        json_array_size(list) < VMS_STEP;
                        n++)
                k = append_vms(l, store, list);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(list);
        return l->message || l->next < l->n_hosts;
}

/* hyper-hostd runs now, and what it knows is in its database. */
static int on_runtime(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        VmsList **kept = request_userdata(r);
        VmsList *l;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_enter_container(reply, 'a', "(ssst)");
        if (k < 0)
                return k;
        l = TAKE_PTR(*kept);
        l->message = sd_bus_message_ref(reply);
        return request_reply_list(r, NULL, NULL, vms_step, l, vms_list_free);
}

static int ask_runtime(Request *r, const char *host) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "ListVmRuntime", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", host);
        return k < 0 ? k : manager_call(r, m, on_runtime, NULL);
}

/* --- routes ---------------------------------------------------------------------------------------- */

static void kept_free(void *userdata) {
        VmsList **kept = userdata;

        vms_list_free(*kept);
        free(kept);
}

/* The request keeps it until the answer begins. */
static int vms_list_new(Request *r, VmsList **ret) {
        VmsList **kept = new0(VmsList *, 1);

        if (!kept)
                return -ENOMEM;
        request_set_userdata(r, kept, kept_free);
        *kept = new0(VmsList, 1);
        if (!*kept)
                return -ENOMEM;
        **kept = (VmsList){ .api = request_api(r), .is_v1 = hosts_is_v1(r) };
        *ret = *kept;
        return 0;
}

static int on_host_for_vms(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        VmsList *l;
        int k = hosts_list_find_asked(r, reply, error, &h);

        if (k <= 0)
                return k;
        k = vms_list_new(r, &l);
        if (k >= 0)
                k = add_host(l, &h);
        return k < 0 ? k : ask_runtime(r, h.id);
}

int hosts_get_vms(Request *r) {
        return hosts_list(r, on_host_for_vms);
}

static int on_hosts_for_vms(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        VmsList *l;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = vms_list_new(r, &l);
        if (k >= 0)
                k = hosts_list_enter(reply);
        while (k >= 0) {
                k = hosts_list_next(reply, &h);
                if (k <= 0)
                        break;
                k = add_host(l, &h);
        }
        return k < 0 ? k : ask_runtime(r, "");
}

int hosts_get_all_vms(Request *r) {
        return hosts_list(r, on_hosts_for_vms);
}

static int on_host_for_discovered(
                Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        int k = hosts_list_find_asked(r, reply, error, &h);

        return k <= 0 ? k : request_reply_json(r, 200, json_array());
}

int hosts_get_discovered(Request *r) {
        return hosts_list(r, on_host_for_discovered);
}

int hosts_get_all_discovered(Request *r) {
        return request_reply_json(r, 200, json_array());
}
