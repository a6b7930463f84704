/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-auth.h"

#include "api/access/access-check.h"
#include "api/access/client-address.h"
#include "api/access/login-limit.h"
#include "api/api-state.h"
#include "api/auth-client.h"
#include "api/http/reply.h"
#include "api/http/request-body.h"
#include "api/http/request-handle.h"
#include "api/http/request-park.h"
#include "api/http/request-state.h"
#include "api/v1/v1-login.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* A refused password is answered a whole number of these after the request: whether the user exists, and how
 * long PAM took to find out, cannot be told from the time. */
#define REFUSAL_STEP USEC_PER_SEC

static const SchemaField login_fields[] = {
        { "username", SCHEMA_STRING, .description = "A user of the server's system." },
        { "password", SCHEMA_STRING },
        {},
};
const Schema v1_login_schema = { .name = "Login", .fields = login_fields };

static const SchemaField token_fields[] = {
        { "token", SCHEMA_STRING, .description = "For the header \"Authorization: Bearer TOKEN\"." },
        { "token_type", SCHEMA_STRING, .description = "\"Bearer\"" },
        { "expires_in", SCHEMA_INTEGER, .description = "Seconds." },
        { "expires_at", SCHEMA_TIMESTAMP },
        { "username", SCHEMA_STRING },
        { "role", SCHEMA_STRING, .description = "viewer, operator or admin" },
        {},
};
const Schema v1_token_schema = { .name = "Token", .fields = token_fields };

/* A login, or a refresh, that waits for hyper-auth. The request owns it. */
typedef struct Login {
        Request *request;
        AuthCall *call; /* NULL: it has been answered */
        LoginTry try; /* without a name for a refresh */
        char *username;
        usec_t started; /* monotonic */
        sd_event_source *delay;
} Login;

static void login_free(void *userdata) {
        Login *l = userdata;

        if (l->call)
                auth_call_drop(l->call);
        sd_event_source_disable_unref(l->delay);
        free(l->username);
        free(l);
}

/* --- replies --------------------------------------------------------------------------------------- */

static int reply_token(Request *r, const AuthAnswer *a) {
        usec_t now = now_realtime();
        uint64_t seconds = a->expires_at > now ? (a->expires_at - now + USEC_PER_SEC / 2) / USEC_PER_SEC : 0;

        return request_reply_json(r, 200,
                        json_pack("{s:s, s:s, s:I, s:o, s:s, s:s}", "token", a->token, "token_type",
                                        "Bearer", "expires_in", (json_int_t) seconds, "expires_at",
                                        json_time(a->expires_at), "username", a->username, "role",
                                        role_to_string(a->role)));
}

static int reply_unauthorized(Request *r, bool invalid_token, const char *why) {
        int k = request_add_challenge(r, invalid_token);

        return k < 0 ? k : request_reply_error(r, MHD_HTTP_UNAUTHORIZED, "%s", why);
}

static int on_delay(sd_event_source *source, uint64_t usec, void *userdata) {
        Login *l = userdata;
        Request *r = l->request;

        request_handler_returned(r, reply_unauthorized(r, false, "The user name or the password is wrong."));
        return 0;
}

static int reply_wrong_later(Login *l) {
        usec_t steps = (now_monotonic() - l->started) / REFUSAL_STEP + 1;

        return sd_event_add_time(api_event(request_api(l->request)), &l->delay, CLOCK_MONOTONIC,
                        l->started + steps * REFUSAL_STEP, 1, on_delay, l);
}

static int reply_unknown(Request *r, const char *why) {
        return request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
}

/* It was no wrong password. */
static void give_back(Login *l, bool decided) {
        if (l->username)
                login_limit_give(api_logins(request_api(l->request)), &l->try, decided);
}

static int reply_answer(Login *l, const AuthAnswer *a) {
        Request *r = l->request;

        switch (a ? a->result : AUTH_FAILED) {
        case AUTH_OK:
                give_back(l, true);
                return reply_token(r, a);
        case AUTH_WRONG:
                return reply_wrong_later(l);
        case AUTH_ENDED:
                return reply_unauthorized(r, true, "The session has ended; log in again.");
        case AUTH_DENIED:
                give_back(l, false);
                return request_reply_error(r, MHD_HTTP_FORBIDDEN, "%s", a->message);
        default:
                give_back(l, false);
                return reply_unknown(r,
                                a ? a->message
                                  : "hyper-auth did not answer; see the journal of hyper-auth@.service.");
        }
}

static void on_answer(const AuthAnswer *answer, void *userdata) {
        Login *l = userdata;
        int k;

        l->call = NULL;
        k = reply_answer(l, answer);
        if (k < 0)
                request_handler_returned(l->request, k);
}

/* The client has gone, or the daemon ends. */
static void on_over(Request *r) {
        Login *l = request_userdata(r);

        if (l->call)
                auth_call_drop(TAKE_PTR(l->call));
        l->delay = sd_event_source_disable_unref(l->delay);
        (void) reply_unknown(r, "The login was interrupted; try again.");
}

/* --- requests -------------------------------------------------------------------------------------- */

/* The limit of a name does not apply where its user is known. */
static bool is_known(Request *r, const char *username, const char *address) {
        Store *store;

        if (client_address_is_local(r))
                return true;
        return api_store(request_api(r), &store) >= 0 &&
                        store_session_is_known(store, username, address, now_realtime()) > 0;
}

static int check_limit(Login *l, const char *address) {
        Request *r = l->request;
        char text[24];

        client_address_read(r, l->try.address);
        l->try.username = l->username;
        l->try.is_known = is_known(r, l->username, address);
        RateVerdict v = login_limit_take(api_logins(request_api(r)), &l->try, now_monotonic());
        if (v.allowed)
                return 0;
        uint64_t seconds = MAX(usec_to_seconds_up(v.wait), (uint64_t) 1);
        (void) snprintf(text, sizeof(text), "%" PRIu64, seconds);
        int k = request_add_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
        if (k < 0)
                return k;
        request_reply_error(r, MHD_HTTP_TOO_MANY_REQUESTS,
                        "Too many logins have failed. Try again in %" PRIu64 " s.", seconds);
        return -EACCES;
}

static int ask(Login *l, const AuthRequest *q) {
        Request *r = l->request;
        int k = auth_client_call(api_auth(request_api(r)), q, on_answer, l, &l->call);

        if (k == -EAGAIN) {
                give_back(l, false);
                return reply_unknown(r, "Too many logins at once; try again in a moment.");
        }
        /* hyper-auth has its own, shorter limit. */
        if (k >= 0)
                k = request_park(r, now_monotonic() + AUTH_TIMEOUT + 5 * USEC_PER_SEC, on_over);
        return k;
}

static Login *login_new(Request *r) {
        Login *l = new0(Login, 1);

        if (!l)
                return NULL;
        l->request = r;
        l->started = now_monotonic();
        request_set_userdata(r, l, login_free);
        return l;
}

static int read_login(Request *r, V1Login *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *text = NULL;
        int k = request_json_object(r, &body);

        request_wipe_body(r);
        if (k >= 0)
                k = v1_login_decode(body, ret, &errors);
        if (k != -EBADMSG || errors.n_errors == 0)
                return k;
        text = json_errors_text(&errors);
        if (!text)
                return -ENOMEM;
        request_reply_error(r, MHD_HTTP_BAD_REQUEST, "%s", text);
        return k;
}

int v1_log_in(Request *r) {
        _cleanup_(v1_login_done) V1Login body = {};
        char address[INET6_ADDRSTRLEN];
        Login *l = login_new(r);
        int k = l ? read_login(r, &body) : -ENOMEM;

        if (k < 0)
                return k;
        l->username = strdup(body.username);
        if (!l->username)
                return -ENOMEM;
        AuthRequest q = { .username = body.username,
                .password = body.password,
                .address = (char *) client_address_text(r, address) };
        k = check_limit(l, q.address);
        return k < 0 ? k : ask(l, &q);
}

int v1_refresh(Request *r) {
        const char *token = r->session ? request_bearer_token(r) : NULL;
        char address[INET6_ADDRSTRLEN];
        Login *l;

        if (!token)
                return request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                                "Only the token of a session can be refreshed, not an API key.");
        l = login_new(r);
        if (!l)
                return -ENOMEM;
        AuthRequest q = { .token = (char *) token, .address = (char *) client_address_text(r, address) };
        return ask(l, &q);
}
