/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/vmdk-header.h"

#include <inttypes.h>

#include "basic/byte-order.h"
#include "image/refusal.h"

#define FLAG_COMPRESSED (UINT32_C(1) << 16)
#define FLAG_MARKERS (UINT32_C(1) << 17)
#define VERSION_MAX 3u
#define SECTOR UINT64_C(512)
#define GRAIN_MAX (UINT64_C(128) << 20)

/* In bytes; a number of sectors that is too large for that is no place in any file. */
static uint64_t bytes(const char *field) {
        uint64_t sectors = read_le64(field);

        return sectors > UINT64_MAX / SECTOR ? UINT64_MAX : sectors * SECTOR;
}

int vmdk_header_parse(const char *h, VmdkHeader *ret, char **ret_error) {
        uint64_t capacity = read_le64(h + 12), grain = read_le64(h + 20);
        uint32_t flags = read_le32(h + 8);

        if (capacity > IMAGE_SIZE_MAX / SECTOR || grain > GRAIN_MAX / SECTOR)
                return refuse(ret_error,
                                "its header gives a disk of %" PRIu64 " sectors, in grains of %" PRIu64,
                                capacity, grain);
        if (read_le32(h + 4) < 1 || read_le32(h + 4) > VERSION_MAX)
                return refuse(ret_error, "its header is damaged: it is of version %u", read_le32(h + 4));
        /* The bytes at 73 are other ones after a transfer that changes the ends of lines. Some programs
         * leave them out. */
        if (memcmp(h + 73, "\n \r\n", 4) != 0 && read_le32(h + 73) != 0)
                return refuse(ret_error, "it is damaged: it was transferred as if it were text");
        if (read_le16(h + 77) != (flags & FLAG_COMPRESSED ? 1 : 0))
                return refuse(ret_error, "its header is damaged: it names the kind of compression %u",
                                read_le16(h + 77));
        *ret = (VmdkHeader){
                .capacity = capacity * SECTOR,
                .grain = grain * SECTOR,
                .descriptor = bytes(h + 28),
                .descriptor_size = bytes(h + 36),
                .overhead = bytes(h + 64),
                .directory = read_le64(h + 56),
                .entries = read_le32(h + 44),
                .compressed = flags & FLAG_COMPRESSED,
                .markers = flags & FLAG_MARKERS,
        };
        return 0;
}
