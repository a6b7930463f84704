/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl carbon …: the carbon intensity of the grid, which hyper-carbond knows. */

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/job-view.h"
#include "ctl/verb-carbon.h"
#include "ctl/view.h"
#include "dialect/carbon-json.h"
#include "shared/bus-fields.h"
#include "json/json-table.h"

#define HOURS 24u
#define WINDOWS 5u
#define SIZE_MAX_GB 1e9
#define GB 1e9

typedef json_t *(*carbon_make)(const CarbonData *d, const CarbonAsk *a, usec_t now);

/* --- the data -------------------------------------------------------------------------------------- */

static int read_data(Ctl *ctl, sd_bus *bus, CarbonData **ret) {
        static const char what[] = "Reading the carbon intensity";
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_free_ char *why = NULL;
        const char *text;
        int status, r;

        r = sd_bus_message_new_method_call(bus, &m, HYPER_CARBON_BUS_NAME, HYPER_CARBON_BUS_PATH,
                        HYPER_CARBON_INTERFACE, "GetData");
        status = r < 0 ? client_failure(ctl, NULL, r, what) : client_call_message(ctl, bus, m, &reply, what);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "st", &text, NULL);
        if (r >= 0)
                r = carbon_data_decode(text, strlen(text), ret, &why);
        return r < 0 ? client_failure(ctl, NULL, r, what) : EXIT_OK;
}

/* What @make says about the data. EXIT_OK with *ret, or another ExitStatus. */
static int ask(Ctl *ctl, sd_bus *bus, const CarbonAsk *a, carbon_make make, bool needs_now, json_t **ret) {
        _cleanup_(carbon_data_freep) CarbonData *d = NULL;
        usec_t now = now_realtime();
        int status = read_data(ctl, bus, &d);

        if (status != EXIT_OK)
                return status;
        if (needs_now && !carbon_data_at(d, now)) {
                log_error("The carbon source has no value for now.");
                return EXIT_UNAVAILABLE;
        }
        *ret = make(d, a, now);
        return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

static int connect_for_carbon(Ctl *ctl, sd_bus **ret) {
        ctl->daemon = "hyper-carbon";
        return client_connect(ctl, ret);
}

/* --- what is shown --------------------------------------------------------------------------------- */

typedef struct CarbonLine {
        const char *label, *key, *unit; /* of a number; NULL: it is text or a time */
} CarbonLine;

/* The values that are there, a line each. */
static int print_lines(Ctl *ctl, json_t *object, const CarbonLine *lines) {
        int r = 0;

        for (size_t i = 0; lines[i].label && r >= 0; i++) {
                json_t *value = json_object_get(object, lines[i].key);
                char when[VIEW_WHEN_SIZE];
                usec_t time = view_time(object, lines[i].key);

                if (json_is_number(value))
                        r = view_line(ctl, lines[i].label, COLOUR_NONE, "%.15g %s", json_number_value(value),
                                        strempty(lines[i].unit));
                else if (json_is_true(value))
                        r = view_line(ctl, lines[i].label, COLOUR_YELLOW, "yes");
                else if (json_is_string(value))
                        r = view_line(ctl, lines[i].label, COLOUR_NONE, "%s",
                                        time > 0 ? view_when(when, time) : json_string_value(value));
        }
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

static int print(Ctl *ctl, json_t *object, const CarbonLine *lines) {
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, object)
                                               : print_lines(ctl, object, lines);
}

static int show(Ctl *ctl, const CarbonAsk *a, carbon_make make, const CarbonLine *lines) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *object = NULL;
        int status = connect_for_carbon(ctl, &bus);

        if (status == EXIT_OK)
                status = ask(ctl, bus, a, make, true, &object);
        return status == EXIT_OK ? print(ctl, object, lines) : status;
}

int verb_carbon_intensity(Ctl *ctl, char **words) {
        static const CarbonLine lines[] = { { "Zone", "zone" }, { "Intensity", "intensity", "gCO2eq/kWh" },
                { "Index", "index" }, { "Kind", "kind" }, { "Estimated", "estimated" },
                { "Valid until", "valid_to" }, { "Updated", "updated_at" }, { "Stale", "stale" },
                { "Source", "source" }, {} };

        return show(ctl, &(CarbonAsk){}, carbon_intensity_json, lines);
}

/* --- windows and zones ----------------------------------------------------------------------------- */

static int add_cell(Table *t, const json_t *object, const char *key) {
        const json_t *value = json_object_get(object, key);
        _cleanup_free_ char *number =
                        json_is_number(value) ? strprintf("%.15g", json_number_value(value)) : NULL;
        const char *text = json_is_number(value) ? number : json_string_value(value);

        if (json_is_number(value) && !number)
                return -ENOMEM;
        return table_add(t, isempty(text) ? "-" : text, COLOUR_NONE);
}

/* The members @keys, which NULL ends, of each element. */
static int print_table(Ctl *ctl, const json_t *list, const TableColumn *columns, const char *const *keys) {
        size_t n = 0, i;
        _cleanup_(table_freep) Table *t = NULL;
        const json_t *element;
        int r;

        while (keys[n])
                n++;
        t = table_new(columns, n);
        r = t ? 0 : -ENOMEM;
        json_array_foreach(list, i, element)
                for (size_t k = 0; k < n && r >= 0; k++)
                        r = add_cell(t, element, keys[k]);
        return r < 0 ? (log_oom(), EXIT_OTHER) : view_table(ctl, t);
}

static int list(Ctl *ctl, const CarbonAsk *a, carbon_make make, const char *member,
                const TableColumn *columns, const char *const *keys) {
        _cleanup_bus_ sd_bus *bus = NULL;
        _cleanup_json_ json_t *object = NULL;
        int status = connect_for_carbon(ctl, &bus);

        if (status == EXIT_OK)
                status = ask(ctl, bus, a, make, false, &object);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, object);
        return print_table(ctl, json_object_get(object, member), columns, keys);
}

int verb_carbon_windows(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "START" }, { .title = "END" },
                { .title = "AVERAGE", .right = true }, { .title = "HIGHEST", .right = true },
                { .title = "SAVES %", .right = true } };
        static const char *const keys[] = { "start", "end", "average_intensity", "max_intensity",
                "savings_percent", NULL };
        CarbonAsk a = { .hours = HOURS, .limit = WINDOWS };

        if (ctl->args.given & OPTION_BIT(OPTION_LIMIT))
                a.limit = (unsigned) MIN(ctl->args.limit, UINT64_C(1000));
        if (carbon_duration(words[0] ? words[0] : "60", &a.duration) < 0) {
                log_error("The duration must be 15 to 1440 minutes, or hours as in 2h.");
                return EXIT_USAGE;
        }
        return list(ctl, &a, carbon_schedule_json, "windows", columns, keys);
}

int verb_carbon_zones(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "ZONE" }, { .title = "SOURCE" },
                { .title = "INTENSITY", .right = true } };
        static const char *const keys[] = { "id", "source", "current_intensity", NULL };

        return list(ctl, &(CarbonAsk){}, carbon_zones_json, "zones", columns, keys);
}

/* --- estimates ------------------------------------------------------------------------------------- */

static bool read_number(const char *text, double min, double max, double *ret) {
        char *end;
        double n = strtod(text, &end);

        *ret = n;
        return *text && !*end && n >= min && n <= max;
}

int verb_carbon_estimate(Ctl *ctl, char **words) {
        static const CarbonLine lines[] = { { "Now", "current_emissions_kg_co2", "kg CO2" },
                { "Best", "best_emissions_kg_co2", "kg CO2" }, { "Best time", "best_time" },
                { "Saves", "savings_percent", "%" }, { "Advice", "recommendation" }, {} };
        CarbonAsk a = { .hours = HOURS, .limit = 1 };
        double hours;

        if (!read_number(words[0], 0, SIZE_MAX_GB, &a.size_gb) || !read_number(words[1], 0.01, 24, &hours)) {
                log_error("The size must be a number of GB, and the time 0.01 to 24 hours.");
                return EXIT_USAGE;
        }
        a.duration = (usec_t) (hours * (double) USEC_PER_HOUR);
        return show(ctl, &a, carbon_estimate_json, lines);
}

/* What a job that has ended has used. */
static int ask_about_job(Ctl *ctl, sd_bus *bus, const char *id, CarbonAsk *a) {
        _cleanup_(job_view_done) JobView v = {};
        _cleanup_free_ char *path = NULL;
        int status = job_view_find(ctl, bus, id, &path, NULL);

        if (status == EXIT_OK)
                status = job_view_fetch(ctl, bus, id, path, &v);
        if (status != EXIT_OK)
                return status;
        if (v.started == 0 || v.finished <= v.started) {
                log_error("Job %s has not ended, or has never started.", id);
                return EXIT_REFUSED;
        }
        a->start = v.started;
        a->end = v.finished;
        a->size_gb = (double) v.done / GB;
        a->job_id = strdup(id);
        return a->job_id ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

int verb_carbon_report(Ctl *ctl, char **words) {
        static const CarbonLine lines[] = { { "Job", "operation_id" }, { "Start", "start_time" },
                { "End", "end_time" }, { "Energy", "energy_kwh", "kWh" },
                { "Intensity", "carbon_intensity_gco2_kwh", "gCO2eq/kWh" }, { "Estimated", "estimated" },
                { "Emissions", "carbon_emissions_kg_co2", "kg CO2" }, { "Equivalent", "equivalent" }, {} };
        _cleanup_(carbon_ask_done) CarbonAsk a = { .hours = HOURS, .limit = 1 };
        _cleanup_json_ json_t *object = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = client_connect(ctl, &bus);

        if (status == EXIT_OK)
                status = ask_about_job(ctl, bus, words[0], &a);
        ctl->daemon = "hyper-carbon";
        if (status == EXIT_OK)
                status = ask(ctl, bus, &a, carbon_report_json, true, &object);
        return status == EXIT_OK ? print(ctl, object, lines) : status;
}
