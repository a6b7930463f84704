/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text descriptor of a VMDK ("Virtual Disk Format 5.0", VMware). Used by the manager, to know which
 * files of a split disk to show to the job, and by the job, to refuse one that reaches outside. Pure: text
 * in, names out. */

#include "basic/macro.h"

#define VMDK_DESCRIPTOR_MAX 65536

typedef struct VmdkDescriptor {
        char *create_type; /* "monolithicFlat", … or NULL */
        char **extents; /* file names as written, each once */
        char *parent; /* parentFileNameHint, or NULL */
} VmdkDescriptor;

void vmdk_descriptor_done(VmdkDescriptor *d);

/* True if the first bytes are those of a text descriptor as qemu sees it too: comments and blank lines, one
 * of them "# Disk DescriptorFile", or else followed by "version=". */
bool vmdk_is_descriptor(const char *data, size_t size);

/* At most VMDK_DESCRIPTOR_MAX bytes, up to the first NUL (an embedded descriptor is padded with them). Every
 * line must be understood, lest another parser sees an extent where this one does not. 0; -EBADMSG with
 * *ret_error (caller frees) naming the line; -ENOMEM. */
int vmdk_descriptor_parse(const char *data, size_t size, VmdkDescriptor *ret, char **ret_error);

/* True for a plain name beside the descriptor: UTF-8, 255 bytes at most, no "/", not "." or "..", not empty,
 * no leading blank, no control character, no ":" before which qemu would see a protocol. */
bool vmdk_extent_name_is_plain(const char *name);
