/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The OVF descriptor (DSP0243, XML), which says what disks there are, and of what machine: of versions 0.9 to
 * 2, and oVirt's. Pure: text in, structs out. */

#include "basic/macro.h"
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

void ovf_descriptor_done(OvfDescriptor *d);
#define _cleanup_ovf_ _cleanup_(ovf_descriptor_done)

/* No network, no DTD (a DOCTYPE is refused as soon as it is met, so no entity is ever expanded), depth and
 * size limited. 0; -EBADMSG with *ret_error (caller frees) for what is no OVF, has delta disks, or two files
 * of one id. */
int ovf_parse(const char *text, size_t size, OvfDescriptor *ret, char **ret_error);

/* A reference as RFC 3986 writes it, "%20" and the like decoded. NULL: out of memory, or it is malformed
 * (a NUL in it, a broken escape). The caller frees it. */
char *ovf_decode_href(const char *href);

/* Bytes of "24" in units of "byte * 2^20", "MegaBytes", … (DSP0004 and what was in use before); 0 for what
 * is not understood. */
uint64_t ovf_capacity(const char *number, const char *units);
