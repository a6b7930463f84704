/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The job of a client of the v1 API, decoded to the canonical spec. Pure: what is looked up in the database
 * is passed. */

#include "api/openapi/schema.h"
#include "dialect/dialect-job.h"

#define V1_DIALECT "v1"
/* Where outputs are written to unless the client names a place. */
#define V1_EXPORTS "/var/lib/hypersdk/exports/"

extern const FieldMap v1_job_fields[];

/* What the body refers to. */
typedef struct V1JobContext {
        const char *source_name; /* the source that is meant if there is no provider_id; NULL: none */
        const char *upload_path; /* the file of upload_id; NULL: none was given */
        bool is_template; /* of a schedule: each run has an output of its own */
} V1JobContext;

/* 0 with *ret (dialect_job_done()), -EBADMSG with @errors, -ENOMEM. */
int v1_job_decode(json_t *object, const V1JobContext *context, DialectJob *ret, JsonErrors *errors);

/* True if the job reads from a stored source that it does not name. */
bool v1_job_needs_source(const json_t *object) _pure_;

extern const Schema v1_job_body;
