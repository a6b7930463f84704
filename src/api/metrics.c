/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <uthash.h>

#include "api/metrics.h"
#include "basic/string-util.h"

/* Seconds; what lies above counts as +Inf. */
static const double buckets[] = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10 };

typedef struct RouteKey {
        const char *dialect, *method, *path; /* constants: compared by address */
} RouteKey;

typedef struct RouteMetrics {
        UT_hash_handle hh;
        RouteKey key;
        uint64_t n; /* of those with a duration */
        uint64_t by_bucket[ELEMENTSOF(buckets)]; /* not cumulative */
        usec_t sum;
        uint64_t by_status[600];
} RouteMetrics;

struct Metrics {
        RouteMetrics *routes;
        uint64_t uploaded;
        char *zone;
        double intensity;
        usec_t intensity_until;
};

Metrics *metrics_new(void) {
        return new0(Metrics, 1);
}

Metrics *metrics_free(Metrics *m) {
        RouteMetrics *r, *next;

        if (!m)
                return NULL;
        HASH_ITER(hh, m->routes, r, next) {
                HASH_DEL(m->routes, r);
                free(r);
        }
        free(m->zone);
        return mfree(m);
}

void metrics_count(Metrics *m, const char *dialect, const char *method, const char *path, unsigned status,
                usec_t duration) {
        RouteKey key;
        RouteMetrics *r;

        memset(&key, 0, sizeof(key));
        key.dialect = dialect;
        key.method = method;
        key.path = path;
        HASH_FIND(hh, m->routes, &key, sizeof(key), r);
        if (!r) {
                r = new0(RouteMetrics, 1);
                if (!r)
                        return;
                r->key = key;
                HASH_ADD(hh, m->routes, key, sizeof(key), r);
        }
        r->by_status[status < ELEMENTSOF(r->by_status) ? status : 0]++;
        if (duration == USEC_INFINITY)
                return;
        r->n++;
        r->sum += duration;
        for (size_t i = 0; i < ELEMENTSOF(buckets); i++)
                if ((double) duration <= buckets[i] * (double) USEC_PER_SEC) {
                        r->by_bucket[i]++;
                        break;
                }
}

uint64_t metrics_requests(const Metrics *m, const char *dialect, const char *path, unsigned status) {
        uint64_t n = 0;

        for (const RouteMetrics *r = m ? m->routes : NULL; r; r = r->hh.next)
                if (streq(r->key.dialect, dialect) && (!path || streq(r->key.path, path)))
                        n += r->by_status[status];
        return n;
}

void metrics_count_upload(Metrics *m, uint64_t bytes) {
        if (m)
                m->uploaded += bytes;
}

uint64_t metrics_uploaded(const Metrics *m) {
        return m ? m->uploaded : 0;
}

void metrics_note_carbon(Metrics *m, const char *zone, double intensity, usec_t until) {
        if (!m || free_and_strdup(&m->zone, zone) < 0)
                return;
        m->intensity = intensity;
        m->intensity_until = until;
}

const char *metrics_carbon(const Metrics *m, usec_t now, double *ret_intensity) {
        if (!m || !m->zone || now >= m->intensity_until)
                return NULL;
        *ret_intensity = m->intensity;
        return m->zone;
}

/* --- writing --------------------------------------------------------------------------------------- */

void metrics_header(FILE *f, const char *name, const char *type, const char *help) {
        fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* "A label value can be any sequence of UTF-8 characters, but the backslash, double-quote, and line feed
 * characters have to be escaped." */
static void write_label(FILE *f, const char *name, const char *value) {
        fprintf(f, "%s=\"", name);
        for (const char *p = value; *p; p++)
                switch (*p) {
                case '\\':
                        fputs("\\\\", f);
                        break;
                case '"':
                        fputs("\\\"", f);
                        break;
                case '\n':
                        fputs("\\n", f);
                        break;
                default:
                        fputc(*p, f);
                }
        fputc('"', f);
}

void metrics_sample(FILE *f, const char *name, double value, ...) {
        const char *label;
        char separator = '{';
        va_list ap;

        fputs(name, f);
        va_start(ap, value);
        while ((label = va_arg(ap, const char *))) {
                fputc(separator, f);
                write_label(f, label, va_arg(ap, const char *));
                separator = ',';
        }
        va_end(ap);
        /* Whole numbers are written as such, up to where a double knows them. */
        if (value >= 0 && value < 9007199254740992.0 && value == (double) (uint64_t) value)
                fprintf(f, "%s %" PRIu64 "\n", separator == ',' ? "}" : "", (uint64_t) value);
        else
                fprintf(f, "%s %.9g\n", separator == ',' ? "}" : "", value);
}

static const char *status_phrase(unsigned status) {
        return status == 0 ? "Client Gone" : strempty(MHD_get_reason_phrase_for(status));
}

static const char *path_label(const RouteMetrics *r) {
        return isempty(r->key.path) ? "(none)" : r->key.path;
}

static void write_durations(const RouteMetrics *r, const char *name, FILE *f) {
        _cleanup_free_ char *bucket = strprintf("%s_bucket", name), *sum = strprintf("%s_sum", name),
                            *count = strprintf("%s_count", name);
        uint64_t n = 0;

        if (!bucket || !sum || !count)
                return;
        for (size_t i = 0; i < ELEMENTSOF(buckets); i++) {
                char le[32];

                n += r->by_bucket[i];
                (void) snprintf(le, sizeof(le), "%g", buckets[i]);
                metrics_sample(f, bucket, (double) n, "method", r->key.method, "path", path_label(r), "le",
                                le, NULL);
        }
        metrics_sample(f, bucket, (double) r->n, "method", r->key.method, "path", path_label(r), "le",
                        "+Inf", NULL);
        metrics_sample(f, sum, (double) r->sum / (double) USEC_PER_SEC, "method", r->key.method, "path",
                        path_label(r), NULL);
        metrics_sample(f, count, (double) r->n, "method", r->key.method, "path", path_label(r), NULL);
}

void metrics_write_requests(const Metrics *m, const char *dialect, const char *name, FILE *f) {
        _cleanup_free_ char *total = strprintf("%s_requests_total", name),
                            *duration = strprintf("%s_request_duration_seconds", name);

        if (!total || !duration)
                return;
        metrics_header(f, total, "counter", "Requests answered, since hyper-apid was started.");
        for (const RouteMetrics *r = m->routes; r; r = r->hh.next)
                for (unsigned s = 0; streq(r->key.dialect, dialect) && s < ELEMENTSOF(r->by_status); s++)
                        if (r->by_status[s] > 0)
                                metrics_sample(f, total, (double) r->by_status[s], "method", r->key.method,
                                                "path", path_label(r), "status", status_phrase(s), NULL);
        metrics_header(f, duration, "histogram",
                        "From a request's first line to its last byte; streams not included.");
        for (const RouteMetrics *r = m->routes; r; r = r->hh.next)
                if (r->n > 0 && streq(r->key.dialect, dialect))
                        write_durations(r, duration, f);
}
