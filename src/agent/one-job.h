/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-agentd --job: takes exactly one job, which another engine has chosen for this machine, and ends when
 * it is over. It is a worker of its own, so that it does not share the lease of a hyper-agentd that runs
 * beside it, and the server forgets it at the end. */

#include "agent/agent-state.h"

/* How it ends, besides EX_TEMPFAIL (another worker holds the job, or it waits for something), EX_NOINPUT
 * (there is no such job), EX_UNAVAILABLE (this machine cannot do it) and what other daemons have. */
#define ONE_JOB_FAILED 65
#define ONE_JOB_CANCELLED 143 /* as after SIGTERM */

/* The worker's id: that of the machine's, and the job. NULL when out of memory; the caller frees it. */
char *one_job_worker(const char *worker_id, const char *job_id);

/* How long the server may be out of reach before the job is taken. 0 or negative errno. */
int one_job_start(Agent *a);
/* The link is up, and no job is held: take it, or end. */
void one_job_go(Agent *a);
/* SIGTERM: cancel it on this machine, report that, and end. */
void one_job_stop(Agent *a);
