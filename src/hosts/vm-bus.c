/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/vm-bus.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/bus-objects.h"
#include "hosts/hosts.h"
#include "hosts/vm-methods.h"
#include "shared/error-table.h"

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
                        : streq(property, "CpuModel")    ? vm->row.cpu_model
                        : streq(property, "CpuTopology") ? vm->row.cpu_topology
                        : streq(property, "Drift")       ? vm->row.drift
                        : streq(property, "Concerns")    ? vm->row.concerns
                        : streq(property, "OsType")      ? vm->row.os_type
                        : streq(property, "Task")        ? strempty(vm->task)
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
                                        : streq(property, "DiskBytes")   ? vm->row.disk_bytes
                                        : streq(property, "CreatedUSec") ? (uint64_t) vm->row.created_at
                                                                         : (uint64_t) vm->row.updated_at);
}

static int get_vcpu_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Vm *vm = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) vm->row.vcpu_count);
}

/* --- methods --------------------------------------------------------------------------------------- */

/* 1: allowed; 0: polkit was asked; negative errno. Also for its display: who sees it may type. */
static int may_manage(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        return bus_verify_polkit(message, "org.hyper1.manage-vms", &vm->host->hosts->polkit, error);
}

static int act(sd_bus_message *message, Vm *vm, VmAction action, sd_bus_error *error) {
        int r = may_manage(vm, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        return vm_call_action(vm, action, message, error);
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
        return vm_call_hardware(userdata, message, error);
}

static int method_get_extended(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return vm_call_extended_hardware(userdata, message, error);
}

static int method_get_stats(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return vm_call_stats(userdata, message, error);
}

static int method_list_snapshots(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return vm_call_list_snapshots(userdata, message, error);
}

static int act_on_snapshot(sd_bus_message *message, Vm *vm, SnapshotAction action, sd_bus_error *error) {
        const char *name;
        int r = may_manage(vm, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &name);
        return r < 0 ? r : vm_call_snapshot(vm, action, name, message, error);
}

static int method_create_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return act_on_snapshot(message, userdata, SNAPSHOT_CREATE, error);
}

static int method_revert_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return act_on_snapshot(message, userdata, SNAPSHOT_REVERT, error);
}

static int method_delete_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return act_on_snapshot(message, userdata, SNAPSHOT_DELETE, error);
}

static int method_open_console(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *type;
        Vm *vm = userdata;
        int r = may_manage(vm, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &type);
        return r < 0 ? r : vm_call_console(vm, type, message, error);
}

static int method_screenshot(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Vm *vm = userdata;
        int r = may_manage(vm, message, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        return vm_call_screenshot(vm, message, error);
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
        SD_BUS_METHOD_WITH_ARGS("GetExtendedHardware", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", hardware),
                        method_get_extended, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetStats", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", stats), method_get_stats,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListSnapshots", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", snapshots),
                        method_list_snapshots, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("CreateSnapshot", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                        method_create_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("RevertSnapshot", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                        method_revert_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("DeleteSnapshot", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                        method_delete_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_ARGS("s", type),
                        SD_BUS_RESULT("h", console, "s", type), method_open_console,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Screenshot", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", png), method_screenshot,
                        SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Uuid", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Host", "s", get_string, 0, CONST),
        SD_BUS_PROPERTY("Name", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Description", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("VcpuCount", "u", get_vcpu_count, 0, CHANGES),
        SD_BUS_PROPERTY("MemoryBytes", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("CpuModel", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("CpuTopology", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("OsType", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Drift", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("Concerns", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("DiskBytes", "t", get_number, 0, CHANGES),
        SD_BUS_PROPERTY("Task", "s", get_string, 0, 0),
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
        int r = sd_bus_path_decode_many(path, VM_BUS_PATH, &id, &uuid);
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
