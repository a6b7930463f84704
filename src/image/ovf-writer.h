/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The OVF descriptor of a machine with the disks that were converted (DMTF DSP0243 1.1), as VMware and
 * VirtualBox read it. Its processors, memory, firmware and NICs are those of the source, if that describes
 * them; otherwise it is a plain one: OVF_CPUS, OVF_MEMORY_MB, no network. There is an LSI Logic controller
 * for each 15 disks. Pure. */

#include "spec/vm.h"

#define OVF_CPUS 2u
#define OVF_MEMORY_MB 2048u
/* VMware has four controllers with 15 disks each. */
#define OVF_WRITE_MAX 60u

typedef struct OvfWriteDisk {
        const char *file; /* its name, beside the descriptor */
        uint64_t size; /* of the file */
        uint64_t capacity; /* of the disk */
} OvfWriteDisk;

/* @name is the machine's; @vm may be NULL. NULL when out of memory, or with no disk or too many. The caller
 * frees it. */
char *ovf_write(const char *name, const VmHardware *vm, const OvfWriteDisk *disks, size_t n_disks);
