/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Boot loaders: the names of devices in their files, and on UEFI a loader where the firmware looks for one
 * without an entry in its NVRAM. 0, or negative errno after guest_fail(). */
int boot_repair(Guest *guest);
