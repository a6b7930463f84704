/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives and compressed files with one disk image in them. What reads them runs as "hyper-job extract", a
 * child with limits: libraries that read hostile bytes have nothing but these bytes and their own output. */

#include <sys/types.h>

#include "image/archive-kind.h"

/* How "hyper-job extract" ends. */
#define EXTRACT_REFUSED 1 /* standard error says why */
#define EXTRACT_NO_SPACE 28
#define EXTRACT_IO_ERROR 5

/* Writes the one image in the @length bytes at @offset of @in to the empty file @out; zeroes become holes.
 * @max: the most bytes that it may have. 0; -EBADMSG with *ret_error (caller frees): damaged, or not one
 * image; -ENOSPC, -EIO, …: writing or reading failed. */
int archive_extract(ArchiveKind kind, int in, uint64_t offset, uint64_t length, int out, uint64_t max,
                char **ret_error);

/* "hyper-job extract KIND OFFSET LENGTH MAX", from descriptor 3 to standard output. The exit status. */
int verb_extract(int argc, char *argv[]);
