/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/session-bus.h"

#include "basic/string-util.h"
#include "manager/session.h"
#include "shared/error-table.h"
#include "json/json-table.h"

static const char manage_sessions[] = "org.hyper1.manage-sessions";

static json_t *session_to_json(const SessionRow *row) {
        return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", row->id, "username", row->username,
                        "role", role_to_string(row->role), "address", row->address, "login_at",
                        json_time(row->login_at), "created_at", json_time(row->created_at), "expires_at",
                        json_time(row->expires_at));
}

int method_list_sessions(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(session_rows_done) SessionRows rows = {};
        _cleanup_json_ json_t *list = NULL;
        _cleanup_free_ char *text = NULL;
        Manager *m = userdata;
        int r = bus_verify_polkit(message, manage_sessions, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        list = json_array();
        r = store_sessions_list(m->store, NULL, &rows);
        for (size_t i = 0; r >= 0 && i < rows.n; i++)
                if (session_is_valid(&rows.rows[i], m->clock()) &&
                                json_array_append_new(list, session_to_json(&rows.rows[i])) < 0)
                        r = -ENOMEM;
        if (r < 0)
                return r;
        text = json_dumps(list, JSON_COMPACT);
        return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

int method_end_session(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *id;
        int r = bus_verify_polkit(message, manage_sessions, &m->polkit, error);

        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &id);
        if (r >= 0)
                r = manager_end_session(m, id, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

/* --- org.hyper1.Sessions --------------------------------------------------------------------------- */

/* The bus policy permits these calls to root only, which hyper-auth runs as, and so does this check: whoever
 * breaks into hyper-apid gets no token. */
static int verify_caller(sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        uid_t uid;
        int r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);

        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        if (r >= 0 && uid == 0)
                return 0;
        return bus_error_setf(
                        error, HYPER_BUS_ERROR_ACCESS_DENIED, "Sessions are started by hyper-auth only");
}

static int reply_token(sd_bus_message *message, SessionToken *token, usec_t expires_at) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = sd_bus_message_sensitive(reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "st", token->text, (uint64_t) expires_at);
        explicit_bzero(token, sizeof(*token));
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int read_user(sd_bus_message *message, SessionUser *ret) {
        uint32_t uid;
        int r = sd_bus_message_read(message, "suss", &ret->username, &uid, &ret->role, &ret->address);

        ret->uid = uid;
        return r;
}

static int method_start(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        SessionToken token;
        SessionUser user;
        usec_t expires_at;
        int r = verify_caller(message, error);

        if (r >= 0)
                r = read_user(message, &user);
        if (r >= 0)
                r = manager_start_session(userdata, &user, &token, &expires_at, error);
        return r < 0 ? r : reply_token(message, &token, expires_at);
}

static int method_find(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;
        const char *token;
        int r = verify_caller(message, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "s", &token);
        if (r >= 0)
                r = manager_find_session(userdata, token, &row, error);
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", row->username);
}

static int method_refresh(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        SessionToken token;
        SessionUser user;
        const char *old;
        usec_t expires_at;
        int r = verify_caller(message, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "s", &old);
        if (r >= 0)
                r = read_user(message, &user);
        if (r >= 0)
                r = manager_refresh_session(userdata, old, &user, &token, &expires_at, error);
        return r < 0 ? r : reply_token(message, &token, expires_at);
}

const sd_bus_vtable sessions_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_ARGS("s", username, "u", uid, "s", role, "s", address),
                        SD_BUS_RESULT("s", token, "t", expires_at), method_start,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("Find", SD_BUS_ARGS("s", token), SD_BUS_RESULT("s", username), method_find,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("Refresh",
                        SD_BUS_ARGS("s", old_token, "s", username, "u", uid, "s", role, "s", address),
                        SD_BUS_RESULT("s", token, "t", expires_at), method_refresh,
                        SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END,
};

int session_bus_register(Manager *m) {
        return sd_bus_add_object_vtable(m->bus, &m->object_slots[9], HYPER_BUS_PATH,
                        HYPER_SESSIONS_INTERFACE, sessions_vtable, m);
}
