/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Schedules as clients of v1 write and read them. Pure. */

#include "api/openapi/schema.h"
#include "store/schedules.h"
#include "json/json-table.h"

/* From what a client sends, {"id", "name", "schedule" or "cron", "enabled", "overlap_policy", "catch_up",
 * "carbon", "job" or "job_template"}, to what the manager takes (org.hyper1(5)), without the job: *ret_job is
 * the client's, with the carbon of the schedule in it, or NULL if there is none (@create false). If only the
 * carbon is given, it is that for @old_job, the job that the schedule has; NULL: not known. New references.
 * 0, -EBADMSG with @errors, -ENOMEM. */
int v1_schedule_decode(json_t *object, bool create, const json_t *old_job, json_t **ret, json_t **ret_job,
                JsonErrors *errors);

/* New reference, or NULL when out of memory. */
json_t *v1_schedule_json(const ScheduleRow *row);

/* {"valid": true, "schedule", "next_runs": […]} of a cron expression, or a line in @errors. 0 with a new
 * reference, -EBADMSG, -ENOMEM. */
int v1_schedule_times(json_t *object, usec_t now, json_t **ret, JsonErrors *errors);

extern const Schema v1_schedule_schema, v1_new_schedule_schema, v1_schedule_times_schema,
                v1_schedule_expression_schema;
