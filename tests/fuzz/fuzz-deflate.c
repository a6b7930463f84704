/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/deflate.h"
#include "fuzz.h"
#include "unit/lib/inflate-strict.h"

/* The input, again and again at a distance that its first bytes give, is what comes out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static uint8_t in[DEFLATE_INPUT_MAX], out[2 * DEFLATE_INPUT_MAX], back[DEFLATE_INPUT_MAX];
        static Deflate *d;
        size_t gap = size > 2 ? (data[0] | (size_t) data[1] << 8) % 8192 : 0, n = 0;

        if (!d && deflate_new(&d) < 0)
                abort();
        for (unsigned k = 0; k < 8 && size > 0; k++)
                for (size_t i = 0; i < MAX(size, gap) && n < sizeof(in); i++)
                        in[n++] = i < size ? data[i] : (uint8_t) (i * 31);

        size_t length = deflate_block(d, in, n, out, sizeof(out) - DEFLATE_SLACK);
        if (length > 0 &&
                        (inflate_strictly(out, length, back, sizeof(back)) != n || memcmp(in, back, n) != 0))
                abort();
        return 0;
}
