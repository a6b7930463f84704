/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Progress of running jobs: from the journal to the database and the bus, at most once a second. */

#include "manager/manager.h"

typedef struct Progress Progress;

int progress_new(Progress **ret);
Progress *progress_free(Progress *p);
DEFINE_CLEANUP_FUNC(Progress *, progress_free);

/* Follows the journal while units run. */
int progress_follow(Manager *m);
/* A unit says that the journal has an event of it. */
void progress_look(Manager *m);
/* Writes what came since the last time. */
void progress_flush(Manager *m);
/* Writes what came of @j, as part of the group that is entered. 0 or negative errno. */
int progress_record(Job *j);
/* Has them written soon. */
void progress_wake(Manager *m);
