/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GET /metrics: the names that the worker API publishes, and ours. */

#include <math.h>

#include "api/dialect-metrics.h"
#include "api/worker/worker-metrics.h"

static void write_durations(const JobTotals *totals, FILE *f) {
        metrics_header(f, "hyper2kvm_migration_duration_seconds", "histogram",
                        "From a job's start to its end, however it ended.");
        for (size_t i = 0; i < DURATION_BUCKETS; i++) {
                char le[32] = "+Inf";

                if (isfinite(duration_buckets[i]))
                        (void) snprintf(le, sizeof(le), "%.1f", duration_buckets[i]);
                metrics_sample(f, "hyper2kvm_migration_duration_seconds_bucket",
                                (double) totals->durations[i], "le", le, NULL);
        }
        metrics_sample(f, "hyper2kvm_migration_duration_seconds_sum", totals->duration_sum, NULL);
        metrics_sample(f, "hyper2kvm_migration_duration_seconds_count",
                        (double) totals->durations[DURATION_BUCKETS - 1], NULL);
}

static void write_metrics(Request *r, const MetricsFigures *figures, FILE *f) {
        static const struct {
                JobState state;
                const char *status;
        } ends[] = { { JOB_COMPLETED, "completed" }, { JOB_FAILED, "failed" },
                { JOB_CANCELLED, "cancelled" } };

        metrics_header(f, "hyper2kvm_migration_total", "counter", "Jobs that have ended, by how they did.");
        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                metrics_sample(f, "hyper2kvm_migration_total", (double) figures->jobs[ends[i].state],
                                "status", ends[i].status, NULL);
        write_durations(&figures->totals, f);
        metrics_header(f, "hyper2kvm_worker_jobs_active", "gauge", "Jobs that are being carried out.");
        metrics_sample(f, "hyper2kvm_worker_jobs_active",
                        (double) (figures->jobs[JOB_ASSIGNED] + figures->jobs[JOB_RUNNING]), NULL);
        metrics_write_requests(api_metrics(request_api(r)), request_dialect(r)->name, "hyper2kvm_api", f);
        metrics_write_common(figures, f);
}

int worker_get_metrics(Request *r) {
        return metrics_reply(r, write_metrics);
}
