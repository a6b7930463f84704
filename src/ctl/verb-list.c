/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/verb-list.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/client.h"
#include "ctl/view.h"
#include "json/json-table.h"

typedef struct ListedJob {
        const char *id, *path, *operation, *state, *phase, *reason, *submitter;
        double percent;
        uint64_t created, finished, rate, remaining, total;
} ListedJob;

/* 1 with *ret, 0 at the end, negative errno. The strings belong to the message. */
static int read_job(sd_bus_message *m, ListedJob *ret) {
        return sd_bus_message_read(m, "(sosssdttsttts)", &ret->id, &ret->path, &ret->operation, &ret->state,
                        &ret->phase, &ret->percent, &ret->created, &ret->finished, &ret->reason, &ret->rate,
                        &ret->remaining, &ret->total, &ret->submitter);
}

static int append_filter(sd_bus_message *m, const Arguments *a) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}", "limit", "t", a->limit, "offset", "t", a->offset);
        if (r >= 0 && a->order)
                r = sd_bus_message_append(m, "{sv}", "order", "s", a->order);
        if (r >= 0 && a->states) {
                r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", "states");
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', "as");
                if (r >= 0)
                        r = sd_bus_message_append_strv(m, a->states);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int list_jobs(Ctl *ctl, sd_bus *bus, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(
                        bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_MANAGER_INTERFACE, "ListJobs");

        if (r >= 0)
                r = append_filter(m, &ctl->args);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing jobs");
        return client_call_message(ctl, bus, m, ret, "Listing jobs");
}

static json_t *job_to_json(const ListedJob *j) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:o, s:I, s:s}", "id", j->id,
                        "path", j->path, "operation", j->operation, "state", j->state, "phase", j->phase,
                        "percent", j->percent >= 0 ? json_real(j->percent) : json_null(), "created",
                        json_time(j->created), "finished", json_time(j->finished), "reason", j->reason,
                        "rate", (json_int_t) j->rate, "remaining_seconds",
                        j->remaining == UINT64_MAX
                                        ? json_null()
                                        : json_integer((json_int_t) (j->remaining / USEC_PER_SEC)),
                        "bytes_total", (json_int_t) j->total, "submitter", j->submitter);
}

static int print_as_json(Ctl *ctl, sd_bus_message *m, uint64_t total) {
        _cleanup_(json_decrefp) json_t *jobs = json_array(), *answer = NULL;
        ListedJob j;
        int r;

        if (!jobs)
                return log_oom(), EXIT_OTHER;
        while ((r = read_job(m, &j)) > 0)
                if (json_array_append_new(jobs, job_to_json(&j)) < 0)
                        return log_oom(), EXIT_OTHER;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing jobs");
        answer = json_pack("{s:I, s:I, s:O}", "total", (json_int_t) total, "offset",
                        (json_int_t) ctl->args.offset, "jobs", jobs);
        return client_print_json(ctl, answer);
}

static int add_row(Table *t, const ListedJob *j) {
        char age[TIMESPAN_SIZE];
        int r;

        r = table_add(t, j->id, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, j->state, colour_of_state(j->state));
        if (r >= 0)
                r = table_add(t, isempty(j->phase) ? "-" : j->phase, COLOUR_NONE);
        if (r >= 0)
                r = j->percent >= 0 ? table_addf(t, COLOUR_NONE, "%.1f%%", j->percent)
                                    : table_add(t, "-", COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, view_age(age, j->created), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, isempty(j->submitter) ? "-" : j->submitter, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, isempty(j->reason) ? "-" : j->reason, COLOUR_NONE);
        return r;
}

static int print_as_table(Ctl *ctl, sd_bus_message *m, uint64_t total) {
        static const TableColumn columns[] = { { .title = "ID", .shrink_to = 12 }, { .title = "STATE" },
                { .title = "PHASE", .shrink_to = 6 }, { .title = "DONE", .right = true },
                { .title = "AGE", .right = true },
                { .title = "SUBMITTER", .shrink_to = 6, .optional = true },
                { .title = "REASON", .shrink_to = 6 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        ListedJob j;
        int status, r;

        if (!t)
                return log_oom(), EXIT_OTHER;
        while ((r = read_job(m, &j)) > 0)
                if (add_row(t, &j) < 0)
                        return log_oom(), EXIT_OTHER;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing jobs");
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu of %" PRIu64 " jobs listed.\n", table_rows(t), total);
        return status;
}

int verb_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        uint64_t total;
        int status, r;

        status = client_connect(ctl, &bus);
        if (status == EXIT_OK)
                status = list_jobs(ctl, bus, &reply);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "t", &total);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sosssdttsttts)");
        if (r < 0)
                return client_failure(ctl, NULL, r, "Listing jobs");
        return ctl->args.json != JSON_MODE_OFF ? print_as_json(ctl, reply, total)
                                               : print_as_table(ctl, reply, total);
}
