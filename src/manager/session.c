/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-journal.h>

#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-audit.h"
#include "manager/session.h"
#include "shared/error-table.h"

/* With the fields that name the user, so that journalctl(1) can select by them. */
static void log_session(const SessionRow *row, const char *what) {
        (void) sd_journal_send("MESSAGE=Session %s of %s (%s) from %s %s.", row->id, row->username,
                        role_to_string(row->role),
                        isempty(row->address) ? "an unknown address" : row->address, what, "PRIORITY=%i",
                        LOG_INFO, "HYPER_AUDIT=%s", audit_kind_to_string(AUDIT_LOGIN), "HYPER_USER=%s",
                        row->username, "HYPER_ROLE=%s", role_to_string(row->role), "HYPER_ADDRESS=%s",
                        row->address, NULL);
}

/* What hyper-auth passes is checked like anything that comes from another process. */
static int check_user(const SessionUser *user, Role *ret, sd_bus_error *error) {
        Role role = role_from_string(user->role);

        if (!session_user_is_valid(user->username))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "username: is malformed");
        if (role <= ROLE_NONE)
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT,
                                "role: must be viewer, operator or admin");
        if (!session_address_is_valid(user->address))
                return bus_error_setf(error, HYPER_BUS_ERROR_INVALID_ARGUMENT, "address: is malformed");
        *ret = role;
        return 0;
}

/* @old is the session that is refreshed, or NULL. */
static int start(Manager *m, const SessionUser *user, const SessionRow *old, SessionToken *ret,
                usec_t *ret_expires, sd_bus_error *error) {
        usec_t now = m->clock(), last;
        SessionRow row = {
                .username = (char *) user->username,
                .uid = user->uid,
                .address = (char *) user->address,
                .login_at = old ? old->login_at : now,
                .created_at = now,
        };
        SessionToken token;
        int r = check_user(user, &row.role, error);

        if (r < 0)
                return r;
        last = row.login_at + m->settings->auth.session_lifetime;
        row.expires_at = MIN(now + m->settings->auth.token_lifetime, last);
        r = session_id_make(row.id);
        if (r >= 0)
                r = session_token_make(&token);
        if (r < 0)
                return r;
        api_key_hash(token.text, SESSION_TOKEN_LENGTH, &row.hash);
        r = store_session_start(m->store, &row, SESSIONS_MAX_OF_USER, old ? old->id : NULL,
                        now + SESSION_REPLACED_TIME);
        if (r >= 0) {
                log_session(&row, old ? "was refreshed" : "was started");
                *ret = token;
                *ret_expires = row.expires_at;
        }
        explicit_bzero(&token, sizeof(token));
        return r;
}

int manager_start_session(Manager *m, const SessionUser *user, SessionToken *ret, usec_t *ret_expires,
                sd_bus_error *error) {
        return start(m, user, NULL, ret, ret_expires, error);
}

static int no_such_session(sd_bus_error *error, const char *text) {
        return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SESSION, "%s", text);
}

int manager_find_session(Manager *m, const char *token, SessionRow **ret, sd_bus_error *error) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;
        usec_t now = m->clock();
        ApiKeyHash hash;
        int r = -ENOENT;

        if (session_token_is_valid(token)) {
                api_key_hash(token, SESSION_TOKEN_LENGTH, &hash);
                r = store_session_find(m->store, &hash, &row);
        }
        if (r == -ENOENT || (r >= 0 && !session_is_valid(row, now)))
                return no_such_session(error, "There is no session with this token; log in again");
        if (r < 0)
                return r;
        if (now >= row->login_at + m->settings->auth.session_lifetime)
                return no_such_session(error, "The login is too long ago; log in again");
        *ret = TAKE_PTR(row);
        return 0;
}

int manager_refresh_session(Manager *m, const char *token, const SessionUser *user, SessionToken *ret,
                usec_t *ret_expires, sd_bus_error *error) {
        _cleanup_(session_row_freep) SessionRow *old = NULL;
        int r = manager_find_session(m, token, &old, error);

        if (r < 0)
                return r;
        if (!streq(old->username, user->username))
                return no_such_session(error, "The session is of another user; log in again");
        return start(m, user, old, ret, ret_expires, error);
}

int manager_end_session(Manager *m, const char *id, sd_bus_error *error) {
        _cleanup_(session_row_freep) SessionRow *row = NULL;
        bool valid = session_id_is_valid(id);
        int r = valid ? store_session_get(m->store, id, &row) : -ENOENT;

        if (r >= 0)
                r = store_session_delete(m->store, id);
        if (r == -ENOENT)
                return bus_error_setf(error, HYPER_BUS_ERROR_NO_SUCH_SESSION, "There is no session %s",
                                valid ? id : "with such an ID");
        if (r >= 0)
                log_session(row, "was ended");
        return r;
}
