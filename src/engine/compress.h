/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compressing the clusters of a qcow2 image, by several threads. */

#include "basic/macro.h"

typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_ZLIB, /* deflate with a window of 4 KiB, as every reader of qcow2 knows it */
        COMPRESSION_ZSTD, /* for readers that know the compression type of version 3 */
        _COMPRESSION_MAX,
} Compression;

/* "zlib", "zstd"; NULL for none. */
const char *compression_to_string(Compression c) _pure_;

typedef struct Compressor Compressor;

/* For clusters of @cluster bytes, at most 64 KiB. @kind is not COMPRESSION_NONE. */
int compressor_new(Compression kind, size_t cluster, Compressor **ret);
Compressor *compressor_free(Compressor *c);
DEFINE_CLEANUP_FUNC(Compressor *, compressor_free);

/* Clusters, packed. */
typedef struct Packed {
        char *data; /* one behind the other, without those that are stored as they are */
        uint32_t *sizes; /* of each: 0 if it is all zero, the cluster's size if it is stored as it is */
} Packed;
void packed_done(Packed *p);

/* Packs @length bytes, which begin with the cluster @first of the disk; what is missing of the last cluster
 * is zeroes. Any number of threads may call this at a time. 0 or negative errno. */
int compressor_pack(Compressor *c, uint64_t first, const char *data, size_t length, Packed *ret);
