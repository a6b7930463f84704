/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where each job that is in memory stands, so that what is asked for with every call (the next job, a retry
 * that is due, who writes to a file) is found without walking through all of them: a hundred thousand may
 * wait. */

#include <sys/queue.h>

#include "basic/prioq.h"
#include "manager/job.h"

TAILQ_HEAD(JobList, Job);

/* The jobs that hold the same limits (store/limits.h) while they run: the first one waits for them, and those
 * behind it, too. */
typedef struct JobClass {
        int64_t limit_set;
        Prioq own; /* QUEUED, for this machine; in the order in which they are to start */
        Prioq shared; /* QUEUED, for any worker, and this machine could do it; likewise */
        size_t n_jobs; /* wherever they stand */
        UT_hash_handle hh;
} JobClass;

typedef struct JobIndex {
        JobClass *classes;
        Prioq later; /* of those, the ones this machine could not do, by when it looks again */
        Prioq retrying; /* RETRYING, by when they are due */
        Prioq waiting; /* QUEUED, between the passes of a warm job, or on hold (job-hold.h); likewise */
        struct JobList deciding; /* QUEUED and on hold, and their time has come */
        struct JobList looked_at; /* QUEUED, and about to start here: their paths are being looked at */
        struct JobList here; /* ASSIGNED or RUNNING on this machine */
        struct JobList held; /* the same, by workers */
        struct JobList ending; /* finished, but something of them still runs */
        JobDestination *destinations; /* of those that are not finished */
        size_t n_jobs;
} JobIndex;

void job_index_init(JobIndex *p);
/* Forgets the jobs. */
void job_index_done(JobIndex *p);
/* Makes room for one more job, so that job_index_put() cannot fail. 0 or -ENOMEM. */
int job_index_add(JobIndex *p, Job *j);

/* Puts @j where it belongs, from where it was: to be called when its state or look_again_at has changed. */
void job_index_put(JobIndex *p, Job *j, usec_t now);
/* Takes it out. */
void job_index_remove(JobIndex *p, Job *j);

/* The job that is not finished and writes to @destination, or NULL. */
Job *job_index_by_destination(const JobIndex *p, const char *destination);
