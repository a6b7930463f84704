/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Fills guest->kernels: the kernels of the guest and what their initramfs lacks. With @fix, the missing
 * drivers are appended, and demanded for the guest's next kernel. @lvm_changed: the configuration of LVM, of
 * which the initramfs may have a copy, was changed. 0, or negative errno after guest_fail(). */
int initramfs_regenerate(Guest *guest, bool fix, bool lvm_changed);

/* True if each kernel that was found has the drivers of virtio. */
bool initramfs_has_drivers(Guest *guest);
