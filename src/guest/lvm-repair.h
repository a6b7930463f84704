/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* The devices that LVM of the guest looks at, if it is there. */
#define LVM_DEVICES_FILE "/etc/lvm/devices/system.devices"

/* Lets LVM of the guest find its volumes by their content, and not by the disks of VMware. 1 if something was
 * changed that the initramfs has a copy of, 0, or negative errno. */
int lvm_repair(Guest *guest);
