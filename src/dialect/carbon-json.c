/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dialect/carbon-json.h"

#include <math.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "spec/carbon-window.h"
#include "json/json-table.h"

#define WINDOWS_MAX 24u
#define WATTS 100.0
#define WH_PER_GB 0.05
#define KM_PER_KG 4.0 /* of an average car */

static const char unit[] = "gCO2eq/kWh";

void carbon_ask_done(CarbonAsk *a) {
        free(a->zone);
        free(a->job_id);
        *a = (CarbonAsk){};
}

int carbon_duration(const char *text, usec_t *ret) {
        _cleanup_free_ char *number = strdup(text);
        unsigned n, factor = 1;
        size_t length = strlen(text);

        if (!number)
                return -ENOMEM;
        if (length > 0 && (text[length - 1] == 'h' || text[length - 1] == 'm')) {
                factor = text[length - 1] == 'h' ? 60 : 1;
                number[length - 1] = '\0';
        }
        if (parse_unsigned(number, &n) < 0 || n > 1440 || n * factor < 15 || n * factor > 1440)
                return -EINVAL;
        *ret = n * factor * USEC_PER_MINUTE;
        return 0;
}

double carbon_energy(usec_t duration, double size_gb) {
        return (WATTS * (double) duration / (double) USEC_PER_HOUR + WH_PER_GB * size_gb) / 1000;
}

/* To a thousandth, as JSON has no need of more. */
static json_t *number(double value) {
        return json_real(round(value * 1000) / 1000);
}

static json_t *tenths(double value) {
        return json_real(round(value * 10) / 10);
}

static double intensity_at(const CarbonData *d, usec_t now) {
        const CarbonPoint *p = carbon_data_at(d, now);

        return p ? p->intensity : -1;
}

static double savings(double before, double after) {
        return before > 0 ? (before - after) / before * 100 : 0;
}

/* --- now ------------------------------------------------------------------------------------------- */

json_t *carbon_intensity_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        const CarbonPoint *p = carbon_data_at(d, now);

        return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:b, s:s?}", "zone", d->zone,
                        "intensity", number(p->intensity), "unit", unit, "kind",
                        d->is_marginal ? "marginal" : "average", "index", carbon_index(p->intensity),
                        "quality", carbon_quality(p->intensity), "estimated", (int) d->is_estimated,
                        "valid_from", json_time(p->from), "valid_to", json_time(p->to), "updated_at",
                        json_time(d->updated_at), "stale", d->error != NULL, "source", d->source);
}

/* --- windows --------------------------------------------------------------------------------------- */

static int find_windows(const CarbonData *d, const CarbonAsk *a, usec_t now, CarbonWindow *ret) {
        const CarbonSearch search = { .from = now,
                .until = now + a->hours * USEC_PER_HOUR,
                .start_until = a->deadline > 0 ? a->deadline : USEC_INFINITY,
                .duration = a->duration,
                .max_intensity = a->max_intensity };

        return d->has_forecast ? carbon_windows(d, &search, ret, MIN(a->limit, WINDOWS_MAX)) : 0;
}

static json_t *window_json(const CarbonWindow *w, size_t rank, double current) {
        return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "rank", (json_int_t) rank, "start",
                        json_time(w->start), "end", json_time(w->end), "average_intensity",
                        number(w->average), "max_intensity", number(w->highest), "savings_percent",
                        current >= 0 ? tenths(savings(current, w->average)) : json_null());
}

static json_t *windows_json(const CarbonWindow *windows, int n, double current) {
        _cleanup_json_ json_t *list = json_array();

        for (int i = 0; list && i < n; i++)
                if (json_array_append_new(list, window_json(windows + i, (size_t) i + 1, current)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static char *reason(const CarbonData *d, const CarbonWindow *best, double current, usec_t now) {
        double percent;

        if (!d->has_forecast)
                return strdup("The source has no forecast");
        if (!best)
                return strdup("No window is as asked for");
        if (best->start <= now)
                return strdup("Now is the best time");
        percent = current >= 0 ? savings(current, best->average) : 0;
        return percent >= 0.5 ? strprintf("%.0f %% below now", percent) : strdup("About as good as now");
}

static json_t *current_json(double current) {
        return current < 0 ? json_null()
                           : json_pack("{s:o, s:s}", "intensity", number(current), "index",
                                             carbon_index(current));
}

json_t *carbon_schedule_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        CarbonWindow windows[WINDOWS_MAX];
        double current = intensity_at(d, now);
        int n = find_windows(d, a, now, windows);
        _cleanup_free_ char *why = n < 0 ? NULL : reason(d, n > 0 ? windows : NULL, current, now);

        if (!why)
                return NULL;
        return json_pack("{s:s, s:s, s:I, s:{s:o, s:o}, s:o, s:b, s:s?, s:o, s:o, s:{s:o, s:s}}", "zone",
                        d->zone, "unit", unit, "duration_minutes",
                        (json_int_t) (a->duration / USEC_PER_MINUTE), "horizon", "from", json_time(now),
                        "to", json_time(now + a->hours * USEC_PER_HOUR), "current", current_json(current),
                        "stale", d->error != NULL, "source", d->source, "updated_at",
                        json_time(d->updated_at), "windows", windows_json(windows, n, current),
                        "recommendation", "start", n > 0 ? json_time(windows[0].start) : json_null(),
                        "reason", why);
}

/* --- what older clients ask ------------------------------------------------------------------------ */

/* At most so many hours. */
static json_t *forecast_json(const CarbonData *d, usec_t now, unsigned hours) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; list && d->has_forecast && i < d->n_points; i++) {
                const CarbonPoint *p = d->points + i;

                if (p->to <= now || p->from >= now + hours * USEC_PER_HOUR)
                        continue;
                if (json_array_append_new(list,
                                    json_pack("{s:o, s:o, s:s}", "time", json_time(p->from),
                                                    "intensity_gco2_kwh", number(p->intensity), "quality",
                                                    carbon_quality(p->intensity))) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

/* The first time at which the intensity is at most @limit; 0: none is known. */
static usec_t next_low(const CarbonData *d, usec_t now, double limit) {
        for (size_t i = 0; d->has_forecast && i < d->n_points; i++)
                if (d->points[i].to > now && d->points[i].intensity <= limit)
                        return MAX(d->points[i].from, now);
        return 0;
}

json_t *carbon_status_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        double current = intensity_at(d, now);
        bool low = current <= a->max_intensity;
        usec_t next = low ? 0 : next_low(d, now, a->max_intensity);
        _cleanup_free_ char *why = strprintf("%.0f %s is %s %.0f", current, unit,
                        low ? "at most" : "more than", a->max_intensity);

        if (!why)
                return NULL;
        return json_pack("{s:s, s:o, s:n, s:b, s:o, s:o, s:s, s:o, s:s}", "zone", d->zone,
                        "current_intensity", number(current), "renewable_percent", "optimal_for_backup",
                        (int) low, "next_optimal_time", json_time(next), "forecast_next_4h",
                        forecast_json(d, now, 4), "reasoning", why, "timestamp", json_time(d->updated_at),
                        "quality", carbon_quality(current));
}

json_t *carbon_estimate_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        double energy = carbon_energy(a->duration, a->size_gb), current = intensity_at(d, now),
               at_once = carbon_data_average(d, now, now + a->duration), before, after;
        CarbonWindow best;
        int n = find_windows(d, a, now, &best);
        bool later;
        _cleanup_free_ char *text = NULL;

        if (n < 0)
                return NULL;
        before = at_once >= 0 ? at_once : current;
        later = n > 0 && best.start > now && best.average < before;
        after = later ? best.average : before;
        text = later ? strprintf("Wait %" PRIu64 " minutes to save %.3f kg CO2 (%.0f %%)",
                                       (best.start - now) / USEC_PER_MINUTE,
                                       (before - after) * energy / 1000, savings(before, after))
                     : strdup("Start now");
        if (!text)
                return NULL;
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o}", "current_intensity_gco2_kwh",
                        number(before), "current_emissions_kg_co2", number(before * energy / 1000),
                        "best_intensity_gco2_kwh", number(after), "best_emissions_kg_co2",
                        number(after * energy / 1000), "best_time", json_time(later ? best.start : now),
                        "savings_kg_co2", number((before - after) * energy / 1000), "savings_percent",
                        tenths(savings(before, after)), "recommendation", text, "delay_minutes",
                        (json_int_t) (later ? (best.start - now) / USEC_PER_MINUTE : 0), "forecast",
                        forecast_json(d, now, a->hours));
}

json_t *carbon_report_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        usec_t duration = a->end - a->start;
        double energy = carbon_energy(duration, a->size_gb),
               average = carbon_data_average(d, a->start, a->end), used, worst, kg;
        _cleanup_free_ char *equivalent = NULL;

        used = average >= 0 ? average : intensity_at(d, now);
        worst = MAX(used, carbon_data_highest(d, now, now + USEC_PER_DAY));
        kg = used * energy / 1000;
        equivalent = strprintf("%.1f km of driving", kg * KM_PER_KG);
        if (!equivalent)
                return NULL;
        return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:n, s:s}", "operation_id",
                        a->job_id, "start_time", json_time(a->start), "end_time", json_time(a->end),
                        "duration_hours", number((double) duration / (double) USEC_PER_HOUR), "data_size_gb",
                        number(a->size_gb), "energy_kwh", number(energy), "carbon_intensity_gco2_kwh",
                        number(used), "estimated", average < 0, "carbon_emissions_kg_co2", number(kg),
                        "savings_vs_worst_kg_co2", number((worst - used) * energy / 1000),
                        "renewable_percent", "equivalent", equivalent);
}

json_t *carbon_zones_json(const CarbonData *d, const CarbonAsk *a, usec_t now) {
        double current = intensity_at(d, now);

        return json_pack("{s:[{s:s, s:s, s:s?, s:o}], s:i}", "zones", "id", d->zone, "name", d->zone,
                        "source", d->source, "current_intensity",
                        current >= 0 ? number(current) : json_null(), "total", 1);
}
