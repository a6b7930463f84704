/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the metrics of all dialects have in common: reading the figures, and answering with them. */

#include <stdio.h>

#include "api/http/request.h"
#include "api/metrics.h"
#include "store/deliveries.h"
#include "store/schedules.h"
#include "store/totals.h"
#include "store/vsphere-totals.h"
#include "store/webhooks.h"

typedef struct MetricsFigures {
        uint64_t jobs[_JOB_STATE_MAX]; /* by state */
        JobTotals totals;
        uint64_t deliveries[_DELIVERY_STATE_MAX]; /* of webhooks, by state */
        ScheduleStats schedules;
        VsphereTotals vsphere;
        bool sessions_known;
        uint32_t sessions; /* of hyper-vsphered */
} MetricsFigures;

/* The figures that are told under our own names, beside those that a dialect publishes. */
void metrics_write_common(const MetricsFigures *figures, FILE *f);

/* Reads the figures, has @write write its own, and answers. 404 if metrics are turned off. */
int metrics_reply(Request *r, void (*write)(Request *r, const MetricsFigures *figures, FILE *f));
