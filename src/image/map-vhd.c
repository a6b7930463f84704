/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* VHD, "Virtual Hard Disk Image Format Specification": a footer at the end, of which a dynamic disk has a
 * copy at its begin, a header and a table of blocks. Before each block is a bitmap of its sectors. */

#include "image/map-vhd.h"
#include "basic/zero.h"
#include "image/refusal.h"

#define FOOTER_SIZE 512u
#define HEADER_SIZE 1024u
#define TYPE_FIXED 2
#define TYPE_DYNAMIC 3
#define TYPE_DIFFERENCING 4
#define BLOCK_FREE 0xffffffffu
#define BLOCK_MAX (UINT64_C(1) << 30)
#define FOOTER_USED 85u /* the rest is reserved */

typedef struct Vhd {
        uint64_t block, bitmap; /* bytes */
        uint64_t table, table_end;
        char *bits; /* of one block */
} Vhd;

/* The complement of the sum of all bytes but its own four. */
static bool sum_is_right(const char *data, size_t size, size_t at) {
        uint32_t sum = 0;

        for (size_t i = 0; i < size; i++)
                sum += i - at < 4 ? 0 : (unsigned char) data[i];
        return ~sum == read_be32(data + at);
}

static int check_zero(MapWalk *w, uint64_t index, uint64_t at, uint64_t size) {
        char data[8 * MAP_SECTOR];

        while (size > 0) {
                size_t n = (size_t) MIN(size, (uint64_t) sizeof(data));
                int r = map_read(w, data, n, at);
                if (r < 0)
                        return r;
                if (!memory_is_zero(data, n))
                        return refuse(w->error,
                                        "it is damaged: block %ju has data in sectors that its bitmap calls "
                                        "unused",
                                        (uintmax_t) index);
                at += n;
                size -= n;
        }
        return 0;
}

static bool is_set(const Vhd *v, uint64_t sector) {
        return v->bits[sector / 8] >> (7 - sector % 8) & 1;
}

/* A sector whose bit is not set is zeroes. qemu does not look at the bits, so what is there must be
 * zeroes. */
static int check_bits(MapWalk *w, const Vhd *v, uint64_t index, uint64_t at) {
        uint64_t n = map_visible(w, index, v->block) / MAP_SECTOR;

        if (!map_holds(w, at, v->bitmap + n * MAP_SECTOR))
                return 0;
        int r = map_read(w, v->bits, v->bitmap, at);
        for (uint64_t k = 0, end; k < n && r >= 0; k = end) {
                for (end = k + 1; end < n && is_set(v, end) == is_set(v, k);)
                        end++;
                if (!is_set(v, k))
                        r = check_zero(w, index, at + v->bitmap + k * MAP_SECTOR, (end - k) * MAP_SECTOR);
        }
        return r;
}

static int on_block(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        const Vhd *v = userdata;
        uint32_t sector = read_be32(entry);
        uint64_t at = (uint64_t) sector * MAP_SECTOR, size = v->bitmap + map_visible(w, index, v->block);

        if (sector == BLOCK_FREE || size == v->bitmap)
                return 0;
        if (at < FOOTER_SIZE || (at < v->table_end && at + size > v->table))
                return refuse(w->error, "its table of blocks is damaged: block %ju is where the tables are",
                                (uintmax_t) index);
        map_need(w, at, size);
        /* Of a differencing disk the sectors that are not set are the parent's. */
        return w->map.differencing ? 0 : check_bits(w, v, index, at);
}

/* *ret without its bits, and how many entries the table has. */
static int read_dynamic(MapWalk *w, const char *footer, Vhd *ret, uint64_t *ret_n) {
        char h[HEADER_SIZE], copy[FOOTER_SIZE];

        int r = map_read(w, copy, sizeof(copy), 0);
        if (r >= 0 && memcmp(copy, footer, FOOTER_USED) != 0)
                return refuse(w->error, "its footer and the copy of it at the begin differ");
        if (r >= 0)
                r = map_read(w, h, sizeof(h), read_be64(footer + 16));
        if (r < 0)
                return r;
        if (memcmp(h, "cxsparse", 8) != 0 || !sum_is_right(h, sizeof(h), 36))
                return refuse(w->error, "the header of its dynamic disk is damaged");
        uint64_t n = read_be32(h + 28);
        Vhd v = { .block = read_be32(h + 32) };
        if (v.block < MAP_SECTOR || v.block % MAP_SECTOR != 0 || v.block > BLOCK_MAX)
                return refuse(w->error, "its header gives blocks of %ju bytes", (uintmax_t) v.block);
        v.bitmap = map_divide_up(v.block / MAP_SECTOR, 8 * MAP_SECTOR) * MAP_SECTOR;
        if (map_divide_up(w->map.virtual_size, v.block) > n)
                return refuse(w->error, "its header gives a disk that is larger than its table of blocks");
        v.table = read_be64(h + 16);
        if (__builtin_add_overflow(v.table, n * sizeof(uint32_t), &v.table_end))
                v.table_end = UINT64_MAX;
        *ret = v;
        *ret_n = n;
        return 0;
}

static int walk_dynamic(MapWalk *w, const char *footer) {
        uint64_t n;
        Vhd v;

        int r = read_dynamic(w, footer, &v, &n);
        if (r < 0)
                return r;
        _cleanup_free_ char *bits = v.bits = malloc(v.bitmap);
        return bits ? map_each(w, v.table, n, sizeof(uint32_t), on_block, &v) : -ENOMEM;
}

/* The footer, which begins in @buf or one behind it; and where the data of a fixed disk end. */
static int read_vhd_footer(
                MapWalk *w, char buf[static FOOTER_SIZE + 1], const char **ret, uint64_t *ret_end) {
        const char *footer = buf;

        if (w->file->length < FOOTER_SIZE)
                return refuse(w->error, "it is shorter than a VHD's footer");
        int r = map_read(w, buf, FOOTER_SIZE, w->file->length - FOOTER_SIZE);
        if (r < 0)
                return r;
        /* Very old programs wrote a footer of 511 bytes. */
        uint64_t end = w->file->length - FOOTER_SIZE;
        if (memcmp(footer, "conectix", 8) != 0) {
                footer++;
                end++;
        }
        if (memcmp(footer, "conectix", 8) != 0)
                return refuse(w->error, "it does not end with a VHD's footer: it is cut off");
        if (!sum_is_right(footer, FOOTER_SIZE, 64))
                return refuse(w->error, "the checksum of its footer is wrong: it is damaged");
        w->map.virtual_size = read_be64(footer + 48);
        w->map.differencing = read_be32(footer + 60) == TYPE_DIFFERENCING;
        *ret = footer;
        *ret_end = end;
        return 0;
}

int map_vhd_geometry(MapWalk *w, MapGeometry *ret) {
        char buf[FOOTER_SIZE + 1] = {};
        const char *footer;
        uint64_t end, n;
        Vhd v;

        int r = read_vhd_footer(w, buf, &footer, &end);
        if (r >= 0)
                r = read_dynamic(w, footer, &v, &n);
        if (r < 0)
                return r;
        *ret = (MapGeometry){ .table = v.table, .block = v.block, .bitmap = v.bitmap, .sector = MAP_SECTOR };
        return 0;
}

int map_walk_vhd(MapWalk *w) {
        char buf[FOOTER_SIZE + 1] = {}, magic[8];
        const char *footer;
        uint64_t end;

        int r = read_vhd_footer(w, buf, &footer, &end);
        if (r < 0)
                return r;
        switch (read_be32(footer + 60)) {
        case TYPE_DYNAMIC:
        case TYPE_DIFFERENCING:
                return walk_dynamic(w, footer);
        case TYPE_FIXED:
                /* qemu would take it for a dynamic one. */
                r = map_read(w, magic, sizeof(magic), 0);
                if (r < 0)
                        return r;
                if (memcmp(magic, "conectix", sizeof(magic)) == 0)
                        return refuse(w->error,
                                        "it begins like a dynamic disk, but its footer says that it is "
                                        "fixed");
                w->map.flat = true;
                if (w->map.virtual_size <= end)
                        return 0;
                map_need(w, w->map.virtual_size, FOOTER_SIZE);
                return 0;
        default:
                return refuse(w->error, "its footer names the disk type %u, which is not known",
                                read_be32(footer + 60));
        }
}
