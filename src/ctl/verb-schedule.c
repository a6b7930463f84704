/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/submit-spec.h"
#include "ctl/verb-schedule.h"
#include "ctl/view.h"
#include "ctl/watch.h"
#include "journal/schedule-event.h"
#include "json/json-table.h"

/* --- list ------------------------------------------------------------------------------------------ */

typedef struct ListedSchedule {
        const char *id, *path, *name, *expression, *status, *submitter;
        int enabled;
        uint64_t last, next, runs;
} ListedSchedule;

/* 1 with *ret, 0 at the end, negative errno. The strings belong to the message. */
static int read_schedule(sd_bus_message *m, ListedSchedule *ret) {
        return sd_bus_message_read(m, "(sossbtttss)", &ret->id, &ret->path, &ret->name, &ret->expression,
                        &ret->enabled, &ret->last, &ret->next, &ret->runs, &ret->status, &ret->submitter);
}

static int print_as_json(Ctl *ctl, sd_bus_message *m, uint64_t total) {
        _cleanup_json_ json_t *list = json_array(), *answer = NULL;
        ListedSchedule s;
        int r = list ? 0 : -ENOMEM;

        while (r >= 0 && (r = read_schedule(m, &s)) > 0)
                if (json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:I, s:s, s:s}", "id", s.id,
                                                    "name", s.name, "schedule", s.expression, "enabled",
                                                    s.enabled, "last_run", json_time(s.last), "next_run",
                                                    json_time(s.next), "run_count", (json_int_t) s.runs,
                                                    "last_status", s.status, "submitter", s.submitter)) < 0)
                        r = -ENOMEM;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing schedules");
        answer = json_pack("{s:I, s:I, s:O}", "total", (json_int_t) total, "offset",
                        (json_int_t) ctl->args.offset, "schedules", list);
        return client_print_json(ctl, answer);
}

static int add_row(Table *t, const ListedSchedule *s) {
        usec_t now = now_realtime();
        char left[TIMESPAN_SIZE], passed[TIMESPAN_SIZE];
        int r;

        r = table_add(t, s->id, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, s->expression, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t,
                                !s->enabled                      ? "disabled"
                                                : s->next == 0   ? "-"
                                                : s->next <= now ? "now"
                                                                 : view_span(left, s->next - now),
                                s->enabled ? COLOUR_NONE : COLOUR_YELLOW);
        if (r >= 0)
                r = table_add(t, view_age(passed, s->last), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, isempty(s->status) ? "-" : s->status, colour_of_state(s->status));
        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" PRIu64, s->runs);
        if (r >= 0)
                r = table_add(t, isempty(s->submitter) ? "-" : s->submitter, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, s->name, COLOUR_NONE);
        return r;
}

static int print_as_table(Ctl *ctl, sd_bus_message *m, uint64_t total) {
        static const TableColumn columns[] = { { .title = "ID", .shrink_to = 12 },
                { .title = "SCHEDULE", .shrink_to = 9 }, { .title = "NEXT IN", .right = true },
                { .title = "LAST AGO", .right = true }, { .title = "LAST RUN" },
                { .title = "RUNS", .right = true }, { .title = "SUBMITTER", .shrink_to = 6 },
                { .title = "NAME", .shrink_to = 6 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        ListedSchedule s;
        int status, r = t ? 0 : -ENOMEM;

        while (r >= 0 && (r = read_schedule(m, &s)) > 0)
                r = add_row(t, &s);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing schedules");
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu of %" PRIu64 " schedules listed.\n", table_rows(t), total);
        return status;
}

int verb_schedule_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        uint64_t total;
        int status, r;

        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing schedules", "ListSchedules", "tt",
                                ctl->args.offset, ctl->args.limit);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "t", &total);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sossbtttss)");
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing schedules");
        return ctl->args.json != JSON_MODE_OFF ? print_as_json(ctl, reply, total)
                                               : print_as_table(ctl, reply, total);
}

/* --- show ------------------------------------------------------------------------------------------ */

static int get_schedule(Ctl *ctl, sd_bus *bus, const char *id, json_t **ret) {
        _cleanup_free_ char *what = strprintf("Looking at schedule %s", id);
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *details;
        int status, r;

        if (!what)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, what, "GetSchedule", "s", id);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "os", NULL, &details);
        if (r < 0)
                return client_failure(ctl, NULL, r, what);
        *ret = json_loads(details, 0, NULL);
        return *ret ? EXIT_OK : client_failure(ctl, NULL, -EBADMSG, what);
}

static int print_times(Ctl *ctl, json_t *s) {
        char buf[VIEW_WHEN_SIZE];
        const char *calendar;
        json_t *value;
        size_t i;
        int r;

        r = view_line(ctl, "Schedule", COLOUR_NONE, "%s", view_string(s, "schedule"));
        json_array_foreach(json_object_get(s, "on_calendar"), i, value) {
                calendar = json_string_value(value);
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Calendar" : "", COLOUR_NONE, "%s", strempty(calendar));
        }
        if (r >= 0)
                r = view_line(ctl, "Next run", COLOUR_NONE, "%s", view_when(buf, view_time(s, "next_run")));
        if (r >= 0)
                r = view_line(ctl, "Last run", COLOUR_NONE, "%s", view_when(buf, view_time(s, "last_run")));
        return r;
}

static int print_runs(Ctl *ctl, json_t *s) {
        json_t *run;
        size_t i;
        int r;

        r = view_line(ctl, "Runs", COLOUR_NONE,
                        "%" JSON_INTEGER_FORMAT ", of which %" JSON_INTEGER_FORMAT
                        " completed and %" JSON_INTEGER_FORMAT " failed",
                        json_integer_value(json_object_get(s, "run_count")),
                        json_integer_value(json_object_get(s, "success_count")),
                        json_integer_value(json_object_get(s, "failure_count")));
        json_array_foreach(json_object_get(s, "runs"), i, run)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Last ones" : "", COLOUR_NONE, "%s %s %s",
                                        view_string(run, "started_at"), view_string(run, "status"),
                                        view_string(run, "job_id"));
        return r;
}

static int print_schedule(Ctl *ctl, json_t *s) {
        bool enabled = json_is_true(json_object_get(s, "enabled"));
        Colour colour = enabled ? COLOUR_GREEN : COLOUR_YELLOW;
        json_t *job = json_object_get(s, "job");
        _cleanup_free_ char *timer = schedule_unit_name(view_string(s, "id"), "timer");
        int r;

        if (!timer)
                return -ENOMEM;
        r = view_heading(ctl, colour, view_string(s, "id"));
        if (r >= 0)
                r = view_line(ctl, "Name", COLOUR_NONE, "%s", view_string(s, "name"));
        if (r >= 0)
                r = view_line(ctl, "Description", COLOUR_NONE, "%s", view_string(s, "description"));
        if (r >= 0)
                r = view_line(ctl, "Enabled", colour, "%s", enabled ? "yes" : "no");
        if (r >= 0)
                r = print_times(ctl, s);
        if (r >= 0)
                r = view_line(ctl, "Overlap", COLOUR_NONE, "%s", view_string(s, "overlap_policy"));
        if (r >= 0)
                r = view_line(ctl, "Catch up", COLOUR_NONE, "%s",
                                json_is_true(json_object_get(s, "catch_up")) ? "yes" : "no");
        if (r >= 0)
                r = view_line(ctl, "Operation", COLOUR_NONE, "%s", view_string(job, "operation"));
        if (r >= 0)
                r = view_endpoint(ctl, "Source", json_object_get(job, "source"));
        if (r >= 0)
                r = view_endpoint(ctl, "Destination", json_object_get(job, "destination"));
        if (r >= 0 && enabled)
                r = view_line(ctl, "Timer", COLOUR_NONE, "%s", timer);
        return r < 0 ? r : print_runs(ctl, s);
}

static int show_one(Ctl *ctl, sd_bus *bus, const char *id, bool first) {
        _cleanup_json_ json_t *s = NULL;
        int status = get_schedule(ctl, bus, id, &s);

        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, s);
        if (!first)
                putchar('\n');
        return print_schedule(ctl, s) < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_schedule_show(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first = client_connect(ctl, &bus);

        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                int status = show_one(ctl, bus, *id, id == words);

                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

/* --- add and edit ---------------------------------------------------------------------------------- */

#define GIVEN(ctl, option) ((ctl)->args.given & OPTION_BIT(option))

/* What the options say of the schedule itself. */
static int apply_options(Ctl *ctl, json_t *definition) {
        const Arguments *a = &ctl->args;
        const struct {
                const char *key, *value;
        } texts[] = { { "schedule", a->cron }, { "name", a->name }, { "description", a->description },
                { "overlap_policy", a->overlap } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i].value)
                        r |= json_object_set_new(definition, texts[i].key, json_string(texts[i].value));
        if (GIVEN(ctl, OPTION_CATCH_UP))
                r |= json_object_set_new(definition, "catch_up", json_boolean(a->catch_up));
        if (a->disabled)
                r |= json_object_set_new(definition, "enabled", json_false());
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

/* The options about the job, over @job, which becomes part of @definition. The id is the schedule's. */
static int apply_job(Ctl *ctl, json_t *job, json_t *definition) {
        Arguments about_job = ctl->args;
        int status;

        about_job.id = NULL;
        about_job.given &= ~OPTION_BIT(OPTION_ID);
        /* A file of its own for each run. */
        status = submit_spec_apply(&about_job, job, "-{job_id}");
        if (status != EXIT_OK)
                return status;
        return json_object_set(definition, "job", job) < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_schedule_add(Ctl *ctl, char **words) {
        _cleanup_json_ json_t *definition = json_object(), *job = NULL, *answer = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *id, *path, *name;
        int status, r;

        status = submit_spec_words(&ctl->args, words + 1, &name);
        if (status != EXIT_OK)
                return status;
        if (!name && !ctl->args.source) {
                log_error("\"schedule add\" needs a source and a destination, or a spec. See \"hyperctl "
                          "help schedule "
                          "add\".");
                return EXIT_USAGE;
        }
        if (!definition || json_object_set_new(definition, "schedule", json_string(words[0])) < 0 ||
                        (ctl->args.id &&
                                        json_object_set_new(definition, "id", json_string(ctl->args.id)) <
                                                        0))
                return log_oom(), EXIT_OTHER;
        status = submit_spec_load(ctl, name, &job);
        if (status == EXIT_OK)
                status = apply_options(ctl, definition);
        if (status == EXIT_OK)
                status = apply_job(ctl, job, definition);
        if (status == EXIT_OK)
                status = client_connect(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        text = json_dumps(definition, JSON_COMPACT);
        if (!text)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, "Creating the schedule", "CreateSchedule", "sa{sv}", text, 0);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "so", &id, &path);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Creating the schedule");
        if (ctl->args.json == JSON_MODE_OFF)
                return puts(id) < 0 ? EXIT_OTHER : EXIT_OK;
        answer = json_pack("{s:s, s:s}", "id", id, "path", path);
        return client_print_json(ctl, answer);
}

static bool has_secret(json_t *value) {
        const char *key;
        json_t *below;

        if (json_is_string(value))
                return streq(json_string_value(value), "***");
        json_object_foreach(value, key, below)
                if (has_secret(below))
                        return true;
        return false;
}

/* A job is replaced as a whole; options alone are put over the one that is there. */
static int edited_job(Ctl *ctl, sd_bus *bus, char **words, json_t *definition) {
        _cleanup_json_ json_t *job = NULL, *schedule = NULL;
        int status;

        if (words[1])
                status = submit_spec_load(ctl, words[1], &job);
        else {
                status = get_schedule(ctl, bus, words[0], &schedule);
                job = json_incref(json_object_get(schedule, "job"));
                if (status == EXIT_OK && has_secret(job)) {
                        log_error("The job of schedule %s has a secret, which is not shown to anybody: give "
                                  "the whole spec.",
                                        words[0]);
                        return EXIT_REFUSED;
                }
        }
        return status == EXIT_OK ? apply_job(ctl, job, definition) : status;
}

int verb_schedule_edit(Ctl *ctl, char **words) {
        const OptionSet about_schedule = OPTION_BIT(OPTION_CRON) | OPTION_BIT(OPTION_NAME) |
                        OPTION_BIT(OPTION_DESCRIPTION) | OPTION_BIT(OPTION_OVERLAP) |
                        OPTION_BIT(OPTION_CATCH_UP);
        OptionSet given = ctl->args.given & ~options_common();
        _cleanup_json_ json_t *definition = json_object();
        _cleanup_free_ char *text = NULL, *what = strprintf("Changing schedule %s", words[0]);
        _cleanup_bus_ sd_bus *bus = NULL;
        int status;

        if (!definition || !what)
                return log_oom(), EXIT_OTHER;
        if (!words[1] && given == 0) {
                log_error("\"schedule edit\" needs something to change. See \"hyperctl help schedule "
                          "edit\".");
                return EXIT_USAGE;
        }
        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = apply_options(ctl, definition);
        if (status == EXIT_OK && (words[1] || (given & ~about_schedule) != 0))
                status = edited_job(ctl, bus, words, definition);
        if (status != EXIT_OK)
                return status;
        text = json_dumps(definition, JSON_COMPACT);
        if (!text)
                return log_oom(), EXIT_OTHER;
        return client_call(ctl, bus, NULL, what, "UpdateSchedule", "ssa{sv}", words[0], text, 0);
}

/* --- one call for each ----------------------------------------------------------------------------- */

/* All are tried, also behind one that fails. */
static int call_each(Ctl *ctl, char **words, const char *doing, const char *method) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int first = client_connect(ctl, &bus);

        if (first != EXIT_OK)
                return first;
        STRV_FOREACH(id, words) {
                _cleanup_free_ char *what = strprintf("%s schedule %s", doing, *id);
                int status = what ? client_call(ctl, bus, NULL, what, method, "s", *id)
                                  : (log_oom(), EXIT_OTHER);

                if (first == EXIT_OK)
                        first = status;
        }
        return first;
}

int verb_schedule_rm(Ctl *ctl, char **words) {
        return call_each(ctl, words, "Deleting", "DeleteSchedule");
}

int verb_schedule_enable(Ctl *ctl, char **words) {
        return call_each(ctl, words, "Enabling", "EnableSchedule");
}

int verb_schedule_disable(Ctl *ctl, char **words) {
        return call_each(ctl, words, "Disabling", "DisableSchedule");
}

int verb_schedule_trigger(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *copy = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *id;
        int status, r;

        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Running the schedule", "TriggerSchedule", "sa{sv}",
                                words[0], 0);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "s", &id);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Running the schedule");
        if (isempty(id)) {
                log_info("The run before is still going on: by its overlap policy schedule %s skips this "
                         "one, or has it wait.",
                                words[0]);
                return EXIT_OK;
        }
        if (puts(id) < 0 || fflush(stdout) != 0)
                return EXIT_OTHER;
        if (!ctl->args.wait)
                return EXIT_OK;
        copy = strdup(id);
        return copy ? watch_jobs(ctl, &bus, (char *[]){ copy, NULL }) : (log_oom(), EXIT_OTHER);
}
