/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a start of the manager, or of systemd itself, the database and the units are compared: what runs is
 * taken over, what is gone ends by what it left behind. */

#include "manager/executor.h"

/* A transient unit of this machine for each job. */
extern const Executor executor_unit;

/* Does what is left to be done for jobs that have ended, by their directories. */
void executor_unit_tidy_up(Manager *m);

/* Asks systemd for the units, and starts the queue when the answer has come. 0 or negative errno. */
int executor_unit_list(Manager *m);
