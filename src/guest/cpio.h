/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* cpio archives of the "newc" format, of which an initramfs consists:
 * https://docs.kernel.org/driver-api/early-userspace/buffer-format.html */

#include "guest/buffer.h"

#define CPIO_HEADER 110u

typedef struct CpioEntry {
        const char *name; /* not terminated; as long as the archive is in memory */
        size_t name_size;
        const char *data;
        size_t size;
        uint32_t mode;
} CpioEntry;

/* The entry at *offset, which then is that of the next one. 1 with *ret; 0: it was the last one, which is
 * called TRAILER!!!; -EBADMSG: it is malformed. */
int cpio_next(const char *archive, size_t size, size_t *offset, CpioEntry *ret);

/* Appends an entry. */
void cpio_add(Buffer *b, const char *name, uint32_t mode, const void *data, size_t size);
/* Appends the last entry, and zeroes up to a multiple of 512. */
void cpio_end(Buffer *b);
