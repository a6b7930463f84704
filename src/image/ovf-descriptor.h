/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is read from an OVF descriptor (ovf.h). */

#include "spec/vm.h"

#define OVF_MAX ((size_t) 4 * 1024 * 1024)
#define OVF_DISKS_MAX 64

typedef struct OvfDisk {
        char *id; /* ovf:diskId, or "" */
        char *file; /* ovf:href of its file as written; NULL: an empty disk, which has none */
        char *compression; /* of all of the file: "gzip", … or NULL */
        uint64_t file_size; /* of the file or its chunks; 0: not given */
        uint64_t chunk_size; /* 0: the file is not in chunks */
        uint64_t capacity; /* of the disk, in bytes; 0: not given, or not in bytes */
        bool is_raw; /* it is said to be a raw image */
} OvfDisk;

typedef struct OvfDescriptor {
        OvfDisk *disks; /* in the order of the DiskSection */
        size_t n_disks, allocated;
        VmHardware *vm; /* of the only machine, its disks those that have a file; NULL: there are several, or
                           none */
} OvfDescriptor;
