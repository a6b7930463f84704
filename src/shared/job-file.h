/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the manager hands to a job's unit and what the unit hands back: small files in the job's own folder
 * STATEDIR "/jobs/<escaped id>/", nothing on the command line but that folder's path.
 *
 *   job.json      manager → unit   the plan (below)
 *   result.json   unit → manager   how the attempt ended (below); written by hyper-job run, so it is decoded
 * as hostile published     unit → manager   exists once the output has its final name (written by hyper-job
 * finish) cancelled     manager → unit   exists once the job is cancelled: finish then removes the
 * unfinished output
 */

#include "shared/job-spec.h"

typedef struct JobPlan {
        char *job_id;
        unsigned attempt; /* from 1 */
        JobSpec *spec; /* paths resolved: no symlink in them */
        char **source_files; /* FILE source: every file that is visible in the unit, the first is the image
                                itself */
        char *part_dir; /* FILE destination: "<dir>/.<name>.hyper-part", see src/job/README.md; else NULL */
} JobPlan;

JobPlan *job_plan_free(JobPlan *p);
DEFINE_CLEANUP_FUNC(JobPlan *, job_plan_free);
int job_plan_write(const JobPlan *p, const char *folder);
int job_plan_read(const char *folder, JobPlan **ret);

typedef enum JobOutcome {
        OUTCOME_COMPLETED,
        OUTCOME_FAILED, /* trying again cannot help: refused image, wrong checksum, wrong spec */
        OUTCOME_TRANSIENT, /* trying again may help: a dropped connection, a full disk, a vanished source */
        OUTCOME_CANCELLED, /* SIGTERM came */
        _OUTCOME_MAX,
        _OUTCOME_INVALID = -EINVAL,
} JobOutcome;

typedef struct JobResult {
        unsigned attempt;
        int outcome; /* JobOutcome */
        int phase; /* JobPhase in which it ended */
        char *message; /* for people: what was tried, on what, what went wrong */
        char *code; /* for programs: "checksum_mismatch", "image_refused", "no_space", … */
        json_t *outputs; /* [{"path","format","virtual_size","actual_size"}] */
        json_t *metrics; /* {"bytes_read","bytes_written","bytes_zero","duration_seconds",…} */
} JobResult;

JobResult *job_result_free(JobResult *r);
DEFINE_CLEANUP_FUNC(JobResult *, job_result_free);
int job_result_write(const JobResult *r, const char *folder);
/* -ENOENT: there is none; -EBADMSG: it makes no sense. */
int job_result_read(const char *folder, JobResult **ret);

const char *job_outcome_to_string(JobOutcome o) _pure_;
JobOutcome job_outcome_from_string(const char *s) _pure_;

/* The exit status of hyper-job run says the outcome too. */
#define JOB_EXIT_FAILED 1
#define JOB_EXIT_TRANSIENT 75 /* EX_TEMPFAIL */
#define JOB_EXIT_CANCELLED 79 /* not 143: systemd would take that for success */
