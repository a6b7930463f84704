/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The queue: slots, priorities, retries that are due. */

#include "manager/manager.h"

/* The job that would start next, or NULL: highest priority, then first come, none whose destination is still
 * held by a unit that stops; of those that others may take, too, only if @any_worker. */
Job *queue_next(Manager *m, bool any_worker);
/* Starts what may start now, and brings back what is due. */
void queue_run(Manager *m);
/* What this machine could not do may be different now: it looks at all that waits once more. */
void queue_look_again(Manager *m);
