/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory of a destination that does not exist yet: hyper-job prepare makes it, below a directory that
 * was checked here. */

#include "manager/job-files.h"
#include "manager/path-rules.h"

/* To be called if path_open() finds that the directory @path does not exist. Looks for the nearest directory
 * above it that does, and gives the path that the missing ones will have below it, in *ret_real, which the
 * caller frees. The rules are those of a directory that exists.
 *
 * 0; -EPERM (it may not be there) or -EBADMSG (it cannot be made), with *ret_why (static); -ENOENT: @rules do
 * not allow looking above it; -ENOMEM. */
int path_resolve_missing(const PathRules *rules, const char *path, bool follow, char **ret_real,
                const char **ret_why);

/* Notes in @f what @directory and the directories above it are, as far as they exist and @rules allow
 * destinations in them. hyper-job prepare makes what is missing below one of these, and below no other. 0 or
 * -ENOMEM. */
int job_files_note_directories(const PathRules *rules, const char *directory, JobFiles *f);
