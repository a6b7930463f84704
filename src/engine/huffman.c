/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/huffman.h"

#include <stdlib.h>

/* A symbol that occurs, as a number that sorts by how often. */
#define LEAF(count, symbol) ((count) << 10 | (uint32_t) (symbol))
#define LEAF_COUNT(leaf) ((leaf) >> 10)
#define LEAF_SYMBOL(leaf) ((leaf) &1023u)

static int compare_leaves(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return x < y ? -1 : x > y;
}

static size_t collect_leaves(const uint32_t *counts, size_t n, uint32_t *ret) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
                if (counts[i] > 0)
                        ret[k++] = LEAF(counts[i], i);
        for (size_t i = 0; k < 2; i++)
                if (counts[i] == 0)
                        ret[k++] = LEAF(1u, i);
        qsort(ret, k, sizeof(*ret), compare_leaves);
        return k;
}

/* How deep each leaf is in the tree that joins the two rarest again and again. Leaves and inner nodes are
 * each in ascending order of their counts, so the rarest is at the front of one of the two queues. */
static void leaf_depths(const uint32_t *leaves, size_t n, unsigned *n_of_depth) {
        uint32_t weights[HUFFMAN_SYMBOLS_MAX], parents[2 * HUFFMAN_SYMBOLS_MAX];
        uint16_t depths[HUFFMAN_SYMBOLS_MAX];
        size_t leaf = 0, inner = 0;

        for (size_t made = 0; made < n - 1; made++) {
                weights[made] = 0;
                for (unsigned k = 0; k < 2; k++)
                        if (leaf < n && (inner >= made || LEAF_COUNT(leaves[leaf]) <= weights[inner])) {
                                weights[made] += LEAF_COUNT(leaves[leaf]);
                                parents[leaf++] = (uint32_t) made;
                        } else {
                                weights[made] += weights[inner];
                                parents[n + inner++] = (uint32_t) made;
                        }
        }
        depths[n - 2] = 0; /* the root */
        for (size_t i = n - 2; i-- > 0;)
                depths[i] = (uint16_t) (depths[parents[n + i]] + 1);
        for (size_t i = 0; i < n; i++)
                n_of_depth[depths[parents[i]] + 1]++;
}

/* Moves what is too deep up to @bits, and makes room for it by moving others down, until the code is
 * complete. */
static void limit_depths(unsigned *n_of_depth, unsigned bits) {
        uint32_t used = 0;

        for (unsigned i = bits + 1; i <= HUFFMAN_SYMBOLS_MAX; i++)
                n_of_depth[bits] += n_of_depth[i];
        for (unsigned i = 1; i <= bits; i++)
                used += n_of_depth[i] << (bits - i);
        for (; used > UINT32_C(1) << bits; used--) {
                unsigned i = bits - 1;
                while (n_of_depth[i] == 0)
                        i--;
                n_of_depth[bits]--;
                n_of_depth[i]--;
                n_of_depth[i + 1] += 2;
        }
}

static uint16_t reverse(uint32_t code, unsigned length) {
        uint32_t r = 0;

        for (; length > 0; length--, code >>= 1)
                r = r << 1 | (code & 1);
        return (uint16_t) r;
}

static void assign_codes(HuffmanCode *c, const unsigned *n_of_length, size_t n, unsigned bits) {
        uint32_t next[HUFFMAN_BITS_MAX + 2] = {};

        for (unsigned i = 1; i <= bits; i++)
                next[i + 1] = (next[i] + n_of_length[i]) << 1;
        for (size_t i = 0; i < n; i++)
                if (c->lengths[i] > 0)
                        c->codes[i] = reverse(next[c->lengths[i]]++, c->lengths[i]);
}

void huffman_make(HuffmanCode *ret, const uint32_t *counts, size_t n, unsigned bits) {
        unsigned n_of_length[HUFFMAN_SYMBOLS_MAX + 1] = {};
        uint32_t leaves[HUFFMAN_SYMBOLS_MAX];
        size_t n_leaves = collect_leaves(counts, n, leaves), at = 0;

        *ret = (HuffmanCode){};
        leaf_depths(leaves, n_leaves, n_of_length);
        limit_depths(n_of_length, bits);
        /* The rarest get the longest. */
        for (unsigned length = bits; length > 0; length--)
                for (unsigned k = 0; k < n_of_length[length]; k++)
                        ret->lengths[LEAF_SYMBOL(leaves[at++])] = (uint8_t) length;
        assign_codes(ret, n_of_length, n, bits);
}
