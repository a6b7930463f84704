/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/host-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "hosts/bus-objects.h"
#include "hosts/host-connect.h"
#include "hosts/host-methods.h"
#include "hosts/hosts.h"
#include "shared/bus-options.h"
#include "shared/error-table.h"

/* --- properties ------------------------------------------------------------------------------------ */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Host *h = userdata;
        const char *s = streq(property, "Id")      ? h->row.id
                        : streq(property, "Uri")   ? h->row.shown_uri
                        : streq(property, "Name")  ? h->row.name
                        : streq(property, "State") ? host_state_to_string(h->row.state)
                        : streq(property, "Error") ? h->row.error
                                                   : h->facts.hostname;

        return sd_bus_message_append(reply, "s", strempty(s));
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Host *h = userdata;
        uint64_t n = streq(property, "Memory")           ? h->facts.memory
                        : streq(property, "MemoryUsed")  ? h->facts.memory_used
                        : streq(property, "Uptime")      ? host_uptime(h)
                        : streq(property, "CreatedUSec") ? h->row.created_at
                                                         : h->row.updated_at;

        return sd_bus_message_append(reply, "t", n);
}

static int get_small_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Host *h = userdata;
        unsigned n = streq(property, "Cpu")        ? h->facts.cpu
                        : streq(property, "Cores") ? h->facts.cores
                                                   : h->facts.threads;

        return sd_bus_message_append(reply, "u", (uint32_t) n);
}

static int get_boolean(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Host *h = userdata;

        return sd_bus_message_append(reply, "b",
                        streq(property, "AutoConnect") ? !h->row.manual : h->row.state == HOST_CONNECTED);
}

/* --- methods --------------------------------------------------------------------------------------- */

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return host_call_info(userdata, message, error);
}

static int method_get_stats(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return host_call_stats(userdata, message, error);
}

static int method_get_capabilities(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return host_call_capabilities(userdata, message, error);
}

static int method_list(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return host_call_list(userdata, message, error);
}

/* 1: allowed; 0: polkit was asked; negative errno. */
static int may_manage(Host *h, sd_bus_message *message, sd_bus_error *error) {
        return bus_verify_polkit(message, "org.hyper1.manage-hosts", &h->hosts->polkit, error);
}

static int method_connect(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Host *h = userdata;
        int r = may_manage(h, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        return host_call_connect(h, message, error);
}

static int method_disconnect(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Host *h = userdata;
        int r = may_manage(h, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = host_disconnect(h, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

typedef struct UpdateOptions {
        const char *name;
        int auto_connect; /* -1: not given */
} UpdateOptions;

static int read_option(sd_bus_message *m, const char *key, void *userdata, sd_bus_error *error) {
        UpdateOptions *o = userdata;

        return streq(key, "name") ? sd_bus_message_read(m, "s", &o->name)
                                  : sd_bus_message_read(m, "b", &o->auto_connect);
}

static const BusOptions update_options = {
        .options = (const BusOption[]){ { "name", "s" }, { "auto_connect", "b" }, {} },
        .prefix = "",
        .what = "option",
        .read = read_option,
};

static int update(Host *h, const UpdateOptions *o, sd_bus_error *error) {
        _cleanup_free_ char *name = strdup(o->name ? o->name : h->row.name);
        HostRow row = h->row;
        int r;

        if (!name)
                return -ENOMEM;
        row.name = name;
        row.manual = o->auto_connect < 0 ? h->row.manual : !o->auto_connect;
        row.updated_at = now_realtime();
        r = store_host_set_definition(h->hosts->store, &row);
        if (r < 0)
                return bus_error_setf(error, HYPER_BUS_ERROR_UNAVAILABLE, "Host %s could not be changed: %s",
                                h->row.id, store_error_text(h->hosts->store));
        free(h->row.name);
        h->row = row;
        name = NULL;
        host_bus_changed(h);
        hosts_bus_changed(h->hosts);
        return 0;
}

static int method_update(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        UpdateOptions o = { .auto_connect = -1 };
        Host *h = userdata;
        int r = may_manage(h, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_read_options(message, &update_options, &o, error);
        if (r < 0)
                return r;
        if (o.name && (isempty(o.name) || strlen(o.name) > HOST_NAME_MAX_BYTES || utf8_has_control(o.name)))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "name: must be 1 to %u bytes without control characters",
                                HOST_NAME_MAX_BYTES);
        r = update(h, &o, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define LIST(name, types, items)                                                                \
        SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_RESULT(types, items), method_list, \
                        SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable host_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS,
                        SD_BUS_RESULT("s", hostname, "u", cpu, "t", memory, "t", memory_used, "u", cores,
                                        "u", threads, "t", uptime),
                        method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS,
                        SD_BUS_RESULT("s", hostname, "d", cpu_percent, "u", cpu, "u", cores, "u", threads,
                                        "t", memory, "t", memory_available, "t", disk, "t", disk_free, "t",
                                        uptime),
                        method_get_stats, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetCapabilities", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", capabilities),
                        method_get_capabilities, SD_BUS_VTABLE_UNPRIVILEGED),
        LIST("ListPools", "a(ssssstttb)", pools),
        LIST("ListVolumes", "a(ssssstt)", volumes),
        LIST("ListNetworks", "a(sssssbb)", networks),
        LIST("ListDisks", "a(sssssssstbb)", disks),
        LIST("ListPorts", "a(ssssssssstt)", ports),
        SD_BUS_METHOD_WITH_ARGS("Connect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_connect,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Disconnect", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_disconnect,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_update,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Uri", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("AutoConnect", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("Connected", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Error", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Hostname", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Cpu", "u", get_small_number, 0, CHANGES),
        SD_BUS_PROPERTY("Cores", "u", get_small_number, 0, CHANGES),
        SD_BUS_PROPERTY("Threads", "u", get_small_number, 0, CHANGES),
        SD_BUS_PROPERTY("Memory", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("MemoryUsed", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("Uptime", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("CreatedUSec", "t", get_number, 0, CONST),
        SD_BUS_PROPERTY("UpdatedUSec", "t", get_number, 0, CHANGES),
        SD_BUS_VTABLE_END,
};

/* --- objects --------------------------------------------------------------------------------------- */

static int host_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                sd_bus_error *error) {
        _cleanup_free_ char *id = NULL;
        int r = sd_bus_path_decode_many(path, HYPER_HOSTS_BUS_PATH "/%", &id);

        if (r <= 0)
                return r;
        *ret_found = hosts_find(userdata, id);
        return *ret_found ? 1 : 0;
}

static int enumerate(
                sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        _cleanup_strv_free_ char **nodes = NULL;
        Hosts *hosts = userdata;
        size_t n = 1, i = 0;

        for (const Host *h = hosts->by_id; h; h = h->hh.next)
                n += 1 + HASH_COUNT(h->vms);
        nodes = new0(char *, n);
        if (!nodes)
                return -ENOMEM;
        for (const Host *h = hosts->by_id; h; h = h->hh.next) {
                if (h->adding)
                        continue;
                nodes[i] = host_bus_path(h->row.id);
                if (!nodes[i++])
                        return -ENOMEM;
                for (const Vm *vm = h->vms; vm; vm = vm->hh.next) {
                        nodes[i] = vm_bus_path(vm);
                        if (!nodes[i++])
                                return -ENOMEM;
                }
        }
        *ret_nodes = TAKE_PTR(nodes);
        return 1;
}

int host_bus_register(Hosts *h) {
        int r = sd_bus_add_fallback_vtable(h->bus, &h->slots[2], HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_HOST_INTERFACE, host_vtable, host_find, h);

        if (r >= 0)
                r = sd_bus_add_node_enumerator(h->bus, &h->slots[3], HYPER_HOSTS_BUS_PATH, enumerate, h);
        return r;
}
