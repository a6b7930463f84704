/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Snapshots of a virtual machine. All functions block. */

#include "vsphere/task.h"
#include "vsphere/vm-detail.h"

/* Creates a snapshot without the memory of the VM. *ret_id is the caller's to free. */
int snapshot_create(Session *s, const char *vm, const char *name, const char *description, bool quiesce,
                char **ret_id);
/* Finds a snapshot by its name, at any depth of the tree. -ENOENT: there is none. */
int snapshot_find(Session *s, const char *vm, const char *name, char **ret_id);
/* Reads the disks of the VM as the snapshot has frozen them, with their change IDs, into @ret->disks. */
int snapshot_read_disks(Session *s, const char *id, VmDetail *ret);
/* Removes one snapshot, but not its children. 0 also if it does not exist (any more). Blocks while the server
 * consolidates the disks, for at most @timeout. */
int snapshot_remove(Session *s, const char *id, usec_t timeout, task_progress_func progress, void *userdata);
