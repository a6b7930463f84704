/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Making deliveries, for the files of this directory whose nouns have events. */

#include "store/jobs.h"
#include "store/webhooks.h"

/* Create a delivery of @event about a job for each webhook that receives it, in the transaction of the
 * caller. If there are no webhooks, this costs one lookup in an empty table. */
int deliveries_add_job(Store *s, WebhookEvent event, const char *id, usec_t timestamp);

/* The same about the schedule of the job's run; does nothing for other jobs. @timestamp 0 is the time of the
 * submission. */
int deliveries_add_run(Store *s, WebhookEvent event, const char *job_id, usec_t timestamp);

/* What a job's coming into @state is told as; negative: not told. */
WebhookEvent deliveries_event_of(JobState state) _pure_;
