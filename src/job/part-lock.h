/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who works in a part directory: the file "lock" in it is locked by one process at a time, whatever the
 * format, and holds the id of the job that took the directory last, and the name of its machine. It is the
 * same file through every mount of the destination's file system.
 *
 * The lock is one of an open file description (F_OFD_SETLK in fcntl(2)): it ends with the process, however
 * that ends, and holds between machines on shared storage. There it needs no server of ours: a machine that
 * is cut off from all others, but not from the storage, keeps it. flock(2) would not do: the server of an NFS
 * export does not compare its own locks of that kind with those of its clients. */

#include "job/attempt.h"

#define PART_LOCK_FILE "lock"

typedef enum PartLockFlags {
        PART_LOCK_TAKE_OVER = 1 << 0, /* what another job left is this one's from now on */
} PartLockFlags;

/* Locks the part directory @part_fd for the job; the lock is held until *ret_fd is closed. -EBUSY: another
 * process has it. -EUSERS: another job took it over, and without PART_LOCK_TAKE_OVER it is left to that one.
 * *ret_fd may be -EBADF without PART_LOCK_TAKE_OVER: no job ever worked there. -ELOOP, -EMLINK, -EBADFD for
 * a file that is no plain one. */
int part_lock(int part_fd, const char *job_id, unsigned flags, int *ret_fd);

/* Locks a whole file that is open for writing, for as long as @fd or a copy of it is open. -EBUSY: another
 * one has it. */
int part_lock_file(int fd);

/* "Job a on node1", who took the directory last; "Another job" if it is not known. NULL when out of memory.
 * The caller frees it. */
char *part_lock_owner(int part_fd);

/* The attempt fails because of -EBUSY, for now: it is repeated if its policy allows. */
int part_lock_fail(Attempt *a, int part_fd);
