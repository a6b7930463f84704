/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a HyperSDK client sends, read into structs. Pure: no bus, no database. Errors name the client's own
 * fields, all of them at once. */

#include "dialect/dialect-job.h"
#include "spec/job-state.h"

#define HYPERSDK_DIALECT "hypersdk"

/* As many jobs as one request may submit. */
#define HYPERSDK_BATCH_MAX 1000u
/* Jobs in one page of an answer: at first, and at most. */
#define HYPERSDK_LIMIT_DEFAULT 100u
#define HYPERSDK_LIMIT_MAX 1000u

/* The fields of a job ("definition"), see the table in hypersdk-decode.c. */
extern const FieldMap hypersdk_fields[];

/* One job. 0 with *ret (dialect_job_done()), -EBADMSG with @errors, -ENOMEM. */
int hypersdk_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors);
/* The same for the job of a schedule: an output without a name of its own is called after each run's job, or
 * the second run would find the output of the first. */
int hypersdk_template_decode(json_t *object, DialectJob *ret, JsonErrors *errors);

/* Both, of an object with other @fields, called @what in errors; @output_name as in Translation. */
int hypersdk_fields_decode(const FieldMap *fields, const char *what, const char *output_name, json_t *object,
                DialectJob *ret, JsonErrors *errors);

/* The body of a submission: one job, a list, or {"jobs": […]}. *ret is a new list of what may be jobs,
 * *ret_batch says that it came as one. -EBADMSG with @errors: neither, or none in it, or more than
 * HYPERSDK_BATCH_MAX. */
int hypersdk_submit_decode(json_t *body, json_t **ret, bool *ret_batch, JsonErrors *errors);

/* Which jobs a query or a cancel is about. */
typedef struct HypersdkSelection {
        char **ids; /* NULL: any */
        uint32_t states; /* bit mask of 1u << JobState, 0: any */
        bool all;
        uint64_t limit, offset; /* limit 0: not given */
} HypersdkSelection;

void hypersdk_selection_done(HypersdkSelection *s);

/* {"job_ids": […], "status": "running" or […], "all", "limit", "offset"}; every field may be left out. 0,
 * -EBADMSG with @errors, -ENOMEM. */
int hypersdk_query_decode(json_t *object, HypersdkSelection *ret, JsonErrors *errors);
/* {"job_ids": […], "job_id" or "id": "…", "status"}: one of them at least. */
int hypersdk_cancel_decode(json_t *object, HypersdkSelection *ret, JsonErrors *errors);

/* "pending", "running", … to the states it stands for; 0 for a word that is none. */
uint32_t hypersdk_status_to_states(const char *status) _pure_;
