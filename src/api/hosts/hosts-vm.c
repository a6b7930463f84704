/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-vm.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "json/json-table.h"

/* --- lists ----------------------------------------------------------------------------------------- */

/* The hosts that were asked for, while what their VMs are doing is asked. */
typedef struct ListedHost {
        char *id, *name;
        bool connected;
} ListedHost;

typedef struct Listed {
        ListedHost *hosts;
        size_t n, allocated;
} Listed;

static void listed_free(void *userdata) {
        Listed *l = userdata;

        for (size_t i = 0; i < l->n; i++) {
                free(l->hosts[i].id);
                free(l->hosts[i].name);
        }
        free(l->hosts);
        free(l);
}

static int listed_add(Listed *l, const HostView *h) {
        ListedHost *n;

        if (!GREEDY_REALLOC(l->hosts, l->allocated, l->n + 1))
                return -ENOMEM;
        n = l->hosts + l->n++;
        *n = (ListedHost){
                .id = strdup(h->id), .name = strdup(h->name), .connected = streq(h->state, "CONNECTED")
        };
        return n->id && n->name ? 0 : -ENOMEM;
}

typedef struct Runtime {
        const char *host, *uuid, *task;
        usec_t started;
} Runtime;

/* All of an answer to ListVmRuntime; the strings are the message's. */
static int read_runtimes(sd_bus_message *m, Runtime **ret, size_t *ret_n) {
        _cleanup_free_ Runtime *list = NULL;
        size_t n = 0, allocated = 0;
        int k = sd_bus_message_enter_container(m, 'a', "(ssst)");

        while (k >= 0) {
                Runtime r;

                k = sd_bus_message_read(m, "(ssst)", &r.host, &r.uuid, &r.task, &r.started);
                if (k <= 0)
                        break;
                if (!GREEDY_REALLOC(list, allocated, n + 1))
                        return -ENOMEM;
                list[n++] = r;
        }
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return k;
}

static int append_vms(Request *r, json_t *list, Store *store, const ListedHost *h, const Runtime *runtimes,
                size_t n) {
        _cleanup_(vm_rows_done) VmRows rows = {};
        int k = store_vms_list(store, h->id, &rows);

        for (size_t i = 0; i < rows.n && k >= 0; i++) {
                VmView vm = { .row = rows.rows + i,
                        .host_id = h->id,
                        .host_name = h->name,
                        .connected = h->connected,
                        .task = "" };

                for (size_t j = 0; j < n; j++)
                        if (streq(runtimes[j].uuid, vm.row->uuid) && streq(runtimes[j].host, h->id)) {
                                vm.task = runtimes[j].task;
                                vm.started = runtimes[j].started;
                        }
                if (json_array_append_new(list, hosts_vm_json(&vm, hosts_is_v1(r))) < 0)
                        k = -ENOMEM;
        }
        return k;
}

/* hyper-hostd runs now, and what it knows is in its database. */
static int on_runtime(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ Runtime *runtimes = NULL;
        const Listed *l = request_userdata(r);
        Store *store;
        size_t n;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = read_runtimes(reply, &runtimes, &n);
        if (k >= 0)
                k = api_hosts_store(request_api(r), &store);
        for (size_t i = 0; i < l->n && k >= 0; i++)
                k = append_vms(r, list, store, l->hosts + i, runtimes, n);
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(list));
}

static int ask_runtime(Request *r, const char *host) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "ListVmRuntime", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", host);
        return k < 0 ? k : manager_call(r, m, on_runtime, NULL);
}

static int listed_new(Request *r, Listed **ret) {
        Listed *l = new0(Listed, 1);

        if (!l)
                return -ENOMEM;
        request_set_userdata(r, l, listed_free);
        *ret = l;
        return 0;
}

static int on_host_for_vms(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        Listed *l;
        int k = hosts_list_find_asked(r, reply, error, &h);

        if (k <= 0)
                return k;
        k = listed_new(r, &l);
        if (k >= 0)
                k = listed_add(l, &h);
        return k < 0 ? k : ask_runtime(r, h.id);
}

int hosts_get_vms(Request *r) {
        return hosts_list(r, on_host_for_vms);
}

static int on_hosts_for_vms(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        Listed *l;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = listed_new(r, &l);
        if (k >= 0)
                k = hosts_list_enter(reply);
        while (k >= 0) {
                k = hosts_list_next(reply, &h);
                if (k <= 0)
                        break;
                k = listed_add(l, &h);
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

/* --- one VM ---------------------------------------------------------------------------------------- */

static int on_vm(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const VmCall *call = userdata;
        const char *path;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "o", &path);
        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_VM_INTERFACE, call->method, &m);
        if (k >= 0 && call->append)
                k = call->append(r, m);
        return k < 0 ? k : manager_call(r, m, call->func, NULL);
}

int hosts_call_vm(Request *r, const VmCall *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "GetVm", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "ss", request_param(r, "id"), request_param(r, "name"));
        return k < 0 ? k : manager_call(r, m, on_vm, (void *) call);
}

int hosts_get_hardware(Request *r) {
        static const VmCall call = { "GetHardware", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

int hosts_get_extended_hardware(Request *r) {
        static const VmCall call = { "GetExtendedHardware", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

int hosts_get_vm_stats(Request *r) {
        static const VmCall call = { "GetStats", hosts_reply_json_text, NULL };

        return hosts_call_vm(r, &call);
}

static int on_screenshot(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int k, its;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "h", &its);
        if (k < 0)
                return k;
        fd = fcntl(its, F_DUPFD_CLOEXEC, 3);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return request_reply_file(r, 200, "image/png", TAKE_FD(fd), (uint64_t) st.st_size);
}

int hosts_get_screenshot(Request *r) {
        static const VmCall call = { "Screenshot", on_screenshot, NULL };

        return hosts_call_vm(r, &call);
}

/* --- actions --------------------------------------------------------------------------------------- */

/* The words of the body, the last parts of paths (which differ in two), and the method of the bus. */
static const struct {
        const char *action, *path;
        VmCall call;
} actions[] = {
        { "start", "/start", { "Start", NULL, NULL } },
        { "shutdown", "/shutdown", { "Shutdown", NULL, NULL } },
        { "reboot", "/reboot", { "Reboot", NULL, NULL } },
        { "destroy", "/forceoff", { "Destroy", NULL, NULL } },
        { "reset", "/forcereset", { "Reset", NULL, NULL } },
};

int hosts_post_action(Request *r) {
        _cleanup_json_ json_t *body = NULL;
        const char *action;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        action = json_string_value(json_object_get(body, "action"));
        for (size_t i = 0; action && i < ELEMENTSOF(actions); i++)
                if (streq(action, actions[i].action))
                        return hosts_call_vm(r, &actions[i].call);
        return request_reply_error(r, 400, "action: must be one of start, shutdown, reboot, destroy, reset");
}

int hosts_post_short_action(Request *r) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (endswith(request_route(r)->path, actions[i].path))
                        return hosts_call_vm(r, &actions[i].call);
        return -ENOENT;
}
