/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The EFI system partition, with the boot loader, and often with kernels. */

#include "guest/guest.h"

/* Whether a partition of a GPT is one. */
bool esp_is(Guest *guest, const char *disk, int number);

/* Mounts the one that fstab does not name where the guest does it, see systemd-gpt-auto-generator(8). The
 * other file systems of the guest are mounted. 0 or -ENOMEM; if it cannot be mounted, this is a warning. */
int esp_mount(Guest *guest, bool read_only);
