/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The drivers of the virtio-win project for a Windows: files of a directory or of an ISO image. They are
 * the administrator's. */

#include "basic/macro.h"

typedef struct VirtioWinFile {
        char *name; /* in lower case, without directories */
        char *path; /* in the directory or image */
        char *data; /* NULL: not read yet */
        size_t size;
} VirtioWinFile;

typedef struct VirtioWin {
        VirtioWinFile *files;
        size_t n, allocated;
} VirtioWin;

void virtio_win_done(VirtioWin *v);

/* True for a file of a driver for a version ("w10") and an architecture ("amd64"): its path ends with
 * w10/amd64/NAME or amd64/w10/NAME, whatever the case. */
bool virtio_win_matches(const char *path, const char *version, const char *arch) _pure_;

/* Reads those of the first of @versions that has a driver for disks. 0, with no files if there is none;
 * negative errno with *ret_why, which the caller frees. */
int virtio_win_read(const char *path, const char *const *versions, const char *arch, VirtioWin *ret,
                char **ret_why);

/* NULL: there is none. */
const VirtioWinFile *virtio_win_find(const VirtioWin *v, const char *name);
