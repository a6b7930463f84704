/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Progress of running jobs: from the journal to the database and the bus, at most once a second. */

#include "manager/manager.h"

/* Follows the journal while units run. */
int progress_follow(Manager *m);
/* Writes what came since the last time. */
void progress_flush(Manager *m);
/* Has them written soon. */
void progress_wake(Manager *m);
