/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sparse extents of VMDK, "Virtual Disk Format 5.0": a directory of tables of grains. A streamOptimized
 * one has its directory behind the grains, and a footer at the end that says where. */

#include "image/map-vmdk.h"
#include "basic/fd-util.h"
#include "basic/zero.h"
#include "image/refusal.h"
#include "image/vmdk-header.h"

#define MARKER_SIZE 12u
#define PADDING_MAX (UINT64_C(64) << 20)
#define TABLE_MAX 4096u
#define GRAIN_MAX (UINT64_C(128) << 20)

typedef struct Vmdk {
        uint64_t grain; /* bytes */
        uint64_t entries; /* of a table of grains */
        uint64_t table; /* which of them is read */
        bool compressed, markers;
        uint64_t last_index, last_sector; /* the grain before, if it has a marker; 0, 0: there is none */
} Vmdk;

/* Whether the marker at @sector is that of the grain @index: it says where in the disk its grain is. */
static int check_marker(MapWalk *w, const Vmdk *v, uint64_t index, uint64_t sector) {
        char marker[MARKER_SIZE];
        int r;

        if (!map_holds(w, sector * MAP_SECTOR, MARKER_SIZE))
                return 0; /* noted as missing */
        r = map_read(w, marker, sizeof(marker), sector * MAP_SECTOR);
        if (r < 0 || read_le64(marker) == index * (v->grain / MAP_SECTOR))
                return r;
        return refuse(w->error, "it is damaged: its table places grain %ju where another grain is",
                        (uintmax_t) index);
}

/* Grains are written one behind the other. Where the table says otherwise it may be damaged, and qemu, which
 * does not look at the markers, would read one grain for another. Reading all markers would be reading the
 * file once more. */
static int check_order(MapWalk *w, Vmdk *v, uint64_t index, uint64_t sector) {
        int r = 0;

        if (sector <= v->last_sector) {
                r = check_marker(w, v, index, sector);
                if (r >= 0)
                        r = check_marker(w, v, v->last_index, v->last_sector);
        }
        v->last_index = index;
        v->last_sector = sector;
        return r;
}

/* A compressed grain has its size before it, which matters only near the end. */
static int on_compressed(MapWalk *w, const Vmdk *v, uint64_t at) {
        char marker[MARKER_SIZE];

        if (map_holds(w, at, 2 * v->grain + MAP_SECTOR))
                return 0;
        map_need(w, at, v->markers ? MARKER_SIZE : 1);
        if (!v->markers || !map_holds(w, at, MARKER_SIZE))
                return 0;
        int r = map_read(w, marker, sizeof(marker), at);
        if (r >= 0)
                map_need(w, at, MARKER_SIZE + (uint64_t) read_le32(marker + 8));
        return r;
}

static int on_grain(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        Vmdk *v = userdata;
        uint64_t sector = read_le32(entry),
                 visible = map_visible(w, v->table * v->entries + index, v->grain);

        if (sector <= 1 || visible == 0) /* 0: not there, 1: zeroes */
                return 0;
        if (v->compressed && v->markers) {
                int r = check_order(w, v, v->table * v->entries + index, sector);
                if (r < 0)
                        return r;
        }
        if (v->compressed)
                return on_compressed(w, v, sector * MAP_SECTOR);
        map_need(w, sector * MAP_SECTOR, visible);
        return 0;
}

static int on_table(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        Vmdk *v = userdata;
        uint64_t sector = read_le32(entry);

        v->table = index;
        return sector == 0 ? 0 : map_each(w, sector * MAP_SECTOR, v->entries, sizeof(uint32_t), on_grain, v);
}

static int walk_directory(MapWalk *w, Vmdk *v, uint64_t sector) {
        if (v->grain == 0 || v->grain > GRAIN_MAX || v->entries == 0 || v->entries > TABLE_MAX)
                return refuse(w->error, "its header gives grains of %ju bytes, %ju in a table",
                                (uintmax_t) v->grain, (uintmax_t) v->entries);
        if (sector > UINT64_MAX / MAP_SECTOR)
                return refuse(w->error, "its directory of grains is behind the end of any file");
        uint64_t n = map_divide_up(w->map.virtual_size, v->grain * v->entries);
        return map_each(w, sector * MAP_SECTOR, n, sizeof(uint32_t), on_table, v);
}

/* --- the footer of a streamOptimized extent -------------------------------------------------------- */

/* The last sector that is not all zeroes; 0 if there is none. Behind the footer comes a sector of zeroes,
 * and whatever a tool or a transfer has filled up the file with. */
static int last_sector(MapWalk *w, uint64_t *ret) {
        uint64_t n = map_divide_up(w->file->length, MAP_SECTOR), first = 0;
        char sector[MAP_SECTOR];

        if (w->file->length > PADDING_MAX)
                first = n - PADDING_MAX / MAP_SECTOR;
        for (*ret = n; *ret > first;) {
                uint64_t at = --*ret * MAP_SECTOR;
                size_t size = (size_t) MIN((uint64_t) sizeof(sector), w->file->length - at);
                int r = map_read(w, sector, size, at);
                if (r < 0)
                        return r;
                if (!memory_is_zero(sector, size))
                        return 0;
        }
        return 0;
}

static int read_footer(MapWalk *w, char *header) {
        char marker[MAP_SECTOR];
        uint64_t at;

        int r = last_sector(w, &at);
        if (r < 0)
                return r;
        at *= MAP_SECTOR;
        if (at < MAP_SECTOR || !map_holds(w, at, MAP_SECTOR))
                return refuse(w->error, "it is cut off: it does not end with a footer");
        r = map_read(w, marker, sizeof(marker), at - MAP_SECTOR);
        if (r >= 0)
                r = map_read(w, header, MAP_SECTOR, at);
        if (r < 0)
                return r;
        if (memcmp(header, "KDMV", 4) != 0 || read_le32(marker + 8) != 0 ||
                        read_le32(marker + 12) != VMDK_MARKER_FOOTER)
                return refuse(w->error, "it is cut off: it does not end with a footer");
        /* The sector of zeroes at the very end is part of it. */
        map_need(w, at, 2 * MAP_SECTOR);
        w->map.length = MIN(w->file->length, at + 2 * MAP_SECTOR);
        return 0;
}

static int walk_sparse(MapWalk *w) {
        char data[MAP_SECTOR];
        VmdkHeader h;

        int r = map_read(w, data, sizeof(data), 0);
        if (r >= 0 && read_le64(data + 56) == VMDK_AT_END)
                r = read_footer(w, data);
        if (r >= 0)
                r = vmdk_header_parse(data, &h, w->error);
        if (r < 0)
                return r;
        Vmdk v = {
                .grain = h.grain,
                .entries = h.entries,
                .compressed = h.compressed,
                .markers = h.markers,
        };
        w->map.virtual_size = h.capacity;
        return walk_directory(w, &v, h.directory);
}

/* The older kind of sparse extent, of ESX: snapshots on VMFS. */
static int walk_cowd(MapWalk *w) {
        char h[32];

        int r = map_read(w, h, sizeof(h), 0);
        if (r < 0)
                return r;
        Vmdk v = { .grain = (uint64_t) read_le32(h + 16) * MAP_SECTOR, .entries = TABLE_MAX };
        w->map.virtual_size = (uint64_t) read_le32(h + 12) * MAP_SECTOR;
        return walk_directory(w, &v, read_le32(h + 20));
}

int map_walk_vmdk(MapWalk *w) {
        char magic[4];

        if (w->file->length < sizeof(magic))
                return 0;
        int r = map_read(w, magic, sizeof(magic), 0);
        if (r < 0)
                return r;
        if (memcmp(magic, "KDMV", 4) == 0)
                return walk_sparse(w);
        return memcmp(magic, "COWD", 4) == 0 ? walk_cowd(w) : 0;
}
