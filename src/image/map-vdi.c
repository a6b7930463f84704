/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* VDI, of VirtualBox: a header and one table of blocks, which are counted from the begin of the data. */

#include "image/map-vdi.h"
#include "image/refusal.h"

#define HEADER_SIZE 0x188u
#define BLOCK_FREE 0xffffffffu
#define BLOCK_ZERO 0xfffffffeu

typedef struct Vdi {
        uint64_t data, block;
} Vdi;

static int on_block(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        const Vdi *v = userdata;
        uint64_t place = read_le32(entry);

        if (place != BLOCK_FREE && place != BLOCK_ZERO)
                map_need(w, v->data + place * v->block, map_visible(w, index, v->block));
        return 0;
}

int map_walk_vdi(MapWalk *w) {
        char h[HEADER_SIZE];

        int r = map_read(w, h, sizeof(h), 0);
        if (r < 0)
                return r;
        Vdi v = { .data = read_le32(h + 0x158), .block = read_le32(h + 0x178) };
        uint64_t n = read_le32(h + 0x180);
        w->map.virtual_size = read_le64(h + 0x170);
        /* qemu reads over this, as if there were none. */
        if (read_le32(h + 0x17c) != 0)
                return refuse(w->error,
                                "each of its blocks has extra data in front, which is not supported; "
                                "convert it with "
                                "VBoxManage clonemedium first");
        if (v.block == 0)
                return refuse(w->error, "its header gives blocks of 0 bytes");
        if (map_divide_up(w->map.virtual_size, v.block) > n)
                return refuse(w->error, "its header gives a disk that is larger than its table of blocks");
        return map_each(w, read_le32(h + 0x154), n, sizeof(uint32_t), on_block, &v);
}
