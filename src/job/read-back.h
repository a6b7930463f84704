/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reading a finished image back from the disk, not from what the kernel still has of it in memory. */

#include "basic/macro.h"

typedef enum ReadBack {
        READ_BACK_DIRECT, /* past the page cache: O_DIRECT */
        READ_BACK_DROPPED, /* the file system has no O_DIRECT; the page cache holds nothing of the file */
        READ_BACK_CACHED, /* neither can be had, as on tmpfs: what is read may be what is in memory */
        READ_BACK_SERVER, /* behind NBD: the server was told to flush, more is not in our hands */
        _READ_BACK_MAX,
} ReadBack;

const char *read_back_to_string(ReadBack b) _pure_;

/* Flushes the file, drops what the page cache has of it, and says how it can be read from now on. 0 or
 * negative errno. */
int read_back_prepare(const char *path, ReadBack *ret);

/* Bytes of the file that are in the page cache. */
int read_back_resident(int fd, uint64_t *ret);
