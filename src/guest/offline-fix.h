/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Configuration that names hardware: devices in fstab and crypttab, names of network interfaces, services of
 * VMware. 0, or negative errno after guest_fail(). */
int offline_fix(Guest *guest);
