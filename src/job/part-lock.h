/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who works in a part directory: the file "lock" in it is locked by one process at a time, whatever the
 * format, and holds the id of the job that took the directory last. It is the same file through every mount
 * of the destination's file system, and its lock works on network file systems too, where a directory cannot
 * be locked (NFS turns flock(2) into a lock of bytes, which needs a file that is open for writing). */

#include "basic/macro.h"

#define PART_LOCK_FILE "lock"

typedef enum PartLockFlags {
        PART_LOCK_TAKE_OVER = 1 << 0, /* what another job left is this one's from now on */
} PartLockFlags;

/* Locks the part directory @part_fd for the job; the lock is held until *ret_fd is closed. -EBUSY: another
 * process has it. -EUSERS: another job took it over, and without PART_LOCK_TAKE_OVER it is left to that one.
 * *ret_fd may be -EBADF without PART_LOCK_TAKE_OVER: no job ever worked there. -ELOOP, -EMLINK, -EBADFD for
 * a file that is no plain one. */
int part_lock(int part_fd, const char *job_id, unsigned flags, int *ret_fd);
