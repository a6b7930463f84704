/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For what a job waits: limits, and a worker that its placement allows. For the other files of the store. */

#include "spec/job-state.h"
#include "store/store.h"

/* What a QUEUED job of this set waits for; NULL: nothing. @for_workers: also for a worker that its placement
 * allows. */
int limits_waits_for(Store *s, int64_t limit_set, bool for_workers, char ***ret);
/* The same for any job, in lines. */
int limits_waits_text(
                Store *s, JobState state, usec_t due_at, int64_t limit_set, bool for_workers, char **ret);
