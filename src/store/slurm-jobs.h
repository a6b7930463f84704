/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Jobs that Slurm places (DEMAND_SLURM). Slurm has a job of its own for each, whose number is recorded here.
 * It says where and when a job runs; whether it runs, and how it has ended, is in the row of the job. */

#include "basic/time-util.h"
#include "spec/job-state.h"
#include "store/store.h"

typedef struct SlurmRow {
        char *id;
        JobState job_state;
        usec_t finished_at; /* of the job; 0: it is not */
        unsigned job_attempt, priority, timeout_seconds;
        uint64_t demand;
        char *limits; /* names in lines; NULL: it holds none */
        uint32_t number; /* of Slurm's job; 0: there is none, or it is over */
        char *state, *reason; /* what Slurm said last: "PENDING", "Licenses"; NULL: nothing */
        unsigned attempt; /* how many attempts the job had when Slurm was given it */
        unsigned failures; /* of Slurm's jobs, one after the other, in which no attempt began */
} SlurmRow;

typedef struct SlurmRows {
        SlurmRow *rows;
        size_t n;
} SlurmRows;

void slurm_row_done(SlurmRow *row);
void slurm_rows_done(SlurmRows *rows);

/* The job of this id, whatever its executor; -ENOENT. */
int store_slurm_get(Store *s, const char *id, SlurmRow *ret);
/* Records number, state, reason, attempt and failures of the job @row->id. */
int store_slurm_put(Store *s, const SlurmRow *row);
/* Those that have a number, and the first @limit ones of the queue that have none; if Slurm has refused all
 * of these, a few of them. */
int store_slurm_known(Store *s, SlurmRows *ret);
int store_slurm_next(Store *s, unsigned limit, SlurmRows *ret);

/* Adds for what a job of Slurm waits to the lines of *text; nothing if it does not @wait. 0 or negative
 * errno. */
int slurm_waits_text(Store *s, int64_t seq, bool waits, char **text);
