/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hosts/hosts-client.h"
#include "api/http/reply.h"

#include "basic/string-util.h"
#include "shared/bus-util.h"

bool hosts_is_v1(Request *r) {
        return startswith(request_route(r)->path, "/api/v1/");
}

int hosts_manager_call_new(Request *r, const char *member, sd_bus_message **ret) {
        return hosts_call_new(r, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE, member, ret);
}

int hosts_host_call_new(Request *r, const char *id, const char *member, sd_bus_message **ret) {
        _cleanup_free_ char *path = NULL;
        int k = sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, id, &path);

        return k < 0 ? k : hosts_call_new(r, path, HYPER_HOSTS_HOST_INTERFACE, member, ret);
}

int hosts_list(Request *r, manager_reply_func func) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = hosts_manager_call_new(r, "ListHosts", &m);

        return k < 0 ? k : manager_call(r, m, func, NULL);
}

int hosts_list_enter(sd_bus_message *m) {
        return sd_bus_message_enter_container(m, 'a', "(sossssutt)");
}

int hosts_list_next(sd_bus_message *m, HostView *ret) {
        return sd_bus_message_read(m, "(sossssutt)", &ret->id, &ret->path, &ret->uri, &ret->name,
                        &ret->state, &ret->error, &ret->n_vms, &ret->created, &ret->updated);
}

int hosts_list_find(sd_bus_message *m, const char *id, HostView *ret) {
        int k = hosts_list_enter(m);

        while (k >= 0) {
                k = hosts_list_next(m, ret);
                if (k <= 0 || streq(ret->id, id))
                        return k;
        }
        return k;
}

int hosts_list_find_asked(Request *r, sd_bus_message *reply, const sd_bus_error *error, HostView *ret) {
        const char *id = request_param(r, "id");
        int k;

        if (error)
                return request_reply_bus_error(r, error);
        k = hosts_list_find(reply, id, ret);
        return k == 0 ? hosts_reply_no_host(r, id) : k;
}

int hosts_reply_no_host(Request *r, const char *id) {
        return request_reply_errno(r, ENXIO, "There is no host %s", id);
}

int hosts_reply_host_error(Request *r, const sd_bus_error *error) {
        if (streq(error->name, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return hosts_reply_no_host(r, request_param(r, "id"));
        return request_reply_bus_error(r, error);
}

int hosts_reply_json_text(Request *r, sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        const char *text;
        int k;

        if (error)
                return hosts_reply_host_error(r, error);
        k = sd_bus_message_read(reply, "s", &text);
        return k < 0 ? k : request_reply_text(r, 200, "application/json; charset=utf-8", text);
}
