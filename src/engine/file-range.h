/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bytes of a file. */

#include "basic/macro.h"

typedef struct FileRange {
        int fd; /* not ours; negative: zeroes that are in no file */
        uint64_t offset, length;
} FileRange;

/* All of @range, which is in a file. 0 or negative errno: -EIO also if the file has become shorter, or if the
 * file system has found it damaged. */
int file_range_read(const FileRange *range, void *buf);

/* Copies ranges from files into one file, with as little as the file systems let us do: blocks are shared
 * where both files are on one that can (btrfs, XFS), else copied by the kernel; zeroes are left out. */
typedef struct FileCopier {
        int fd; /* not ours; where nothing is written it reads as zeroes */
        bool no_clone, no_copy; /* does not work between these files */
        char *buffer;
} FileCopier;

void file_copier_done(FileCopier *c);

/* Called by one thread at a time. 0 or negative errno: -EREMOTEIO if the fault is the source's, which cannot
 * be read or has become shorter, with the cause in *ret_source_error. *ret_written: without what is shared
 * and what is zero. */
int file_copier_copy(FileCopier *c, const FileRange *from, uint64_t to, uint64_t *ret_written,
                int *ret_source_error);
