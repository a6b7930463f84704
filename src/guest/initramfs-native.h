/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes an initramfs anew with the guest's own program, which is executed in the appliance: as root of a
 * small machine without a network. */

#include "guest/kernel.h"

/* 0, or negative errno after guest_fail(): the guest has no program that is known, it fails, or there is no
 * room for a second initramfs. */
int initramfs_make(Guest *guest, const Kernel *k);
