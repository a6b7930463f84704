/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "guest/guest.h"

/* Devices that are encrypted with @type, "crypto_LUKS" or "BitLocker", or with any of them if it is NULL:
 * disks, partitions and volumes. guestfs_list_filesystems() leaves them out. 0 or -ENOMEM. */
int encrypted_devices(Guest *guest, const char *type, char ***ret);
