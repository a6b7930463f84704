/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A page of jobs as a response, read and made in steps (api/http/list-reply.h). */

#include <jansson.h>

#include "api/http/request.h"
#include "store/jobs-list.h"

/* A job as an element of the list; @now is the same for all. NULL without memory. */
typedef json_t *(*job_to_json)(const JobRow *row, usec_t now);

/* Reply with the jobs of @filter, newest first, as "jobs", their "total", and what is in @head, an object
 * that is consumed. Jobs that are submitted between two steps are not in the list. 0 or negative errno. */
int request_reply_jobs(Request *r, const JobFilter *filter, json_t *head, job_to_json to_json, usec_t now);
