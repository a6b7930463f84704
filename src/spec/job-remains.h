/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a warm job that has ended without a result has left on its source: from "hyper-job put-back", which
 * keeps it in the directory of the job, to the manager, which tries again, and shows it in the job's result.
 */

#include "basic/time-util.h"
#include "json/json-table.h"

#define JOB_REMAINS_FILE "remains"
#define JOB_REMAINS_MAX ((size_t) 64 * 1024)
/* For about a day. */
#define JOB_REMAINS_TRIES 30u

typedef struct JobRemains {
        unsigned tries; /* that were made, from 1 */
        usec_t next_at; /* of the next one */
        char *message; /* for people: what is left, why, and how it is removed by hand */
        bool snapshot; /* the job's snapshot is left */
        bool change_tracking; /* so is changed block tracking */
        bool powered_off; /* the virtual machine was shut down by the job, and is not started again */
} JobRemains;

JobRemains *job_remains_free(JobRemains *r);
DEFINE_CLEANUP_FUNC(JobRemains *, job_remains_free);
#define _cleanup_job_remains_ _cleanup_(job_remains_freep)

/* The pause after @tries: a minute, doubled up to an hour. */
usec_t job_remains_pause(unsigned tries) _pure_;

/* 0; -EBADMSG: malformed; -ENOMEM. */
int job_remains_decode(const char *text, size_t size, JobRemains **ret);

/* In the directory of a job. -ENOENT: there is none. */
int job_remains_read(const char *directory, JobRemains **ret);
int job_remains_write(const JobRemains *r, const char *directory);

/* For the result of the job: {"message", "snapshot", "change_tracking", "powered_off", "next_try"}; @next_at
 * 0: it is not tried again. */
json_t *job_remains_to_json(const JobRemains *r, usec_t next_at);
