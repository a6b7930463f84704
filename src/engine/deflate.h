/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Deflate (RFC 1951) for the clusters of a qcow2 image. qemu and other readers inflate with a window of 4
 * KiB, which zlib can keep to but is slow at, and faster libraries cannot: their matches reach 32 KiB back.
 * This one is made for what we have, whole blocks of at most 64 KiB in memory: hash chains, the first good
 * match, and codes of its own. */

#include "basic/macro.h"

#define DEFLATE_INPUT_MAX ((size_t) 65536)
#define DEFLATE_WINDOW ((size_t) 4096)
#define DEFLATE_SLACK ((size_t) 8) /* bytes behind the output that may be overwritten */

typedef struct Deflate Deflate;

/* The tables, 400 KiB, for one block at a time. */
int deflate_new(Deflate **ret);
Deflate *deflate_free(Deflate *d);
DEFINE_CLEANUP_FUNC(Deflate *, deflate_free);

/* Deflates @size bytes (at most DEFLATE_INPUT_MAX) to at most @max bytes at @out, behind which there are
 * DEFLATE_SLACK more. The length; 0 if it does not fit, or seems not to become smaller. */
size_t deflate_block(Deflate *d, const void *data, size_t size, void *out, size_t max);
