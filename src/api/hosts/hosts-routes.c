/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-api.h"
#include "api/hosts/hosts-json.h"
#include "api/manager-client.h"
#include "basic/string-util.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"
#include "json/json-table.h"

#define BODY_MAX ((size_t) 64 * 1024)

static bool is_v1(Request *r) {
        return startswith(request_route(r)->path, "/api/v1/");
}

/* A call of org.hyper1.Hosts.Manager. */
static int manager_of_hosts_call_new(Request *r, const char *member, sd_bus_message **ret) {
        return hosts_call_new(r, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE, member, ret);
}

/* --- hosts ----------------------------------------------------------------------------------------- */

static int read_host(sd_bus_message *m, HostView *ret) {
        return sd_bus_message_read(m, "(sossssutt)", &ret->id, &ret->path, &ret->uri, &ret->name,
                        &ret->state, &ret->error, &ret->n_vms, &ret->created, &ret->updated);
}

/* Finds a host in the answer to ListHosts. 1, 0 if it is not there, or negative errno. */
static int find_host(sd_bus_message *m, const char *id, HostView *ret) {
        int k = sd_bus_message_enter_container(m, 'a', "(sossssutt)");

        while (k >= 0 && (k = read_host(m, ret)) > 0)
                if (streq(ret->id, id))
                        return 1;
        return k;
}

static int reply_no_host(Request *r, const char *id) {
        return request_reply_error(r, 404, "There is no host %s", id);
}

/* The host that the path names, in the answer to ListHosts. 1, 0 if that was answered already, or negative
 * errno. */
static int find_asked_host(Request *r, sd_bus_message *reply, const sd_bus_error *error, HostView *ret) {
        const char *id = request_param(r, "id");
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = find_host(reply, id, ret);
        return k == 0 ? reply_no_host(r, id) : k;
}

static int list_hosts(Request *r, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_of_hosts_call_new(r, "ListHosts", &m);

        return k < 0 ? k : manager_call(r, m, func, NULL);
}

static int on_hosts(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_json_ json_t *list = json_array();
        HostView h;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = list ? sd_bus_message_enter_container(reply, 'a', "(sossssutt)") : -ENOMEM;
        while (k >= 0 && (k = read_host(reply, &h)) > 0)
                if (json_array_append_new(list, hosts_host_json(&h)) < 0)
                        k = -ENOMEM;
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(list));
}

static int get_hosts(Request *r) {
        return list_hosts(r, on_hosts);
}

static int on_host(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        int k = find_asked_host(r, reply, error, &h);

        return k <= 0 ? k : request_reply_json(r, 200, hosts_host_json(&h));
}

static int get_host(Request *r) {
        return list_hosts(r, on_host);
}

/* --- adding and removing --------------------------------------------------------------------------- */

typedef struct NewHost {
        char *id, *uri, *name;
} NewHost;

static const JsonField new_host_fields[] = {
        { .key = "id",
                        .type = JSON_FIELD_STRING,
                        .offset = offsetof(NewHost, id),
                        .flags = JSON_NULLABLE,
                        .max = 128 },
        { .key = "uri",
                        .type = JSON_FIELD_STRING,
                        .offset = offsetof(NewHost, uri),
                        .flags = JSON_REQUIRED | JSON_NONEMPTY },
        { .key = "name",
                        .type = JSON_FIELD_STRING,
                        .offset = offsetof(NewHost, name),
                        .flags = JSON_NULLABLE,
                        .max = 256 },
        {},
};

static void new_host_done(NewHost *h) {
        json_table_done(new_host_fields, h);
}

static void free_id(void *userdata) {
        free(userdata);
}

static int on_added_host(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        const char *id = request_userdata(r);
        HostView h;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = find_host(reply, id, &h);
        if (k == 0) /* and removed again by somebody else */
                return reply_no_host(r, id);
        return k < 0 ? k : request_reply_json(r, is_v1(r) ? 201 : 200, hosts_host_json(&h));
}

static int on_added(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        const char *id;
        char *copy;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "s", &id);
        if (k < 0)
                return k;
        copy = strdup(id);
        if (!copy)
                return -ENOMEM;
        request_set_userdata(r, copy, free_id);
        return list_hosts(r, on_added_host);
}

static int append_option(sd_bus_message *m, const char *key, const char *value) {
        return isempty(value) ? 0 : sd_bus_message_append(m, "{sv}", key, "s", value);
}

static int add_host(Request *r, const NewHost *h) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_of_hosts_call_new(r, "AddHost", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", h->uri);
        if (k >= 0)
                k = sd_bus_message_open_container(m, 'a', "{sv}");
        if (k >= 0)
                k = append_option(m, "id", h->id);
        if (k >= 0)
                k = append_option(m, "name", h->name);
        if (k >= 0)
                k = sd_bus_message_close_container(m);
        return k < 0 ? k : manager_call(r, m, on_added, NULL);
}

static int post_host(Request *r) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(new_host_done) NewHost h = {};
        _cleanup_json_ json_t *body = NULL;
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = json_table_decode(new_host_fields, body, "", &h, &errors);
        if (k >= 0 && isempty(h.id) && !is_v1(r))
                k = json_errors_add(&errors, "id", "must be given");
        if (k < 0)
                return k;
        if (errors.n_errors > 0) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        return add_host(r, &h);
}

static int delete_host(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_of_hosts_call_new(r, "RemoveHost", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "id"));
        return k < 0 ? k : manager_call(r, m, NULL, NULL);
}

/* --- a host's figures ------------------------------------------------------------------------------ */

static int on_info(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        uint64_t memory, memory_used, uptime;
        uint32_t cpu, cores, threads;
        const char *hostname;
        int k;

        /* The host's object is not there: no such host. */
        if (error && streq(error->name, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return reply_no_host(r, request_param(r, "id"));
        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(
                        reply, "suttuut", &hostname, &cpu, &memory, &memory_used, &cores, &threads, &uptime);
        if (k < 0)
                return k;
        return request_reply_json(r, 200,
                        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "hostname", hostname, "cpu",
                                        (json_int_t) cpu, "memory", (json_int_t) memory, "memory_used",
                                        (json_int_t) memory_used, "cores", (json_int_t) cores, "threads",
                                        (json_int_t) threads, "uptime", (json_int_t) uptime, "connected",
                                        1));
}

static int get_info(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *path = NULL;
        int k = sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, request_param(r, "id"), &path);

        if (k >= 0)
                k = hosts_call_new(r, path, HYPER_HOSTS_HOST_INTERFACE, "GetInfo", &m);
        return k < 0 ? k : manager_call(r, m, on_info, NULL);
}

/* --- VMs ------------------------------------------------------------------------------------------- */

/* hyper-hostd runs now, and what it knows is in its database. */
static int on_hosts_for_vms(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(vm_rows_done) VmRows rows = {};
        HostView h;
        Store *store;
        int k = find_asked_host(r, reply, error, &h);

        if (k <= 0)
                return k;
        k = api_hosts_store(request_api(r), &store);
        if (k >= 0)
                k = store_vms_list(store, h.id, &rows);
        return k < 0 ? k : request_reply_json(r, 200, hosts_vms_json(&rows, is_v1(r)));
}

static int get_vms(Request *r) {
        return list_hosts(r, on_hosts_for_vms);
}

/* What is to be done with the VM when its object is found. */
typedef struct VmCall {
        const char *method;
        manager_reply_func func; /* NULL: 204 */
} VmCall;

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
        return k < 0 ? k : manager_call(r, m, call->func, NULL);
}

/* @call is static. */
static int call_vm(Request *r, const VmCall *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_of_hosts_call_new(r, "GetVm", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "ss", request_param(r, "id"), request_param(r, "name"));
        return k < 0 ? k : manager_call(r, m, on_vm, (void *) call);
}

static int on_json(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        const char *text;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = sd_bus_message_read(reply, "s", &text);
        return k < 0 ? k : request_reply_text(r, 200, "application/json; charset=utf-8", text);
}

static int get_hardware(Request *r) {
        static const VmCall call = { "GetHardware", on_json };

        return call_vm(r, &call);
}

/* --- actions --------------------------------------------------------------------------------------- */

/* The words of the body, the last parts of paths (which differ in two), and the method of the bus. */
static const struct {
        const char *action, *path;
        VmCall call;
} actions[] = {
        { "start", "/start", { "Start", NULL } },
        { "shutdown", "/shutdown", { "Shutdown", NULL } },
        { "reboot", "/reboot", { "Reboot", NULL } },
        { "destroy", "/forceoff", { "Destroy", NULL } },
        { "reset", "/forcereset", { "Reset", NULL } },
};

static int post_action(Request *r) {
        _cleanup_json_ json_t *body = NULL;
        const char *action;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        action = json_string_value(json_object_get(body, "action"));
        for (size_t i = 0; action && i < ELEMENTSOF(actions); i++)
                if (streq(action, actions[i].action))
                        return call_vm(r, &actions[i].call);
        return request_reply_error(r, 400, "action: must be one of start, shutdown, reboot, destroy, reset");
}

static int post_short_action(Request *r) {
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (endswith(request_route(r)->path, actions[i].path))
                        return call_vm(r, &actions[i].call);
        return -ENOENT;
}

/* --- the rest -------------------------------------------------------------------------------------- */

static int get_ws(Request *r) {
        return request_reply_websocket(r, &hosts_websocket);
}

static int get_health(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:s}", "status", "ok"));
}

/* What both bases have; they differ in what is_v1() is asked for. */
/* clang-format off */
#define HOST_ROUTES(base) \
        { HTTP_GET, base "/hosts", SCOPE_READ, get_hosts, .summary = "All hosts." }, \
        { HTTP_POST, base "/hosts", SCOPE_ADMIN, post_host, .max_body = BODY_MAX, \
                .summary = "Connects to a host and keeps it." }, \
        { HTTP_GET, base "/hosts/{id}", SCOPE_READ, get_host, .summary = "A host." }, \
        { HTTP_DELETE, base "/hosts/{id}", SCOPE_ADMIN, delete_host, .summary = "Forgets a host." }, \
        { HTTP_GET, base "/hosts/{id}/info", SCOPE_READ, get_info, \
                .summary = "A host's figures, asked of it now." }, \
        { HTTP_GET, base "/hosts/{id}/vms", SCOPE_READ, get_vms, \
                .summary = "Its VMs as they were last seen." }, \
        { HTTP_GET, base "/hosts/{id}/vms/{name}/hardware", SCOPE_READ, get_hardware, \
                .summary = "A VM's hardware, asked of libvirt now." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/action", SCOPE_SUBMIT, post_action, .max_body = BODY_MAX, \
                .summary = "Starts, stops or resets a VM." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/start", SCOPE_SUBMIT, post_short_action, \
                .summary = "Starts a VM." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/shutdown", SCOPE_SUBMIT, post_short_action, \
                .summary = "Asks a VM to shut down." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/reboot", SCOPE_SUBMIT, post_short_action, \
                .summary = "Asks a VM to reboot." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/forceoff", SCOPE_SUBMIT, post_short_action, \
                .summary = "Takes a VM's power away." }, \
        { HTTP_POST, base "/hosts/{id}/vms/{name}/forcereset", SCOPE_SUBMIT, post_short_action, \
                .summary = "Presses a VM's reset button." }
/* clang-format on */

static const Route hosts_routes[] = {
        { HTTP_GET, "/health", SCOPE_PUBLIC, get_health, .summary = "Says that the service answers." },
        { HTTP_GET, "/ws", SCOPE_READ, get_ws, .summary = "What happens, as it happens (WebSocket)." },
        HOST_ROUTES("/api"),
        HOST_ROUTES("/api/v1"),
        {},
};

static json_t *error_json(Request *r, unsigned status, const char *message) {
        return hosts_error_json(status, message, now_realtime());
}

const Dialect hosts_dialect = {
        .name = "hosts",
        .fd_name = "hyper-hosts",
        .routes = hosts_routes,
        .error = error_json,
};
