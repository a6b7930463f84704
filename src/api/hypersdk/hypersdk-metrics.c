/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GET /metrics: the names that the HyperSDK API publishes, and ours. */

#include "api/hypersdk/hypersdk-metrics.h"

#include "api/hypersdk/hypersdk-decode.h"

void hypersdk_write_metrics(Request *r, const MetricsFigures *figures, FILE *f) {
        static const char *const statuses[] = { "pending", "running", "completed", "failed", "cancelled" };
        uint64_t by_status[ELEMENTSOF(statuses)] = {};

        metrics_write_requests(api_metrics(request_api(r)), request_dialect(r)->name, "hypersdk_api", f);
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
                for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                        if (hypersdk_status_to_states(statuses[i]) & 1u << s)
                                by_status[i] += figures->jobs[s];
        /* It is a gauge, but for Prometheus's own checker only counters may be called "_total". */
        metrics_header(f, "hypersdk_jobs_total", "untyped", "Jobs by status.");
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
                metrics_sample(f, "hypersdk_jobs_total", (double) by_status[i], "status", statuses[i], NULL);
        metrics_header(f, "hypersdk_workers_active", "gauge", "Jobs that are being carried out.");
        metrics_sample(f, "hypersdk_workers_active",
                        (double) (figures->jobs[JOB_ASSIGNED] + figures->jobs[JOB_RUNNING]), NULL);
        metrics_header(f, "hypersdk_build_info", "gauge", "Which hyper this is; always 1.");
        metrics_sample(f, "hypersdk_build_info", 1, "version", PACKAGE_VERSION, NULL);
        metrics_write_common(figures, f);
}

int hypersdk_get_metrics(Request *r) {
        return metrics_reply(r, hypersdk_write_metrics);
}
