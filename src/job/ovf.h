/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two texts inside an OVA: the OVF descriptor (DSP0243, XML), which says what disks there are, and the
 * manifest, which has their digests. Pure: text in, structs out. */

#include "basic/macro.h"

#define OVF_MAX ((size_t) 4 * 1024 * 1024)
#define OVF_DISKS_MAX 64
#define MANIFEST_MAX ((size_t) 256 * 1024)

typedef struct OvfDisk {
        char *id; /* ovf:diskId, or "" */
        char *file; /* ovf:href of its file as written; NULL: an empty disk, which has none */
} OvfDisk;

typedef struct OvfDescriptor {
        OvfDisk *disks; /* in the order of the DiskSection */
        size_t n_disks, allocated;
} OvfDescriptor;

void ovf_descriptor_done(OvfDescriptor *d);
#define _cleanup_ovf_ _cleanup_(ovf_descriptor_done)

/* No network, no DTD (a DOCTYPE is refused as soon as it is met, so no entity is ever expanded), depth and
 * size limited. 0; -EBADMSG with *ret_error (caller frees) for what is no OVF, has delta or compressed or
 * chunked disks, or two files of one id. */
int ovf_parse(const char *text, size_t size, OvfDescriptor *ret, char **ret_error);

/* A reference as RFC 3986 writes it, "%20" and the like decoded. NULL: out of memory, or it makes no sense
 * (a NUL in it, a broken escape). The caller frees it. */
char *ovf_decode_href(const char *href);

typedef struct ManifestEntry {
        char *algorithm; /* "SHA1", "SHA256", "SHA512" */
        char *file;
        char *digest; /* lower-case hex of the length that the algorithm has */
} ManifestEntry;

typedef struct Manifest {
        ManifestEntry *entries;
        size_t n_entries, allocated;
} Manifest;

void manifest_done(Manifest *m);
#define _cleanup_manifest_ _cleanup_(manifest_done)

/* Lines "SHA256(name)= hex". 0, or -EBADMSG with *ret_error naming the line. */
int manifest_parse(const char *text, size_t size, Manifest *ret, char **ret_error);
