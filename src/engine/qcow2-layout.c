/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>

#include "basic/fd-util.h"
#include "engine/qcow2-layout.h"

#define SECTOR 512
#define COMPRESSED_OFFSET_BITS (62 - (QCOW2_CLUSTER_BITS - 8))
#define FEATURE_COMPRESSION_TYPE (UINT64_C(1) << 3) /* incompatible: the header names one */
#define COMPRESSION_TYPE_ZSTD 1
#define COMPRESSED_OFFSET_MASK ((UINT64_C(1) << COMPRESSED_OFFSET_BITS) - 1)

/* In the order of the specification. */
typedef struct __attribute__((packed)) Header {
        char magic[4];
        uint32_t version;
        uint64_t backing_file_offset;
        uint32_t backing_file_size;
        uint32_t cluster_bits;
        uint64_t size;
        uint32_t crypt_method;
        uint32_t l1_size;
        uint64_t l1_table_offset;
        uint64_t refcount_table_offset;
        uint32_t refcount_table_clusters;
        uint32_t nb_snapshots;
        uint64_t snapshots_offset;
        uint64_t incompatible_features;
        uint64_t compatible_features;
        uint64_t autoclear_features;
        uint32_t refcount_order;
        uint32_t header_length;
        uint8_t compression_type;
        uint8_t padding[7];
        uint64_t extensions_end; /* an extension of type 0 and length 0 */
} Header;
_Static_assert(sizeof(Header) == QCOW2_HEADER_SIZE, "qcow2 header");

int qcow2_layout(uint64_t size, Qcow2Layout *ret) {
        Qcow2Layout l = {};

        if (size > QCOW2_SIZE_MAX)
                return -EFBIG;
        l.size = round_up(size, SECTOR);
        l.l1_entries = (l.size + QCOW2_L2_COVERS - 1) / QCOW2_L2_COVERS;
        l.l1_entries = MAX(l.l1_entries, UINT64_C(1));

        /* The refcount table must be large enough for the largest file: all data, all L2 tables, the table
         * itself, and the blocks, of which there is one for 32768 clusters; a thousandth more and two is
         * safely above. */
        uint64_t l1_clusters = round_up(l.l1_entries * 8, QCOW2_CLUSTER) / QCOW2_CLUSTER;
        uint64_t most = round_up(l.size, QCOW2_CLUSTER) / QCOW2_CLUSTER + l.l1_entries + l1_clusters;
        uint64_t blocks = (most + most / 1024) / QCOW2_REFCOUNTS + 2;

        l.refcount_table = QCOW2_CLUSTER;
        l.refcount_table_clusters = round_up(blocks * 8, QCOW2_CLUSTER) / QCOW2_CLUSTER;
        l.l1 = l.refcount_table + l.refcount_table_clusters * QCOW2_CLUSTER;
        l.data = l.l1 + l1_clusters * QCOW2_CLUSTER;
        *ret = l;
        return 0;
}

void qcow2_header(const Qcow2Layout *l, uint8_t ret[static QCOW2_HEADER_SIZE]) {
        const Header h = {
                .magic = { 'Q', 'F', 'I', (char) 0xfb },
                .version = htobe32(3),
                .cluster_bits = htobe32(QCOW2_CLUSTER_BITS),
                .size = htobe64(l->size),
                .l1_size = htobe32((uint32_t) l->l1_entries),
                .l1_table_offset = htobe64(l->l1),
                .refcount_table_offset = htobe64(l->refcount_table),
                .refcount_table_clusters = htobe32((uint32_t) l->refcount_table_clusters),
                .incompatible_features = htobe64(l->zstd ? FEATURE_COMPRESSION_TYPE : 0),
                .refcount_order = htobe32(4),
                .header_length = htobe32(offsetof(Header, extensions_end)),
                .compression_type = l->zstd ? COMPRESSION_TYPE_ZSTD : 0,
        };

        memcpy(ret, &h, sizeof(h));
}

uint64_t qcow2_compressed_entry(uint64_t offset, size_t size) {
        uint64_t more_sectors = (offset + size - 1) / SECTOR - offset / SECTOR;

        return QCOW2_COMPRESSED | (more_sectors << COMPRESSED_OFFSET_BITS) | offset;
}

int qcow2_entry_clusters(uint64_t entry, uint64_t *ret_first, uint64_t *ret_last) {
        if (entry == 0)
                return 0;
        if (entry & QCOW2_COMPRESSED) {
                uint64_t offset = entry & COMPRESSED_OFFSET_MASK;
                uint64_t more_sectors =
                                (entry & ~(QCOW2_COMPRESSED | QCOW2_COPIED)) >> COMPRESSED_OFFSET_BITS;
                if (entry & QCOW2_COPIED)
                        return -EBADMSG;
                *ret_first = offset / QCOW2_CLUSTER;
                *ret_last = (offset / SECTOR + more_sectors) * SECTOR / QCOW2_CLUSTER;
                return 1;
        }
        uint64_t offset = entry & QCOW2_OFFSET_MASK;
        if (entry != (offset | QCOW2_COPIED) || offset % QCOW2_CLUSTER != 0 || offset == 0)
                return -EBADMSG;
        *ret_first = *ret_last = offset / QCOW2_CLUSTER;
        return 1;
}

typedef struct Walk {
        uint64_t first, end; /* clusters that may be referred to */
        Qcow2Visit visit;
        void *userdata;
} Walk;

static int walk_entry(const Walk *w, uint64_t entry) {
        uint64_t first, last;

        int r = qcow2_entry_clusters(entry, &first, &last);
        if (r <= 0)
                return r;
        if (first < w->first || last >= w->end)
                return -EBADMSG;
        return w->visit(w->userdata, first, last, entry & QCOW2_COMPRESSED);
}

static int walk_l2(const Walk *w, int fd, uint64_t offset, uint64_t *l2) {
        int r = pread_full(fd, l2, QCOW2_CLUSTER, offset);

        if (r < 0)
                return r == -EIO ? -EBADMSG : r; /* the file is too short */
        for (size_t k = 0; k < QCOW2_L2_ENTRIES && r >= 0; k++)
                r = walk_entry(w, be64toh(l2[k]));
        return r;
}

int qcow2_walk(int fd, const Qcow2Layout *layout, const uint64_t *l1, uint64_t end, Qcow2Visit visit,
                void *userdata) {
        const Walk w = { .first = layout->data / QCOW2_CLUSTER,
                .end = end / QCOW2_CLUSTER,
                .visit = visit,
                .userdata = userdata };
        _cleanup_free_ uint64_t *l2 = malloc(QCOW2_CLUSTER);
        int r = 0;

        if (!l2)
                return -ENOMEM;
        for (uint64_t i = 0; i < layout->l1_entries && r >= 0; i++) {
                uint64_t entry = be64toh(l1[i]);

                if (entry == 0)
                        continue;
                if (entry & QCOW2_COMPRESSED)
                        return -EBADMSG;
                r = walk_entry(&w, entry);
                if (r >= 0)
                        r = walk_l2(&w, fd, entry & QCOW2_OFFSET_MASK, l2);
        }
        return r < 0 ? r : 0;
}
