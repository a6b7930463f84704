/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Handing the jobs of one request to the manager, and answering when it has taken or refused each. */

#include "api/http/request.h"
#include "dialect/dialect-job.h"

/* POST /jobs/submit */
int hypersdk_submit(Request *r);

/* A way to write jobs, and to answer. */
typedef struct SubmissionKind {
        const char *prefix; /* "jobs": what is wrong with one of a list is told as "jobs[1]: …" */
        const FieldMap *fields;
        int (*decode)(json_t *object, DialectJob *ret, JsonErrors *errors);
        /* @ids: accepted; @errors: why the others were not; @status: what they agree on, if none was
         * accepted. */
        int (*reply)(Request *r, char *const *ids, char *const *errors, bool batch, const char *workflow_id,
                        unsigned status);
} SubmissionKind;

/* Submits each object of @list. @workflow_id (copied; may be NULL) is for the reply. Sets the userdata of
 * the request. */
int hypersdk_submission_start(
                Request *r, const SubmissionKind *kind, json_t *list, bool batch, const char *workflow_id);
