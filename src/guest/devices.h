/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The block devices of a guest and what is on them. Each call of libguestfs runs programs in the appliance,
 * which takes long under emulation, so the answers are kept. */

#include "guest/guest.h"

/* Lists that belong to @guest; NULL if libguestfs fails. Volumes are those of LVM. */
char *const *guest_disks(Guest *guest);
char *const *guest_partitions(Guest *guest);
char *const *guest_volumes(Guest *guest);
char *const *guest_arrays(Guest *guest);

/* The type of the file system, or of what else is on @device ("crypto_LUKS"). NULL: it is not known. */
const char *guest_type(Guest *guest, const char *device);

/* As guestfs_list_filesystems(): device, type, device, …; without what belongs to an array or volume group
 * and what is encrypted. It is asked only if the list cannot be made from the types of all devices: to search
 * for subvolumes, dynamic disks, opened devices and extended partitions, and if something is not known. 0,
 * -ENOMEM, or negative errno after guest_fail(). */
int guest_list_filesystems(Guest *guest, char ***ret);

/* Whether @device is one of the partitions of @disk, "/dev/sda1" of "/dev/sda". */
bool device_is_partition_of(const char *device, const char *disk);

/* More devices have appeared. */
void guest_forget_devices(Guest *guest);
