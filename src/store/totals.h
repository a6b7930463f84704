/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sums over all jobs there ever were, kept up by the database itself at each job's end, so that they cost
 * nothing to read. */

#include "store/store.h"

/* Upper ends of the buckets of a migration's duration, in seconds; the last is +Inf. */
#define DURATION_BUCKETS 6
extern const double duration_buckets[DURATION_BUCKETS];

typedef struct JobTotals {
        uint64_t durations[DURATION_BUCKETS]; /* jobs that ended within so many seconds, cumulative */
        double duration_sum; /* seconds; of all jobs that were started and have ended */
        uint64_t bytes; /* that jobs which have ended had worked on */
        uint64_t warm_passes; /* of warm jobs, that are complete */
        uint64_t warm_cutovers; /* that are complete */
        double warm_downtime; /* seconds; the sum of theirs */
} JobTotals;

int store_job_totals(Store *s, JobTotals *ret);
