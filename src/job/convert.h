/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The work on one disk after another: copying it into its part folder or to a server, checking what came
 * out. All functions note failures in the job and return negative errno. */

#include "job/copy.h"
#include "job/part-folder.h"
#include "job/source.h"

typedef struct Conversion {
        Job *job; /* not owned */
        Source *source; /* not owned */
        const JobEndpoint *spec; /* the destination's, of the plan */
        int part_fd; /* the part folder; for an NBD destination the one that keeps its checkpoint */
        char *part_dir; /* its path; not owned */
        uint64_t sizes[PART_DISKS_MAX]; /* of the disks that are converted */
        uint64_t bytes_read, bytes_written, bytes_zero, resumed_from; /* sums */
} Conversion;

/* Finds out early that the destination's file system cannot hold the disks. */
int convert_check_space(Conversion *c);

/* Copies disk @disk (from 0), going on where an earlier attempt ended. */
int convert_disk(Conversion *c, size_t disk);

/* Checks the finished image of disk @disk with "qemu-img check"; with @compare it is read through another
 * server and compared with the source byte for byte. */
int verify_disk(Conversion *c, size_t disk, bool compare);

/* The unfinished (or finished) image of disk @disk as an image to open; image_done() it. */
int part_image(const Conversion *c, size_t disk, Image *ret);
