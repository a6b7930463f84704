/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/vm-methods.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/domain-extended.h"
#include "hosts/domain-xml.h"
#include "hosts/host-call.h"
#include "hosts/host-sync.h"
#include "hosts/libvirt-display.h"
#include "hosts/stats-json.h"
#include "hosts/stats.h"
#include "shared/error-table.h"
#include "spec/host-uri.h"
#include "json/json-table.h"

/* --- actions --------------------------------------------------------------------------------------- */

static int ask_action(HostCall *c, virConnectPtr connection) {
        _cleanup_free_ char *ignored = NULL;
        int r = libvirt_act(connection, c->uuid, c->action, &c->task.error);

        /* So that who looks after the answer sees the new state; a VM that was not kept is gone now. */
        if (r >= 0 && libvirt_describe(connection, c->uuid, &c->row, &ignored) < 0)
                c->row = (VmRow){};
        return r;
}

static void end_of_action(HostCall *c) {
        Vm *vm = host_find_vm(c->host, c->uuid);

        if (vm)
                vm->task = NULL;
}

static int reply_action(HostCall *c) {
        const Vm *vm = host_find_vm(c->host, c->uuid);

        end_of_action(c);
        log_info("VM %s on host %s: %s was requested.", vm ? vm->row.name : c->uuid, c->host->row.id,
                        vm_action_to_string(c->action));
        if (c->row.uuid)
                host_take_vms(c->host, &c->row, 1, NULL);
        else
                host_look_at(c->host, c->uuid);
        (void) sd_bus_reply_method_return(c->message, NULL);
        return 0;
}

int vm_call_action(Vm *vm, VmAction action, sd_bus_message *message, sd_bus_error *error) {
        static const char *const tasks[] = {
                [VM_START] = "STARTING",
                [VM_SHUTDOWN] = "STOPPING",
                [VM_REBOOT] = "REBOOTING",
                [VM_DESTROY] = "POWERING_OFF",
                [VM_RESET] = "REBOOTING",
        };
        const HostCall template = {
                .ask = ask_action, .reply = reply_action, .fail = end_of_action, .action = action
        };
        int r = host_call(vm->host, &template, vm->row.uuid, message, error);

        if (r >= 0)
                vm->task = tasks[action];
        return r;
}

/* --- hardware -------------------------------------------------------------------------------------- */

static int read_xml(HostCall *c, virConnectPtr connection,
                int (*read)(const char *xml, size_t size, json_t **ret)) {
        _cleanup_free_ char *xml = NULL;
        int r = libvirt_xml(connection, c->uuid, &xml, &c->task.error);

        if (r >= 0)
                r = read(xml, strlen(xml), &c->json);
        if (r == -EBADMSG)
                c->task.error = strdup("libvirt's description of it is malformed");
        return r;
}

static int reply_json(HostCall *c) {
        _cleanup_free_ char *text = json_dumps(c->json, JSON_COMPACT);

        if (!text)
                return -ENOMEM;
        (void) sd_bus_reply_method_return(c->message, "s", text);
        return 0;
}

static int ask_hardware(HostCall *c, virConnectPtr connection) {
        return read_xml(c, connection, domain_xml_hardware);
}

int vm_call_hardware(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_hardware, .reply = reply_json };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

static int ask_extended(HostCall *c, virConnectPtr connection) {
        return read_xml(c, connection, domain_xml_extended);
}

/* With what is known without the description. */
static int reply_extended(HostCall *c) {
        const Vm *vm = host_find_vm(c->host, c->uuid);
        json_t *info = json_object_get(c->json, "vm_info");

        if (!vm)
                return -ENODEV;
        if (json_object_update_new(info,
                            json_pack("{s:s, s:b, s:s, s:I, s:I, s:s, s:s, s:o, s:o}", "syncStatus",
                                            isempty(vm->row.drift) ? "SYNCED" : "DRIFTED", "needsRebuild",
                                            !isempty(vm->row.drift), "state",
                                            vm_state_to_string(vm->row.state), "vcpuCount",
                                            (json_int_t) vm->row.vcpu_count, "memoryBytes",
                                            (json_int_t) vm->row.memory_bytes, "cpuModel", vm->row.cpu_model,
                                            "osType", vm->row.os_type, "createdAt",
                                            json_time(vm->row.created_at), "updatedAt",
                                            json_time(vm->row.updated_at))) < 0)
                return -ENOMEM;
        return reply_json(c);
}

int vm_call_extended_hardware(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_extended, .reply = reply_extended };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

/* @c's name is where its disks are, if not on this machine. */
static int ask_inspect(HostCall *c, virConnectPtr connection) {
        return libvirt_inspect(connection, c->uuid, c->name, &c->json, &c->task.error);
}

/* With what is known without the description. */
static int reply_inspect(HostCall *c) {
        const Vm *vm = host_find_vm(c->host, c->uuid);

        if (!vm)
                return -ENODEV;
        if (json_object_update_new(json_object_get(c->json, "vm"),
                            json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "name", vm->row.name, "uuid",
                                            vm->row.uuid, "host", c->host->row.id, "state",
                                            vm_state_to_string(vm->row.state), "num_cpu",
                                            (json_int_t) vm->row.vcpu_count, "memory_mb",
                                            (json_int_t) (vm->row.memory_bytes >> 20), "guest_os",
                                            vm->row.os_type)) < 0)
                return -ENOMEM;
        return reply_json(c);
}

int vm_call_inspect(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostRow *host = &vm->host->row;
        const HostCall template = { .ask = ask_inspect,
                .reply = reply_inspect,
                .name = host_uri_is_local(host->uri) ? NULL : host->shown_uri };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

/* --- snapshots ------------------------------------------------------------------------------------- */

static int ask_snapshots(HostCall *c, virConnectPtr connection) {
        return libvirt_snapshots(connection, c->uuid, &c->json, &c->task.error);
}

int vm_call_list_snapshots(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_snapshots, .reply = reply_json };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

static int ask_snapshot(HostCall *c, virConnectPtr connection) {
        return libvirt_snapshot_act(
                        connection, c->uuid, (SnapshotAction) c->numbers[0], c->name, &c->task.error);
}

static int reply_snapshot(HostCall *c) {
        log_info("VM %s on host %s: snapshot %s: %s.", c->uuid, c->host->row.id, c->name,
                        snapshot_action_to_string((SnapshotAction) c->numbers[0]));
        host_look_at(c->host, c->uuid);
        (void) sd_bus_reply_method_return(c->message, NULL);
        return 0;
}

int vm_call_snapshot(Vm *vm, SnapshotAction action, const char *name, sd_bus_message *message,
                sd_bus_error *error) {
        const HostCall template = {
                .ask = ask_snapshot, .reply = reply_snapshot, .numbers = { action }, .name = (char *) name
        };

        if (!snapshot_name_is_valid(name))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "name: must be 1 to %u letters, digits, or . _ -", SNAPSHOT_NAME_MAX);
        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

/* --- statistics, once ------------------------------------------------------------------------------ */

static int ask_stats(HostCall *c, virConnectPtr connection) {
        char *const uuids[] = { c->uuid, NULL };
        int r = libvirt_sample(connection, uuids, &c->samples, &c->n_samples, &c->task.error);

        return r >= 0 && c->n_samples == 0 ? -ENODEV : r;
}

static int reply_stats(HostCall *c) {
        Vm *vm = host_find_vm(c->host, c->uuid);
        _cleanup_free_ char *text = NULL;

        if (!vm)
                return -ENODEV;
        vm_take_sample(vm, c->samples);
        text = vm_stats_to_json(vm);
        if (!text)
                return -ENOMEM;
        (void) sd_bus_reply_method_return(c->message, "s", text);
        return 0;
}

int vm_call_stats(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_stats, .reply = reply_stats };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

/* --- displays -------------------------------------------------------------------------------------- */

static int ask_console(HostCall *c, virConnectPtr connection) {
        int r = libvirt_open_display(connection, c->uuid, c->type, &c->fd, &c->type, &c->task.error);

        c->has_fd = r >= 0;
        return r;
}

static int reply_console(HostCall *c) {
        const Vm *vm = host_find_vm(c->host, c->uuid);

        log_info("VM %s on host %s: a connection to its %s display was opened.", vm ? vm->row.name : c->uuid,
                        c->host->row.id, c->type);
        (void) sd_bus_reply_method_return(c->message, "hs", c->fd, c->type);
        return 0;
}

int vm_call_console(Vm *vm, const char *type, sd_bus_message *message, sd_bus_error *error) {
        static const char *const types[] = { "", "vnc", "spice" };
        HostCall template = { .ask = ask_console, .reply = reply_console };

        /* A descriptor comes through a UNIX socket only. */
        if (!host_uri_is_local(vm->host->row.uri))
                return bus_error_setf(error, HYPER_BUS_ERROR_NOT_SUPPORTED,
                                "Host %s is another machine: libvirt opens displays for programs on the "
                                "same "
                                "machine "
                                "only. Run hyper there, too, or use virt-viewer(1) over ssh.",
                                vm->host->row.id);
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(type, types[i]))
                        template.type = types[i];
        if (!template.type)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "type: must be vnc, spice, or empty");
        return host_call(vm->host, &template, vm->row.uuid, message, error);
}

static int ask_screenshot(HostCall *c, virConnectPtr connection) {
        int r = libvirt_screenshot(connection, c->uuid, &c->fd, &c->task.error);

        c->has_fd = r >= 0;
        return r;
}

static int reply_screenshot(HostCall *c) {
        (void) sd_bus_reply_method_return(c->message, "h", c->fd);
        return 0;
}

int vm_call_screenshot(Vm *vm, sd_bus_message *message, sd_bus_error *error) {
        const HostCall template = { .ask = ask_screenshot, .reply = reply_screenshot };

        return host_call(vm->host, &template, vm->row.uuid, message, error);
}
