/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The workflow routes of the HyperSDK API: several VMs in one request, as jobs that name a common
 * workflow_id, and the jobs as workflow clients read them. */

#include "api/http/request.h"

int hypersdk_workflow_status(Request *r);
int hypersdk_workflow_jobs(Request *r);
int hypersdk_workflow_active_jobs(Request *r);
int hypersdk_submit_manifest(Request *r);
int hypersdk_validate_manifest(Request *r);

/* ?status, ?workflow_id, ?limit and ?offset of the lists */
extern const QueryField hypersdk_workflow_parameters[];
