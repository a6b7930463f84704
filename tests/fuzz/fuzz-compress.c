/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/compress.h"
#include "fuzz.h"
#include "unit/lib/inflate-strict.h"

#define CLUSTER ((size_t) 65536)

/* The input, repeated at a distance that its first bytes give, is packed into what inflates to it again. The
 * third byte gives the place on the disk: some clusters are compressed by ISA-L, others by zlib. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static uint8_t in[CLUSTER], back[CLUSTER];
        static Compressor *c;
        size_t gap = size > 2 ? (data[0] | (size_t) data[1] << 8) % 8192 : 0, n = 0;
        _cleanup_(packed_done) Packed p = {};

        if (!c && compressor_new(COMPRESSION_ZLIB, CLUSTER, &c) < 0)
                abort();
        memset(in, 0, sizeof(in));
        for (unsigned k = 0; k < 8 && size > 0; k++)
                for (size_t i = 0; i < MAX(size, gap) && n < sizeof(in); i++)
                        in[n++] = i < size ? data[i] : (uint8_t) (i * 31);

        if (compressor_pack(c, size > 2 ? data[2] : 0, (const char *) in, sizeof(in), &p) < 0)
                abort();
        if (p.sizes[0] > 0 && p.sizes[0] < CLUSTER &&
                        (inflate_strictly(p.data, p.sizes[0], back, sizeof(back)) != sizeof(back) ||
                                        memcmp(in, back, sizeof(in)) != 0))
                abort();
        return 0;
}
