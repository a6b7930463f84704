/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.hyper1.Hosts.Vm: a VM's object, /org/hyper1/hosts/<label>/vm/<UUID's label>. */

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hosts.h"

#define VM_PATH HYPER_HOSTS_BUS_PATH "/%/vm/%"

char *vm_bus_path(const Vm *vm) {
        char *path;

        return sd_bus_path_encode_many(&path, VM_PATH, vm->host->row.id, vm->row.uuid) < 0 ? NULL : path;
}

/* vm_state_to_string() knows them as numbers. */
static_assert(VIR_DOMAIN_NOSTATE == 0 && VIR_DOMAIN_RUNNING == 1 && VIR_DOMAIN_BLOCKED == 2 &&
                                VIR_DOMAIN_PAUSED == 3 && VIR_DOMAIN_SHUTDOWN == 4 &&
                                VIR_DOMAIN_SHUTOFF == 5 && VIR_DOMAIN_CRASHED == 6 &&
                                VIR_DOMAIN_PMSUSPENDED == 7,
                "states of VMs");

/* --- properties ------------------------------------------------------------------------------------ */

static int get_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vm *vm = userdata;
        const char *s = streq(property, "Uuid")          ? vm->row.uuid
                        : streq(property, "Host")        ? vm->host->row.id
                        : streq(property, "Name")        ? vm->row.name
                        : streq(property, "Description") ? vm->row.description
                                                         : vm_state_to_string(vm->row.state);

        return sd_bus_message_append(reply, "s", s);
}

static int get_boolean(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vm *vm = userdata;

        return sd_bus_message_append(reply, "b",
                        streq(property, "Vnc")                     ? vm->row.vnc
                                        : streq(property, "Spice") ? vm->row.spice
                                                                   : vm->row.persistent);
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vm *vm = userdata;

        return sd_bus_message_append(reply, "t",
                        streq(property, "MemoryBytes")                   ? vm->row.memory_bytes
                                        : streq(property, "CreatedUSec") ? (uint64_t) vm->row.created_at
                                                                         : (uint64_t) vm->row.updated_at);
}

static int get_vcpu_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vm *vm = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) vm->row.vcpu_count);
}

/* --- methods --------------------------------------------------------------------------------------- */

static int act(sd_bus_message *message, Vm *vm, VmAction action, sd_bus_error *error) {
        int r = bus_verify_polkit(message, "org.hyper1.manage-vms", &vm->host->hosts->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        return host_call_action(vm->host, vm->row.uuid, action, message, error);
}

#define METHOD_ACT(name, action)                                                                 \
        static int method_##name(sd_bus_message *message, void *userdata, sd_bus_error *error) { \
                return act(message, userdata, action, error);                                    \
        }
METHOD_ACT(start, VM_START)
METHOD_ACT(shutdown, VM_SHUTDOWN)
METHOD_ACT(reboot, VM_REBOOT)
METHOD_ACT(destroy, VM_DESTROY)
METHOD_ACT(reset, VM_RESET)

static int method_get_hardware(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Vm *vm = userdata;

        return host_call_hardware(vm->host, vm->row.uuid, message, error);
}

static int method_get_stats(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Vm *vm = userdata;

        return host_call_stats(vm->host, vm->row.uuid, message, error);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define ACTION(name, method) \
        SD_BUS_METHOD_WITH_ARGS(name, SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable vm_vtable[] = {
        SD_BUS_VTABLE_START(0),
        ACTION("Start", method_start),
        ACTION("Shutdown", method_shutdown),
        ACTION("Reboot", method_reboot),
        ACTION("Destroy", method_destroy),
        ACTION("Reset", method_reset),
        SD_BUS_METHOD_WITH_ARGS("GetHardware", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", hardware),
                        method_get_hardware, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", stats), method_get_stats,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Uuid", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Host", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Description", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("VcpuCount", "u", get_vcpu_count, 0, CHANGES),
        SD_BUS_PROPERTY("MemoryBytes", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Vnc", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("Spice", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("Persistent", "b", get_boolean, 0, CHANGES),
        SD_BUS_PROPERTY("CreatedUSec", "t", get_number, 0, CONST),
        SD_BUS_PROPERTY("UpdatedUSec", "t", get_number, 0, CHANGES),
        SD_BUS_VTABLE_END,
};

/* --- objects --------------------------------------------------------------------------------------- */

static int vm_find(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                sd_bus_error *error) {
        _cleanup_free_ char *id = NULL, *uuid = NULL;
        int r = sd_bus_path_decode_many(path, VM_PATH, &id, &uuid);
        Host *h;

        if (r <= 0)
                return r;
        h = hosts_find(userdata, id);
        *ret_found = h ? host_find_vm(h, uuid) : NULL;
        return *ret_found ? 1 : 0;
}

int vm_bus_register(Hosts *h) {
        return sd_bus_add_fallback_vtable(h->bus, &h->slots[4], HYPER_HOSTS_BUS_PATH,
                        HYPER_HOSTS_VM_INTERFACE, vm_vtable, vm_find, h);
}

/* --- signals --------------------------------------------------------------------------------------- */

void vm_bus_added(Vm *vm, bool added) {
        _cleanup_free_ char *path = vm_bus_path(vm);
        sd_bus *bus = vm->host->hosts->bus;
        int r = -ENOMEM;

        if (path)
                r = added ? sd_bus_emit_object_added(bus, path) : sd_bus_emit_object_removed(bus, path);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that VM %s came or went: %m", vm->row.name);
}

void vm_bus_changed(Vm *vm) {
        _cleanup_free_ char *path = vm_bus_path(vm);
        int r = -ENOMEM;

        if (path)
                r = sd_bus_emit_properties_changed(vm->host->hosts->bus, path, HYPER_HOSTS_VM_INTERFACE,
                                "Name", "Description", "State", "VcpuCount", "MemoryBytes", "Vnc", "Spice",
                                "Persistent", "UpdatedUSec", NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to tell the bus that VM %s has changed: %m", vm->row.name);
}
