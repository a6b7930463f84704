/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs of schedules: what a firing leads to, and what is made up for. */

#include "manager/manager.h"

/* Runs a schedule. @timer: only if it is due, and then that firing is served; else now, whatever is due.
 * @call (may be NULL) is answered with the id of the job, or with why there is none: 1 if that comes later,
 * 0 if there is no job to wait for, or negative errno with @error set. */
int schedule_trigger(Manager *m, const char *id, bool timer, sd_bus_message *call, JsonErrors *fields,
                sd_bus_error *error);
/* Makes up for what was missed: after a boot. */
void schedule_catch_up(Manager *m);
/* Goes on with runs that were promised or wait; of one schedule or (NULL) of all. */
void schedule_runs_continue(Manager *m, const char *id);
/* Forgets the runs that are being submitted: the next start goes on with them. */
void schedule_runs_free(Manager *m);
/* A job has ended: was it a schedule's? */
void schedule_job_ended(Manager *m, const Job *j, JobState state);
