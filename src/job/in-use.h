/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether another program may be writing to a file of the source: by its locks, as qemu, libvirt's lock
 * manager and others take them, and by the lock files that VMware puts beside a disk. */

#include "basic/macro.h"

/* In the job's directory: what prepare found, if the job goes on all the same. */
#define RECORD_IN_USE "in-use"

/* Locks only: works wherever the file can be opened. 0; -EBUSY with a text that says who holds the lock, as
 * far as that can be found out, or negative errno. The caller frees *ret_text. */
int in_use_check_locks(const char *path, int fd, char **ret_text);

/* Locks @fd as a reader of qemu's does, for as long as it is open: no virtual machine can start to write to
 * it. 0; -EBUSY if one does already; another negative errno where the file system has no locks. */
int in_use_hold(int fd);

/* The lock files beside @path. */
int in_use_check_lock_files(const char *path, char **ret_text);

/* Both, for each of @files; a file that cannot be opened is not looked at. */
int in_use_check(char *const *files, char **ret_text);
