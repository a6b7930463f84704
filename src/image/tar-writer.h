/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writing a tar as OVAs are: ustar (POSIX.1-1988), plain files only. Sizes of 8 GiB and more are in base
 * 256, as GNU tar, VMware and VirtualBox have them. */

#include "basic/macro.h"

#define TAR_BLOCK 512u
/* A name is one part of a path; ustar has room for so many bytes. */
#define TAR_NAME_MAX 100u

/* The header of a file. -ENAMETOOLONG or -EINVAL if @name is none that can be written. */
int tar_write_header(const char *name, uint64_t size, int64_t mtime, char ret[static TAR_BLOCK]);

/* How many zeroes follow the bytes of a file. */
static inline size_t tar_padding(uint64_t size) {
        return (size_t) ((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* Two blocks of zeroes end a tar. */
#define TAR_END_SIZE ((size_t) 2 * TAR_BLOCK)
