/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job in the form of v1. Pure. */

#include <jansson.h>

#include "api/openapi/schema.h"
#include "store/jobs-page.h"

/* @queue_position: 0 if it is not queued. New reference, or NULL when out of memory. */
json_t *v1_job_json(const JobPageRow *row, uint64_t queue_position, usec_t now);

extern const Schema v1_job_schema;
