/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes a file from its begin to its end; blocks of zeroes become holes. */

#include "basic/macro.h"

typedef struct SparseWriter {
        int fd; /* an empty file */
        uint64_t max; /* the most bytes that it may have */
        uint64_t size; /* so far */
} SparseWriter;

/* Bytes at @at, which is not before the end of what was written; what is skipped is zeroes. -EFBIG: more
 * than w->max; -EBADMSG: before the end. */
int sparse_write(SparseWriter *w, const void *data, size_t size, uint64_t at);

/* Gives the file its size. */
int sparse_finish(const SparseWriter *w);
