/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Hosts.Host: a host's object, /org/hyper1/hosts/<label>. */

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hosts.h"

/* Many VMs that change together are told of once. */
#define VMS_CHANGED_DELAY (100 * USEC_PER_MSEC)

char *host_bus_path(const char *id) {
        char *path;

        return sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, id, &path) < 0 ? NULL : path;
}

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

static int get_connected(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Host *h = userdata;

        return sd_bus_message_append(reply, "b", h->row.state == HOST_CONNECTED);
}

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return host_call_info(userdata, message, error);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST

const sd_bus_vtable host_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS,
                        SD_BUS_RESULT("s", hostname, "u", cpu, "t", memory, "t", memory_used, "u", cores,
                                        "u", threads, "t", uptime),
                        method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Uri", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Connected", "b", get_connected, 0, CHANGES),
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
                if (!(nodes[i++] = host_bus_path(h->row.id)))
                        return -ENOMEM;
                for (const Vm *vm = h->vms; vm; vm = vm->hh.next)
                        if (!(nodes[i++] = vm_bus_path(vm)))
                                return -ENOMEM;
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

/* --- signals --------------------------------------------------------------------------------------- */

void host_bus_added(Host *h, bool added) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);
        sd_bus *bus = h->hosts->bus;
        int r = -ENOMEM;

        /* Each object is told of by itself: a host that goes takes its VMs along. */
        for (const Vm *vm = added ? NULL : h->vms; vm; vm = vm->hh.next)
                vm_bus_added((Vm *) vm, false);
        if (path)
                r = added ? sd_bus_emit_object_added(bus, path) : sd_bus_emit_object_removed(bus, path);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that host %s came or went: %m", h->row.id);
}

void host_bus_changed(Host *h) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);
        int r = -ENOMEM;

        if (path)
                r = sd_bus_emit_properties_changed(h->hosts->bus, path, HYPER_HOSTS_HOST_INTERFACE,
                                "Connected", "State", "Error", "Hostname", "Cpu", "Cores", "Threads",
                                "Memory", "UpdatedUSec", NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that host %s is %s: %m", h->row.id,
                                host_state_to_string(h->row.state));
}

void host_bus_connection_changed(Host *h) {
        int r = sd_bus_emit_signal(h->hosts->bus, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE,
                        "HostConnectionChanged", "sb", h->row.id, h->row.state == HOST_CONNECTED);

        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that host %s is %s: %m", h->row.id,
                                host_state_to_string(h->row.state));
}

static int on_vms_changed(sd_event_source *s, uint64_t usec, void *userdata) {
        Host *h = userdata;
        int r = sd_bus_emit_signal(h->hosts->bus, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE,
                        "VmsChanged", "s", h->row.id);

        if (r < 0)
                log_warning_errno(
                                r, "Failed to tell the bus that VMs of host %s have changed: %m", h->row.id);
        return 0;
}

void host_bus_vms_changed(Host *h) {
        int r = 0;

        if (!h->vms_changed)
                r = sd_event_add_time_relative(h->hosts->event, &h->vms_changed, CLOCK_MONOTONIC,
                                VMS_CHANGED_DELAY, 1, on_vms_changed, h);
        else if (sd_event_source_get_enabled(h->vms_changed, NULL) == 0) {
                r = sd_event_source_set_time_relative(h->vms_changed, VMS_CHANGED_DELAY);
                if (r >= 0)
                        r = sd_event_source_set_enabled(h->vms_changed, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                log_warning_errno(r, "Failed to arm a timer of host %s: %m", h->row.id);
}
