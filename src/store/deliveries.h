/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Making deliveries, for the files of this directory whose nouns have events. */

#include "store/webhooks.h"

/* Inside the caller's transaction: makes a delivery of @event for each webhook that wants it. @subject is
 * the id of the job or schedule, @data what is told of it (borrowed). */
int deliveries_add(Store *s, WebhookEvent event, const char *subject, usec_t timestamp, json_t *data);

/* The same about a job as it stands in the database; costs one look at an empty table where there are no
 * webhooks. */
int deliveries_add_job(Store *s, WebhookEvent event, const char *id, usec_t timestamp);

/* The same about the schedule whose run that job is; nothing for other jobs. @timestamp 0: when the job was
 * submitted. */
int deliveries_add_run(Store *s, WebhookEvent event, const char *job_id, usec_t timestamp);

/* What a job's coming into @state is told as; negative: not told. */
WebhookEvent deliveries_event_of(JobState state) _pure_;

/* What is told of a job (webhook-json.c). New reference; NULL when out of memory. */
json_t *job_row_webhook_data(const JobRow *row);
