/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The HyperSDK API (hyper.socket): which routes there are. hypersdk-decode reads what clients send,
 * hypersdk-json words what they get, hypersdk-submit and hypersdk-cancel change things. */

#include <jansson.h>

#include "api/http/request.h"
#include "store/store.h"

extern const Dialect hypersdk_dialect;

/* The answers of GET /status and /jobs/query, for whoever else gives them. Where there is no database yet
 * there are no jobs. New reference in *ret. 0 or negative errno. */
int hypersdk_read_status(Api *a, json_t **ret);
int hypersdk_read_jobs(Api *a, const JobFilter *filter, json_t **ret);

/* How many jobs run here at once. */
unsigned hypersdk_max_running(void);

/* POST /jobs/cancel */
int hypersdk_cancel(Request *r);
/* GET /metrics */
int hypersdk_get_metrics(Request *r);
