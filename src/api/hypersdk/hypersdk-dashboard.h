/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The message "metrics" of /ws, as the published dashboard reads it. Pure, but for the resources of this
 * process. */

#include <jansson.h>

#include "store/jobs-list.h"
#include "store/store.h"

/* As many recent jobs as one message has. */
#define HYPERSDK_DASHBOARD_JOBS 50u

typedef struct HypersdkDashboard {
        const uint64_t *counts; /* of jobs, by JobState */
        const JobRows *recent; /* newest first */
        uint64_t requests, errors; /* HTTP: all, and those answered with 4xx or 5xx */
        usec_t busy; /* the time that all requests took together */
        uint64_t memory; /* of hyper-apid, in bytes */
        double cpu_percent; /* likewise, of one CPU */
        unsigned connections, websockets;
        usec_t uptime;
} HypersdkDashboard;

/* The value of "data": {"raw": {…}}. New reference, or NULL when out of memory. */
json_t *hypersdk_dashboard_json(const HypersdkDashboard *d, usec_t now);

/* What this process uses. */
uint64_t hypersdk_dashboard_memory(void);
/* The CPU time of this process so far. */
usec_t hypersdk_dashboard_cpu(void);
