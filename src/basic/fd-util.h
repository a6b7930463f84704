/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* File descriptors and whole files. */

#include <stdio.h>
#include <sys/types.h>

#include "basic/macro.h"

/* Closes @fd if it is one (errno is kept) and returns -EBADF. */
int safe_close(int fd);

static inline void closep(int *fd) {
        safe_close(*fd);
}
#define _cleanup_close_ _cleanup_(closep)

static inline void fclosep(FILE **f) {
        if (*f)
                fclose(*f);
}
#define _cleanup_fclose_ _cleanup_(fclosep)

/* Reads or writes all of it, over short counts and EINTR. Reading less than @size is -EIO. 0 or negative
 * errno. */
int pread_full(int fd, void *buf, size_t size, uint64_t offset);
int pwrite_full(int fd, const void *buf, size_t size, uint64_t offset);

/* Reads a whole file below @dir_fd (or AT_FDCWD) into a NUL-terminated buffer that the caller frees.
 * *ret_size may be NULL if the content must not hold a NUL byte (-EBADMSG). -EFBIG if it is longer than
 * @max. */
int read_file_at(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* Replaces a file by new content: a temporary file in the same directory, fsync, rename, fsync of the
 * directory. After 0 it survives a power cut; on error the old content stands. */
int write_file_atomic_at(int dir_fd, const char *path, const void *data, size_t size, mode_t mode);

/* mkdir -p. 0, also if it is there already as a directory; negative errno. */
int mkdir_parents(const char *path, mode_t mode);
