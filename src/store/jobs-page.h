/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pages of jobs in any order, with filters, as the v1 API has them. Jobs that have ended are in one index for
 * each order; those that have not, which are few, are sorted. */

#include "store/jobs.h"

/* What v1 calls the states. */
typedef enum JobStatus {
        STATUS_CANCELLED,
        STATUS_COMPLETED,
        STATUS_FAILED,
        STATUS_QUEUED, /* all that have not ended, and do not run */
        STATUS_RUNNING,
        _STATUS_MAX,
        _STATUS_INVALID = -EINVAL,
} JobStatus;

const char *job_status_to_string(int s) _pure_;
int job_status_from_string(const char *s) _pure_;
JobStatus job_status_of_state(JobState state) _pure_;

/* Where a job reads from. */
typedef enum JobProvider {
        PROVIDER_LIBVIRT,
        PROVIDER_LOCAL,
        PROVIDER_NBD,
        PROVIDER_VSPHERE,
        _PROVIDER_MAX,
        _PROVIDER_INVALID = -EINVAL,
} JobProvider;

const char *job_provider_to_string(int p) _pure_;
int job_provider_from_string(const char *s) _pure_;

typedef enum JobSort {
        SORT_CREATED_AT,
        SORT_UPDATED_AT,
        SORT_STARTED_AT,
        SORT_COMPLETED_AT,
        SORT_STATUS,
        SORT_TYPE,
        SORT_PROVIDER,
        SORT_VM_NAME,
        SORT_PROGRESS,
        SORT_PRIORITY,
        SORT_ID,
        _SORT_MAX,
        _SORT_INVALID = -EINVAL,
} JobSort;

int job_sort_from_string(const char *s) _pure_;

typedef struct JobPageFilter {
        uint32_t statuses, providers; /* masks of 1u << value; 0: all */
        const char *types; /* "convert,export"; NULL: all */
        usec_t after, before; /* created_at, exclusive; 0: any time */
        const char *search; /* in the ID, the name, the source or the output; ASCII letters of either case */
        JobSort sort;
        bool descending; /* ties are in the same order, by ID; jobs without a value are last in any case */
        uint64_t offset, limit;
} JobPageFilter;

/* A job as v1 describes it. */
typedef struct JobPageRow {
        JobRow *row;
        char *type; /* the operation; "export" for a conversion of a provider's machine */
        char *provider;
        char *name; /* of the machine; of the file, without its extension */
} JobPageRow;

typedef struct JobPageRows {
        JobPageRow *rows;
        size_t n;
        uint64_t total; /* that match, on all pages */
} JobPageRows;
void job_page_rows_done(JobPageRows *rows);

int store_jobs_page(Store *s, const JobPageFilter *filter, JobPageRows *ret);
/* The first @limit of those in @states (a mask of 1u << JobState), in the reverse order of their arrival, by
 * an index. The total is not counted. */
int store_jobs_page_newest(Store *s, uint32_t states, uint64_t limit, JobPageRows *ret);
/* One job, as the only row. -ENOENT. */
int store_jobs_page_get(Store *s, const char *id, JobPageRows *ret);
