/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The descriptor inside a sparse file ("KDMV"), which stands for a disk in one file. */

#include "image/vmdk-descriptor.h"

/* @header: the first 512 bytes of the file, which is @length bytes at @offset of @fd. 1, or 0 if there is
 * none (the file is one extent of several); -EBADMSG with *ret_error (caller frees); -ENOMEM or what reading
 * gave.
 */
int vmdk_embedded_read(int fd, const char *header, uint64_t offset, uint64_t length, VmdkDescriptor *ret,
                char **ret_error);

/* Of a disk in one file the descriptor names that file, perhaps by an older name, and nothing else.
 * @capacity: that of the header, in sectors. 0, or -EBADMSG with *ret_error (caller frees). */
int vmdk_embedded_check(const VmdkDescriptor *d, uint64_t capacity, char **ret_error);
