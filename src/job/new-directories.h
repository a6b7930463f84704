/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directories above a destination that do not exist when the job begins. They are made with full
 * privileges in directories that users may own, so: no symlink is followed, only a directory that the manager
 * checked is the start, and each further one is made or opened in the one above it, by its name. */

#include <sys/stat.h>

#include "spec/job-file.h"

/* A file in the job's directory: which directories were made for it, "device inode length\n" for each; the
 * length is that of its path in the path of the part directory. */
#define RECORD_DIRECTORIES "directories"

/* Makes @directory and what is missing above it, below the nearest directory that @bound has (JobPlan.bound).
 * The new ones belong to root, with mode 0755. What somebody else makes meanwhile is taken if it is a
 * directory of root or of the owner of the directory that is the start.
 *
 * 0 with *ret, what @directory is; -ENOENT: @bound has none of them; -ESTALE: the start is another directory
 * than the one that was checked; -ELOOP: a symbolic link; -ENOTDIR; -EPERM: it belongs to somebody else. What
 * was made before a failure is recorded in @job_fd, too. */
int new_directories_make(const char *directory, char *const *bound, int job_fd, struct stat *ret);

/* Removes those that were made for this job, from the last one up, as long as they are empty, and takes them
 * out of the record. 1 if the directory of the destination is gone with them, else 0, or negative errno. */
int new_directories_remove(const char *part_dir, int job_fd);
