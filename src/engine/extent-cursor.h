/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Walks through a disk's extents from a point to its end, asking ahead, in steps of whole blocks of
 * EXTENT_BLOCK bytes: a block is zero when all of it is known to be. That keeps requests aligned for every
 * NBD server (the largest minimum block size is 64 KiB), fills whole qcow2 clusters, and does not tear reads
 * apart for a few empty sectors; zeroes inside a block are found in the data. */

#include "engine/endpoint.h"

#define EXTENT_BLOCK ((uint64_t) 65536)

typedef struct ExtentCursor {
        Endpoint *endpoint;
        uint64_t end; /* of the walk; behind the endpoint's size all is zero */

        Extent *runs; /* what is known and not passed yet, in blocks */
        size_t first, n, allocated;
        uint64_t position; /* where runs[first] begins */
        uint64_t covered; /* where the last run ends */

        uint64_t asked; /* answers have come up to here, to the byte */
        uint64_t ask_length; /* for the next question; grows while the answers are simple */
        bool waiting; /* for an answer */
        bool no_extents; /* the server cannot say: all is data */
        int error;
} ExtentCursor;

/* @position is a multiple of EXTENT_BLOCK, or @end. */
void extent_cursor_init(ExtentCursor *c, Endpoint *endpoint, uint64_t position, uint64_t end);
/* Only when no answer is awaited, or after the endpoint is gone. */
void extent_cursor_done(ExtentCursor *c);

/* Asks for more if little is known ahead and no answer is awaited. 0 or negative errno. */
int extent_cursor_prefetch(ExtentCursor *c);

/* 1: the next run is *ret; 0: not known yet; negative errno. At the end of the walk: 1 and length 0. */
int extent_cursor_peek(const ExtentCursor *c, Extent *ret);

/* Goes on by @length, at most what peek said. */
void extent_cursor_advance(ExtentCursor *c, uint64_t length);
