/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* VHDX, [MS-VHDX]: two headers of which the newer one counts, two copies of a table of regions; the region
 * of metadata says how large the disk is, the other holds the table of blocks. */

#include "image/map-vhdx.h"
#include "image/refusal.h"

#define HEADER_SIZE 4096u
#define REGIONS_SIZE 65536u
#define METADATA_SIZE 65536u
#define BITMAP_SIZE (UINT64_C(1) << 20)
#define BLOCK_MIN (UINT64_C(1) << 20)
#define BLOCK_MAX (UINT64_C(1) << 28)
#define ENTRIES_MAX 2047u
#define REQUIRED 1u /* of a region's flags */
#define REGION_UNIT (UINT64_C(1) << 20)
#define PLACE_MASK UINT64_C(0xfffffffffff00000)

static const char bat_guid[] = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
static const char metadata_guid[] = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
static const char file_guid[] = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
static const char size_guid[] = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
static const char sector_guid[] = "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f";

/* CRC-32C, Castagnoli, as RFC 3720 has it. The sum's own place counts as zeroes. */
static uint32_t crc32c(const char *data, size_t size) {
        uint32_t crc = 0xffffffff;

        for (size_t i = 0; i < size; i++) {
                crc ^= i >= 4 && i < 8 ? 0 : (unsigned char) data[i];
                for (int k = 0; k < 8; k++)
                        crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
        return ~crc;
}

static bool is_sealed(const char *data, size_t size, const char *signature) {
        return memcmp(data, signature, 4) == 0 && crc32c(data, size) == read_le32(data + 4);
}

/* 1: there is a log to replay. */
static int read_headers(MapWalk *w) {
        char h[HEADER_SIZE];
        uint64_t newest = 0;
        bool found = false, log = false;

        for (uint64_t at = 65536; at <= 131072; at += 65536) {
                int r = map_read(w, h, sizeof(h), at);
                if (r < 0)
                        return r;
                if (!is_sealed(h, sizeof(h), "head") || (found && read_le64(h + 8) < newest))
                        continue;
                found = true;
                newest = read_le64(h + 8);
                log = memcmp(h + 48, (char[16]){}, 16) != 0;
        }
        if (!found)
                return refuse(w->error, "both of its headers are damaged");
        return log;
}

typedef struct Region {
        uint64_t at, size;
} Region;

static int read_regions(MapWalk *w, Region *ret_bat, Region *ret_metadata) {
        _cleanup_free_ char *t = malloc(REGIONS_SIZE);
        bool good = false;

        if (!t)
                return -ENOMEM;
        for (uint64_t at = 196608; at <= 262144 && !good; at += 65536) {
                int r = map_read(w, t, REGIONS_SIZE, at);
                if (r < 0)
                        return r;
                good = is_sealed(t, REGIONS_SIZE, "regi") && read_le32(t + 8) <= ENTRIES_MAX;
        }
        if (!good)
                return refuse(w->error, "both of its tables of regions are damaged");
        *ret_bat = *ret_metadata = (Region){};
        for (uint32_t i = 0; i < read_le32(t + 8); i++) {
                const char *e = t + 16 + (size_t) i * 32;
                Region region = { .at = read_le64(e + 16), .size = read_le32(e + 24) }, *of = NULL;
                if (memcmp(e, bat_guid, 16) == 0)
                        of = ret_bat;
                else if (memcmp(e, metadata_guid, 16) == 0)
                        of = ret_metadata;
                else if (read_le32(e + 28) & REQUIRED)
                        return refuse(w->error, "its table of regions names one that is not known");
                if (!of)
                        continue;
                if (of->size > 0)
                        return refuse(w->error, "its table of regions names one twice");
                if (region.at < REGION_UNIT || region.at % REGION_UNIT != 0 ||
                                region.size % REGION_UNIT != 0)
                        return refuse(w->error, "its table of regions names one at no whole MiB");
                *of = region;
                map_need(w, region.at, region.size);
        }
        if (ret_bat->size == 0 || ret_metadata->size == 0)
                return refuse(w->error, "its table of regions names no table of blocks, or no metadata");
        return 0;
}

/* @size bytes of the item that is called @guid. */
static int read_item(MapWalk *w, const Region *metadata, const char *table, const char *guid, void *buf,
                size_t size, const char *what) {
        for (uint32_t i = 0; i < read_le16(table + 10); i++) {
                const char *e = table + 32 + (size_t) i * 32;
                if (memcmp(e, guid, 16) != 0)
                        continue;
                uint64_t at = read_le32(e + 16);
                if (at < METADATA_SIZE || read_le32(e + 20) < size || at + size > metadata->size)
                        break;
                return map_read(w, buf, size, metadata->at + at);
        }
        return refuse(w->error, "its metadata do not give %s", what);
}

static int read_metadata(MapWalk *w, const Region *metadata, MapGeometry *ret) {
        _cleanup_free_ char *t = malloc(METADATA_SIZE);
        char file[8], size[8], sector[4];

        if (!t)
                return -ENOMEM;
        int r = map_read(w, t, METADATA_SIZE, metadata->at);
        if (r < 0)
                return r;
        if (memcmp(t, "metadata", 8) != 0 || read_le16(t + 10) > ENTRIES_MAX)
                return refuse(w->error, "its metadata are damaged");
        r = read_item(w, metadata, t, file_guid, file, sizeof(file), "the size of a block");
        if (r >= 0)
                r = read_item(w, metadata, t, size_guid, size, sizeof(size), "the size of the disk");
        if (r >= 0)
                r = read_item(w, metadata, t, sector_guid, sector, sizeof(sector), "the size of a sector");
        if (r < 0)
                return r;
        w->map.differencing = read_le32(file + 4) & 2;
        *ret = (MapGeometry){ .block = read_le32(file), .sector = read_le32(sector) };
        w->map.virtual_size = read_le64(size);
        if (ret->block < BLOCK_MIN || ret->block > BLOCK_MAX || (ret->block & (ret->block - 1)) != 0)
                return refuse(w->error, "its metadata give blocks of %ju bytes", (uintmax_t) ret->block);
        if (ret->sector != 512 && ret->sector != 4096)
                return refuse(w->error, "its metadata give sectors of %u bytes", ret->sector);
        ret->ratio = (UINT64_C(1) << 23) * ret->sector / ret->block;
        return 0;
}

/* After each ratio blocks comes an entry for the bitmap of their sectors, which only differencing disks
 * use. */
static int on_block(MapWalk *w, uint64_t index, const char *entry, void *userdata) {
        const MapGeometry *v = userdata;
        uint64_t e = read_le64(entry), of_bitmap = index % (v->ratio + 1);

        if (of_bitmap == v->ratio && w->map.differencing && (e & 7) == 6)
                map_need(w, e & PLACE_MASK, BITMAP_SIZE);
        if (of_bitmap == v->ratio || ((e & 7) != 6 && (e & 7) != 7))
                return 0;
        map_need(w, e & PLACE_MASK, map_visible(w, index / (v->ratio + 1) * v->ratio + of_bitmap, v->block));
        return 0;
}

/* How many entries the table of blocks has: that of the last bitmap counts for differencing disks only. */
static uint64_t count_entries(const MapWalk *w, const MapGeometry *v) {
        uint64_t blocks = map_divide_up(w->map.virtual_size, v->block);

        if (blocks == 0)
                return 0;
        return w->map.differencing ? map_divide_up(blocks, v->ratio) * (v->ratio + 1)
                                   : blocks + (blocks - 1) / v->ratio;
}

int map_vhdx_geometry(MapWalk *w, MapGeometry *ret) {
        Region bat, metadata;
        MapGeometry v;

        int r = read_regions(w, &bat, &metadata);
        if (r >= 0)
                r = read_metadata(w, &metadata, &v);
        if (r < 0)
                return r;
        if (count_entries(w, &v) > bat.size / sizeof(uint64_t))
                return refuse(w->error, "its metadata give a disk that is larger than its table of blocks");
        v.table = bat.at;
        *ret = v;
        return 0;
}

int map_walk_vhdx(MapWalk *w) {
        MapGeometry v;

        int r = read_headers(w);
        if (r > 0) {
                w->map.has_log = true;
                return 0;
        }
        if (r >= 0)
                r = map_vhdx_geometry(w, &v);
        return r < 0 ? r : map_each(w, v.table, count_entries(w, &v), sizeof(uint64_t), on_block, &v);
}
