/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the bus is told of jobs. */

#include "manager/job.h"

/* Tells the bus of a new job, a change of state, progress. Failures are logged. @texts are those of @j. */
void job_bus_announce(Job *j, const JobTexts *texts);
void job_bus_state_changed(Job *j, JobState from, JobState to, const char *reason);
void job_bus_progress_changed(Job *j);
/* What the bus shows of a warm job is another. */
void job_bus_warm_changed(Job *j);
/* How long a job is on hold is another. */
void job_bus_hold_changed(Job *j);
/* The limits that the job has waited for are free. */
void job_bus_ready(Manager *m, const char *id);
/* Only that it has changed: the values are those that job_bus_announce() has told. */
void job_bus_became(Job *j, JobState from, JobState to, const char *reason);
