/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Drivers are appended to an initramfs as one more cpio archive, which all kernels accept. Nothing of the
 * guest is executed. */

#include "guest/kernel.h"

/* Appends the drivers that it lacks if @drivers, and the files of the guest in @files (a list that ends with
 * NULL), which it has older copies of. 1, 0 after a warning if there is no room for it, or negative errno
 * after guest_fail(): it is that of the newest kernel. */
int initramfs_append(Guest *guest, const Kernel *k, bool drivers, const char *const *files);
