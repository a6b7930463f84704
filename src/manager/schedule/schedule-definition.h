/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A schedule as it comes over the bus: JSON text, see org.hyper1(5). */

#include "spec/job-spec.h"
#include "json/json-table.h"

typedef struct ScheduleDefinition {
        char *id, *name, *description, *schedule; /* NULL: not given */
        bool enabled, catch_up; /* as they were before, if not given */
        int overlap; /* ScheduleOverlap */
        json_t *job; /* as it came */
        JobSpec *spec; /* what it is; NULL: not given */
} ScheduleDefinition;

void schedule_definition_done(ScheduleDefinition *d);

/* Reads @text into @d, which holds the defaults. @create: with the fields that a new schedule needs. 0;
 * -EBADMSG with all that is wrong in @errors; -ENOMEM. Looks at the zone database for the expression's time
 * zone. */
int schedule_definition_decode(const char *text, bool create, ScheduleDefinition *d, JsonErrors *errors);
