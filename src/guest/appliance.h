/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The appliance of libguestfs: a small machine that mounts the file systems of a guest, so that the kernel of
 * the host does not. */

#include "guest/guest.h"

/* Starts it with the disks of the orders. 0, or negative errno after guest_fail(). */
int appliance_start(Guest *guest);
/* Writes everything to the disks and ends it. */
int appliance_stop(Guest *guest);

/* hyper-guest is the hypervisor of libguestfs, too: changes the arguments for qemu and executes it. Returns
 * an exit status on failure. See appliance.c for the reason. */
int appliance_exec_qemu(int argc, char *argv[]);
