/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens to jobs and schedules, for the clients of a WebSocket: each change of a job is told, but not
 * more often than a dialect allows. The last one is never left out. */

#include <uthash.h>

#include "api/stream/event-hub.h"
#include "store/jobs.h"

#define JOB_FEED_PER_SECOND_MAX 10u

/* A job of which something was heard lately. */
typedef struct FeedJob {
        char *id;
        bool pending; /* its clients have not been told of the last change */
        usec_t told[JOB_FEED_PER_SECOND_MAX]; /* monotonic: when its last updates were sent */
        unsigned n_told; /* how many there were */
        usec_t heard; /* monotonic */
        /* What it said last, which the database learns within a second. */
        bool has_progress;
        JobPhase phase;
        double percent;
        uint64_t bytes_done, bytes_total, rate;
        usec_t realtime;
        UT_hash_handle hh;
} FeedJob;

typedef struct JobFeedOps {
        unsigned per_second; /* for one job: in any second, at most JOB_FEED_PER_SECOND_MAX */
        /* Tells of a change. With a negative errno other than -ENOENT it is called again. */
        int (*on_job)(const FeedJob *j, void *userdata);
        void (*on_schedule)(const ScheduleEvent *event, void *userdata);
} JobFeedOps;

typedef struct JobFeed JobFeed;

/* 0 or negative errno: the journal cannot be followed. @ops must live as long as it. */
int job_feed_new(Api *a, const JobFeedOps *ops, void *userdata, JobFeed **ret);
JobFeed *job_feed_free(JobFeed *f);
DEFINE_CLEANUP_FUNC(JobFeed *, job_feed_free);

/* To be called now and then: forgets jobs of which nothing was heard. @now is monotonic. */
void job_feed_forget(JobFeed *f, usec_t now);

/* The row as the database has it, with what the job itself has said since. */
void feed_job_add_progress(const FeedJob *j, JobRow *row);
