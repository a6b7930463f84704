/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-metrics.h"

#include "api/dialect-metrics.h"
#include "api/hypersdk/hypersdk-metrics.h"
#include "api/v1/v1-alerts.h"
#include "basic/string-util.h"

static void write_logins(const Metrics *m, const char *dialect, FILE *f) {
        static const char *const paths[] = { "/auth/login", "/api/login" };
        static const struct {
                const char *result;
                unsigned status;
        } results[] = { { "success", 200 }, { "refused", 401 }, { "forbidden", 403 }, { "limited", 429 } };

        metrics_header(f, "hyper_logins_total", "counter", "Logins with a password, by their result.");
        for (size_t i = 0; i < ELEMENTSOF(results); i++) {
                uint64_t n = 0;

                for (size_t k = 0; k < ELEMENTSOF(paths); k++)
                        n += metrics_requests(m, dialect, paths[k], results[i].status);
                metrics_sample(f, "hyper_logins_total", (double) n, "result", results[i].result, NULL);
        }
}

static void write_metrics(Request *r, const MetricsFigures *figures, FILE *f) {
        const Metrics *m = api_metrics(request_api(r));
        const char *dialect = request_dialect(r)->name, *zone;
        usec_t now = now_realtime(), end = v1_certificate_end();
        double intensity;

        hypersdk_write_metrics(r, figures, f);
        write_logins(m, dialect, f);
        metrics_header(f, "hyper_rate_limited_total", "counter", "Requests that were answered with 429.");
        metrics_sample(f, "hyper_rate_limited_total", (double) metrics_requests(m, dialect, NULL, 429),
                        NULL);
        metrics_header(f, "hyper_upload_bytes_total", "counter", "Bytes of chunks that were uploaded.");
        metrics_sample(f, "hyper_upload_bytes_total", (double) metrics_uploaded(m), NULL);
        if (end > 0) {
                metrics_header(f, "hyper_tls_certificate_expiry_seconds", "gauge",
                                "How long the certificate of hyper-tls.socket is valid.");
                metrics_sample(f, "hyper_tls_certificate_expiry_seconds",
                                ((double) end - (double) now) / (double) USEC_PER_SEC, NULL);
        }
        zone = metrics_carbon(m, now, &intensity);
        if (zone) {
                metrics_header(f, "hyper_carbon_intensity_grams", "gauge",
                                "The carbon intensity of the grid that was read last, gCO2eq/kWh.");
                metrics_sample(f, "hyper_carbon_intensity_grams", intensity, "zone", zone, NULL);
        }
}

int v1_get_metrics(Request *r) {
        return metrics_reply(r, write_metrics);
}
