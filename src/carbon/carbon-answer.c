/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "carbon/carbon-answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "json/json-parse.h"
#include "json/json-table.h"

#define POUND_PER_MWH 0.453592 /* g/kWh */
#define PERIOD_DEFAULT 300u /* seconds, of WattTime */
#define PERIOD_MAX 86400u

/* Sets *ret_error; returns -EBADMSG or -ENOMEM. */
static int refuse(char **ret_error, const char *format, ...) _printf_(2, 3);
static int refuse(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = vstrprintf(format, ap);
        va_end(ap);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

static int parse_answer(const char *text, size_t size, json_t **ret, char **ret_error) {
        _cleanup_free_ char *error = NULL;
        int r;

        if (size > CARBON_TEXT_MAX)
                return refuse(ret_error, "the answer is longer than %zu bytes", CARBON_TEXT_MAX);
        r = json_parse_object(text, size, ret, &error);
        return r == -EBADMSG ? refuse(ret_error, "the answer is no JSON object: %s", strna(error)) : r;
}

/* RFC 3339, and the same without seconds, as the service of Great Britain has it. */
static int parse_time(json_t *value, usec_t *ret) {
        const char *s = json_string_value(value);
        char longer[24];

        if (!s)
                return -EINVAL;
        if (strlen(s) != strlen("2025-06-15T10:30Z") || s[16] != 'Z')
                return parse_rfc3339(s, ret);
        (void) snprintf(longer, sizeof(longer), "%.16s:00Z", s);
        return parse_rfc3339(longer, ret);
}

/* The end of a list of points. */
static int finish(CarbonData *d, char **ret_error) {
        if (d->n_points == 0)
                return refuse(ret_error, "the answer has no intensity");
        carbon_data_sort(d);
        return 0;
}

static int add(CarbonData *d, usec_t from, usec_t to, json_t *intensity, double factor, char **ret_error) {
        int r = json_is_number(intensity)
                        ? carbon_data_add(d, from, to, json_number_value(intensity) * factor)
                        : -EBADMSG;

        return r == -EBADMSG
                        ? refuse(ret_error,
                                          "value %zu of the answer has no intensity of 0 to %.0f g/kWh, or "
                                          "no valid time",
                                          d->n_points, CARBON_INTENSITY_MAX)
                        : r;
}

/* --- Great Britain --------------------------------------------------------------------------------- */

/* What was measured, if it was; else the forecast. */
static json_t *gb_intensity(json_t *value) {
        json_t *actual = json_object_get(value, "actual");

        return json_is_number(actual) ? actual : json_object_get(value, "forecast");
}

/* "RG10" and "rg10", 13 and "13" */
static bool is_region(json_t *regional, const char *zone) {
        json_t *id = json_object_get(regional, "regionid");
        const char *postcode = json_string_value(json_object_get(regional, "postcode"));
        unsigned number;

        if (parse_unsigned(zone, &number) >= 0)
                return json_is_integer(id) && json_integer_value(id) == (json_int_t) number;
        return postcode && strcasecmp(postcode, zone) == 0;
}

int carbon_answer_gb(const char *text, size_t size, CarbonData *d, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        json_t *list, *value;
        size_t i;
        int r = parse_answer(text, size, &object, ret_error);

        if (r < 0)
                return r;
        list = json_object_get(object, "data");
        if (json_is_object(list)) {
                if (!is_region(list, d->zone))
                        return refuse(ret_error, "the answer is not for the zone %s", d->zone);
                list = json_object_get(list, "data");
        } else if (strcasecmp(d->zone, "GB") != 0)
                return refuse(ret_error, "the answer is not for the zone %s", d->zone);
        if (!json_is_array(list))
                return refuse(ret_error, "the answer has no list \"data\"");
        json_array_foreach(list, i, value) {
                usec_t from = 0, to = 0;

                if (parse_time(json_object_get(value, "from"), &from) < 0 ||
                                parse_time(json_object_get(value, "to"), &to) < 0)
                        return refuse(ret_error, "value %zu of the answer has no valid time", i);
                r = add(d, from, to, gb_intensity(json_object_get(value, "intensity")), 1, ret_error);
                if (r < 0)
                        return r;
        }
        d->has_forecast = true;
        return finish(d, ret_error);
}

/* --- Electricity Maps ------------------------------------------------------------------------------ */

static int check_zone(json_t *object, const char *zone, char **ret_error) {
        const char *given = json_string_value(json_object_get(object, "zone"));

        return given && streq(given, zone) ? 0
                                           : refuse(ret_error, "the answer is not for the zone %s", zone);
}

int carbon_answer_latest(const char *text, size_t size, usec_t now, CarbonData *d, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        usec_t from;
        int r = parse_answer(text, size, &object, ret_error);

        if (r >= 0)
                r = check_zone(object, d->zone, ret_error);
        if (r < 0)
                return r;
        if (parse_time(json_object_get(object, "datetime"), &from) < 0)
                return refuse(ret_error, "the answer has no valid \"datetime\"");
        d->is_estimated = json_is_true(json_object_get(object, "isEstimated"));
        r = add(d, from, MAX(from, now) + USEC_PER_HOUR, json_object_get(object, "carbonIntensity"), 1,
                        ret_error);
        return r < 0 ? r : finish(d, ret_error);
}

int carbon_answer_forecast(const char *text, size_t size, CarbonData *d, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        json_t *list, *value;
        size_t i, before = d->n_points;
        usec_t from, first = USEC_INFINITY;
        int r = parse_answer(text, size, &object, ret_error);

        if (r >= 0)
                r = check_zone(object, d->zone, ret_error);
        if (r < 0)
                return r;
        list = json_object_get(object, "forecast");
        if (!json_is_array(list))
                return refuse(ret_error, "the answer has no list \"forecast\"");
        json_array_foreach(list, i, value) {
                if (parse_time(json_object_get(value, "datetime"), &from) < 0)
                        return refuse(ret_error, "value %zu of the answer has no valid time", i);
                r = add(d, from, from + USEC_PER_HOUR, json_object_get(value, "carbonIntensity"), 1,
                                ret_error);
                if (r < 0)
                        return r;
                first = MIN(first, from);
        }
        /* The latest value ends where the forecast begins. */
        for (i = 0; i < before; i++)
                if (d->points[i].from < first)
                        d->points[i].to = MIN(d->points[i].to, first);
        d->has_forecast = json_array_size(list) > 0;
        return finish(d, ret_error);
}

/* --- WattTime -------------------------------------------------------------------------------------- */

static int read_meta(json_t *meta, const char *region, unsigned *ret_period, char **ret_error) {
        const char *units = json_string_value(json_object_get(meta, "units")),
                   *given = json_string_value(json_object_get(meta, "region"));
        json_t *period = json_object_get(meta, "data_point_period_seconds");

        if (!units || !streq(units, "lbs_co2_per_mwh"))
                return refuse(ret_error, "the answer is not in lbs_co2_per_mwh");
        if (given && !streq(given, region))
                return refuse(ret_error, "the answer is not for the zone %s", region);
        *ret_period = PERIOD_DEFAULT;
        if (!period)
                return 0;
        if (!json_is_integer(period) || json_integer_value(period) < 1 ||
                        json_integer_value(period) > (json_int_t) PERIOD_MAX)
                return refuse(ret_error, "the answer's data_point_period_seconds is not 1 to %u",
                                PERIOD_MAX);
        *ret_period = (unsigned) json_integer_value(period);
        return 0;
}

int carbon_answer_watttime(const char *text, size_t size, CarbonData *d, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        json_t *list, *value;
        unsigned period;
        usec_t from;
        size_t i;
        int r = parse_answer(text, size, &object, ret_error);

        if (r >= 0)
                r = read_meta(json_object_get(object, "meta"), d->zone, &period, ret_error);
        if (r < 0)
                return r;
        list = json_object_get(object, "data");
        if (!json_is_array(list))
                return refuse(ret_error, "the answer has no list \"data\"");
        json_array_foreach(list, i, value) {
                if (parse_time(json_object_get(value, "point_time"), &from) < 0)
                        return refuse(ret_error, "value %zu of the answer has no valid time", i);
                r = add(d, from, from + period * USEC_PER_SEC, json_object_get(value, "value"),
                                POUND_PER_MWH, ret_error);
                if (r < 0)
                        return r;
        }
        d->is_marginal = true;
        d->has_forecast = true;
        return finish(d, ret_error);
}

int carbon_answer_login(const char *text, size_t size, char **ret_token, char **ret_error) {
        _cleanup_json_ json_t *object = NULL;
        const char *token;
        int r = parse_answer(text, size, &object, ret_error);

        if (r < 0)
                return r;
        token = json_string_value(json_object_get(object, "token"));
        if (isempty(token) || strlen(token) > CARBON_TOKEN_MAX)
                return refuse(ret_error, "the answer has no token");
        for (const char *p = token; *p; p++)
                if (*p <= ' ' || *p > '~')
                        return refuse(ret_error, "the token has characters that no header can have");
        *ret_token = strdup(token);
        return *ret_token ? 0 : -ENOMEM;
}
