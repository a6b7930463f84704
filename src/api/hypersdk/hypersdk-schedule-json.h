/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Schedules as HyperSDK clients write and read them. Pure. */

#include "dialect/dialect-job.h"
#include "store/schedules.h"

/* From what a client sends, {"id", "name", "description", "schedule", "enabled", "overlap_policy",
 * "catch_up", "job_template"}, to what the manager takes (org.hyper1(5)). A template whose output has no
 * name of its own
 * ("beside the source", "in this directory") gets one for each run. *ret_job is filled if there was a
 * template, and dialect_job_done()s. 0 with a new reference in *ret, -EBADMSG with @errors, -ENOMEM. */
int hypersdk_schedule_decode(
                json_t *object, bool create, json_t **ret, DialectJob *ret_job, JsonErrors *errors);

/* As clients read it. New reference, or NULL when out of memory. */
json_t *hypersdk_schedule_json(const ScheduleRow *row);
/* The answer to a change: {"message", "schedule": {…}}, and beside that the fields of the schedule for
 * clients that decode the answer as one. @schedule_is_text: "schedule" itself is theirs, too. */
json_t *hypersdk_schedule_reply_json(
                const ScheduleRow *row, const char *message, bool schedule_is_text, usec_t now);
