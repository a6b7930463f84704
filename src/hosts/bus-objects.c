/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hosts/bus-objects.h"

#include "basic/log.h"
#include "basic/string-util.h"
#include "hosts/hosts.h"
#include "shared/error-table.h"
#include "shared/object-list.h"
#include "spec/host-uri.h"

/* Many VMs that change together cause one signal. */
#define VMS_CHANGED_DELAY (100 * USEC_PER_MSEC)

/* --- paths and errors ------------------------------------------------------------------------------ */

char *host_bus_path(const char *id) {
        char *path;

        return sd_bus_path_encode(HYPER_HOSTS_BUS_PATH, id, &path) < 0 ? NULL : path;
}

char *vm_bus_path(const Vm *vm) {
        char *path;

        return sd_bus_path_encode_many(&path, VM_BUS_PATH, vm->host->row.id, vm->row.uuid) < 0 ? NULL : path;
}

int bus_no_such_host(sd_bus_error *error, const char *id) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_HOST, "There is no host %s",
                        host_id_is_valid(id) ? id : "with such an id");
}

int bus_no_such_vm(sd_bus_error *error, const Host *h, const char *vm) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_VM, "Host %s has no VM %.256s", h->row.id, vm);
}

/* --- the list of hosts ----------------------------------------------------------------------------- */

void hosts_bus_changed(Hosts *h) {
        int r = sd_bus_emit_signal(
                        h->bus, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE, "HostsChanged", NULL);

        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal for the list of hosts: %m");
}

/* --- hosts ----------------------------------------------------------------------------------------- */

void host_bus_added(Host *h, bool added) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);
        sd_bus *bus = h->hosts->bus;
        int r = -ENOMEM;

        /* Each object has a signal of its own: a host that goes takes its VMs along. */
        for (const Vm *vm = added ? NULL : h->vms; vm; vm = vm->hh.next)
                vm_bus_added(vm, false);
        if (path)
                object_list_changed(&h->hosts->replies, path, !added);
        if (path)
                r = added ? sd_bus_emit_object_added(bus, path) : sd_bus_emit_object_removed(bus, path);
        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal for host %s: %m", h->row.id);
}

void host_bus_changed(Host *h) {
        _cleanup_free_ char *path = host_bus_path(h->row.id);
        int r = -ENOMEM;

        if (path)
                object_list_changed(&h->hosts->replies, path, false);
        if (path)
                r = sd_bus_emit_properties_changed(h->hosts->bus, path, HYPER_HOSTS_HOST_INTERFACE, "Name",
                                "AutoConnect", "Connected", "State", "Error", "Hostname", "Cpu", "Cores",
                                "Threads", "Memory", "UpdatedUSec", NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal: host %s is %s: %m", h->row.id,
                                host_state_to_string(h->row.state));
}

void host_bus_connection_changed(Host *h) {
        int r = sd_bus_emit_signal(h->hosts->bus, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE,
                        "HostConnectionChanged", "sb", h->row.id, h->row.state == HOST_CONNECTED);

        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal: host %s is %s: %m", h->row.id,
                                host_state_to_string(h->row.state));
}

static int on_vms_changed(sd_event_source *s, uint64_t usec, void *userdata) {
        Host *h = userdata;
        int r = sd_bus_emit_signal(h->hosts->bus, HYPER_HOSTS_BUS_PATH, HYPER_HOSTS_MANAGER_INTERFACE,
                        "VmsChanged", "s", h->row.id);

        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal for the VMs of host %s: %m", h->row.id);
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

/* --- VMs ------------------------------------------------------------------------------------------- */

void vm_bus_added(const Vm *vm, bool added) {
        _cleanup_free_ char *path = vm_bus_path(vm);
        sd_bus *bus = vm->host->hosts->bus;
        int r = -ENOMEM;

        if (path)
                object_list_changed(&vm->host->hosts->replies, path, !added);
        if (path)
                r = added ? sd_bus_emit_object_added(bus, path) : sd_bus_emit_object_removed(bus, path);
        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal for VM %s: %m", vm->row.name);
}

void vm_bus_changed(const Vm *vm) {
        _cleanup_free_ char *path = vm_bus_path(vm);
        int r = -ENOMEM;

        if (path)
                object_list_changed(&vm->host->hosts->replies, path, false);
        if (path)
                r = sd_bus_emit_properties_changed(vm->host->hosts->bus, path, HYPER_HOSTS_VM_INTERFACE,
                                "Name", "Description", "State", "VcpuCount", "MemoryBytes", "CpuModel",
                                "OsType", "DiskBytes", "Vnc", "Spice", "Persistent", "UpdatedUSec", NULL);
        if (r < 0)
                log_warning_errno(r, "Failed to emit a signal for VM %s: %m", vm->row.name);
}
