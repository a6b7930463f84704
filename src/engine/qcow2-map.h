/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of a qcow2 image that is written in ascending order of the disk: where the next cluster goes,
 * and what has gone where. One L2 table is in memory at a time, so a disk of any size needs little: 64 KiB
 * for that table, and 64 KiB of L1 table for each 4 TiB of disk. All calls write synchronously; it is the
 * page cache that takes it, and a table is 64 KiB for 512 MiB of disk. */

#include "engine/qcow2-layout.h"

typedef struct Qcow2Map {
        int fd; /* not ours */
        Qcow2Layout layout;
        uint64_t next; /* the next free cluster's offset in the file */
        uint64_t pack; /* behind the last compressed data; more fits here unless this is a cluster's
                          beginning */

        uint64_t *l1, *l2; /* big-endian, as in the file */
        uint64_t l2_index; /* which table l2 is; UINT64_MAX: none */
        bool l2_dirty;
        uint64_t l1_dirty_from, l1_dirty_to; /* entries that the file does not have yet */
} Qcow2Map;

/* Begins a new image in @fd, whose content is thrown away. 0 or negative errno. */
int qcow2_map_create(Qcow2Map *m, int fd, uint64_t size);

/* Goes on with one that was interrupted: everything from @watermark of the disk on, and from @next of the
 * file on, is thrown away. -EBADMSG if the file does not hold what it should. */
int qcow2_map_resume(Qcow2Map *m, int fd, uint64_t size, uint64_t watermark, uint64_t next, uint64_t pack);

void qcow2_map_done(Qcow2Map *m);

/* Puts the cluster of the disk at @offset, which none was put to before and which is behind all others, into
 * the file: as it is, or compressed to @size bytes. *ret is where the data has to be written. */
int qcow2_map_put(Qcow2Map *m, uint64_t offset, uint64_t *ret);
int qcow2_map_put_compressed(Qcow2Map *m, uint64_t offset, size_t size, uint64_t *ret);

/* Writes tables that the file does not have yet. 0 or negative errno. */
int qcow2_map_write(Qcow2Map *m);

/* Writes all that makes the file an image and makes it last; the header comes last. -EBADMSG if the tables
 * do not hold together. */
int qcow2_map_finish(Qcow2Map *m);
