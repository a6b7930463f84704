/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of disks and partitions that depend on the hardware (/dev/sda1), and the names of the same file
 * systems that do not (UUID=…). */

#include "basic/macro.h"

typedef struct DeviceName {
        char *device; /* as the appliance has it: /dev/sda1 */
        char *stable; /* UUID=… */
        bool ambiguous; /* another device has the same one: a copy */
} DeviceName;

typedef struct DeviceNames {
        DeviceName *items;
        size_t n, allocated;
        unsigned kinds; /* of disks that its tables name: of IDE, SCSI, …; with several, none is found */
        bool one_disk; /* the guest has one disk, which all names below by-id and by-path mean */
} DeviceNames;

void device_names_done(DeviceNames *d);

/* The disks have the order of the source, so that a name of the source is one of the appliance. If two
 * devices have one stable name, none of them is named by it. 0 or -ENOMEM. */
int device_names_add(DeviceNames *d, const char *device, const char *stable);
/* The same for a file system on several devices (btrfs), which all have its name. */
int device_names_add_member(DeviceNames *d, const char *device, const char *stable);

/* Notes that a table of the guest has @name. The letters of each kind of disk begin anew, so that the order
 * of the disks says nothing if there are several. A disk without partitions may be a CD, and does not
 * count. */
void device_names_note(DeviceNames *d, const char *name, size_t length);

/* True for a name that depends on the hardware: /dev/sda1, hda1, vda1, xvda1, nvme0n1p1, and those below
 * /dev/disk/by-path, and by-id except names of device-mapper, md and LVM, which come from the disk. */
bool device_name_is_unstable(const char *name, size_t length) _pure_;

/* The stable name of the first @length bytes of @name, or NULL. Not owned by the caller. */
const char *device_names_find(const DeviceNames *d, const char *name, size_t length);
