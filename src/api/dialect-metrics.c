/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "api/dialect-metrics.h"
#include "api/http/reply.h"
#include "basic/string-util.h"
#include "spec/job-state.h"
#include "store/deliveries.h"
#include "store/jobs-list.h"

void metrics_write_common(const MetricsFigures *figures, FILE *f) {
        metrics_header(f, "hyper_jobs", "gauge", "Jobs by state.");
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                metrics_sample(f, "hyper_jobs", (double) figures->jobs[s], "state", job_state_to_string(s),
                                NULL);
        metrics_header(f, "hyper_queue_depth", "gauge",
                        "Jobs that wait to be started, those to be retried included.");
        metrics_sample(f, "hyper_queue_depth",
                        (double) (figures->jobs[JOB_QUEUED] + figures->jobs[JOB_RETRYING]), NULL);
        metrics_header(f, "hyper_bytes_copied_total", "counter",
                        "Bytes of disks that jobs which have ended had worked on.");
        metrics_sample(f, "hyper_bytes_copied_total", (double) figures->totals.bytes, NULL);
        metrics_header(f, "hyper_warm_passes_total", "counter", "Passes of warm jobs that are complete.");
        metrics_sample(f, "hyper_warm_passes_total", (double) figures->totals.warm_passes, NULL);
        metrics_header(f, "hyper_warm_downtime_seconds", "summary",
                        "How long virtual machines were off for the cutover of warm jobs.");
        metrics_sample(f, "hyper_warm_downtime_seconds_sum", figures->totals.warm_downtime, NULL);
        metrics_sample(f, "hyper_warm_downtime_seconds_count", (double) figures->totals.warm_cutovers, NULL);
        metrics_header(f, "hyper_webhook_deliveries_total", "counter",
                        "Deliveries to webhooks that have ended, by how they did.");
        metrics_sample(f, "hyper_webhook_deliveries_total", (double) figures->deliveries[DELIVERY_DELIVERED],
                        "status", "delivered", NULL);
        metrics_sample(f, "hyper_webhook_deliveries_total", (double) figures->deliveries[DELIVERY_FAILED],
                        "status", "failed", NULL);
        metrics_header(f, "hyper_webhook_deliveries_pending", "gauge",
                        "Deliveries to webhooks that wait for their turn, or for another try.");
        metrics_sample(f, "hyper_webhook_deliveries_pending", (double) figures->deliveries[DELIVERY_PENDING],
                        NULL);
        metrics_header(f, "hyper_schedules", "gauge", "Schedules, by whether they are enabled.");
        metrics_sample(f, "hyper_schedules", (double) figures->schedules.enabled, "enabled", "true", NULL);
        metrics_sample(f, "hyper_schedules",
                        (double) (figures->schedules.total - figures->schedules.enabled), "enabled", "false",
                        NULL);
        metrics_header(f, "hyper_schedule_runs", "gauge",
                        "Runs of the schedules that there are: all, those that completed, those that "
                        "failed.");
        metrics_sample(f, "hyper_schedule_runs", (double) figures->schedules.runs, "status", "all", NULL);
        metrics_sample(f, "hyper_schedule_runs", (double) figures->schedules.successful, "status",
                        "completed", NULL);
        metrics_sample(f, "hyper_schedule_runs", (double) figures->schedules.failed, "status", "failed",
                        NULL);
        metrics_header(f, "hyper_build_info", "gauge", "Which hyper this is; always 1.");
        metrics_sample(f, "hyper_build_info", 1, "version", PACKAGE_VERSION, NULL);
}

int metrics_reply(Request *r, void (*write)(Request *r, const MetricsFigures *figures, FILE *f)) {
        _cleanup_free_ char *text = NULL;
        MetricsFigures figures = {};
        Store *store;
        size_t size;
        FILE *f;
        int k;

        if (!api_metrics(request_api(r)))
                return request_reply_error(
                                r, 404, "Metrics are turned off (metrics.enabled in the configuration).");
        k = api_store(request_api(r), &store);
        if (k >= 0)
                k = store_jobs_count(store, figures.jobs);
        if (k >= 0)
                k = store_job_totals(store, &figures.totals);
        if (k >= 0)
                k = store_deliveries_count(store, figures.deliveries);
        if (k >= 0)
                k = store_schedules_stats(store, &figures.schedules);
        if (k < 0 && k != -ENOENT)
                return k;
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        write(r, &figures, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        return request_reply_text(r, 200, METRICS_CONTENT_TYPE, text);
}
