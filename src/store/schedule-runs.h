/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The runs of schedules. */

#include "store/store.h"

/* How a run stands: these, or the state its job ended in (COMPLETED, FAILED, CANCELLED). */
#define RUN_STARTING "starting" /* promised: its job is about to be submitted */
#define RUN_WAITING "waiting" /* for the end of the one before */
#define RUN_RUNNING "running" /* its job was submitted */
#define RUN_SKIPPED "skipped"
#define RUN_REFUSED "refused" /* its job could not be submitted */

typedef struct ScheduleRun {
        int64_t seq;
        char *schedule_id;
        usec_t started_at;
        char *job_id; /* NULL: skipped */
        char *status;
} ScheduleRun;

typedef struct ScheduleRuns {
        ScheduleRun *runs;
        size_t n;
} ScheduleRuns;
void schedule_runs_done(ScheduleRuns *runs);

/* A firing, in one transaction: the run (its job's id is promised with it; NULL if it is skipped) and what
 * is due after it. From then on the firing is served, whatever dies. *ret_seq is the run's. */
int store_schedule_fire(Store *s, const char *id, usec_t now, const char *job_id, const char *status,
                usec_t next_at, int64_t *ret_seq);
/* What became of a run. */
int store_schedule_run_change(
                Store *s, int64_t seq, const char *schedule_id, const char *job_id, const char *status);
int store_schedule_set_next(Store *s, const char *id, usec_t next_at);

/* How many of its runs go on, and how many wait. */
int store_schedule_busy(Store *s, const char *id, uint64_t *ret_running, uint64_t *ret_waiting);
/* Runs that are starting or waiting, oldest first; of one schedule or (NULL) of all. */
int store_schedule_runs_pending(Store *s, const char *id, ScheduleRuns *ret);
/* The last runs, newest first. */
int store_schedule_runs_list(Store *s, const char *id, uint64_t limit, ScheduleRuns *ret);
