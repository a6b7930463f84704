/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which VMs cannot be copied, and whether one has changed. Pure. */

#include "vsphere/vm.h"

/* Why the VM cannot be copied, with the remedy; @snapshot: it is running, and a snapshot is going to be
 * copied. 0 if it can be copied, -EOPNOTSUPP with *ret_reason (caller frees), or -ENOMEM. */
int vsphere_check_vm(const VmDetail *d, bool snapshot, char **ret_reason);

/* The same for what a warm migration requires besides. */
int vsphere_check_warm(const VmDetail *d, char **ret_reason);

/* What identifies the content of the disks of a VM that is off. NULL when out of memory. */
char *vsphere_identity(const VmDetail *d);
