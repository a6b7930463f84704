/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices of a virtual machine. */

#include "vsphere/vm-detail.h"

/* Adds the devices of an array of VirtualDevice (config.hardware.device). 0 or -ENOMEM. */
int vm_devices_read(const xmlNode *array, VmDetail *d);
