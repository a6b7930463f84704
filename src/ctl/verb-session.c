/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyperctl session …: who has logged in to the HTTP API. */

#include "ctl/verb-session.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "ctl/client.h"
#include "ctl/view.h"
#include "json/json-table.h"

static int connect_for_sessions(Ctl *ctl, sd_bus **ret) {
        ctl->action = "org.hyper1.manage-sessions";
        return client_connect(ctl, ret);
}

static int add_session_row(Table *t, json_t *session) {
        static const char *const keys[] = { "id", "username", "role", "address", "login_at", "expires_at" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                const char *text = view_string(session, keys[i]);
                int r = table_add(t, isempty(text) ? "-" : text, COLOUR_NONE);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_sessions(Ctl *ctl, json_t *list) {
        static const TableColumn columns[] = { { .title = "ID" }, { .title = "USER", .shrink_to = 8 },
                { .title = "ROLE" }, { .title = "ADDRESS" }, { .title = "LOGIN" }, { .title = "EXPIRES" } };
        _cleanup_(table_freep) Table *t = table_new(columns, ELEMENTSOF(columns));
        json_t *session;
        size_t i;

        json_array_foreach(list, i, session)
                if (!t || add_session_row(t, session) < 0)
                        return log_oom(), EXIT_OTHER;
        return view_table(ctl, t);
}

int verb_session_list(Ctl *ctl, char **words) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *list = NULL;
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_sessions(ctl, &bus);

        if (status == EXIT_OK)
                status = client_call(ctl, bus, &reply, "Listing sessions", "ListSessions", NULL);
        if (status == EXIT_OK)
                status = client_read_json(ctl, reply, "Listing sessions", &list);
        if (status != EXIT_OK)
                return status;
        return ctl->args.json != JSON_MODE_OFF ? client_print_json(ctl, list) : print_sessions(ctl, list);
}

int verb_session_end(Ctl *ctl, char **words) {
        _cleanup_bus_ sd_bus *bus = NULL;
        int status = connect_for_sessions(ctl, &bus);

        for (size_t i = 0; status == EXIT_OK && words[i]; i++)
                status = client_call(ctl, bus, NULL, "Ending the session", "EndSession", "s", words[i]);
        return status;
}
