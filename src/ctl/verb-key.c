/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl key …: who may use the HTTP API. A key is shown once, when it is made; nobody has it afterwards
 * but the one who was given it. */

#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/verb-key.h"
#include "ctl/view.h"
#include "json/json-table.h"

static int connect_for_keys(Ctl *ctl, sd_bus **ret) {
        ctl->action = "org.hyper1.manage-keys";
        return client_connect(ctl, ret);
}

static char *join_scopes(json_t *scopes) {
        _cleanup_strv_free_ char **words = NULL;
        json_t *word;
        size_t i;

        json_array_foreach(scopes, i, word)
                if (strv_extend(&words, strempty(json_string_value(word))) < 0)
                        return NULL;
        return strv_join(words, ",");
}

static int add_key_row(Table *t, json_t *k) {
        _cleanup_free_ char *scopes = join_scopes(json_object_get(k, "scopes"));
        const char *expires = view_string(k, "expires_at");
        bool expired = json_is_true(json_object_get(k, "expired"));
        uint64_t rate = view_number(k, "rate_limit");
        int r = scopes ? 0 : -ENOMEM;

        if (r >= 0)
                r = table_add(t, view_string(k, "name"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, view_string(k, "id"), COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, scopes, COLOUR_NONE);
        if (r >= 0)
                r = rate > 0 ? table_addf(t, COLOUR_NONE, "%" PRIu64, rate) : table_add(t, "-", COLOUR_NONE);
        if (r >= 0)
                r = table_add(t, view_string(k, "created_at"), COLOUR_NONE);
        return r < 0 ? r : table_add(t, *expires ? expires : "never", expired ? COLOUR_YELLOW : COLOUR_NONE);
}

static int print_keys(Ctl *ctl, json_t *list) {
        static const TableColumn columns[] = { { .title = "NAME", .shrink_to = 12 }, { .title = "ID" },
                { .title = "SCOPES" }, { .title = "RATE", .right = true }, { .title = "CREATED" },
                { .title = "EXPIRES" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        json_t *key;
        size_t i;

        json_array_foreach(list, i, key)
                if (!t || add_key_row(t, key) < 0)
                        return log_oom(), EXIT_OTHER;
        return view_table(ctl, t);
}

int verb_key_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_keys(ctl, &bus);

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing keys", "ListKeys", NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing keys", &list);
        if (status != EXIT_OK)
                return status;
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, list) : print_keys(ctl, list);
}

/* --- add and rm ------------------------------------------------------------------------------------ */

static json_t *split_scopes(const char *text) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        for (const char *word; (word = strsep(&rest, ","));)
                if (json_array_append_new(list, json_string(word)) < 0)
                        return NULL;
        return copy ? TAKE_PTR(list) : NULL;
}

static char *make_definition(const Ctl *ctl, const char *name) {
        _cleanup_json_ json_t *definition =
                        json_pack("{s:s, s:o}", "name", name, "scopes", split_scopes(ctl->args.scope));

        if (!definition)
                return NULL;
        if (ctl->args.rate > 0 &&
                        json_object_set_new(definition, "rate_limit", json_integer(ctl->args.rate)) < 0)
                return NULL;
        if (ctl->args.days > 0 &&
                        json_object_set_new(definition, "expires_at",
                                        json_time(now_realtime() + ctl->args.days * 24 * USEC_PER_HOUR)) < 0)
                return NULL;
        return json_dumps(definition, JSON_COMPACT);
}

/* Alone on standard output, so that it can go to a file. */
static int print_key(Ctl *ctl, const char *name, const char *id, const char *key) {
        if (ctl->args.json != JSON_MODE_OFF) {
                _cleanup_json_ json_t *value =
                                json_pack("{s:s, s:s, s:s}", "name", name, "id", id, "key", key);

                return value ? client_print_json(ctl, value) : (log_oom(), EXIT_OTHER);
        }
        if (!ctl->args.quiet)
                fputs("This is the key. It is not shown again, and not stored: keep it where only its user "
                      "can read it.\n",
                                stderr);
        return printf("%s\n", key) < 0 || fflush(stdout) != 0 ? EXIT_OTHER : EXIT_OK;
}

int verb_key_add(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_free_ char *definition = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        const char *id, *key;
        int status, r;

        if (!ctl->args.scope) {
                log_error("What the key allows is missing: --scope= with read, submit, work, admin, or "
                          "several of them.");
                return EXIT_USAGE;
        }
        definition = make_definition(ctl, words[0]);
        if (!definition)
                return log_oom(), EXIT_OTHER;
        status = connect_for_keys(ctl, &bus);
        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Adding the key", "AddKey", "s", definition);
        if (status != EXIT_OK)
                return status;
        r = sd_bus_message_read(reply, "ss", &id, &key);
        return r < 0 ? client_failure(ctl, NULL, r, "Adding the key") : print_key(ctl, words[0], id, key);
}

int verb_key_rm(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_keys(ctl, &bus);

        for (size_t i = 0; status == EXIT_OK && words[i]; i++)
                status = client_call(ctl, bus, NULL, "Removing the key", "RemoveKey", "s", words[i]);
        return status;
}
