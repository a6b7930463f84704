/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* qcow2, docs/interop/qcow2.txt in qemu: a table of tables (L1, L2) of clusters. The end of a file is short
 * in ordinary images too: the last cluster reaches behind the end of the disk, or is written only as far as
 * its last sub-cluster in use, or its compressed data do not fill their last sector. */

#include <zlib.h>

#include "basic/fd-util.h"
#include "image/map-qcow2.h"
#include "image/refusal.h"

#define HEADER_SIZE 112u
#define PLACE_MASK UINT64_C(0x00fffffffffffe00)
#define COMPRESSED (UINT64_C(1) << 62)
#define ZERO UINT64_C(1)
#define FEATURE_EXTENDED_L2 (UINT64_C(1) << 4)
#define SUBCLUSTERS 32u
#define ZSTD_MAGIC 0xfd2fb528u
/* Compressed clusters that share the last sector of a file: each has some bytes of its own. */
#define LAST_MAX 512u

typedef struct Qcow2 {
        unsigned bits; /* of a cluster */
        uint64_t cluster, entries; /* bytes; entries of an L2 table */
        size_t width; /* of such an entry */
        bool zstd;
        uint64_t table; /* which L2 table is read */
        unsigned n_last; /* compressed clusters that were looked at */
} Qcow2;

/* --- compressed clusters that end in the last sector of the file ----------------------------------- */

static int inflate_whole(const char *data, size_t size, uint64_t cluster) {
        z_stream z = { .next_in = (Bytef *) (uintptr_t) data, .avail_in = (uInt) size };
        _cleanup_free_ Bytef *out = malloc(cluster);

        if (!out)
                return -ENOMEM;
        if (inflateInit2(&z, -12) != Z_OK)
                return -ENOMEM;
        z.next_out = out;
        z.avail_out = (uInt) cluster;
        int r = inflate(&z, Z_FINISH);
        bool whole = (r == Z_STREAM_END || r == Z_BUF_ERROR) && z.avail_out == 0;
        inflateEnd(&z);
        return whole;
}

/* RFC 8878: a frame is a header and blocks, each with its size before it. */
static size_t zstd_header_size(unsigned char descriptor) {
        static const size_t dictionary[] = { 0, 1, 2, 4 }, content[] = { 0, 2, 4, 8 };
        bool single = descriptor & 0x20;
        size_t n = content[descriptor >> 6];

        return 5 + (single ? 0 : 1) + dictionary[descriptor & 3] + (n == 0 && single ? 1 : n);
}

static bool zstd_is_whole(const char *data, size_t size) {
        if (size < 5 || read_le32(data) != ZSTD_MAGIC)
                return false;
        uint64_t at = zstd_header_size((unsigned char) data[4]);
        uint32_t block = 0;
        while (!(block & 1)) {
                if (at + 3 > size)
                        return false;
                block = (uint32_t) (unsigned char) data[at] | (uint32_t) (unsigned char) data[at + 1] << 8 |
                                (uint32_t) (unsigned char) data[at + 2] << 16;
                at += 3 + ((block >> 1 & 3) == 1 ? 1 : block >> 3);
        }
        return at + (data[4] & 4 ? 4 : 0) <= size;
}

/* The sectors that hold it reach behind the end of the file: is all of it before? */
static int check_last(MapWalk *w, Qcow2 *q, uint64_t at, uint64_t size) {
        uint64_t have = w->file->length - at;

        if (++q->n_last > LAST_MAX)
                return refuse(w->error, "more than %u compressed clusters end in its last sector", LAST_MAX);
        _cleanup_free_ char *data = malloc(have);
        if (!data)
                return -ENOMEM;
        int r = pread_full(w->file->fd, data, have, w->file->offset + at);
        if (r >= 0)
                r = q->zstd ? zstd_is_whole(data, have) : inflate_whole(data, have, q->cluster);
        if (r == 0)
                map_need(w, at, size);
        return r < 0 ? r : 0;
}

static int on_compressed(MapWalk *w, Qcow2 *q, uint64_t e) {
        unsigned shift = 62 - (q->bits - 8);
        uint64_t at = e & ((UINT64_C(1) << shift) - 1);
        uint64_t sectors = (e >> shift & ((UINT64_C(1) << (q->bits - 8)) - 1)) + 1;
        uint64_t size = sectors * MAP_SECTOR - at % MAP_SECTOR;

        if (map_holds(w, at, size))
                return 0;
        if (at >= w->file->length || size - (w->file->length - at) >= MAP_SECTOR) {
                map_need(w, at, size);
                return 0;
        }
        return check_last(w, q, at, size);
}

/* --- tables ---------------------------------------------------------------------------------------- */

/* How much of a cluster is in use. */
static uint64_t used(const Qcow2 *q, const char *entry, uint64_t visible) {
        if (q->width == sizeof(uint64_t))
                return read_be64(entry) & ZERO ? 0 : visible;
        uint32_t allocated = read_be64(entry + 8) & UINT32_MAX;
        unsigned last = allocated == 0 ? 0 : 32 - (unsigned) __builtin_clz(allocated);
        return MIN(visible, q->cluster / SUBCLUSTERS * last);
}

static int on_cluster(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        Qcow2 *q = userdata;
        uint64_t e = read_be64(entry), visible = map_visible(w, q->table * q->entries + index, q->cluster);

        if (visible == 0)
                return 0;
        if (e & COMPRESSED)
                return on_compressed(w, q, e);
        if ((e & PLACE_MASK) != 0)
                map_need(w, e & PLACE_MASK, used(q, entry, visible));
        return 0;
}

static int on_table(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        Qcow2 *q = userdata;
        uint64_t at = read_be64(entry) & PLACE_MASK;

        q->table = index;
        return at == 0 ? 0 : map_each(w, at, q->entries, q->width, on_cluster, q);
}

int map_walk_qcow2(MapWalk *w) {
        char h[HEADER_SIZE] = {};
        Qcow2 q = {};

        int r = map_read(w, h, 72, 0);
        if (r >= 0 && read_be32(h + 4) >= 3) {
                r = map_read(w, h, 104, 0);
                if (r >= 0 && read_be32(h + 100) >= HEADER_SIZE)
                        r = map_read(w, h, sizeof(h), 0);
        }
        if (r < 0)
                return r;
        q.bits = read_be32(h + 20);
        if (q.bits < 9 || q.bits > 21)
                return refuse(w->error, "its header gives clusters of 2^%u bytes", q.bits);
        q.cluster = UINT64_C(1) << q.bits;
        bool extended = read_be32(h + 4) >= 3 && (read_be64(h + 72) & FEATURE_EXTENDED_L2);
        q.width = extended ? 16 : 8;
        q.entries = q.cluster / q.width;
        q.zstd = h[104] == 1;
        w->map.virtual_size = read_be64(h + 24);
        uint64_t n = read_be32(h + 36), per_table = q.cluster * q.entries;
        uint64_t tables = map_divide_up(w->map.virtual_size, per_table);
        if (tables > n)
                return refuse(w->error, "its header gives a disk that is larger than its table of clusters");
        return map_each(w, read_be64(h + 40), tables, sizeof(uint64_t), on_table, &q);
}
