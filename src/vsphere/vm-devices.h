/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices of a virtual machine. */

#include "vsphere/session.h"
#include "vsphere/vm-detail.h"

/* Adds the devices of an array of VirtualDevice (config.hardware.device). 0, -EFBIG if there are more than a
 * VM can have, or -ENOMEM. */
int vm_devices_read(const xmlNode *array, VmDetail *d);

/* The error of that: -EFBIG */
int vm_devices_fail(Session *s, const char *id);

/* Reads those of a VM ("VirtualMachine") or a snapshot ("VirtualMachineSnapshot"). */
int vm_devices_of(Session *s, const char *type, const char *id, VmDetail *ret);
