/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the readers of the formats, map-*.c, share. */

#include "basic/byte-order.h"
#include "basic/string-util.h"

#define MAP_SECTOR 512u

/* A file, or a member of an archive. */
typedef struct MapFile {
        int fd;
        uint64_t offset, length; /* of the image in the file */
        int cancel_fd; /* readable: stop; negative: none */
} MapFile;

typedef struct Map {
        uint64_t virtual_size; /* of the disk, as the header says; 0: it does not say */
        uint64_t end; /* behind the last byte that is mapped */
        uint64_t length; /* what belongs to the image; less than the file's if padding follows */
        bool differencing; /* vhd, vhdx: it is on top of another image */
        bool flat; /* vhd: fixed, the disk is the first bytes of the file */
        bool has_log; /* vhdx: a log must be replayed first; the rest is not filled then */
} Map;

typedef struct MapWalk {
        const MapFile *file;
        Map map;
        char **error; /* for refuse() */
} MapWalk;

/* The bytes from @at on, @size of them, belong to the image. */
void map_need(MapWalk *w, uint64_t at, uint64_t size);

static inline bool map_holds(const MapWalk *w, uint64_t at, uint64_t size) {
        return at <= w->file->length && size <= w->file->length - at;
}

/* Reads bytes that must be there, else the image is refused as cut off. */
int map_read(MapWalk *w, void *buf, size_t size, uint64_t at);

/* -EBADMSG with a text if what is mapped does not end inside the file. */
int map_check_end(const MapWalk *w);

/* Calls @entry for each entry of a table of @n entries of @width bytes at @at. What lies behind the end of
 * the file is noted as missing, and not read. */
typedef int (*MapEntry)(MapWalk *w, uint64_t index, const char *entry, void *userdata);
int map_each(MapWalk *w, uint64_t at, uint64_t n, size_t width, MapEntry entry, void *userdata);

/* How much of the block @index, of @block bytes, is part of the disk; the last one may be cut. */
static inline uint64_t map_visible(const MapWalk *w, uint64_t index, uint64_t block) {
        uint64_t start;

        if (__builtin_mul_overflow(index, block, &start) || start >= w->map.virtual_size)
                return 0;
        return MIN(block, w->map.virtual_size - start);
}

static inline uint64_t map_divide_up(uint64_t a, uint64_t b) {
        return a / b + (a % b != 0);
}

/* Where a VHD or VHDX has its blocks. */
typedef struct MapGeometry {
        uint64_t table; /* of blocks, in the file */
        uint64_t block; /* bytes */
        uint64_t bitmap; /* vhd: bytes before each block */
        uint64_t ratio; /* vhdx: blocks for each bitmap */
        uint32_t sector; /* bytes */
} MapGeometry;
