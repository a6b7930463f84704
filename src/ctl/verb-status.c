/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/job-remedy.h"
#include "ctl/job-view.h"
#include "ctl/socket-view.h"
#include "ctl/verb-status.h"
#include "ctl/view.h"
#include "json/json-table.h"

/* "alice (key ci, from 192.0.2.1)" */
static int print_submitter(Ctl *ctl, const JobView *v) {
        static const struct {
                const char *key, *text;
        } more[] = { { "key", "key " }, { "schedule", "schedule " }, { "address", "from " },
                { "session", "session " } };
        _cleanup_(json_decrefp) json_t *submitter = json_loads(strempty(v->submitter), 0, NULL);
        const char *name = json_string_value(json_object_get(submitter, "name"));
        _cleanup_strv_free_ char **parts = NULL;
        _cleanup_free_ char *list = NULL;

        if (isempty(name))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                const char *value = json_string_value(json_object_get(submitter, more[i].key));

                if (value && strv_extendf(&parts, "%s%s", more[i].text, value) < 0)
                        return -ENOMEM;
        }
        list = strv_join(parts, ", ");
        if (!list)
                return -ENOMEM;
        return view_line(ctl, "Submitter", COLOUR_NONE, "%s%s%s%s", name, parts ? " (" : "", list,
                        parts ? ")" : "");
}

static int print_progress(Ctl *ctl, const JobView *v) {
        char done[BYTES_SIZE], total[BYTES_SIZE], rate[BYTES_SIZE], span[TIMESPAN_SIZE] = "";
        _cleanup_free_ char *bytes = NULL, *speed = NULL;
        bool left = v->remaining > 0 && v->remaining < UINT64_MAX && !job_view_has_ended(v);

        if (isempty(v->phase) && v->percent < 0)
                return 0;
        bytes = v->total > 0
                        ? strprintf(", %s of %s", format_bytes(done, v->done), format_bytes(total, v->total))
                        : strdup("");
        if (left)
                (void) format_timespan(span, v->remaining);
        speed = v->rate > 0 && !job_view_has_ended(v)
                        ? strprintf(", %s/s%s%s%s", format_bytes(rate, v->rate), left ? ", " : "", span,
                                          left ? " left" : "")
                        : strdup("");
        if (!bytes || !speed)
                return -ENOMEM;
        if (v->percent < 0)
                return view_line(ctl, "Progress", COLOUR_NONE, "%s%s%s", v->phase, bytes, speed);
        return view_line(ctl, "Progress", COLOUR_NONE, "%s%s%.1f%%%s%s", strempty(v->phase),
                        isempty(v->phase) ? "" : ", ", v->percent, bytes, speed);
}

/* Of a warm job: "waiting, 3 passes complete". */
static int print_warm(Ctl *ctl, const JobView *v) {
        _cleanup_(json_decrefp) json_t *warm = json_loads(strempty(v->warm), 0, NULL);
        json_int_t passes = json_integer_value(json_object_get(warm, "passes"));
        char span[TIMESPAN_SIZE];

        if (!warm)
                return 0;
        const char *phase = json_string_value(json_object_get(warm, "phase"));
        int r = view_line(ctl, "Warm", COLOUR_NONE, "%s%s%" JSON_INTEGER_FORMAT " %s complete",
                        strempty(phase), phase ? ", " : "", passes, passes == 1 ? "pass" : "passes");
        const struct {
                const char *key, *title;
        } lines[] = { { "next", "Next pass" }, { "cutover_at", "Cutover" },
                { "estimate_seconds", "Pass takes" }, { "downtime_seconds", "Downtime" } };
        for (size_t i = 0; i < ELEMENTSOF(lines) && r >= 0; i++) {
                json_t *value = json_object_get(warm, lines[i].key);

                if (json_is_string(value))
                        r = view_line(ctl, lines[i].title, COLOUR_NONE, "%s", json_string_value(value));
                else if (json_is_number(value))
                        r = view_line(ctl, lines[i].title, COLOUR_NONE, "%s",
                                        format_timespan(span,
                                                        (usec_t) (json_number_value(value) *
                                                                        (double) USEC_PER_SEC)));
        }
        return r;
}

static int print_output(Ctl *ctl, json_t *output) {
        const char *where = json_string_value(json_object_get(output, "path"));
        const char *format = json_string_value(json_object_get(output, "format"));
        json_t *virtual_size = json_object_get(output, "virtual_size"),
               *actual_size = json_object_get(output, "actual_size");
        char a[BYTES_SIZE], b[BYTES_SIZE];

        if (!json_is_integer(virtual_size) || !json_is_integer(actual_size))
                return view_line(ctl, "Output", COLOUR_NONE, "%s (%s)", strna(where), strna(format));
        return view_line(ctl, "Output", COLOUR_NONE, "%s (%s, %s, %s on disk)", strna(where), strna(format),
                        format_bytes(a, (uint64_t) json_integer_value(virtual_size)),
                        format_bytes(b, (uint64_t) json_integer_value(actual_size)));
}

static int print_remedy(Ctl *ctl, const JobView *v) {
        _cleanup_free_ char *remedy = job_remedy(v, strempty(v->id));

        return remedy ? view_line(ctl, "Next", COLOUR_NONE, "%s", remedy) : -ENOMEM;
}

/* What a warm job could not undo on its source. */
static int print_remains(Ctl *ctl, json_t *remains) {
        const char *message = json_string_value(json_object_get(remains, "message")),
                   *next = json_string_value(json_object_get(remains, "next_try"));

        if (!message)
                return 0;
        return view_line(ctl, "Source left", COLOUR_RED, "%s (%s%s)", message,
                        next ? "next try at " : "not tried again", strempty(next));
}

/* Output files, and why it failed in the job's own words. */
static int print_result(Ctl *ctl, const JobView *v) {
        _cleanup_(json_decrefp) json_t *result = json_loads(strempty(v->result), 0, NULL);
        json_t *error = json_object_get(result, "error"), *output;
        const char *message = json_string_value(json_object_get(error, "message")),
                   *phase = json_string_value(json_object_get(error, "phase"));
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(result, "outputs"), i, output) {
                r = print_output(ctl, output);
                if (r < 0)
                        return r;
        }
        if (message && !streq_ptr(message, v->reason))
                r = view_line(ctl, "Error", COLOUR_RED, "%s%s%s", strempty(phase), phase ? ": " : "",
                                message);
        if (r >= 0)
                r = print_remains(ctl, json_object_get(result, "remains"));
        return r < 0 ? r : print_remedy(ctl, v);
}

static int print_history(Ctl *ctl, const JobView *v) {
        char when[RFC3339_SIZE];
        int r = 0;

        for (size_t i = 0; i < v->n_history && r >= 0; i++) {
                const StateChange *c = v->history + i;

                r = view_line(ctl, i == 0 ? "History" : "", COLOUR_NONE, "%s %s%s%s",
                                format_rfc3339(when, c->when), c->state, isempty(c->reason) ? "" : ": ",
                                strempty(c->reason));
        }
        return r;
}

static int print_times(Ctl *ctl, const JobView *v) {
        char buf[VIEW_WHEN_SIZE], span[TIMESPAN_SIZE];
        int r;

        r = view_line(ctl, "Created", COLOUR_NONE, "%s", view_when(buf, v->created));
        if (r >= 0)
                r = view_line(ctl, "Started", COLOUR_NONE, "%s", view_when(buf, v->started));
        if (r >= 0)
                r = view_line(ctl, "Finished", COLOUR_NONE, "%s", view_when(buf, v->finished));
        if (r >= 0 && v->started > 0 && v->finished > v->started)
                r = view_line(ctl, "Took", COLOUR_NONE, "%s",
                                format_timespan(span, v->finished - v->started));
        return r;
}

static int print_job(Ctl *ctl, const JobView *v) {
        _cleanup_(json_decrefp) json_t *spec = json_loads(strempty(v->spec), 0, NULL);
        Colour colour = colour_of_state(strempty(v->state));
        int r;

        printf("%s%s%s %s - %s\n", colour_on(&ctl->out, colour), ctl->out.utf8 ? "●" : "*",
                        colour_off(&ctl->out, colour), v->id, strempty(v->operation));
        r = view_line(ctl, "State", colour, "%s", strempty(v->state));
        if (r >= 0)
                r = view_line(ctl, "Reason", COLOUR_NONE, "%s", strempty(v->reason));
        if (r >= 0)
                r = print_progress(ctl, v);
        if (r >= 0)
                r = print_warm(ctl, v);
        if (r >= 0)
                r = view_endpoint(ctl, "Source", json_object_get(spec, "source"));
        if (r >= 0)
                r = view_endpoint(ctl, "Destination", json_object_get(spec, "destination"));
        if (r >= 0)
                r = print_result(ctl, v);
        if (r >= 0)
                r = print_submitter(ctl, v);
        if (r >= 0)
                r = view_line(ctl, "Unit", COLOUR_NONE, "%s", strempty(v->unit));
        if (r >= 0 && v->attempt > 0)
                r = view_line(ctl, "Attempt", COLOUR_NONE, "%u", v->attempt);
        if (r >= 0)
                r = view_line(ctl, "Priority", COLOUR_NONE, "%u", v->priority);
        if (r >= 0)
                r = print_times(ctl, v);
        if (r >= 0)
                r = print_history(ctl, v);
        return r;
}

static int status_one(Ctl *ctl, sd_bus *bus, const char *id, bool first) {
        _cleanup_(json_decrefp) json_t *details = NULL;
        _cleanup_(job_view_done) JobView view = { .percent = -1 };
        _cleanup_free_ char *path = NULL;
        int status;

        status = job_view_find(ctl, bus, id, &path, &details);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, details);
        status = job_view_fetch(ctl, bus, id, path, &view);
        if (status != EXIT_OK)
                return status;
        if (!first)
                putchar('\n');
        if (free_and_strdup(&view.id, id) < 0 || print_job(ctl, &view) < 0)
                return log_oom(), EXIT_OTHER;
        return EXIT_OK;
}

int verb_status(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first;

        if (!*words)
                return socket_view(ctl);
        first = client_connect(ctl, &bus);
        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                int status = status_one(ctl, bus, *id, id == words);

                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}
