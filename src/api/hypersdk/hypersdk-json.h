/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What HyperSDK clients read. Clients of several versions look for the same thing under several names: all
 * of them are given. Pure; new references, or NULL when out of memory. */

#include <jansson.h>

#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/store.h"

/* A list, empty for NULL. */
json_t *hypersdk_strings_json(char *const *l);

/* "21s", "2m5s", "1h0m3s": durations as clients read them where they expect text. */
json_t *hypersdk_duration_json(uint64_t seconds);

json_t *hypersdk_job_json(const JobRow *row);
json_t *hypersdk_jobs_json(const JobRows *rows, usec_t now);
/* The fields of progress flat, and once more nested. */
json_t *hypersdk_progress_json(const JobRow *row);
json_t *hypersdk_eta_json(const JobRow *row, usec_t now);

/* @max_running is how many jobs run here at once; this machine's slots are what the API calls workers. */
json_t *hypersdk_status_json(const uint64_t counts[static _JOB_STATE_MAX], unsigned max_running,
                usec_t uptime, usec_t now);

/* What this machine can do, given the programs it has. */
typedef struct HypersdkTool {
        const char *name;
        const char *path; /* NULL: not found */
        bool needed; /* file sources and destinations do not work without it */
} HypersdkTool;
json_t *hypersdk_capabilities_json(const HypersdkTool *tools, size_t n, usec_t now);

/* The outcome of a submission; @errors are the texts of what was rejected. */
json_t *hypersdk_submitted_json(
                char *const *job_ids, size_t n_rejected, char *const *errors, bool batch, usec_t now);

/* The outcome of a cancel; @errors is an object {"id": "why not"}, borrowed. @n_left: how many more there
 * are than one request cancels. */
json_t *hypersdk_cancelled_json(
                char *const *cancelled, char *const *failed, json_t *errors, uint64_t n_left, usec_t now);
