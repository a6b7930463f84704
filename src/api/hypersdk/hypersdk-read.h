/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is read for requests and for the WebSocket. */

#include <jansson.h>

#include "api/api-state.h"
#include "store/jobs-list.h"

/* The answers of GET /status and /jobs/query, for whoever else gives them. Where there is no database yet
 * there are no jobs. New reference in *ret. 0 or negative errno. */
int hypersdk_read_status(Api *a, json_t **ret);
int hypersdk_read_jobs(Api *a, const JobFilter *filter, json_t **ret);

/* How many jobs run here at once. */
unsigned hypersdk_max_running(void);
