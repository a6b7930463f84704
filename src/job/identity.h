/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which source it is, and in which version. Two identities that are equal stand for the same bytes, so a
 * copy that was interrupted may go on. What cannot be identified, an NBD server or a block device, has the
 * job's id in its identity: only that job's own attempts go on from each other. */

#include <sys/stat.h>

#include "basic/macro.h"

/* Adds the line for one file of a source: path, device, inode, size, and the times of the last change of
 * content (mtime) and of anything at all (ctime, which nobody can set back). 0 or -ENOMEM. */
int identity_add_file(char ***lines, const char *path, const struct stat *st, const char *job_id);

/* The identity of what is behind @uri. NULL when out of memory. */
char *identity_of_server(const char *uri, const char *job_id);

/* The same identity in at most @max bytes: itself, or its SHA-256. NULL when out of memory. The caller frees
 * it. */
char *identity_shortened(const char *identity, size_t max);
