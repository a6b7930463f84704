/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The virtual hardware that a Linux works with. */

#include "basic/macro.h"

typedef struct LinuxHardware {
        const char *disk_bus, *nic_model, *machine, *rtc;
        const char *cpu_min; /* the level of x86-64 that it was built for, or NULL: any */
} LinuxHardware;

/* @distro: as libguestfs has it, or NULL. @kernel: the version of its newest kernel, or NULL. @virtio: its
 * initramfs has the drivers. @adjtime: the text of /etc/adjtime, or NULL. */
LinuxHardware linux_hardware(
                const char *distro, int major, const char *kernel, bool virtio, const char *adjtime);
