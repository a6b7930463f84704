/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text descriptor of a VMDK ("Virtual Disk Format 5.0", VMware). The manager reads it to learn which
 * files belong to a disk, the job to learn what the disk is made of: each line is understood, or the
 * descriptor is refused. qemu never sees this text, only one that is written from what was read here. Pure:
 * text in, struct out. */

#include "basic/macro.h"

#define VMDK_DESCRIPTOR_MAX ((size_t) 256 * 1024)
#define VMDK_EXTENTS_MAX 4096u
#define VMDK_SECTOR 512u
/* parentCID of a disk that stands alone. */
#define VMDK_NO_PARENT UINT32_MAX

typedef enum VmdkExtentKind {
        VMDK_EXTENT_FLAT, /* FLAT, and VMFS, which is the same */
        VMDK_EXTENT_ZERO, /* no file: reads as zeroes */
        VMDK_EXTENT_SPARSE, /* a file that begins with "KDMV", or, of old, "COWD" */
        VMDK_EXTENT_VMFS_SPARSE, /* "COWD" */
        VMDK_EXTENT_SE_SPARSE,
} VmdkExtentKind;

typedef struct VmdkExtent {
        VmdkExtentKind kind;
        uint64_t sectors; /* never 0 */
        uint64_t offset; /* FLAT: where it begins in the file, in sectors */
        char *name; /* the file's, in UTF-8, as written; ZERO: NULL */
} VmdkExtent;

typedef struct VmdkDescriptor {
        char *create_type; /* "monolithicFlat", … or NULL */
        char *encoding; /* as written, or NULL */
        char *parent; /* parentFileNameHint, or NULL */
        bool has_cid;
        uint32_t cid;
        uint32_t parent_cid; /* VMDK_NO_PARENT if it was not given */
        VmdkExtent *extents; /* in the order of the disk */
        size_t n_extents, allocated;
        uint64_t sectors; /* of all extents */
} VmdkDescriptor;

void vmdk_descriptor_done(VmdkDescriptor *d);

/* True if the first bytes are those of a text descriptor: after a byte order mark, comments and blank lines
 * there is "# Disk DescriptorFile" (with or without its blanks, in upper or lower case), or "version=". */
bool vmdk_is_descriptor(const char *data, size_t size);

/* At most VMDK_DESCRIPTOR_MAX bytes, up to the first NUL (an embedded descriptor is padded with them), in
 * the encoding that the text names, else in UTF-8. 0; -EBADMSG with *ret_error (caller frees) naming the
 * line; -ENOMEM. */
int vmdk_descriptor_parse(const char *data, size_t size, VmdkDescriptor *ret, char **ret_error);

/* The disk is on top of another one. */
static inline bool vmdk_descriptor_has_parent(const VmdkDescriptor *d) {
        return d->parent || d->parent_cid != VMDK_NO_PARENT;
}

/* The names of its files, each once, in the order of the disk. 0 or -ENOMEM; the caller frees *ret. */
int vmdk_descriptor_files(const VmdkDescriptor *d, char ***ret);

/* True for a plain name beside the descriptor: UTF-8, 255 bytes at most, no "/", not "." or "..", not empty,
 * no leading blank, no control character, no ":". */
bool vmdk_extent_name_is_plain(const char *name);
