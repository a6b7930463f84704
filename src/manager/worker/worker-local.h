/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* This machine as a worker: what it takes of the queue. */

#include "manager/job.h"
#include "shared/settings.h"
#include "store/limits.h"

/* Whether this machine may take @j, and can, as far as its operation and its demand say. */
bool worker_is_local(const Settings *settings, const Job *j);
/* The same, but for what may change: the settings and the free space. */
bool worker_could_be_local(const Job *j);
/* Whether @labels, those of this machine (labels_to_text()), suit the jobs of a limit set. NULL (out of
 * memory) does not. */
PlacementFit worker_local_fit(const char *labels, Store *store, int64_t limit_set);
/* Whether others may take it that can do what this machine cannot. */
bool job_may_go_elsewhere(const Job *j);
