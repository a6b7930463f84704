/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Landlock, https://docs.kernel.org/userspace-api/landlock.html: as much of it as the kernel has. The names
 * are our own, as the C library's headers may be older than the kernel. */

#include "basic/macro.h"

#define LANDLOCK_EXECUTE (UINT64_C(1) << 0)
#define LANDLOCK_WRITE_FILE (UINT64_C(1) << 1)
#define LANDLOCK_READ_FILE (UINT64_C(1) << 2)
#define LANDLOCK_READ_DIR (UINT64_C(1) << 3)
#define LANDLOCK_REMOVE_DIR (UINT64_C(1) << 4)
#define LANDLOCK_REMOVE_FILE (UINT64_C(1) << 5)
#define LANDLOCK_MAKE_DIR (UINT64_C(1) << 7)
#define LANDLOCK_MAKE_SOCK (UINT64_C(1) << 9)
#define LANDLOCK_MAKE_REG (UINT64_C(1) << 8)
#define LANDLOCK_TRUNCATE (UINT64_C(1) << 14)
#define LANDLOCK_IOCTL_DEV (UINT64_C(1) << 15)

/* A ruleset that allows nothing: no file, no TCP (unless @network), no abstract socket, no signal to others.
 * A descriptor; -EOPNOTSUPP: the kernel has none, or it may not be used here. */
int landlock_new(bool network);

/* Allows @rights for the file or directory, and what is below it. -ENOENT: it is not there. */
int landlock_add_path(int ruleset_fd, const char *path, uint64_t rights);

/* For this process and its children, for good; signal-safety(7). Returns -1 with errno set on failure. */
int landlock_enter(int ruleset_fd);
