/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects of hosts and VMs on the bus: their paths, their signals, and the errors when there is none.
 * Failures to send a signal are logged. */

#include <systemd/sd-bus.h>

#include "hosts/host.h"

#define VM_BUS_PATH HYPER_HOSTS_BUS_PATH "/%/vm/%"

/* NULL when out of memory; the caller frees. */
char *host_bus_path(const char *id);
char *vm_bus_path(const Vm *vm);

int bus_no_such_host(sd_bus_error *error, const char *id);
int bus_no_such_vm(sd_bus_error *error, const Host *h, const char *vm);

void hosts_bus_changed(Hosts *h);
void host_bus_added(Host *h, bool added);
void host_bus_changed(Host *h);
void host_bus_connection_changed(Host *h);
/* Of many changes together one signal. */
void host_bus_vms_changed(Host *h);
void vm_bus_added(const Vm *vm, bool added);
void vm_bus_changed(const Vm *vm);
