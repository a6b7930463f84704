/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /jobs and /jobs/{id} of v1. */

#include "api/http/router.h"

int v1_list_jobs(Request *r);
int v1_get_job(Request *r);
int v1_get_conversion(Request *r); /* GET /convert/status */
extern const QueryField v1_conversion_query[];
int v1_cancel_job(Request *r);

/* The job from the database, with this status; 404 if there is none. */
int v1_reply_job(Request *r, unsigned status, const char *id);

extern const QueryField v1_jobs_parameters[];
extern const Schema v1_jobs_schema, v1_cancelled_schema;
