/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <systemd/sd-journal.h>

#include "auth/auth.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "journal/journal-audit.h"
#include "shared/bus-fields.h"
#include "shared/bus-util.h"
#include "shared/error-table.h"

#define NO_GROUP                                                                        \
        "The user is in none of the groups " ROLE_GROUP_VIEWER ", " ROLE_GROUP_OPERATOR \
        " and " ROLE_GROUP_ADMIN ", one of which is required to log in."

/* --- the socket ------------------------------------------------------------------------------------ */

int auth_read_request(int fd, AuthRequest *ret) {
        char text[AUTH_MESSAGE_MAX];
        size_t n = 0;
        int r = -EBADMSG;

        while (n < sizeof(text)) {
                ssize_t k = recv(fd, text + n, sizeof(text) - n, 0);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k <= 0) {
                        r = k < 0 ? -errno : -EBADMSG;
                        break;
                }
                char *end = memchr(text + n, '\n', (size_t) k);
                n += (size_t) k;
                if (end) {
                        r = auth_request_decode(text, (size_t) (end - text), ret);
                        break;
                }
        }
        explicit_bzero(text, sizeof(text));
        return r;
}

int auth_write_answer(int fd, const AuthAnswer *answer) {
        char *text = auth_answer_encode(answer), *p = text;
        int r = text ? 0 : -ENOMEM;

        while (r >= 0 && *p) {
                ssize_t k = send(fd, p, strlen(p), MSG_NOSIGNAL);

                if (k >= 0)
                        p += k;
                else if (errno != EINTR)
                        r = -errno;
        }
        wipe_and_free(text);
        return r;
}

/* --- the decision ---------------------------------------------------------------------------------- */

/* Each failure, with the fields that name the user and the address. */
static void log_failure(const char *username, const char *address, const char *why) {
        (void) sd_journal_send("MESSAGE=Refused a login of %s from %s: %s", username,
                        isempty(address) ? "an unknown address" : address, why, "PRIORITY=%i", LOG_NOTICE,
                        "HYPER_AUDIT=%s", audit_kind_to_string(AUDIT_REFUSED), "HYPER_USER=%s", username,
                        "HYPER_ADDRESS=%s", address, NULL);
}

static int refuse(AuthAnswer *ret, AuthResult result, const char *message) {
        ret->result = result;
        return message ? free_and_strdup(&ret->message, message) : 0;
}

static int find_role(const Auth *a, const char *username, uid_t *ret_uid, AuthAnswer *ret) {
        Role role = ROLE_NONE;
        int r = a->role_of_login(username, ret_uid, &role);

        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT) {
                log_error_errno(r, "Failed to read the groups of %s: %m", username);
                return refuse(ret, AUTH_FAILED, "The groups of the user cannot be read at present.");
        }
        if (role == ROLE_NONE)
                return refuse(ret, AUTH_DENIED, NO_GROUP);
        ret->role = role;
        return 0;
}

/* What the manager answers: "st", the token and its end. */
static int take_token(sd_bus_message *reply, const char *username, AuthAnswer *ret) {
        const char *token;
        int r = sd_bus_message_read(reply, "st", &token, &ret->expires_at);

        if (r < 0)
                return r;
        ret->result = AUTH_OK;
        r = free_and_strdup(&ret->token, token);
        return r < 0 ? r : free_and_strdup(&ret->username, username);
}

static int refuse_call(int error, const sd_bus_error *e, AuthAnswer *ret) {
        _cleanup_free_ char *text = bus_error_text(e);

        if (sd_bus_error_has_name(e, HYPER_BUS_ERROR_NO_SUCH_SESSION))
                return refuse(ret, AUTH_ENDED, NULL);
        log_error_errno(error, "hyper-managerd has not made a session: %s",
                        isempty(text) ? strerror(-error) : text);
        return refuse(ret, AUTH_FAILED, "hyper-managerd cannot make a session at present.");
}

static int start_session(
                sd_bus *bus, const AuthRequest *q, const char *username, uid_t uid, AuthAnswer *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        const char *role = role_to_string(ret->role);
        int r;

        if (q->token)
                r = sd_bus_call_method(bus, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_SESSIONS_INTERFACE,
                                "Refresh", &error, &reply, "ssuss", q->token, username, (uint32_t) uid, role,
                                q->address);
        else
                r = sd_bus_call_method(bus, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_SESSIONS_INTERFACE,
                                "Start", &error, &reply, "suss", username, (uint32_t) uid, role, q->address);
        return r < 0 ? refuse_call(r, &error, ret) : take_token(reply, username, ret);
}

/* Of the session that is to be refreshed. */
static int find_user(sd_bus *bus, const AuthRequest *q, char **ret_username, AuthAnswer *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        const char *username;
        int r = sd_bus_call_method(bus, HYPER_BUS_NAME, HYPER_BUS_PATH, HYPER_SESSIONS_INTERFACE, "Find",
                        &error, &reply, "s", q->token);

        if (r < 0)
                return refuse_call(r, &error, ret);
        r = sd_bus_message_read(reply, "s", &username);
        return r < 0 ? r : free_and_strdup(ret_username, username);
}

static int connect_bus(const Auth *a, sd_bus **ret, AuthAnswer *answer) {
        int r = a->open_bus(ret);

        if (r >= 0)
                return 0;
        log_error_errno(r, "Failed to connect to the bus: %m");
        return refuse(answer, AUTH_FAILED, "The bus cannot be reached at present.");
}

/* After PAM: the role and the token. */
static int admit(const Auth *a, sd_bus *bus, const AuthRequest *q, const char *username, AuthAnswer *ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *owned = NULL;
        uid_t uid = 0;
        int r = find_role(a, username, &uid, ret);

        if (r < 0 || ret->role == ROLE_NONE)
                return r;
        if (!bus) {
                r = connect_bus(a, &owned, ret);
                if (!owned)
                        return r;
        }
        return start_session(bus ? bus : owned, q, username, uid, ret);
}

static int log_in(const Auth *a, const AuthRequest *q, AuthAnswer *ret) {
        const PamCheck c = { .confdir = a->confdir, .username = q->username, .address = q->address };
        _cleanup_free_ char *username = NULL;
        int r = pam_check_password(&c, q->password, &username, &ret->message);

        if (r < 0)
                return r;
        ret->result = r;
        return r == AUTH_OK ? admit(a, NULL, q, username, ret) : 0;
}

static int refresh(const Auth *a, const AuthRequest *q, char **username, AuthAnswer *ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        PamCheck c = { .confdir = a->confdir, .address = q->address };
        int r = connect_bus(a, &bus, ret);

        if (!bus)
                return r;
        r = find_user(bus, q, username, ret);
        if (r < 0 || !*username)
                return r;
        c.username = *username;
        r = pam_check_account(&c, &ret->message);
        if (r < 0)
                return r;
        ret->result = r;
        return r == AUTH_OK ? admit(a, bus, q, *username, ret) : 0;
}

int auth_decide(const Auth *a, const AuthRequest *q, AuthAnswer *ret) {
        _cleanup_(auth_answer_done) AuthAnswer answer = { .result = AUTH_FAILED };
        _cleanup_free_ char *username = NULL;
        int r;

        r = q->token ? refresh(a, q, &username, &answer) : log_in(a, q, &answer);
        if (r < 0)
                return r;
        if (answer.result != AUTH_OK) {
                const char *who = q->username ? q->username : username;

                log_failure(who ? who : "an unknown user", q->address,
                                answer.message ? answer.message
                                                : answer.result == AUTH_WRONG
                                                ? "The name or the password is wrong."
                                                : "The session has ended.");
        }
        *ret = answer;
        answer = (AuthAnswer){};
        return 0;
}
