/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a client of the worker API sends besides jobs, which are in dialect/worker-job.h. Pure. */

#include "api/openapi/schema.h"
#include "dialect/worker-job.h"

extern const Schema worker_spec_schema;

/* The worker's id in a report, one event or a list of them: each that names one names the same. Borrowed;
 * NULL with *ret_why (static). Pure. */
const char *worker_id_of_report(json_t *report, const char **ret_why);
