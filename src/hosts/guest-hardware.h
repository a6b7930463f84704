/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which virtual hardware an operating system works with: a table by the ids that vSphere, VMware's OVF and
 * VirtualBox have for operating systems. */

#include "spec/vm.h"

typedef struct GuestHardware {
        const char *prefix; /* of the id, in any case */
        int disk_bus; /* VmBus */
        const char *nic; /* model */
        bool windows; /* local time, Hyper-V's interfaces */
        bool pc; /* the machine type before q35 */
} GuestHardware;

/* Never NULL: what is not known (@id may be NULL) has virtio. */
const GuestHardware *guest_hardware(const char *id) _pure_;
