/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-session.h"

#include "api/access/access-check.h"
#include "api/access/ticket.h"
#include "api/bus-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-state.h"
#include "api/v1/v1-page.h"
#include "basic/string-util.h"
#include "shared/error-table.h"

static const SchemaField me_fields[] = {
        { "username", SCHEMA_STRING, .description = "The user, or the name of the API key." },
        { "role", SCHEMA_STRING, .description = "viewer, operator or admin" },
        { "auth", SCHEMA_STRING, .description = "session or api_key" },
        { "key_id", SCHEMA_STRING, SCHEMA_NULLABLE, "Of the API key." },
        { "session_id", SCHEMA_STRING, SCHEMA_NULLABLE, "Of the session." },
        { "expires_at", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE, "null: never" },
        { "permissions", SCHEMA_ARRAY, .description = "What the role permits." },
        { "authenticated", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL, "Of GET /auth/session: true." },
        {},
};
const Schema v1_me_schema = { .name = "Identity", .fields = me_fields };

static const SchemaField ticket_fields[] = {
        { "ticket", SCHEMA_STRING },
        { "expires_in", SCHEMA_INTEGER, .description = "Seconds." },
        {},
};
const Schema v1_ticket_schema = { .name = "Ticket", .fields = ticket_fields };

static const SchemaField session_fields[] = {
        { "id", SCHEMA_STRING },
        { "username", SCHEMA_STRING },
        { "role", SCHEMA_STRING, .description = "viewer, operator or admin" },
        { "address", SCHEMA_STRING, .description = "Of the client that has logged in or refreshed it." },
        { "login_at", SCHEMA_TIMESTAMP },
        { "created_at", SCHEMA_TIMESTAMP, .description = "When its token was made." },
        { "expires_at", SCHEMA_TIMESTAMP },
        { "current", SCHEMA_BOOLEAN, .description = "It is the one of this request." },
        {},
};
const Schema v1_session_schema = { .name = "Session", .fields = session_fields };

static const SchemaField sessions_fields[] = {
        { "data", SCHEMA_ARRAY, .schema = &v1_session_schema },
        { "pagination", SCHEMA_OBJECT, .schema = &v1_pagination_schema },
        {},
};
const Schema v1_sessions_schema = { .name = "Sessions", .fields = sessions_fields };

static const SchemaField message_fields[] = {
        { "message", SCHEMA_STRING },
        {},
};
const Schema v1_message_schema = { .name = "Message", .fields = message_fields };

/* --- who asks -------------------------------------------------------------------------------------- */

/* What a scope permits, in the words of clients. */
static const struct {
        Scope scope;
        const char *permission;
} permissions[] = {
        { SCOPE_READ, "jobs:read" },
        { SCOPE_READ, "schedules:read" },
        { SCOPE_READ, "vms:read" },
        { SCOPE_SUBMIT, "jobs:write" },
        { SCOPE_SUBMIT, "schedules:write" },
        { SCOPE_SUBMIT, "vms:write" },
        { SCOPE_SUBMIT, "files:read" },
        { SCOPE_SUBMIT, "files:write" },
        { SCOPE_WORK, "work" },
        { SCOPE_ADMIN, "sources:write" },
        { SCOPE_ADMIN, "sessions:write" },
        { SCOPE_ADMIN, "webhooks:write" },
};

static json_t *permissions_json(uint32_t scopes) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; list && i < ELEMENTSOF(permissions); i++)
                if (scopes_allow(scopes, permissions[i].scope) &&
                                json_array_append_new(list, json_string(permissions[i].permission)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static json_t *me_json(const Request *r) {
        const SessionRow *s = r->session;

        return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:o, s:o}", "username", s ? s->username : r->key_name,
                        "role", role_to_string(r->role), "auth", s ? "session" : "api_key", "key_id",
                        s ? NULL : r->key.text, "session_id", s ? s->id : NULL, "expires_at",
                        json_time(s ? s->expires_at : r->key_expires_at), "permissions",
                        permissions_json(r->scopes));
}

int v1_make_ticket(Request *r) {
        _cleanup_free_ char *ticket = NULL;
        int k = tickets_make(api_tickets(request_api(r)), request_credential(r), now_monotonic(), &ticket);

        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        return k < 0 ? k
                     : request_reply_json(r, 200,
                                       json_pack("{s:s, s:I}", "ticket", ticket, "expires_in",
                                                       (json_int_t) (TICKET_LIFETIME / USEC_PER_SEC)));
}

int v1_get_me(Request *r) {
        return request_reply_json(r, 200, me_json(r));
}

int v1_get_session(Request *r) {
        _cleanup_json_ json_t *me = me_json(r);

        if (!me || json_object_set_new(me, "authenticated", json_true()) < 0)
                return -ENOMEM;
        return request_reply_json(r, 200, TAKE_PTR(me));
}

/* --- sessions -------------------------------------------------------------------------------------- */

static bool is_own(const Request *r, const SessionRow *row) {
        return r->session && streq(r->session->username, row->username);
}

static json_t *session_json(const Request *r, const SessionRow *row) {
        return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b}", "id", row->id, "username",
                        row->username, "role", role_to_string(row->role), "address", row->address,
                        "login_at", json_time(row->login_at), "created_at", json_time(row->created_at),
                        "expires_at", json_time(row->expires_at), "current",
                        r->session && streq(r->session->id, row->id));
}

/* One's own; all of them for an administrator. */
static int read_sessions(Request *r, SessionRows *ret) {
        const char *username = r->role >= ROLE_ADMIN ? NULL : r->session ? r->session->username : "";
        Store *store;
        int k = api_store(request_api(r), &store);

        return k < 0 ? k : store_sessions_list(store, username, ret);
}

const QueryField v1_sessions_query[] = { V1_PAGE_FIELDS(0), {} };

int v1_list_sessions(Request *r) {
        _cleanup_(session_rows_done) SessionRows rows = {};
        _cleanup_json_ json_t *list = json_array(), *reply = json_object();
        V1Page page = V1_PAGE_INIT;
        usec_t now = now_realtime();
        uint64_t total = 0;
        int k = request_query_decode(r, &page);

        if (k >= 0)
                k = read_sessions(r, &rows);
        if (k < 0)
                return k;
        for (size_t i = 0; i < rows.n; i++) {
                if (!session_is_valid(&rows.rows[i], now))
                        continue;
                if (total >= page.offset && json_array_size(list) < page.limit &&
                                json_array_append_new(list, session_json(r, &rows.rows[i])) < 0)
                        return -ENOMEM;
                total++;
        }
        k = v1_page_add(reply, &page, json_incref(list), total);
        return k < 0 ? k : request_reply_json(r, 200, TAKE_PTR(reply));
}

static int on_ended(Request *r, sd_bus_message *m, const sd_bus_error *error, void *userdata) {
        /* Also if it has ended meanwhile. */
        if (error && !sd_bus_error_has_name(error, HYPER_BUS_ERROR_NO_SUCH_SESSION))
                return request_reply_bus_error(r, error);
        api_end_refused_streams(request_api(r));
        return request_reply_json(r, 200, json_pack("{s:s}", "message", "The session has ended."));
}

static int end_session(Request *r, const char *id) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int k = manager_call_new(r, "EndSession", &m);

        if (k >= 0)
                k = sd_bus_message_append(m, "s", id);
        return k < 0 ? k : manager_call(r, m, on_ended, NULL);
}

int v1_log_out(Request *r) {
        if (!r->session)
                return request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                                "Only sessions can log out; an API key is removed with 'hyperctl key rm'.");
        return end_session(r, r->session->id);
}

int v1_end_session(Request *r) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;
        const char *id = request_param(r, "id");
        Store *store;
        int k = api_store(request_api(r), &store);

        if (k >= 0)
                k = store_session_get(store, id, &row);
        if (k < 0 && k != -ENOENT)
                return k;
        /* Only administrators may learn whether others have sessions. */
        if (k < 0 || !session_is_valid(row, now_realtime()) || (r->role < ROLE_ADMIN && !is_own(r, row)))
                return request_reply_error(r, MHD_HTTP_NOT_FOUND, "There is no such session.");
        return end_session(r, id);
}
