/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The carbon intensity of a grid, now and as forecast, in the form in which hyper-carbond keeps it and gives
 * it to other programs; a file for carbon.source "file" has the same form. Pure. */

#include <jansson.h>

#include "basic/time-util.h"

/* Of the JSON text, and of the values in it. */
#define CARBON_TEXT_MAX ((size_t) 1024 * 1024)
#define CARBON_POINTS_MAX 4096u
#define CARBON_INTENSITY_MAX 10000.0 /* gCO2eq/kWh; a grid that burns nothing but lignite has about 1300 */
#define CARBON_ZONE_MAX 64u

typedef struct CarbonPoint {
        usec_t from, to;
        double intensity; /* gCO2eq/kWh */
} CarbonPoint;

typedef struct CarbonData {
        char *zone;
        char *source; /* "electricitymaps", …; NULL: not given */
        bool is_marginal; /* of the power plants that would react, not the average of all */
        bool is_estimated;
        bool has_forecast; /* the points go on behind now, as far as the source knows */
        usec_t updated_at; /* when this was read from the source */
        char *error; /* why nothing newer could be read; NULL: this is what the source says */
        CarbonPoint *points; /* in the order of their times, none overlaps another */
        size_t n_points, allocated;
} CarbonData;

CarbonData *carbon_data_free(CarbonData *d);
DEFINE_CLEANUP_FUNC(CarbonData *, carbon_data_free);

/* No points, and no zone. NULL when out of memory. */
CarbonData *carbon_data_new(void);

/* Adds a point, in any order. -EBADMSG if it is none (an end before its start, no intensity), or if there are
 * too many of them, or -ENOMEM. */
int carbon_data_add(CarbonData *d, usec_t from, usec_t to, double intensity);
/* Puts the points in order. Where two overlap, the later one begins when the earlier one ends. */
void carbon_data_sort(CarbonData *d);

/* {"zone", "updated_at", "points": [{"from", "to", "intensity"}], "source"?, "kind"?, "estimated"?,
 * "forecast"?, "error"?}. -EBADMSG with *ret_error, for people (caller frees), or -ENOMEM. */
int carbon_data_decode(const char *text, size_t size, CarbonData **ret, char **ret_error);
/* The same with all keys. New reference; NULL when out of memory. */
json_t *carbon_data_to_json(const CarbonData *d);

/* A zone as requests may name it: letters, digits, "-" and "_". */
bool carbon_zone_is_valid(const char *zone) _pure_;

/* The point at @now, or NULL. */
const CarbonPoint *carbon_data_at(const CarbonData *d, usec_t now) _pure_;

/* The average over a span, or -1 if some of it has no point. */
double carbon_data_average(const CarbonData *d, usec_t from, usec_t to) _pure_;
/* The highest value in a span that has points. */
double carbon_data_highest(const CarbonData *d, usec_t from, usec_t to) _pure_;

/* "very low", "low", "moderate", "high", "very high", and the same as a quality: "excellent" … "very poor".
 * */
const char *carbon_index(double intensity) _pure_;
const char *carbon_quality(double intensity) _pure_;
