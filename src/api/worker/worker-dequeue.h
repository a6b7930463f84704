/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "api/http/request.h"
#include "api/openapi/schema.h"

/* POST /queue/dequeue: assign a job to a worker, or wait for one. */
int worker_post_dequeue(Request *r);
extern const Schema worker_dequeue_schema;
