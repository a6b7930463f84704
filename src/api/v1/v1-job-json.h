/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job in the form of v1. Pure. */

#include <jansson.h>

#include "api/openapi/schema.h"
#include "store/jobs-page.h"

/* What is not in the row of a job. */
typedef struct V1JobMore {
        uint64_t queue_position; /* 0: it is not queued */
        const char *schedule_id; /* that has submitted it; NULL: none has */
} V1JobMore;

/* New reference, or NULL when out of memory. */
json_t *v1_job_json(const JobPageRow *row, const V1JobMore *more, usec_t now);

extern const Schema v1_job_schema;
