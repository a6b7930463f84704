/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl webhook …: who is told of events, and how that went. Secrets are never taken from the command
 * line, where everybody on the machine could read them: a definition with some comes from a file or from
 * stdin. */

#include <inttypes.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/submit-spec.h"
#include "ctl/verb-webhook.h"
#include "ctl/view.h"
#include "json/json-table.h"

static int connect_for_webhooks(Ctl *ctl, sd_bus **ret) {
        ctl->action = "org.hyper1.manage-webhooks";
        return client_connect(ctl, ret);
}

static int read_index(const char *word, uint32_t *ret) {
        unsigned index;

        if (parse_unsigned(word, &index) < 0) {
                log_error("%.64s is not the index of a webhook; \"hyperctl webhook list\" shows them.",
                                word);
                return EXIT_USAGE;
        }
        *ret = index;
        return EXIT_OK;
}

/* --- list ------------------------------------------------------------------------------------------ */

static char *join_events(json_t *events) {
        _cleanup_strv_free_ char **words = NULL;
        json_t *word;
        size_t i;

        json_array_foreach(events, i, word)
                if (strv_extend(&words, strempty(json_string_value(word))) < 0)
                        return NULL;
        return words ? strv_join(words, ",") : strdup("all");
}

static int add_webhook_row(Table *t, json_t *w) {
        _cleanup_free_ char *events = join_events(json_object_get(w, "events"));
        bool enabled = json_is_true(json_object_get(w, "enabled"));
        uint64_t failed = view_number(w, "failed");
        int r = events ? 0 : -ENOMEM;

        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" PRIu64, view_number(w, "index"));
        if (r >= 0)
                r = table_add(t, view_string(w, "url"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, events, COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, enabled ? "yes" : "no", enabled ? COLOUR_NONE : COLOUR_YELLOW);
        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" PRIu64, view_number(w, "pending"));
        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" PRIu64, view_number(w, "delivered"));
        if (r >= 0)
                r = table_addf(t, failed > 0 ? COLOUR_RED : COLOUR_NONE, "%" PRIu64, failed);
        return r < 0 ? r : table_add(t, view_string(w, "origin"), COLOUR_NONE);
}

int verb_webhook_list(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "INDEX", .right = true },
                { .title = "URL", .shrink_to = 16 }, { .title = "EVENTS", .shrink_to = 8 },
                { .title = "ENABLED" }, { .title = "PENDING", .right = true },
                { .title = "DELIVERED", .right = true }, { .title = "FAILED", .right = true },
                { .title = "ORIGIN" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_webhooks(ctl, &bus);
        json_t *webhook;
        size_t i;

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing webhooks", "ListWebhooks", NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing webhooks", &list);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, list);
        json_array_foreach(list, i, webhook)
                if (!t || add_webhook_row(t, webhook) < 0)
                        return log_oom(), EXIT_OTHER;
        return view_table(ctl, t);
}

/* --- add and rm ------------------------------------------------------------------------------------ */

static bool is_url(const char *word) {
        return startswith(word, "http://") || startswith(word, "https://");
}

static int load_definition(Ctl *ctl, const char *word, json_t **ret) {
        if (!is_url(word))
                return submit_spec_load(ctl, word, ret);
        *ret = json_pack("{s:s}", "url", word);
        return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

/* --events=a,b over what the definition says. */
static int apply_events(Ctl *ctl, json_t *definition) {
        _cleanup_free_ char *copy = ctl->args.events ? strdup(ctl->args.events) : NULL;
        json_t *list;
        char *rest = copy;

        if (!ctl->args.events)
                return EXIT_OK;
        list = json_array();
        for (const char *word; copy && (word = strsep(&rest, ","));)
                if (json_array_append_new(list, json_string(word)) < 0)
                        break;
        if (!copy || json_object_set_new(definition, "events", list) < 0)
                return log_oom(), EXIT_OTHER;
        return EXIT_OK;
}

static int send_definition(Ctl *ctl, sd_bus *bus, json_t *definition, sd_bus_message **ret) {
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_free_ char *text = json_dumps(definition, JSON_COMPACT);
        int r = text ? sd_bus_message_new_method_call(bus, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                       HYPER_MANAGER_INTERFACE, "AddWebhook")
                     : -ENOMEM;

        /* So that sd-bus wipes the message's memory when it is done with it. */
        if (r >= 0)
                r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "sa{sv}", text, 0);
        if (text)
                explicit_bzero(text, strlen(text));
        return r < 0 ? client_failure(ctl, NULL, r, "Adding the webhook")
                     : client_call_message(ctl, bus, m, ret, "Adding the webhook");
}

int verb_webhook_add(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *definition = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status, r;
        uint32_t index;

        status = load_definition(ctl, words[0], &definition);
        if (status == EXIT_OK)
                status = apply_events(ctl, definition);
        if (status == EXIT_OK)
                status = connect_for_webhooks(ctl, &bus);
        if (status == EXIT_OK)
                status = send_definition(ctl, bus, definition, &reply);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "u", &index);
        if (r < 0)
                return client_failure(ctl, NULL, r, "Adding the webhook");
        return printf("%" PRIu32 "\n", index) < 0 ? EXIT_OTHER : EXIT_OK;
}

int verb_webhook_rm(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        uint32_t index;
        int status = read_index(words[0], &index);

        if (status == EXIT_OK)
                status = connect_for_webhooks(ctl, &bus);
        return status == EXIT_OK
                        ? client_call(ctl, bus, NULL, "Removing the webhook", "RemoveWebhook", "u", index)
                        : status;
}

/* --- test ------------------------------------------------------------------------------------------ */

static int make_test(char **words, json_t **ret) {
        uint32_t index;
        int status = is_url(words[0]) ? EXIT_OK : read_index(words[0], &index);

        if (status != EXIT_OK)
                return status;
        *ret = is_url(words[0]) ? json_pack("{s:s, s:s*}", "url", words[0], "event", words[1])
                                : json_pack("{s:I, s:s*}", "index", (json_int_t) index, "event", words[1]);
        return *ret ? EXIT_OK : (log_oom(), EXIT_OTHER);
}

static int print_outcome(Ctl *ctl, json_t *result) {
        bool success = json_is_true(json_object_get(result, "success"));
        json_t *code = json_object_get(result, "status_code");
        int r;

        r = view_line(ctl, "Outcome", success ? COLOUR_GREEN : COLOUR_RED, "%s",
                        success ? "delivered" : "failed");
        if (r >= 0 && json_is_integer(code))
                r = view_line(ctl, "Status", COLOUR_NONE, "%" JSON_INTEGER_FORMAT, json_integer_value(code));
        if (r >= 0)
                r = view_line(ctl, "Took", COLOUR_NONE, "%" PRIu64 " ms",
                                view_number(result, "duration_ms"));
        if (r >= 0)
                r = view_line(ctl, "Error", COLOUR_NONE, "%s", view_string(result, "error"));
        if (r >= 0)
                r = view_line(ctl, "Answer", COLOUR_NONE, "%s", view_string(result, "response"));
        return r < 0 ? (log_oom(), EXIT_OTHER) : EXIT_OK;
}

int verb_webhook_test(Ctl *ctl, char **words) {
        _cleanup_json_ json_t *test = NULL, *result = NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = make_test(words, &test);

        if (status == EXIT_OK)
                status = connect_for_webhooks(ctl, &bus);
        if (status != EXIT_OK)
                return status;
        text = json_dumps(test, JSON_COMPACT);
        if (!text)
                return log_oom(), EXIT_OTHER;
        status = client_call(ctl, bus, &reply, "Testing the webhook", "TestWebhook", "s", text);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Testing the webhook", &result);
        if (status != EXIT_OK)
                return status;
        status = ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, result)
                                                 : print_outcome(ctl, result);
        return status == EXIT_OK && !json_is_true(json_object_get(result, "success")) ? EXIT_OTHER : status;
}

/* --- deliveries ------------------------------------------------------------------------------------ */

static int add_delivery_row(Table *t, json_t *d) {
        const char *status = view_string(d, "status");
        json_t *code = json_object_get(d, "status_code"),
               *data = json_object_get(json_object_get(d, "body"), "data");
        int r;

        r = table_add(t, view_string(d, "created_at"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, view_string(d, "event"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, view_string(data, "job_id"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, status,
                                streq(status, "failed")                    ? COLOUR_RED
                                                : streq(status, "pending") ? COLOUR_YELLOW
                                                                           : COLOUR_GREEN);
        if (r >= 0)
                r = table_addf(t, COLOUR_NONE, "%" PRIu64, view_number(d, "attempts"));
        if (r >= 0)
                r = json_is_integer(code) ? table_addf(t, COLOUR_NONE, "%" JSON_INTEGER_FORMAT,
                                                            json_integer_value(code))
                                          : table_add(t, "-", COLOUR_NONE);
        return r < 0 ? r : table_add(t, view_string(d, "error"), COLOUR_NONE);
}

int verb_webhook_deliveries(Ctl *ctl, char **words) {
        static const TableColumn columns[] = { { .title = "CREATED" }, { .title = "EVENT" },
                { .title = "JOB", .shrink_to = 8 }, { .title = "STATUS" },
                { .title = "TRIES", .right = true }, { .title = "CODE", .right = true },
                { .title = "ERROR", .shrink_to = 12 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        json_t *delivery;
        uint32_t index;
        size_t i;
        int status = read_index(words[0], &index);

        if (status == EXIT_OK)
                status = connect_for_webhooks(ctl, &bus);
        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing deliveries", "ListDeliveries", "ua{sv}",
                                index, 1, "limit", "t", ctl->args.limit);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing deliveries", &list);
        if (status != EXIT_OK)
                return status;
        if (ctl->args.json != JSON_MODE_OFF)
                return client_print_json(ctl, list);
        json_array_foreach(list, i, delivery)
                if (!t || add_delivery_row(t, delivery) < 0)
                        return log_oom(), EXIT_OTHER;
        return view_table(ctl, t);
}
