/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Methods of a VM that libvirt must answer. All return what a handler returns. */

#include <systemd/sd-bus.h>

#include "hosts/libvirt-domain.h"
#include "hosts/libvirt-snapshot.h"
#include "hosts/vm.h"

int vm_call_action(Vm *vm, VmAction action, sd_bus_message *message, sd_bus_error *error);
int vm_call_hardware(Vm *vm, sd_bus_message *message, sd_bus_error *error);
int vm_call_extended_hardware(Vm *vm, sd_bus_message *message, sd_bus_error *error);
int vm_call_stats(Vm *vm, sd_bus_message *message, sd_bus_error *error);
/* As the source of a migration, for InspectVm. */
int vm_call_inspect(Vm *vm, sd_bus_message *message, sd_bus_error *error);
/* @type: "vnc", "spice", or "". */
int vm_call_console(Vm *vm, const char *type, sd_bus_message *message, sd_bus_error *error);
int vm_call_list_snapshots(Vm *vm, sd_bus_message *message, sd_bus_error *error);
int vm_call_snapshot(Vm *vm, SnapshotAction action, const char *name, sd_bus_message *message,
                sd_bus_error *error);
int vm_call_screenshot(Vm *vm, sd_bus_message *message, sd_bus_error *error);
