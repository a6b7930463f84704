/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Token buckets, one for each client: a request takes a token, tokens come back at a steady rate, up to so
 * many. A client is told by any bytes that name it.
 *
 * A bucket is one number: when it will be full again (the "theoretical arrival time" of the generic cell
 * rate algorithm, ITU-T I.371, annex A). A full bucket is as good as none, so a table of fixed size forgets
 * nothing that matters until more clients at once are short of tokens than it has places; then those are
 * forgotten that are nearest to full. What a stranger sends costs no memory beyond it. */

#include "basic/time-util.h"

typedef struct RateLimit {
        unsigned per_minute; /* 0: no limit */
        unsigned burst; /* how many a full bucket holds, at least 1 */
        usec_t interval; /* until a token comes back; 0: by per_minute */
} RateLimit;

typedef struct RateVerdict {
        bool allowed;
        unsigned limit, remaining; /* tokens: of a full bucket, and those that are left */
        usec_t full_in; /* until the bucket is full again */
        usec_t wait; /* until there is a token; 0 if there is one */
} RateVerdict;

typedef struct RateTable RateTable;

/* Room for @n clients, rounded up. 0, -ENOMEM, or what getrandom(2) fails with. */
int rate_table_new(size_t n, RateTable **ret);
RateTable *rate_table_free(RateTable *t);
DEFINE_CLEANUP_FUNC(RateTable *, rate_table_free);

/* Takes a token out of the bucket of the client that @name (@size bytes) stands for, if there is one. @now
 * is monotonic. */
RateVerdict rate_table_take(RateTable *t, const void *name, size_t size, const RateLimit *limit, usec_t now);
/* The same without taking it. */
RateVerdict rate_table_look(RateTable *t, const void *name, size_t size, const RateLimit *limit, usec_t now);
/* Puts one token back, or all of them. */
void rate_table_give(RateTable *t, const void *name, size_t size, const RateLimit *limit);
void rate_table_fill(RateTable *t, const void *name, size_t size);

/* Whole seconds, rounded up: for headers. */
static inline uint64_t usec_to_seconds_up(usec_t t) {
        return (t + USEC_PER_SEC - 1) / USEC_PER_SEC;
}
