/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opening files in places that others may control. */

#include <sys/stat.h>
#include <sys/types.h>

#include "basic/macro.h"

/* open(2) with no symlink in any component (RESOLVE_NO_SYMLINKS of openat2(2)), close-on-exec. A descriptor
 * or negative errno; -ELOOP: there is one. */
int open_no_symlinks(int dir_fd, const char *path, int flags, mode_t mode);

/* The same below a directory: -EXDEV if "..", or an absolute path, leads out of it. Needs openat2(2). */
int open_beneath(int dir_fd, const char *path, int flags);

/* Like open_no_symlinks() for reading a regular file, without waiting for the other end of a FIFO or waking a
 * device. -EISDIR for a directory, -ENOTBLK for anything else that is no regular file. 1 if only the rights
 * of the unit opened it (basic/rights.h). */
int open_regular(const char *path, int *ret_fd, struct stat *ret_stat);
