/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sources that cannot be read in place are written into the part directory first: archives, and files in
 * pieces. What is there is trusted only if the record beside it says that it is complete, and of this
 * source. */

#include "image/archive.h"
#include "image/content.h"
#include "job/attempt.h"

typedef struct Unpack {
        Attempt *attempt;
        int dir_fd; /* where to */
        const char *dir; /* its path */
        const char *name; /* "archive", "pieces" or "source" */
        const char *label; /* of what is unpacked, for messages */
        const char *identity; /* of the source, with all that this depends on */
} Unpack;

typedef struct Unpacked {
        int fd;
        char *path;
        uint64_t size;
        char *member; /* the image's name in an archive with names; or NULL */
} Unpacked;

void unpacked_done(Unpacked *u);
#define UNPACKED_INIT         \
        (Unpacked) {          \
                .fd = -EBADF, \
        }

/* Failures are noted in the job. */
int unpack_archive(
                const Unpack *u, ArchiveKind kind, int fd, uint64_t offset, uint64_t length, Unpacked *ret);
int unpack_content(const Unpack *u, const Content *content, Unpacked *ret);
