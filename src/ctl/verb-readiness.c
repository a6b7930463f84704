/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl readiness: whether virtual machines can be migrated to this machine, or to another one. */

#include <curl/curl.h>
#include <stdio.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/server-client.h"
#include "ctl/text.h"
#include "ctl/verb-readiness.h"
#include "ctl/view.h"
#include "json/json-table.h"

static Colour colour_of_status(const char *status) {
        return streq(status, "ok") ? COLOUR_GREEN : streq(status, "warning") ? COLOUR_YELLOW : COLOUR_RED;
}

/* What to do, below the table. */
static int print_fixes(Ctl *ctl, const json_t *checks) {
        json_t *check;
        size_t i;

        json_array_foreach(checks, i, check) {
                _cleanup_free_ char *name = text_escape(view_string(check, "name"), ctl->out.utf8),
                                    *fix = text_escape(view_string(check, "fix"), ctl->out.utf8);

                if (!name || !fix)
                        return log_oom(), EXIT_OTHER;
                if (*fix)
                        printf("%s: %s\n", name, fix);
        }
        return EXIT_OK;
}

static int print_checks(Ctl *ctl, const json_t *checks) {
        static const TableColumn columns[] = { { .title = "CHECK" }, { .title = "STATUS" },
                { .title = "MESSAGE", .shrink_to = 20 } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        int r = t ? 0 : -ENOMEM, status;
        json_t *check;
        size_t i;

        json_array_foreach(checks, i, check) {
                const char *word = view_string(check, "status");

                if (r >= 0)
                        r = table_add(t, view_string(check, "name"), COLOUR_NONE);
                if (r >= 0)
                        r = table_add(t, word, colour_of_status(word));
                if (r >= 0)
                        r = table_add(t, view_string(check, "message"), COLOUR_NONE);
        }
        if (r < 0)
                return log_oom(), EXIT_OTHER;
        status = view_table(ctl, t);
        return status == EXIT_OK && !ctl->args.no_legend ? print_fixes(ctl, checks) : status;
}

static int add_parameter(char **path, const char *name, const char *value) {
        _cleanup_free_ char *before = *path;
        char *escaped;

        if (!value)
                return TAKE_PTR(before) ? 0 : -ENOMEM;
        escaped = curl_easy_escape(NULL, value, 0);
        *path = escaped ? strprintf("%s%c%s=%s", before, strchr(before, '?') ? '&' : '?', name, escaped)
                        : NULL;
        curl_free(escaped);
        return *path ? 0 : -ENOMEM;
}

/* NULL when out of memory. */
static char *make_path(const Ctl *ctl, char **words) {
        char *path = strdup("/readiness");
        const char *vm = words[0] ? words[1] : NULL;
        int r = path ? add_parameter(&path, "provider", words[0]) : -ENOMEM;

        if (r >= 0)
                r = add_parameter(&path, "vm", vm);
        if (r >= 0)
                r = add_parameter(&path, "destination", ctl->args.destination);
        if (r >= 0)
                r = add_parameter(&path, "format", ctl->args.format);
        return path;
}

int verb_readiness(Ctl *ctl, char **words) {
        _cleanup_free_ char *path = make_path(ctl, words);
        const ServerRequest request = { .method = "GET", .path = path };
        _cleanup_(server_freep) ServerClient *client = NULL;
        _cleanup_server_reply_ ServerReply reply = {};
        int status = server_check_options(ctl), r;

        if (!path)
                return log_oom(), EXIT_OTHER;
        if (words[0] && !words[1]) {
                log_error("\"readiness\" needs the VM behind the provider.");
                return EXIT_USAGE;
        }
        if (status == EXIT_OK)
                status = ctl->args.server ? server_open(ctl, &client) : server_open_local(ctl, &client);
        if (status != EXIT_OK)
                return status;
        r = server_call(client, &request, &reply);
        if (r < 0)
                return r == -ENOMEM ? (log_oom(), EXIT_OTHER)
                                    : server_failure(ctl, &reply, "Checking the readiness");
        status = ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, reply.body)
                                                 : print_checks(ctl, json_object_get(reply.body, "checks"));
        if (status != EXIT_OK)
                return status;
        return json_is_true(json_object_get(reply.body, "ready")) ? EXIT_OK : EXIT_OTHER;
}
