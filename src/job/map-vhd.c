/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* VHD, "Virtual Hard Disk Image Format Specification": a footer at the end, of which a dynamic disk has a
 * copy at its begin, a header and a table of blocks. Before each block is a bitmap of its sectors. */

#include "job/map-format.h"

#define FOOTER_SIZE 512u
#define HEADER_SIZE 1024u
#define TYPE_FIXED 2
#define TYPE_DYNAMIC 3
#define BLOCK_FREE 0xffffffffu

typedef struct Vhd {
        uint64_t block, bitmap; /* bytes */
} Vhd;

static int on_block(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        const Vhd *v = userdata;
        uint32_t sector = map_be32(entry);

        if (sector != BLOCK_FREE)
                map_need(w, (uint64_t) sector * MAP_SECTOR, v->bitmap + map_visible(w, index, v->block));
        return 0;
}

static int walk_dynamic(MapWalk *w, const char *footer) {
        char h[HEADER_SIZE], copy[FOOTER_SIZE];

        int r = map_read(w, copy, sizeof(copy), 0);
        if (r >= 0 &&
                        (memcmp(copy, footer, 8) != 0 || memcmp(copy + 16, footer + 16, 8) != 0 ||
                                        memcmp(copy + 48, footer + 48, 8) != 0))
                return refuse(w->error, "its footer and the copy of it at the begin differ");
        if (r >= 0)
                r = map_read(w, h, sizeof(h), map_be64(footer + 16));
        if (r < 0)
                return r;
        if (memcmp(h, "cxsparse", 8) != 0)
                return refuse(w->error, "the header of its dynamic disk is damaged");
        uint64_t n = map_be32(h + 28);
        Vhd v = { .block = map_be32(h + 32) };
        if (v.block < MAP_SECTOR || v.block % MAP_SECTOR != 0)
                return refuse(w->error, "its header gives blocks of %ju bytes", (uintmax_t) v.block);
        v.bitmap = map_divide_up(v.block / MAP_SECTOR, 8 * MAP_SECTOR) * MAP_SECTOR;
        if (map_divide_up(w->map.virtual_size, v.block) > n)
                return refuse(w->error, "its header gives a disk that is larger than its table of blocks");
        return map_each(w, map_be64(h + 16), n, sizeof(uint32_t), on_block, &v);
}

int map_walk_vhd(MapWalk *w) {
        char buf[FOOTER_SIZE];
        const char *footer = buf;

        if (w->file->length < sizeof(buf))
                return refuse(w->error, "it is shorter than a VHD's footer");
        int r = map_read(w, buf, sizeof(buf), w->file->length - sizeof(buf));
        if (r < 0)
                return r;
        /* Very old programs wrote a footer of 511 bytes. */
        uint64_t end = w->file->length - sizeof(buf);
        if (memcmp(footer, "conectix", 8) != 0) {
                footer++;
                end++;
        }
        if (memcmp(footer, "conectix", 8) != 0)
                return refuse(w->error, "it does not end with a VHD's footer: it is cut off");
        w->map.virtual_size = map_be64(footer + 48);
        switch (map_be32(footer + 60)) {
        case TYPE_DYNAMIC:
                return walk_dynamic(w, footer);
        case TYPE_FIXED:
                if (w->map.virtual_size <= end)
                        return 0;
                map_need(w, w->map.virtual_size, FOOTER_SIZE);
                return 0;
        default:
                return refuse(w->error, "its footer names the disk type %u, which is not known",
                                map_be32(footer + 60));
        }
}
