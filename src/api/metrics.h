/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Figures for Prometheus: what the daemon counts about its requests, and a writer of the text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
 *
 * Requests are counted by route template, never by what a client sent, so there are no more series than
 * routes, methods and statuses. The counters begin anew when the daemon does, as Prometheus expects of them;
 * figures about jobs come from the database. */

#include <stdio.h>

#include "basic/time-util.h"

typedef struct Metrics Metrics;

/* NULL when out of memory. */
Metrics *metrics_new(void);
Metrics *metrics_free(Metrics *m);
DEFINE_CLEANUP_FUNC(Metrics *, metrics_free);

/* Counts a finished request. The strings are constants of the route tables; @path is "" if there is no such
 * path. @duration is USEC_INFINITY for a stream, whose length says nothing. Without memory nothing is
 * counted. */
void metrics_count(Metrics *m, const char *dialect, const char *method, const char *path, unsigned status,
                usec_t duration);

/* Writes the request counters and durations of @dialect: NAME_requests_total{method,path,status} and
 * NAME_request_duration_seconds{method,path}. */
void metrics_write_requests(const Metrics *m, const char *dialect, const char *name, FILE *f);

/* Requests to @path (NULL: to all) that were answered with @status. @m may be NULL, also below. */
uint64_t metrics_requests(const Metrics *m, const char *dialect, const char *path, unsigned status);

/* Counts bytes of uploads. */
void metrics_count_upload(Metrics *m, uint64_t bytes);
uint64_t metrics_uploaded(const Metrics *m);

/* Keeps the carbon intensity that was read last, and until when it is valid. */
void metrics_note_carbon(Metrics *m, const char *zone, double intensity, usec_t until);
/* The zone, with *ret_intensity, or NULL if nothing is known for @now. */
const char *metrics_carbon(const Metrics *m, usec_t now, double *ret_intensity);

/* The lines before a metric's samples; @type is counter, gauge, histogram or untyped. */
void metrics_header(FILE *f, const char *name, const char *type, const char *help);

/* One sample. The labels are pairs of name and value, ended by NULL. */
void metrics_sample(FILE *f, const char *name, double value, ...) _sentinel_;

/* The Content-Type of it all. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
