/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A page of jobs as a response, read and made in steps (api/http/list-reply.h). */

#include <jansson.h>

#include "api/http/request.h"
#include "store/jobs-list.h"

/* How jobs are made elements of the list. */
typedef struct JobsFormat {
        json_t *(*to_json)(
                        const JobRow *row, usec_t now); /* NULL without memory; @now is the same for all */
        unsigned step; /* so many are read and made in one step, in less than 5 ms */
} JobsFormat;

/* Reply with the jobs of @filter, newest first, as "jobs", their "total", and what is in @head, an object
 * that is consumed. Jobs that are submitted between two steps are not in the list. A list that is made in one
 * step is kept like other replies (reply-cache.h). 0 or negative errno. */
int request_reply_jobs(
                Request *r, const JobFilter *filter, json_t *head, const JobsFormat *format, usec_t now);
