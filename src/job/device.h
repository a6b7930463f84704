/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Block devices as sources and destinations: whole disks, partitions, LVM volumes. */

#include <sys/stat.h>

#include "spec/job-file.h"

/* True for a path that only a block device can have. */
bool path_is_device(const char *path) _pure_;

/* True if the plan's destination is a block device: it is there already and is overwritten, as a server's
 * disk is. */
bool plan_writes_device(const JobPlan *p) _pure_;

/* Opens a block device for reading; its links in /dev are followed. ret_stat->st_size is the device's size.
 * -ENOTBLK: something else is there. */
int open_device(const char *path, int *ret_fd, struct stat *ret_stat);
