/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "basic/fd-util.h"
#include "image/map-format.h"
#include "image/map-vhd.h"
#include "image/map-vhdx.h"
#include "job/layer-map.h"

#define VHD_FREE UINT32_MAX
#define VHDX_ZERO 2
#define VHDX_UNMAPPED 3
#define VHDX_PRESENT 6
#define VHDX_PARTIAL 7
#define VHDX_PLACE UINT64_C(0xfffffffffff00000)
#define VHDX_BITMAP (UINT64_C(1) << 20)

typedef struct HypervMap {
        LayerMap map;
        uint64_t length; /* of the file */
        bool is_vhdx;
        MapGeometry geometry;
        /* The block that was looked at last. */
        bool cached;
        uint64_t block;
        LayerKind kind; /* of all of it, unless it has a bitmap */
        uint64_t at; /* LAYER_DATA: where its first byte would be */
        bool has_bitmap; /* of its sectors: those whose bit is set are in the file */
        unsigned char *bitmap;
} HypervMap;

static HypervMap *hyperv_of(LayerMap *m) {
        return CONTAINER_OF(m, HypervMap, map);
}

static int read_file(HypervMap *h, void *buf, size_t size, uint64_t at) {
        if (at > h->length || size > h->length - at)
                return -EIO;
        return pread_full(h->map.fd, buf, size, at);
}

static size_t bitmap_size(const HypervMap *h) {
        return (size_t) map_divide_up(h->geometry.block / h->geometry.sector, 8);
}

/* VHD: the bitmap lies before the block, its first bit is the highest. */
static int load_vhd(HypervMap *h, uint64_t block) {
        char entry[4];

        int r = read_file(h, entry, sizeof(entry), h->geometry.table + block * sizeof(entry));
        if (r < 0)
                return r;
        uint64_t sector = read_be32(entry);
        h->kind = sector == VHD_FREE ? LAYER_BELOW : LAYER_DATA;
        h->has_bitmap = h->kind == LAYER_DATA;
        h->at = sector * MAP_SECTOR + h->geometry.bitmap;
        return h->has_bitmap ? read_file(h, h->bitmap, bitmap_size(h), sector * MAP_SECTOR) : 0;
}

/* VHDX: one bitmap of 1 MiB for each ratio blocks, whose entry follows theirs; its first bit is lowest. */
static int load_vhdx_bitmap(HypervMap *h, uint64_t block) {
        uint64_t chunk = block / h->geometry.ratio, inside = block % h->geometry.ratio;
        uint64_t index = chunk * (h->geometry.ratio + 1) + h->geometry.ratio;
        char entry[8];

        int r = read_file(h, entry, sizeof(entry), h->geometry.table + index * sizeof(entry));
        if (r < 0)
                return r;
        uint64_t e = read_le64(entry);
        if ((e & 7) != VHDX_PRESENT || (inside + 1) * bitmap_size(h) > VHDX_BITMAP)
                return -EBADMSG;
        return read_file(h, h->bitmap, bitmap_size(h), (e & VHDX_PLACE) + inside * bitmap_size(h));
}

static int load_vhdx(HypervMap *h, uint64_t block) {
        uint64_t index = block + block / h->geometry.ratio;
        char entry[8];

        int r = read_file(h, entry, sizeof(entry), h->geometry.table + index * sizeof(entry));
        if (r < 0)
                return r;
        uint64_t e = read_le64(entry), state = e & 7;
        h->kind = state == VHDX_PRESENT || state == VHDX_PARTIAL       ? LAYER_DATA
                        : state == VHDX_ZERO || state == VHDX_UNMAPPED ? LAYER_ZERO
                                                                       : LAYER_BELOW;
        h->has_bitmap = state == VHDX_PARTIAL;
        h->at = e & VHDX_PLACE;
        return h->has_bitmap ? load_vhdx_bitmap(h, block) : 0;
}

static bool is_set(const HypervMap *h, uint64_t sector) {
        unsigned bit = sector % 8;

        return h->bitmap[sector / 8] & (h->is_vhdx ? 1u << bit : 0x80u >> bit);
}

static int hyperv_find(LayerMap *m, uint64_t offset, uint64_t max, LayerRun *ret) {
        HypervMap *h = hyperv_of(m);
        uint64_t block = offset / h->geometry.block, inside = offset % h->geometry.block;
        uint64_t length = MIN(MIN(max, m->size - offset), h->geometry.block - inside);

        if (!h->cached || h->block != block) {
                h->cached = false;
                int r = h->is_vhdx ? load_vhdx(h, block) : load_vhd(h, block);
                if (r < 0)
                        return r;
                h->cached = true;
                h->block = block;
        }
        *ret = (LayerRun){ .kind = h->kind, .length = length, .at = h->at + inside };
        if (!h->has_bitmap)
                return 0;
        uint64_t sector = inside / h->geometry.sector, end = sector + 1;
        bool set = is_set(h, sector);
        while (end * h->geometry.sector < inside + length && is_set(h, end) == set)
                end++;
        ret->length = MIN(length, end * h->geometry.sector - inside);
        ret->kind = set ? LAYER_DATA : LAYER_BELOW;
        return 0;
}

static void hyperv_free(LayerMap *m) {
        free(hyperv_of(m)->bitmap);
        free(hyperv_of(m));
}

int layer_map_open(int fd, uint64_t length, DiskFormat format, LayerMap **ret, char **ret_error) {
        MapFile file = { .fd = fd, .length = length, .cancel_fd = -EBADF };
        MapWalk w = { .file = &file, .error = ret_error };
        HypervMap *h = new0(HypervMap, 1);

        if (!h)
                return -ENOMEM;
        *h = (HypervMap){
                .map = { .fd = -EBADF, .find = hyperv_find, .free = hyperv_free },
                .length = length,
                .is_vhdx = format == FORMAT_VHDX,
        };
        int r = h->is_vhdx ? map_vhdx_geometry(&w, &h->geometry) : map_vhd_geometry(&w, &h->geometry);
        if (r >= 0) {
                h->map.size = w.map.virtual_size;
                h->bitmap = malloc(bitmap_size(h));
                h->map.fd = h->bitmap ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -EBADF;
                r = !h->bitmap ? -ENOMEM : h->map.fd < 0 ? -errno : 0;
        }
        if (r < 0) {
                hyperv_free(&h->map);
                return r;
        }
        *ret = &h->map;
        return 0;
}
