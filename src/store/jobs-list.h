/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of jobs, and how many there are. */

#include "store/jobs.h"

typedef struct JobRows {
        JobRow **rows;
        size_t n;
        uint64_t total; /* how many match without limit and offset */
} JobRows;
void job_rows_done(JobRows *rows);

typedef enum JobOrder {
        JOB_ORDER_NEWEST, /* seq, descending */
        JOB_ORDER_OLDEST,
        JOB_ORDER_QUEUE, /* priority descending, then seq: the order in which they will run */
} JobOrder;

typedef struct JobFilter {
        uint32_t states; /* bit mask of 1u << JobState; 0: all */
        char *const *ids; /* strv; NULL: all */
        const char *workflow_id; /* only those of this workflow, newest first and without ids; NULL: all */
        JobOrder order;
        uint64_t limit; /* 0: no limit */
        uint64_t offset;
        int64_t before; /* only JOB_ORDER_NEWEST: those with a lower seq; 0: all. The total is that of all. */
} JobFilter;

/* Fast at 100,000 jobs: total comes from a counter when only states are filtered. */
int store_jobs_list(Store *s, const JobFilter *filter, JobRows *ret);

/* The first @limit jobs that wait for a low carbon intensity, in the order of their arrival. */
int store_jobs_on_hold(Store *s, uint64_t limit, JobRows *ret);

/* How many jobs in @state have ended since @since. */
int store_jobs_count_ended(Store *s, JobState state, usec_t since, uint64_t *ret);

/* How many jobs there are in each state, from the counters. */
int store_jobs_count(Store *s, uint64_t ret[static _JOB_STATE_MAX]);
