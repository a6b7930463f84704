/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Follows jobs over the bus until all of them have ended. */

#include "ctl/job-view.h"

/* Shows progress on stderr: on a terminal one line per job that is redrawn, else a line for each new state
 * and phase, and nothing with --quiet. Goes on when hyper-managerd is started again, or the bus comes back
 * within half a minute. *bus may be replaced by a new connection. Returns the ExitStatus of the first job
 * that did not end well, or EXIT_OK; what each job came to is said at its end. With --json= the finished
 * jobs are written to stdout. */
int watch_jobs(Ctl *ctl, sd_bus **bus, char **ids);
