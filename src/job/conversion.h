/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A conversion under way: what copying, comparing and describing have in common. */

#include "engine/compare.h"
#include "engine/copy.h"
#include "job/connection.h"
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
        DiskFormat format; /* of the images that are written */
        bool stream; /* they are VMDKs for a package: compressed, and written from beginning to end */
        bool in_place; /* the destination is a disk that is there already: behind NBD, or a block device */
        int part_fd; /* the part directory; for an NBD destination the one that keeps its checkpoint */
        char *part_dir; /* its path; not owned */
        uint64_t sizes[PART_DISKS_MAX]; /* of the disks that are converted */
        Verification verified[PART_DISKS_MAX];
        uint64_t bytes_read, bytes_written, bytes_zero, resumed_from; /* sums */
} Conversion;

/* The unfinished (or finished) image of disk @disk as an image to open; image_done() it. */
int part_image(const Conversion *c, size_t disk, Image *ret);

/* What copying and comparing have in common: their progress becomes the job's, and what servers complain
 * about goes to the log. */
typedef struct ConvertProgress {
        Attempt *attempt;
        const char *what; /* "Converting disk format" */
        Connection *source, *destination;
        Source *tell; /* who is told how much is copied; NULL: nobody */
        struct ConvertSum *sum; /* of disks that are converted at a time; NULL: there is one */
        size_t disk; /* the one of the sum, from 0 */
        uint64_t position, rate; /* what is in the sum */
} ConvertProgress;

/* Several disks have one progress. */
typedef struct ConvertSum {
        uint64_t position, total, rate;
        size_t n_disks;
        uint64_t positions[PART_DISKS_MAX], totals[PART_DISKS_MAX]; /* of each */
} ConvertSum;
/* The details of an event: how far each disk is. NULL when out of memory. */
json_t *convert_sum_json(const ConvertSum *sum);
int convert_on_progress(const CopyProgress *p, void *userdata);

/* @one for the only disk, else "@many 2 of 3". NULL when out of memory. */
char *convert_step_name(const Conversion *c, const char *one, const char *many, size_t disk);

/* The bytes of all work on @total bytes of disks, for Report.work_total. */
uint64_t conversion_work(const Conversion *c, uint64_t total) _pure_;

/* That of fixing the guest, which is part of it. */
uint64_t conversion_guest_work(const Conversion *c, uint64_t total) _pure_;

/* Where disk @disk (from 0) grows in the part directory, from 1. */
unsigned conversion_place(const Conversion *c, size_t disk) _pure_;
