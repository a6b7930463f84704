/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Manifests of the workflow routes: one VM ("pipeline"), or several ("vms"), each of which becomes a job.
 * Pure. */

#include "dialect/dialect-job.h"

/* The fields of one VM's job, see the table in hypersdk-manifest.c. */
extern const FieldMap hypersdk_manifest_fields[];

/* *ret is a new list with an object for each VM, for hypersdk_manifest_job_decode(); *ret_batch: they came
 * as a list. All name *ret_workflow_id: the manifest's own, or a new one; the caller frees it. Their IDs
 * are "<workflow_id>-1" and so on. -EBADMSG with @errors; -ENOMEM. */
int hypersdk_manifest_decode(
                json_t *manifest, json_t **ret, bool *ret_batch, char **ret_workflow_id, JsonErrors *errors);

/* 0 with *ret (dialect_job_done()), -EBADMSG with @errors, -ENOMEM. */
int hypersdk_manifest_job_decode(json_t *object, DialectJob *ret, JsonErrors *errors);
