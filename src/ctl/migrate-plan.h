/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "migrate" is going to do, for the person who is asked. */

#include "ctl/view.h"
#include "spec/job-spec.h"

typedef struct MigratePlan {
        json_t *source; /* its inspection; NULL: it cannot be inspected without a job */
        json_t *destination; /* likewise */
} MigratePlan;

void migrate_plan_done(MigratePlan *p);

/* Has the source and the destination inspected. @source: with the password. EXIT_OK, or another ExitStatus
 * after an error message. */
int migrate_plan_read(Ctl *ctl, const JobSpec *spec, json_t *source, MigratePlan *ret);

/* 0 or -ENOMEM. */
int migrate_plan_show(Ctl *ctl, const JobSpec *spec, const MigratePlan *plan);
