/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* References are counted at the very end, by walking through the tables: that is cheap beside the copy, and
 * nothing about refcounts has to be kept right while the copy can be interrupted. The walk is in ascending
 * order but for compressed clusters, which are packed behind an older one now and then; so a few refcount
 * blocks in memory are enough. */

#include <endian.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "engine/qcow2-refcount.h"

#define CACHED 4

typedef struct Block {
        uint16_t *counts; /* QCOW2_REFCOUNTS of them, big-endian; NULL: unused */
        uint64_t index;
        uint64_t used; /* when: the larger the later */
} Block;

typedef struct Refcounts {
        int fd;
        uint64_t first_block; /* cluster where the blocks begin */
        Block cache[CACHED];
        uint64_t clock;
} Refcounts;

static int block_write(Refcounts *c, const Block *b) {
        return pwrite_full(c->fd, b->counts, QCOW2_CLUSTER, (c->first_block + b->index) * QCOW2_CLUSTER);
}

/* The block with this index; what is not in memory is read from the file, where it is zero at first. */
static int block_get(Refcounts *c, uint64_t index, Block **ret) {
        Block *oldest = &c->cache[0];
        int r;

        for (size_t i = 0; i < CACHED; i++) {
                Block *b = &c->cache[i];
                if (b->counts && b->index == index) {
                        b->used = ++c->clock;
                        *ret = b;
                        return 0;
                }
                if (b->used < oldest->used)
                        oldest = b;
        }
        if (oldest->counts)
                r = block_write(c, oldest);
        else
                r = (oldest->counts = malloc(QCOW2_CLUSTER)) ? 0 : -ENOMEM;
        if (r < 0)
                return r;
        r = pread_full(c->fd, oldest->counts, QCOW2_CLUSTER, (c->first_block + index) * QCOW2_CLUSTER);
        if (r < 0)
                return r;
        oldest->index = index;
        oldest->used = ++c->clock;
        *ret = oldest;
        return 0;
}

static int add_reference(void *userdata, uint64_t first, uint64_t last, bool shared) {
        Refcounts *c = userdata;

        for (uint64_t cluster = first; cluster <= last; cluster++) {
                Block *b;
                int r = block_get(c, cluster / QCOW2_REFCOUNTS, &b);
                if (r < 0)
                        return r;
                uint16_t *count = &b->counts[cluster % QCOW2_REFCOUNTS];
                unsigned n = be16toh(*count);
                if (n == UINT16_MAX || (n > 0 && !shared))
                        return -EBADMSG;
                *count = htobe16((uint16_t) (n + 1));
        }
        return 0;
}

static int count_all(Refcounts *c, const Qcow2Layout *layout, const uint64_t *l1, uint64_t end,
                uint64_t n_blocks) {
        int r = add_reference(c, 0, layout->data / QCOW2_CLUSTER - 1, false);

        if (r >= 0)
                r = qcow2_walk(c->fd, layout, l1, end, add_reference, c);
        if (r >= 0)
                r = add_reference(c, c->first_block, c->first_block + n_blocks - 1, false);
        for (size_t i = 0; i < CACHED && r >= 0; i++)
                if (c->cache[i].counts)
                        r = block_write(c, &c->cache[i]);
        return r;
}

static int write_table(const Refcounts *c, const Qcow2Layout *layout, uint64_t n_blocks) {
        uint64_t size = layout->refcount_table_clusters * QCOW2_CLUSTER;
        _cleanup_free_ uint64_t *table = calloc(1, size);

        if (!table)
                return -ENOMEM;
        if (n_blocks > size / 8)
                return -EFBIG;
        for (uint64_t i = 0; i < n_blocks; i++)
                table[i] = htobe64((c->first_block + i) * QCOW2_CLUSTER);
        return pwrite_full(c->fd, table, size, layout->refcount_table);
}

int qcow2_write_refcounts(int fd, const Qcow2Layout *layout, const uint64_t *l1, uint64_t end) {
        Refcounts c = { .fd = fd, .first_block = end / QCOW2_CLUSTER };
        uint64_t n_blocks = 1;

        /* The blocks count themselves too. */
        while (n_blocks * QCOW2_REFCOUNTS < c.first_block + n_blocks)
                n_blocks++;

        /* Whatever lies behind the end goes, and the blocks are zero. */
        if (ftruncate(fd, (off_t) end) < 0 || ftruncate(fd, (off_t) (end + n_blocks * QCOW2_CLUSTER)) < 0)
                return -errno;
        int r = count_all(&c, layout, l1, end, n_blocks);
        if (r >= 0)
                r = write_table(&c, layout, n_blocks);
        for (size_t i = 0; i < CACHED; i++)
                free(c.cache[i].counts);
        return r;
}
