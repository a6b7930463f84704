/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which firmware a disk is made for, by its partition table (UEFI Specification 2.10, 5: "GUID Partition
 * Table (GPT) Disk Layout"). */

#include "spec/vm.h"

/* So many bytes from the beginning of a disk are enough. */
#define DISK_FIRMWARE_HEAD ((size_t) 32 * 1024)

/* VM_FIRMWARE_UNKNOWN: there is no partition table. */
VmFirmware disk_firmware(const void *head, size_t size);
