/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The maps of image files: where the tables of a format say that the disk's data are. qemu reads what lies
 * behind the end of a file as zeroes, so an image that was cut off would become a disk whose end is empty.
 * Therefore the tables are read before anything is copied, and every cluster, grain and block that they map
 * must end inside the file. Only tables are read, one after the other, in pieces. */

#include "basic/macro.h"
#include "spec/job-spec.h"

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

/* Reads the tables of a file of @format: FORMAT_VMDK stands for one sparse extent. Formats without tables
 * (raw) give a map that is all zero but for its length. 0; -EBADMSG with a text: refused; -ECANCELED;
 * another errno: reading failed. */
int map_walk(DiskFormat format, const MapFile *file, Map *ret, char **ret_error);
