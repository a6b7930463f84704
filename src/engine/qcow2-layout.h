/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a qcow2 image is laid out (docs/interop/qcow2.txt of qemu), as far as we write it: version 3, clusters
 * of 64 KiB, refcounts of 16 bits, no backing file, no snapshots, no extensions. In our images the clusters
 * are, in this order:
 *
 *   header | refcount table | L1 table | data and L2 tables as they come, in ascending order of the disk |
 * refcount blocks
 *
 * Nothing here touches a file, except qcow2_walk(). */

#include "basic/macro.h"

#define QCOW2_CLUSTER_BITS 16
#define QCOW2_CLUSTER (UINT64_C(1) << QCOW2_CLUSTER_BITS)
#define QCOW2_L2_ENTRIES (QCOW2_CLUSTER / 8)
#define QCOW2_L2_COVERS (QCOW2_L2_ENTRIES * QCOW2_CLUSTER) /* 512 MiB of the disk */
#define QCOW2_REFCOUNTS (QCOW2_CLUSTER / 2) /* in a block: for 2 GiB of the file */
#define QCOW2_HEADER_SIZE 120

/* qemu's limit for the refcount table, 8 MiB, reaches for 2 PiB of file. */
#define QCOW2_SIZE_MAX (UINT64_C(1) << 50)

#define QCOW2_COPIED (UINT64_C(1) << 63) /* refcount is exactly one */
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_OFFSET_MASK UINT64_C(0x00fffffffffffe00)

static inline uint64_t round_up(uint64_t n, uint64_t to) {
        return (n + to - 1) / to * to;
}

typedef struct Qcow2Layout {
        uint64_t size; /* of the disk, in whole sectors */
        uint64_t refcount_table, refcount_table_clusters;
        uint64_t l1, l1_entries;
        uint64_t data; /* where the rest begins */
        bool zstd; /* compressed clusters are zstd, not zlib */
} Qcow2Layout;

/* For a disk of @size bytes. 0 or -EFBIG. */
int qcow2_layout(uint64_t size, Qcow2Layout *ret);

/* The file's first bytes. */
void qcow2_header(const Qcow2Layout *l, uint8_t ret[static QCOW2_HEADER_SIZE]);

/* An L2 entry for @size bytes of deflated data at @offset. */
uint64_t qcow2_compressed_entry(uint64_t offset, size_t size);

/* What an L2 entry points to: 1 with the first and last host cluster's number, 0 if to nothing, -EBADMSG if
 * it is none that we would write. */
int qcow2_entry_clusters(uint64_t entry, uint64_t *ret_first, uint64_t *ret_last);

/* Calls @visit for each L2 table and each of their entries in ascending order of the disk, with the numbers
 * of the host clusters that are referred to; @shared: others may refer to them too. @l1 is in the file's
 * byte order. 0, -EBADMSG if something lies outside [@layout->data, @end), or what reading or @visit gave.
 */
typedef int (*Qcow2Visit)(void *userdata, uint64_t first, uint64_t last, bool shared);
int qcow2_walk(int fd, const Qcow2Layout *layout, const uint64_t *l1, uint64_t end, Qcow2Visit visit,
                void *userdata);
