/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transient unit of a job: started, stopped and watched over the bus, never waited for. */

#include "manager/executor.h"

/* Asks for the unit of @j, which is ASSIGNED. What goes wrong ends the attempt: @j may be freed. */
void executor_unit_start(Job *j, const JobSpec *spec, const JobFiles *files);
/* @j is cancelled. Where no unit runs, what is left of it goes at once: @j may be freed. */
void executor_unit_cancel(Job *j);
/* Takes over the unit of @j; @running: it is active. 0 or negative errno. */
int executor_unit_adopt(Job *j, bool running);
/* Stops the unit of @j, once. */
void executor_unit_stop(Job *j);
