/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is told of webhooks, deliveries and jobs in JSON. */

#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/webhooks.h"

/* What is told of a job (webhook-json.c). New reference; NULL when out of memory. */
json_t *job_row_webhook_data(const JobRow *row);

/* As it is shown to people and programs; @index is its place in the list. New reference; NULL when out of
 * memory. */
json_t *webhook_row_to_json(const WebhookRow *row, size_t index);

/* As it is shown, with what was or will be sent. New reference; NULL when out of memory. */
json_t *delivery_row_to_json(const DeliveryRow *row);
