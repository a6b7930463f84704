/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a client of the worker API sends, read into structs. Pure. Errors name the client's own fields, all
 * of them at once. */

#include "api/dialect-job.h"
#include "api/schema.h"

/* The fields of a job ("spec"), see the table in worker-decode.c. */
extern const FieldMap worker_fields[];
extern const Schema worker_spec_schema;

/* One job. 0 with *ret (dialect_job_done()), -EBADMSG with @errors, -ENOMEM. */
int worker_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors);

/* The worker's id in a report, one event or a list of them: each that names one names the same. Borrowed; NULL
 * with *ret_why (static). Pure. */
const char *worker_id_of_report(json_t *report, const char **ret_why);
