/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is said about the carbon intensity of the grid, in the form of the v1 API. Pure. */

#include <jansson.h>

#include "spec/carbon-data.h"

/* What a request asks for; each reply uses some of it. */
typedef struct CarbonAsk {
        char *zone; /* NULL: the one of the configuration */
        unsigned hours; /* how far to look */
        usec_t duration; /* of a window, or of the work */
        unsigned limit; /* of windows */
        double max_intensity; /* 0: none */
        usec_t deadline; /* 0: none */
        usec_t start, end; /* of work that was done */
        double size_gb; /* that is, or was, transferred */
        char *job_id;
} CarbonAsk;

void carbon_ask_done(CarbonAsk *a);

/* "60", "90m" and "2h", of 15 minutes to a day. 0 or -EINVAL. */
int carbon_duration(const char *text, usec_t *ret);

/* An estimate: a machine that takes 100 W, and 0.05 Wh for each GB that is transferred. */
double carbon_energy(usec_t duration, double size_gb);

/* All: new reference, or NULL when out of memory. @now is a time for which there is a point, except for
 * carbon_schedule_json() and carbon_zones_json(). */
json_t *carbon_intensity_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
json_t *carbon_schedule_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
json_t *carbon_status_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
json_t *carbon_estimate_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
json_t *carbon_report_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
json_t *carbon_zones_json(const CarbonData *d, const CarbonAsk *a, usec_t now);
