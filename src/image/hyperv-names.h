/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What differencing disks of Hyper-V and VirtualBox call their parents: VHD ("Virtual Hard Disk Image Format
 * Specification") and VHDX ([MS-VHDX]). For image_names_read(). */

#include "image/names.h"

int vhd_names_read(int fd, uint64_t size, ImageNames *n, char **ret_error);
int vhdx_names_read(int fd, uint64_t size, ImageNames *n, char **ret_error);
