/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "api/bus-client.h"
#include "api/dialect-metrics.h"
#include "api/http/reply.h"
#include "basic/string-util.h"
#include "spec/job-state.h"
#include "store/deliveries.h"
#include "store/jobs-list.h"

static void write_vsphere_sum(
                const VsphereTotals *t, FILE *f, const char *what, const char *name, const char *help) {
        metrics_header(f, name, "counter", help);
        for (size_t i = 0; i < t->n_rows; i++)
                if (streq(t->rows[i].what, what))
                        metrics_sample(f, name, (double) t->rows[i].n, "server", t->rows[i].server, NULL);
}

static bool is_way(const char *what) {
        return !streq(what, "logins") && !streq(what, "leases");
}

static void write_vsphere(const MetricsFigures *figures, FILE *f) {
        const VsphereTotals *t = &figures->vsphere;

        metrics_header(f, "hyper_vsphere_bytes_total", "counter",
                        "Bytes that jobs have received from vSphere servers, by the way they were read.");
        for (size_t i = 0; i < t->n_rows; i++)
                if (is_way(t->rows[i].what))
                        metrics_sample(f, "hyper_vsphere_bytes_total", (double) t->rows[i].n, "server",
                                        t->rows[i].server, "way", t->rows[i].what, NULL);
        write_vsphere_sum(t, f, "logins", "hyper_vsphere_logins_total",
                        "Sessions that jobs have opened on vSphere servers.");
        write_vsphere_sum(t, f, "leases", "hyper_vsphere_leases_total",
                        "Export leases that jobs have begun on vSphere servers.");
        metrics_header(f, "hyper_vsphere_sessions", "gauge",
                        "Open sessions with vSphere servers. A job that is running has one.");
        metrics_sample(f, "hyper_vsphere_sessions", (double) t->running, "of", "jobs", NULL);
        if (figures->sessions_known)
                metrics_sample(f, "hyper_vsphere_sessions", (double) figures->sessions, "of",
                                "hyper-vsphered", NULL);
}

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
        write_vsphere(figures, f);
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

typedef struct MetricsRequest {
        MetricsFigures figures;
        void (*write)(Request *r, const MetricsFigures *figures, FILE *f);
} MetricsRequest;

static void metrics_request_free(void *userdata) {
        MetricsRequest *q = userdata;

        vsphere_totals_done(&q->figures.vsphere);
        free(q);
}

static int read_figures(Request *r, MetricsFigures *figures) {
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_jobs_count(store, figures->jobs);
        if (k >= 0)
                k = store_job_totals(store, &figures->totals);
        if (k >= 0)
                k = store_deliveries_count(store, figures->deliveries);
        if (k >= 0)
                k = store_schedules_stats(store, &figures->schedules);
        if (k >= 0)
                k = store_vsphere_totals(store, &figures->vsphere);
        return k == -ENOENT ? 0 : k;
}

static int answer(Request *r, const MetricsRequest *q) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        q->write(r, &q->figures, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        return request_reply_text(r, 200, METRICS_CONTENT_TYPE, text);
}

/* A daemon that does not run has no sessions. */
static int on_sessions(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        MetricsRequest *q = request_userdata(r);
        MetricsFigures *f = &q->figures;

        if (!error)
                f->sessions_known = sd_bus_message_read(m, "v", "u", &f->sessions) > 0;
        else
                f->sessions_known = sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
                                sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN);
        return answer(r, q);
}

int metrics_reply(Request *r, void (*write)(Request *r, const MetricsFigures *figures, FILE *f)) {
        MetricsRequest *q;
        int k;

        if (!api_metrics(request_api(r)))
                return request_reply_error(
                                r, 404, "Metrics are turned off (metrics.enabled in the configuration).");
        q = new0(MetricsRequest, 1);
        if (!q)
                return -ENOMEM;
        q->write = write;
        request_set_userdata(r, q, metrics_request_free);
        k = read_figures(r, &q->figures);
        if (k < 0)
                return k;
        return vsphere_get_property(r, "Sessions", on_sessions) < 0 ? answer(r, q) : 0;
}
