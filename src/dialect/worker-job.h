/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as the worker API writes it: what its clients submit, and what a worker is given. Pure. Errors name
 * the client's own fields, all of them at once. */

#include "dialect/dialect-job.h"

/* The fields of a job, see the table in worker-job.c. */
extern const FieldMap worker_fields[];

/* The time limit of a job in seconds, if its client says nothing. */
#define WORKER_TIMEOUT_DEFAULT 7200u

/* One job as a client submits it. 0 with *ret (dialect_job_done()), -EBADMSG with @errors, -ENOMEM. */
int worker_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors);

/* The same for a job that a server hands out: one without a time limit has none. */
int worker_job_decode_held(json_t *object, DialectJob *ret, JsonErrors *errors);
