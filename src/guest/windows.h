/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads a guest that runs Windows. */

#include "guest/boot-state.h"
#include "guest/guest.h"

/* Fails if Windows cannot be read at all, BitLocker, or is on dynamic disks. @known: an operating system was
 * found. If nothing is to be changed, it is a warning. */
int windows_check_disks(Guest *guest, bool known);

/* Reads it; its file system is mounted read-only. Fails if it is hibernated and is to be changed. 0; 1: it is
 * too old, and the reason is a warning; or negative errno after guest_fail(). */
int windows_inspect(Guest *guest);

/* Adds what is known to the result: 0 or -ENOMEM. */
int windows_describe(Guest *guest, json_t *result);
/* Whether it boots on the hardware that windows_describe() names. 0 or -ENOMEM. */
int windows_boot_state(Guest *guest, BootState *ret);
