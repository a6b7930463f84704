/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The routes that workers use: who they are, what they take from the queue, what they report. */

#include "api/http/request.h"
#include "api/openapi/schema.h"
#include "store/workers.h"

int worker_post_register(Request *r);
int worker_post_heartbeat(Request *r);
int worker_get_workers(Request *r);
int worker_delete_worker(Request *r);
int worker_get_queue(Request *r);
int worker_post_events(Request *r);
int worker_post_result(Request *r);

/* What they take and answer. */
extern const QueryField worker_workers_parameters[];
extern const Schema worker_registration_schema, worker_registered_schema, worker_heartbeat_schema,
                worker_workers_schema, worker_removed_schema, worker_queue_schema, worker_report_schema,
                worker_reported_schema, worker_outcome_schema;
