/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transient unit of a job: started, stopped and watched over the bus, never waited for. */

#include "manager/executor.h"

extern const Executor executor_unit;

/* Has systemd's signals delivered. To be called before the units are listed. 0 or negative errno. */
int executor_unit_subscribe(Manager *m);
/* Takes over the unit of @j; @running: it is active. 0 or negative errno. */
int executor_unit_adopt(Job *j, bool running);
/* Stops the unit of @j, once. */
void executor_unit_stop(Job *j);
/* Runs hyper-job finish alone: to remove the unfinished output of a cancelled job that has no unit, or to go on where a power
 * cut has interrupted it. executor_unit_gone() is called when it has ended; on failure there is nothing that will end. */
int executor_unit_finish(Job *j);
