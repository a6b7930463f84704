/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-host.h"

#include "api/hosts/hosts-client.h"
#include "api/http/list-reply.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "basic/string-util.h"
#include "json/json-table.h"

/* So many are read in one step. */
#define STEP 50u

/* Whether it is connected on request only is in the database. */
static json_t *api_host_json(Api *a, const HostView *h) {
        _cleanup_(host_row_done) HostRow row = {};
        Store *store;
        int k = api_hosts_store(a, &store);

        if (k >= 0)
                k = store_host_get(store, h->id, &row);
        return hosts_host_json(h, k >= 0 && row.manual);
}

static json_t *host_json(Request *r, const HostView *h) {
        return api_host_json(request_api(r), h);
}

typedef struct HostsList {
        Api *api;
        sd_bus_message *message; /* the answer to ListHosts */
} HostsList;

static void hosts_list_free(void *userdata) {
        HostsList *l = userdata;

        sd_bus_message_unref(l->message);
        free(l);
}

static int hosts_step(void *userdata, json_t **ret) {
        _cleanup_json_ json_t *list = json_array();
        HostsList *l = userdata;
        int k = list ? 1 : -ENOMEM;

        for (unsigned n = 0; n < STEP && k > 0; n++) {
                HostView h;

                k = hosts_list_next(l->message, &h);
                if (k > 0 && json_array_append_new(list, api_host_json(l->api, &h)) < 0)
                        k = -ENOMEM;
        }
        if (k >= 0)
                *ret = TAKE_PTR(list);
        return k;
}

static int on_hosts(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostsList *l;
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hosts_list_enter(reply);
        if (k < 0)
                return k;
        l = new0(HostsList, 1);
        if (!l)
                return -ENOMEM;
        *l = (HostsList){ .api = request_api(r), .message = sd_bus_message_ref(reply) };
        return request_reply_list(r, NULL, NULL, hosts_step, l, hosts_list_free);
}

int hosts_get_hosts(Request *r) {
        return hosts_list(r, on_hosts);
}

static int on_host(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        HostView h;
        int k = hosts_list_find_asked(r, reply, error, &h);

        return k <= 0 ? k : request_reply_json(r, 200, host_json(r, &h));
}

int hosts_get_host(Request *r) {
        return hosts_list(r, on_host);
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
        k = hosts_list_find(reply, id, &h);
        if (k == 0) /* and removed again by somebody else */
                return hosts_reply_no_host(r, id);
        return k < 0 ? k : request_reply_json(r, hosts_is_v1(r) ? 201 : 200, host_json(r, &h));
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
        return hosts_list(r, on_added_host);
}

static int append_option(sd_bus_message *m, const char *key, const char *value) {
        return isempty(value) ? 0 : sd_bus_message_append(m, "{sv}", key, "s", value);
}

static int add_host(Request *r, const NewHost *h) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "AddHost", &m);

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

int hosts_post_host(Request *r) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(new_host_done) NewHost h = {};
        _cleanup_json_ json_t *body = NULL;
        int k = request_json_object(r, &body);

        if (k >= 0)
                k = json_table_decode(new_host_fields, body, "", &h, &errors);
        if (k >= 0 && isempty(h.id) && !hosts_is_v1(r))
                k = json_errors_add(&errors, "id", "must be given");
        if (k < 0)
                return k;
        if (errors.n_errors > 0) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        return add_host(r, &h);
}

int hosts_delete_host(Request *r) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "RemoveHost", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", request_param(r, "id"));
        return k < 0 ? k : manager_call(r, m, NULL, NULL);
}

/* --- changing -------------------------------------------------------------------------------------- */

typedef struct HostPatch {
        char *name, *uri;
        int manual; /* -1: not given */
} HostPatch;

static const JsonField patch_fields[] = {
        { .key = "name",
                        .type = JSON_FIELD_STRING,
                        .offset = offsetof(HostPatch, name),
                        .flags = JSON_NULLABLE | JSON_NONEMPTY,
                        .max = 256 },
        { .key = "uri",
                        .type = JSON_FIELD_STRING,
                        .offset = offsetof(HostPatch, uri),
                        .flags = JSON_NULLABLE },
        { .key = "auto_reconnect_disabled",
                        .type = JSON_FIELD_SWITCH,
                        .offset = offsetof(HostPatch, manual),
                        .flags = JSON_NULLABLE },
        {},
};

static void patch_free(void *userdata) {
        json_table_done(patch_fields, userdata);
        free(userdata);
}

/* It is done: answer with the host as it is now, or why not. */
static int on_changed(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        return error ? hosts_reply_host_error(r, error) : hosts_list(r, on_host);
}

static int call_update(Request *r, const HostPatch *p) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_host_call_new(r, request_param(r, "id"), "Update", &m);

        if (k >= 0)
                k = sd_bus_message_open_container(m, 'a', "{sv}");
        if (k >= 0)
                k = append_option(m, "name", p->name);
        if (k >= 0 && p->manual >= 0)
                k = sd_bus_message_append(m, "{sv}", "auto_connect", "b", !p->manual);
        if (k >= 0)
                k = sd_bus_message_close_container(m);
        return k < 0 ? k : manager_call(r, m, on_changed, NULL);
}

/* The URI is what makes a host that host; a client may send back the one that it was shown. */
static int on_host_to_change(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        const HostPatch *p = request_userdata(r);
        HostView h;
        int k = hosts_list_find_asked(r, reply, error, &h);

        if (k <= 0)
                return k;
        if (p->uri && !streq(p->uri, h.uri))
                return request_reply_error(r, 400,
                                "uri: cannot be changed; remove the host, and add it with the new one");
        return call_update(r, p);
}

int hosts_patch_host(Request *r) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        HostPatch *p;
        int k = request_json_object(r, &body);

        if (k < 0)
                return k;
        p = new0(HostPatch, 1);
        if (!p)
                return -ENOMEM;
        p->manual = -1;
        request_set_userdata(r, p, patch_free);
        k = json_table_decode(patch_fields, body, "", p, &errors);
        if (k < 0)
                return k;
        if (errors.errors) {
                _cleanup_free_ char *text = json_errors_text(&errors);

                return text ? request_reply_error(r, 400, "%s", text) : -ENOMEM;
        }
        return hosts_list(r, on_host_to_change);
}

static int call_host(Request *r, const char *member, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_host_call_new(r, request_param(r, "id"), member, &m);

        return k < 0 ? k : manager_call(r, m, func, NULL);
}

int hosts_connect_host(Request *r) {
        return call_host(r, "Connect", on_changed);
}

int hosts_disconnect_host(Request *r) {
        return call_host(r, "Disconnect", on_changed);
}

/* --- figures --------------------------------------------------------------------------------------- */

static int on_info(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        uint64_t memory, memory_used, uptime;
        uint32_t cpu, cores, threads;
        const char *hostname;
        int k;

        if (error)
                return hosts_reply_host_error(r, error);
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

int hosts_get_info(Request *r) {
        return call_host(r, "GetInfo", on_info);
}

int hosts_get_capabilities(Request *r) {
        return call_host(r, "GetCapabilities", hosts_reply_json_text);
}

/* How many of the host's VMs are in each state. */
static json_t *count_vms(Request *r, size_t *ret_total) {
        static const char *const states[] = { "ACTIVE", "PAUSED", "SUSPENDED", "STOPPED", "ERROR",
                "UNKNOWN" };
        _cleanup_json_ json_t *counts = json_object();
        _cleanup_free_ VmCount *by_state = NULL;
        size_t n_states = 0, total = 0;
        Store *store;
        int k = api_hosts_store(request_api(r), &store);

        if (k >= 0)
                k = store_vms_count(store, request_param(r, "id"), &by_state, &n_states);
        for (size_t i = 0; i < ELEMENTSOF(states) && counts && k >= 0; i++) {
                uint64_t n = 0;

                for (size_t j = 0; j < n_states; j++)
                        if (streq(vm_state_to_string(by_state[j].state), states[i]))
                                n += by_state[j].n;
                total += n;
                if (json_object_set_new(counts, states[i], json_integer((json_int_t) n)) < 0)
                        k = -ENOMEM;
        }
        *ret_total = total;
        return k < 0 ? NULL : TAKE_PTR(counts);
}

static int on_host_stats(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        uint64_t memory, available, disk, disk_free, uptime;
        uint32_t cpu, cores, threads;
        const char *hostname;
        size_t total = 0;
        json_t *counts;
        double percent;
        int k;

        if (error)
                return hosts_reply_host_error(r, error);
        k = sd_bus_message_read(reply, "sduuuttttt", &hostname, &percent, &cpu, &cores, &threads, &memory,
                        &available, &disk, &disk_free, &uptime);
        if (k < 0)
                return k;
        counts = count_vms(r, &total);
        if (!counts)
                return -EIO;
        return request_reply_json(r, 200,
                        json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:{s:s, s:I, s:I, s:I, "
                                  "s:I}, s:{s:I, s:I, s:I, s:I}}",
                                        "cpu_percent", percent, "memory_total", (json_int_t) memory,
                                        "memory_available", (json_int_t) available, "disk_total",
                                        (json_int_t) disk, "disk_free", (json_int_t) disk_free, "uptime",
                                        (json_int_t) uptime, "vm_count", (json_int_t) total, "total_vms",
                                        (json_int_t) total, "vm_counts", counts, "host_info", "hostname",
                                        hostname, "cpu", (json_int_t) cpu, "cores", (json_int_t) cores,
                                        "threads", (json_int_t) threads, "memory", (json_int_t) memory,
                                        "resources", "cpus", (json_int_t) cpu, "memory_bytes",
                                        (json_int_t) memory, "disk_bytes", (json_int_t) disk,
                                        "disk_free_bytes", (json_int_t) disk_free));
}

int hosts_get_host_stats(Request *r) {
        return call_host(r, "GetStats", on_host_stats);
}
