/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl worker …, hyperctl queue: who takes jobs on other machines, and how many wait. What a worker says
 * of itself comes from another machine. */

#include <inttypes.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "basic/time-util.h"
#include "ctl/client.h"
#include "ctl/verb-worker.h"
#include "ctl/view.h"
#include "spec/limit-rules.h"
#include "json/json-table.h"

static int connect_for_workers(Ctl *ctl, sd_bus **ret) {
        ctl->action = "org.hyper1.manage-workers";
        return client_connect(ctl, ret);
}

/* Calls what answers with JSON text. EXIT_OK with a new reference, or another ExitStatus. */
static int call_json(
                Ctl *ctl, sd_bus *bus, json_t **ret, const char *what, const char *method, const char *id) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int status = client_call(ctl, bus, &reply, what, method, id ? "s" : NULL, id);

        return status == EXIT_OK ? client_read_json(ctl, reply, what, ret) : status;
}

/* A list of words, or a map of booleans: the words that are there, or true. */
static char *join_capabilities(json_t *capabilities) {
        _cleanup_strv_free_ char **words = NULL;
        const char *key;
        json_t *value;
        size_t i;

        json_array_foreach(capabilities, i, value)
                if (strv_extend(&words, strempty(json_string_value(value))) < 0)
                        return NULL;
        json_object_foreach(capabilities, key, value)
                if (json_is_true(value) && strv_extend(&words, key) < 0)
                        return NULL;
        return words ? strv_join(words, ",") : strdup("-");
}

/* Those that are heard from in green when they work. */
static Colour colour_of_worker(bool active, json_int_t jobs) {
        return !active ? COLOUR_YELLOW : jobs > 0 ? COLOUR_GREEN : COLOUR_NONE;
}

/* --- list ------------------------------------------------------------------------------------------ */

static int add_worker_row(Table *t, json_t *w) {
        _cleanup_free_ char *capabilities = join_capabilities(json_object_get(w, "capabilities"));
        json_int_t jobs = json_integer_value(json_object_get(w, "jobs"));
        bool active = json_is_true(json_object_get(w, "active"));
        char age[TIMESPAN_SIZE];
        int r;

        if (!capabilities)
                return -ENOMEM;
        r = table_add(t, view_string(w, "worker_id"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, active ? "active" : "silent", colour_of_worker(active, jobs));
        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" JSON_INTEGER_FORMAT, jobs);
        if (r >= 0)
                r = table_add(t, view_age(age, view_time(w, "heartbeat_at")), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, capabilities, COLOUR_NONE);
        return r < 0 ? r
                     : table_add(t, view_string(json_object_get(w, "system_info"), "hostname"), COLOUR_NONE);
}

int verb_worker_list(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "ID", .shrink_to = 12 }, { .title = "STATE" },
                { .title = "JOBS", .right = true }, { .title = "HEARD AGO", .right = true },
                { .title = "CAPABILITIES", .shrink_to = 12 }, { .title = "HOST", .shrink_to = 6 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_workers(ctl, &bus);
        size_t i, n_active = 0;
        json_t *worker;

        if (status == EXIT_OK)
                status = call_json(ctl, bus, &list, "Listing workers", "ListWorkers", NULL);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, list);
        json_array_foreach(list, i, worker) {
                if (!t || add_worker_row(t, worker) < 0)
                        return log_oom(), EXIT_OTHER;
                n_active += json_is_true(json_object_get(worker, "active"));
        }
        status = view_table(ctl, t);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%zu workers listed, %zu of them active.\n", json_array_size(list), n_active);
        return status;
}

/* --- show ------------------------------------------------------------------------------------------ */

static int view_system_info(Ctl *ctl, json_t *info) {
        const char *key, *label = "System";
        json_t *value;
        int r = 0;

        json_object_foreach(info, key, value) {
                _cleanup_free_ char *text = json_is_string(value) ? strdup(json_string_value(value))
                                                                  : json_dumps(value, JSON_ENCODE_ANY);

                if (!text)
                        return -ENOMEM;
                r = view_line(ctl, label, COLOUR_NONE, "%s: %s", key, text);
                if (r < 0)
                        return r;
                label = "";
        }
        return r;
}

static int view_worker(Ctl *ctl, json_t *w) {
        _cleanup_free_ char *capabilities = join_capabilities(json_object_get(w, "capabilities")),
                            *operations = join_capabilities(json_object_get(w, "operations")),
                            *labels = join_capabilities(json_object_get(w, "labels"));
        json_int_t jobs = json_integer_value(json_object_get(w, "jobs"));
        bool active = json_is_true(json_object_get(w, "active"));
        char heard[VIEW_WHEN_SIZE], registered[VIEW_WHEN_SIZE], jobs_text[32];

        if (!capabilities || !operations || !labels)
                return -ENOMEM;
        (void) snprintf(jobs_text, sizeof(jobs_text), "%" JSON_INTEGER_FORMAT, jobs);
        const struct {
                const char *label, *value;
                Colour colour;
        } lines[] = {
                { "Worker", view_string(w, "worker_id"), COLOUR_BOLD },
                { "State", active ? "active" : "silent", colour_of_worker(active, jobs) },
                { "Jobs", jobs_text, COLOUR_NONE },
                { "Heard", view_when(heard, view_time(w, "heartbeat_at")), COLOUR_NONE },
                { "Registered", view_when(registered, view_time(w, "registered_at")), COLOUR_NONE },
                { "Can", capabilities, COLOUR_NONE },
                { "Does", operations, COLOUR_NONE },
                { "Mode", view_string(w, "execution_mode"), COLOUR_NONE },
                { "Labels", labels, COLOUR_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                int r = view_line(ctl, lines[i].label, lines[i].colour, "%s", lines[i].value);

                if (r < 0)
                        return r;
        }
        return view_system_info(ctl, json_object_get(w, "system_info"));
}

/* All are tried, also behind one that fails. */
int verb_worker_show(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_workers(ctl, &bus), worst = EXIT_OK;
        bool first = true;

        if (status != EXIT_OK)
                return status;
        STRV_FOREACH(id, words) {
                _cleanup_json_ json_t *worker = NULL;

                status = call_json(ctl, bus, &worker, "Showing the worker", "GetWorker", *id);
                if (status == EXIT_OK && ctl->args.json != JSON_MODE_OFF)
                        status = client_print_json(ctl, worker);
                else if (status == EXIT_OK) {
                        if (!first)
                                putchar('\n');
                        if (view_worker(ctl, worker) < 0)
                                return log_oom(), EXIT_OTHER;
                        first = false;
                }
                worst = MAX(worst, status);
        }
        return worst;
}

/* --- rm -------------------------------------------------------------------------------------------- */

int verb_worker_rm(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_workers(ctl, &bus), worst = EXIT_OK;

        if (status != EXIT_OK)
                return status;
        STRV_FOREACH(id, words) {
                status = client_call(ctl, bus, NULL, "Removing the worker", "UnregisterWorker", "s", *id);
                worst = MAX(worst, status);
        }
        return worst;
}

/* --- the queue ------------------------------------------------------------------------------------- */

static int read_priority(sd_bus_message *reply, uint32_t *priority, uint64_t *n) {
        return sd_bus_message_read(reply, "{ut}", priority, n);
}

static int list_limits(Ctl *ctl, sd_bus *bus, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int status = client_call(ctl, bus, &reply, "Looking at the limits", "ListLimits", NULL), r;

        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_enter_container(reply, 'a', "(suu)");
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking at the limits");
        *ret = TAKE_PTR(reply);
        return EXIT_OK;
}

static int read_limit(sd_bus_message *reply, const char **name, uint32_t *held, uint32_t *max) {
        return sd_bus_message_read(reply, "(suu)", name, held, max);
}

static int limits_to_json(sd_bus_message *reply, json_t **ret) {
        _cleanup_json_ json_t *limits = json_array();
        uint32_t held, max;
        const char *name;
        int r;

        while ((r = read_limit(reply, &name, &held, &max)) > 0) {
                json_t *limit = json_pack("{s:s, s:I, s:o}", "name", name, "held", (json_int_t) held, "max",
                                max == LIMIT_UNLIMITED ? json_null() : json_integer((json_int_t) max));

                if (json_array_append_new(limits, limit) < 0)
                        return -ENOMEM;
        }
        if (r >= 0)
                *ret = TAKE_PTR(limits);
        return r;
}

/* Without the limits that are not reached and those that nothing holds. */
static int print_limits(Ctl *ctl, sd_bus_message *reply) {
        static const TableColumn columns[] = { { .title = "LIMIT", .shrink_to = 12 },
                { .title = "HELD", .right = true }, { .title = "MAX", .right = true } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        uint32_t held, max;
        const char *name;
        int r;

        while ((r = read_limit(reply, &name, &held, &max)) > 0) {
                Colour colour = held >= max ? COLOUR_YELLOW : COLOUR_NONE;

                if (max == LIMIT_UNLIMITED)
                        continue;
                if (!t || table_add(t, name, COLOUR_NONE) < 0 ||
                                table_addf(t, colour, "%" PRIu32, held) < 0 ||
                                table_addf(t, COLOUR_NONE, "%" PRIu32, max) < 0)
                        return log_oom(), EXIT_OTHER;
        }
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking at the limits");
        if (!t || table_rows(t) == 0)
                return EXIT_OK;
        putchar('\n');
        return view_table(ctl, t);
}

static int print_queue_as_json(Ctl *ctl, sd_bus_message *reply, uint64_t total, sd_bus_message *limits) {
        _cleanup_json_ json_t *priorities = json_object(), *answer = NULL, *held = NULL;
        uint32_t priority;
        uint64_t n;
        int r;

        while ((r = read_priority(reply, &priority, &n)) > 0) {
                char key[16];

                snprintf(key, sizeof(key), "%" PRIu32, priority);
                if (json_object_set_new(priorities, key, json_integer((json_int_t) n)) < 0)
                        return log_oom(), EXIT_OTHER;
        }
        if (r >= 0)
                r = limits_to_json(limits, &held);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking at the queue");
        answer = json_pack("{s:I, s:O, s:O}", "total", (json_int_t) total, "by_priority", priorities,
                        "limits", held);
        return client_print_json(ctl, answer);
}

static int print_queue_as_table(Ctl *ctl, sd_bus_message *reply, uint64_t total, sd_bus_message *limits) {
        static const TableColumn columns[] = { { .title = "PRIORITY", .right = true },
                { .title = "WAITING", .right = true } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        uint32_t priority;
        uint64_t n;
        int status, r;

        while ((r = read_priority(reply, &priority, &n)) > 0)
                if (!t || table_addf(t, COLOUR_NONE, "%" PRIu32, priority) < 0 ||
                                table_addf(t, COLOUR_NONE, "%" PRIu64, n) < 0)
                        return log_oom(), EXIT_OTHER;
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking at the queue");
        status = view_table(ctl, t);
        if (status == EXIT_OK)
                status = print_limits(ctl, limits);
        if (status == EXIT_OK && !ctl->args.no_legend)
                printf("\n%" PRIu64 " jobs wait.\n", total);
        return status;
}

int verb_queue(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL, *limits = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        uint64_t total;
        int status = client_connect(ctl, &bus), r;

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Looking at the queue", "QueueStatus", NULL);
        if (status == EXIT_OK)
                status = list_limits(ctl, bus, &limits);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "t", &total);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{ut}");
        if (r < 0)
                return client_failure(ctl, NULL, r, "Looking at the queue");
        return ctl->args.json != JSON_MODE_OFF ? print_queue_as_json(ctl, reply, total, limits)
                                               : print_queue_as_table(ctl, reply, total, limits);
}
