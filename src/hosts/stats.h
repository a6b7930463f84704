/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Statistics: one poll per host and interval for all VMs that have subscribers. */

#include "hosts/host.h"

/* The VM is there now, has another name or state, or goes. */
void stats_vm_appeared(Vm *vm);
void stats_vm_changed(Vm *vm, bool was_active);
void stats_vm_gone(Vm *vm);
void stats_host_gone(Host *h);
/* There may be something to poll, now. */
void stats_poll(Host *h);
/* True if the VM is being polled and its last sample is not older than an interval. */
bool stats_are_fresh(const Vm *vm);
/* Shifts the samples of @vm, of which it takes *s. */
void vm_take_sample(Vm *vm, VmSample *s);
