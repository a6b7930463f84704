/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Inflates as the strictest reader of qcow2 does: with a window of 4 KiB, and in pieces that are smaller
 * than it, so that nothing behind the window can be reached by chance. */

#include <zlib.h>

#include "basic/macro.h"

/* How many bytes came out, of at most @max; SIZE_MAX if it is no whole stream that takes all of @size. */
static inline size_t inflate_strictly(const void *data, size_t size, void *out, size_t max) {
        z_stream z = { .next_in = (Bytef *) data, .avail_in = (unsigned) size };
        size_t done = 0;
        int r = inflateInit2(&z, -12);

        while (r == Z_OK && done <= max) {
                unsigned char piece[1021];
                z.next_out = piece;
                z.avail_out = sizeof(piece);
                r = inflate(&z, Z_NO_FLUSH);
                size_t n = sizeof(piece) - z.avail_out;
                if (done + n > max)
                        r = Z_BUF_ERROR;
                else
                        memcpy((char *) out + done, piece, n);
                done += n;
        }
        bool whole = r == Z_STREAM_END && z.avail_in == 0;
        inflateEnd(&z);
        return whole ? done : SIZE_MAX;
}
