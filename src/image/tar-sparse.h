/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sparse members of a tar, in the forms of GNU tar: type "S" (its own format), and the pax forms 0.0, 0.1
 * and 1.0 ("Storing Sparse Files" in its manual). */

#include "basic/macro.h"

/* One range of the file that is stored; everything between is zeroes. */
typedef struct TarSegment {
        uint64_t at; /* in the file */
        uint64_t offset; /* in the archive; tar_sparse_place() */
        uint64_t length;
} TarSegment;

#define TAR_SEGMENTS_MAX ((size_t) 1024 * 1024)

typedef struct TarSparse {
        bool is_sparse, map_in_data, has_size, half; /* half: an offset whose length comes next */
        uint64_t size; /* of the file */
        char *name; /* NULL: the member's */
        TarSegment *segments;
        size_t n_segments, allocated;
} TarSparse;

void tar_sparse_done(TarSparse *s);

/* A pax record. 1: it was one of a sparse file, 0: it is something else, -EBADMSG: not understood,
 * -ENOMEM. */
int tar_sparse_pax(TarSparse *s, const char *key, const char *value);

/* The entries in a header of type "S", and in the blocks behind it. *ret_more: another block follows.
 * -EBADMSG, -ENOMEM. */
int tar_sparse_header(TarSparse *s, const void *block, bool *ret_more);
int tar_sparse_block(TarSparse *s, const void *block, bool *ret_more);

/* The map of form 1.0, the text in front of the data: @size bytes of it are in @text. 0 with its length, a
 * multiple of 512; -EAGAIN: there is more of it; -EBADMSG, -ENOMEM. */
int tar_sparse_map(TarSparse *s, const char *text, size_t size, size_t *ret_length);

/* Gives each segment its place: @stored bytes at @offset of the archive. -EBADMSG: it does not fit. */
int tar_sparse_place(TarSparse *s, uint64_t offset, uint64_t stored);
