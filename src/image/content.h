/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bytes of a file that is stored in pieces: a member of a tar, a sparse one, a file in chunks. Between
 * the pieces are zeroes. */

#include "basic/macro.h"

typedef struct Piece {
        int fd; /* not owned */
        uint64_t at; /* in the content */
        uint64_t offset; /* in the file */
        uint64_t length;
} Piece;

typedef struct Content {
        Piece *pieces; /* ascending, none over another */
        size_t n_pieces, allocated;
        uint64_t size;
} Content;

void content_done(Content *c);
#define _cleanup_content_ _cleanup_(content_done)

/* Adds a piece behind all others; an empty one adds nothing. c->size grows to its end. -EINVAL if it is not
 * behind them. */
int content_add(Content *c, int fd, uint64_t at, uint64_t offset, uint64_t length);

/* Adds all of @other behind the end. */
int content_append(Content *c, const Content *other);

/* Reads exactly @size bytes at @at. -EIO: they are not all there. */
int content_pread(const Content *c, void *buf, size_t size, uint64_t at);

/* True if it is one range of one file. */
bool content_is_plain(const Content *c);

/* Called with how much was done; a negative errno ends the work with it. */
typedef int (*content_progress_func)(void *userdata, uint64_t done);

/* Writes the content to an empty file; what is between the pieces stays holes. -ECANCELED when @cancel_fd
 * (or negative) is readable. */
int content_copy(const Content *c, int fd, int cancel_fd, content_progress_func progress, void *userdata);
