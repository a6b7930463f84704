/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/carbon-data.h"

#include <math.h>

#include "basic/string-util.h"
#include "json/json-parse.h"
#include "json/json-table.h"

/* Times outside of these are mistakes: 2000-01-01 to 2200-01-01. */
#define TIME_MIN ((usec_t) 946684800 * USEC_PER_SEC)
#define TIME_MAX ((usec_t) 7258118400 * USEC_PER_SEC)

CarbonData *carbon_data_free(CarbonData *d) {
        if (!d)
                return NULL;
        free(d->zone);
        free(d->source);
        free(d->error);
        free(d->points);
        return mfree(d);
}

CarbonData *carbon_data_new(void) {
        return new0(CarbonData, 1);
}

bool carbon_zone_is_valid(const char *zone) {
        size_t n = strspn(zone,
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789-_");

        return n > 0 && n <= CARBON_ZONE_MAX && zone[n] == '\0';
}

/* --- points ---------------------------------------------------------------------------------------- */

int carbon_data_add(CarbonData *d, usec_t from, usec_t to, double intensity) {
        if (from >= to || from < TIME_MIN || to > TIME_MAX || !isfinite(intensity) || intensity < 0 ||
                        intensity > CARBON_INTENSITY_MAX || d->n_points >= CARBON_POINTS_MAX)
                return -EBADMSG;
        if (!GREEDY_REALLOC(d->points, d->allocated, d->n_points + 1))
                return -ENOMEM;
        d->points[d->n_points++] = (CarbonPoint){ from, to, intensity };
        return 0;
}

static int compare_points(const void *x, const void *y) {
        const CarbonPoint *a = x, *b = y;

        if (a->from != b->from)
                return a->from < b->from ? -1 : 1;
        return a->to < b->to ? -1 : a->to > b->to;
}

void carbon_data_sort(CarbonData *d) {
        size_t n = 0;

        if (d->n_points > 1)
                qsort(d->points, d->n_points, sizeof(*d->points), compare_points);
        for (size_t i = 0; i < d->n_points; i++) {
                CarbonPoint p = d->points[i];

                if (n > 0)
                        p.from = MAX(p.from, d->points[n - 1].to);
                if (p.from < p.to)
                        d->points[n++] = p;
        }
        d->n_points = n;
}

const CarbonPoint *carbon_data_at(const CarbonData *d, usec_t now) {
        size_t first = 0, end = d->n_points;

        /* The first point that ends behind now */
        while (first < end) {
                size_t middle = first + (end - first) / 2;

                if (d->points[middle].to > now)
                        end = middle;
                else
                        first = middle + 1;
        }
        return first < d->n_points && d->points[first].from <= now ? d->points + first : NULL;
}

double carbon_data_average(const CarbonData *d, usec_t from, usec_t to) {
        const CarbonPoint *p = from < to ? carbon_data_at(d, from) : NULL;
        double sum = 0;
        usec_t at = from;

        for (; p && p < d->points + d->n_points && p->from <= at; p++) {
                usec_t until = MIN(p->to, to);

                sum += p->intensity * (double) (until - at);
                at = until;
                if (at == to)
                        return sum / (double) (to - from);
        }
        return -1;
}

double carbon_data_highest(const CarbonData *d, usec_t from, usec_t to) {
        double highest = 0;

        for (const CarbonPoint *p = carbon_data_at(d, from);
                        p && p < d->points + d->n_points && p->from < to; p++)
                highest = MAX(highest, p->intensity);
        return highest;
}

/* --- words ----------------------------------------------------------------------------------------- */

static const struct {
        double below;
        const char *index, *quality;
} levels[] = {
        { 100, "very low", "excellent" },
        { 200, "low", "good" },
        { 400, "moderate", "moderate" },
        { 600, "high", "poor" },
        { INFINITY, "very high", "very poor" },
};

static size_t level(double intensity) {
        size_t i = 0;

        while (i + 1 < ELEMENTSOF(levels) && intensity >= levels[i].below)
                i++;
        return i;
}

const char *carbon_index(double intensity) {
        return levels[level(intensity)].index;
}

const char *carbon_quality(double intensity) {
        return levels[level(intensity)].quality;
}

/* --- JSON ------------------------------------------------------------------------------------------ */

typedef struct Document {
        char *zone, *updated_at, *source, *error;
        int kind;
        bool estimated, forecast;
        json_t *points;
} Document;

static int kind_from_string(const char *s) {
        return streq(s, "average") ? 0 : streq(s, "marginal") ? 1 : -EINVAL;
}

static const JsonField document_fields[] = {
        { "zone", JSON_FIELD_STRING, offsetof(Document, zone), .flags = JSON_REQUIRED,
                        .max = CARBON_ZONE_MAX },
        { "updated_at", JSON_FIELD_STRING, offsetof(Document, updated_at), .flags = JSON_REQUIRED },
        { "points", JSON_FIELD_ANY, offsetof(Document, points), .flags = JSON_REQUIRED },
        { "source", JSON_FIELD_STRING, offsetof(Document, source), .flags = JSON_NULLABLE, .max = 64 },
        { "kind", JSON_FIELD_ENUM, offsetof(Document, kind), .flags = JSON_NULLABLE,
                        .from_string = kind_from_string, .expected = "average, marginal" },
        { "estimated", JSON_FIELD_BOOLEAN, offsetof(Document, estimated), .flags = JSON_NULLABLE },
        { "forecast", JSON_FIELD_BOOLEAN, offsetof(Document, forecast), .flags = JSON_NULLABLE },
        { "error", JSON_FIELD_STRING, offsetof(Document, error), .flags = JSON_NULLABLE },
        {},
};

static int read_point(CarbonData *d, json_t *point, size_t i, JsonErrors *errors) {
        const char *from = json_string_value(json_object_get(point, "from")),
                   *to = json_string_value(json_object_get(point, "to"));
        json_t *intensity = json_object_get(point, "intensity");
        usec_t begin, end;
        int r = -EBADMSG;

        if (from && to && json_is_number(intensity) && parse_rfc3339(from, &begin) >= 0 &&
                        parse_rfc3339(to, &end) >= 0)
                r = carbon_data_add(d, begin, end, json_number_value(intensity));
        if (r != -EBADMSG)
                return r;
        _cleanup_free_ char *field = strprintf("points[%zu]", i);
        return field ? json_errors_add(errors, field,
                                       "must be {\"from\": time, \"to\": later time, \"intensity\": "
                                       "0 to %.0f}, "
                                       "and there must be at most %u points",
                                       CARBON_INTENSITY_MAX, CARBON_POINTS_MAX)
                     : -ENOMEM;
}

static int read_points(CarbonData *d, json_t *points, JsonErrors *errors) {
        json_t *point;
        size_t i;
        int r = 0;

        if (points && !json_is_array(points))
                return json_errors_add(errors, "points", "must be a list");
        json_array_foreach(points, i, point) {
                r = read_point(d, point, i, errors);
                if (r < 0 || errors->n_errors > 0)
                        break;
        }
        carbon_data_sort(d);
        return r;
}

static int take_document(CarbonData *d, Document *o, JsonErrors *errors) {
        int r = 0;

        if (o->zone && !carbon_zone_is_valid(o->zone))
                r = json_errors_add(errors, "zone", "must consist of letters, digits, \"-\" and \"_\"");
        if (r >= 0 && o->updated_at && parse_rfc3339(o->updated_at, &d->updated_at) < 0)
                r = json_errors_add(errors, "updated_at", "must be a time, like 2025-06-15T10:30:00Z");
        if (r >= 0)
                r = read_points(d, o->points, errors);
        d->zone = TAKE_PTR(o->zone);
        d->source = TAKE_PTR(o->source);
        d->error = TAKE_PTR(o->error);
        d->is_marginal = o->kind == 1;
        d->is_estimated = o->estimated;
        d->has_forecast = o->forecast;
        return r;
}

int carbon_data_decode(const char *text, size_t size, CarbonData **ret, char **ret_error) {
        _cleanup_(carbon_data_freep) CarbonData *d = carbon_data_new();
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        Document o = { .forecast = true };
        int r;

        if (!d)
                return -ENOMEM;
        if (size > CARBON_TEXT_MAX) {
                *ret_error = strprintf("it is longer than %zu bytes", CARBON_TEXT_MAX);
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        r = json_parse_object(text, size, &object, ret_error);
        if (r < 0)
                return r;
        r = json_table_decode(document_fields, object, "", &o, &errors);
        if (r >= 0)
                r = take_document(d, &o, &errors);
        json_table_done(document_fields, &o);
        if (r < 0)
                return r;
        if (errors.n_errors > 0) {
                *ret_error = json_errors_text(&errors);
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        *ret = TAKE_PTR(d);
        return 0;
}

static json_t *points_to_json(const CarbonData *d) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; list && i < d->n_points; i++) {
                const CarbonPoint *p = d->points + i;

                if (json_array_append_new(list,
                                    json_pack("{s:o, s:o, s:f}", "from", json_time(p->from), "to",
                                                    json_time(p->to), "intensity", p->intensity)) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

json_t *carbon_data_to_json(const CarbonData *d) {
        return json_pack("{s:s, s:s?, s:s, s:b, s:b, s:o, s:s?, s:o}", "zone", d->zone, "source", d->source,
                        "kind", d->is_marginal ? "marginal" : "average", "estimated", (int) d->is_estimated,
                        "forecast", (int) d->has_forecast, "updated_at", json_time(d->updated_at), "error",
                        d->error, "points", points_to_json(d));
}
