/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Compares two disks byte for byte: the first one says what is data and what is zero, the second one is
 * read. */

#include "engine/copy.h"

/* How much is read of what the first disk calls data, or zero. */
typedef enum CompareDepth {
        COMPARE_ALL, /* every byte of both disks */
        COMPARE_SAMPLE, /* of each run the first and the last block of 64 KiB, and of the rest one block in
                           64, or fewer on a disk so large that this would be more than some 4096 blocks;
                           always the same ones */
        COMPARE_TRUST, /* what both disks call zero is not read */
} CompareDepth;

/* Called for each block of EXTENT_BLOCK bytes (less at the end of the disk) that differs, in ascending order.
 * A negative errno ends the comparison with it. */
typedef int (*compare_difference_func)(uint64_t offset, uint64_t length, void *userdata);

typedef struct CompareMode {
        compare_difference_func difference; /* the comparison goes on behind a difference; NULL: it ends */
        void *userdata;
        CompareDepth data, zeroes;
        uint64_t end; /* 0: the end of the longer disk */
} CompareMode;

typedef struct CompareReport {
        uint64_t data; /* bytes that the first disk calls data, and that were read from both */
        uint64_t zeroes; /* bytes that it calls zero, and that were read from at least the second one */
        uint64_t skipped; /* bytes that were not read */
} CompareReport;

/* With CompareMode.difference, 0 and the first difference are returned after all of the disk was compared.
 *
 * Takes progress, cancel, stall timeout and request sizes from @options; total is the longer disk's size,
 * and what one disk has behind the other's end must be zero (images are rounded up to whole sectors).
 * Returns 1 if they are equal, 0 if not, with the first byte that differs in *ret_offset, negative errno
 * with *ret_error (caller frees) if they could not be read. *ret_report may be NULL. */
int compare_disks(Endpoint *a, Endpoint *b, const CopyOptions *options, const CompareMode *mode,
                CompareReport *ret_report, uint64_t *ret_offset, char **ret_error);

/* All data, and what both call zero is trusted. */
int compare_run(Endpoint *a, Endpoint *b, const CopyOptions *options, uint64_t *ret_offset,
                char **ret_error);
