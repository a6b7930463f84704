/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The work on one disk after another: copying it into its part directory or to a server. All functions note
 * failures in the job and return negative errno. */

#include "engine/compare.h"
#include "engine/copy.h"
#include "job/part-directory.h"
#include "job/read-back.h"
#include "job/source.h"

/* How a result was compared with its source. */
typedef struct Verification {
        int verify; /* JobVerify; VERIFY_OFF: not at all */
        ReadBack read_back;
        CompareReport report;
} Verification;

typedef struct Conversion {
        Attempt *attempt; /* not owned */
        Source *source; /* not owned */
        const JobEndpoint *spec; /* the destination's, of the plan */
        bool in_place; /* the destination is a disk that is there already: behind NBD, or a block device */
        int part_fd; /* the part directory; for an NBD destination the one that keeps its checkpoint */
        char *part_dir; /* its path; not owned */
        uint64_t sizes[PART_DISKS_MAX]; /* of the disks that are converted */
        Verification verified[PART_DISKS_MAX];
        uint64_t bytes_read, bytes_written, bytes_zero, resumed_from; /* sums */
} Conversion;

/* Finds out early that the destination's file system cannot hold the disks. */
int convert_check_space(Conversion *c);
/* What it says: the @source takes so many bytes, of which so many are @written, and @available are free.
 * @sure: it cannot fit; otherwise it may not. NULL when out of memory. */
char *convert_space_text(const char *path, uint64_t source, uint64_t written, uint64_t available, bool sure);

/* Copies disk @disk (from 0), going on where an earlier attempt ended. */
int convert_disk(Conversion *c, size_t disk);

/* The unfinished (or finished) image of disk @disk as an image to open; image_done() it. */
int part_image(const Conversion *c, size_t disk, Image *ret);

/* What copying and comparing have in common: their progress becomes the job's, and what servers complain
 * about goes to the log. */
typedef struct ConvertProgress {
        Attempt *attempt;
        const char *what; /* "Converting disk format" */
        Connection *source, *destination;
} ConvertProgress;
int convert_on_progress(const CopyProgress *p, void *userdata);

/* @one for the only disk, else "@many 2 of 3". NULL when out of memory. */
char *convert_step_name(const Conversion *c, const char *one, const char *many, size_t disk);
