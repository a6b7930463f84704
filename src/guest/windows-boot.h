/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* On UEFI, copies the boot loader of Windows to where each firmware looks for one, unless there is one. The
 * guest's file systems are unmounted. 0, or negative errno after guest_fail(). */
int windows_boot_repair(Guest *guest);
