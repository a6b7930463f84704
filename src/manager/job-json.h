/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job as JSON, for GetJob. */

#include "store/jobs.h"

/* The whole job for GetJob: JSON text that the caller frees. */
int job_details(Store *store, const char *id, char **ret);

/* How long it still takes; UINT64_MAX: it is not known. */
uint64_t job_remaining_usec(const JobRow *row);
