/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which of the guest's kernels its boot loader starts by default. */

#include "guest/guest.h"

/* Sets "default" of each of @kernels of the result: true or false, or null if the configuration of the boot
 * loader does not say it. The file systems are mounted. 0 or -ENOMEM. */
int kernel_default_mark(Guest *guest);
/* The index of the disk that the firmware starts; -1: none is found. */
int boot_disk_find(Guest *guest, char *const *disks, int esp_disk);
