/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/auth-message.h"
#include "basic/string-util.h"
#include "shared/session-token.h"
#include "json/json-parse.h"

#define MESSAGE_TEXT_MAX 500u

char *wipe_and_free(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
        return mfree(s);
}

void json_wipe(json_t *object, const char *key) {
        const char *text = json_string_value(json_object_get(object, key));

        if (text)
                explicit_bzero((char *) text, strlen(text));
}

/* A line of @value, which is freed, as is its string @secret. */
static char *encode(json_t *value, const char *secret) {
        char *text = value ? json_dumps(value, JSON_COMPACT) : NULL, *line = NULL;

        if (text)
                line = strprintf("%s\n", text);
        wipe_and_free(text);
        json_wipe(value, secret);
        json_decref(value);
        return line;
}

/* Decodes @text, and wipes the string @secret in between. */
static int decode(const JsonField *table, const char *text, size_t size, const char *secret, void *ret) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        if (size > AUTH_MESSAGE_MAX)
                return -EBADMSG;
        r = json_parse_object(text, size, &object, &why);
        if (r < 0)
                return r;
        r = json_table_decode(table, object, "", ret, &errors);
        json_wipe(object, secret);
        if (r < 0)
                return r;
        return errors.n_errors > 0 || errors.unknown ? -EBADMSG : 0;
}

/* --- requests -------------------------------------------------------------------------------------- */

static const JsonField request_fields[] = {
        { "username", JSON_FIELD_STRING, offsetof(AuthRequest, username), JSON_NONEMPTY, 0,
                        SESSION_USER_MAX },
        { "password", JSON_FIELD_STRING, offsetof(AuthRequest, password), JSON_NONEMPTY, 0,
                        SESSION_PASSWORD_MAX },
        { "token", JSON_FIELD_STRING, offsetof(AuthRequest, token), 0, 0, SESSION_TOKEN_LENGTH },
        { "address", JSON_FIELD_STRING, offsetof(AuthRequest, address), JSON_REQUIRED, 0,
                        SESSION_ADDRESS_MAX },
        {},
};

void auth_request_done(AuthRequest *q) {
        if (q->password)
                explicit_bzero(q->password, strlen(q->password));
        if (q->token)
                explicit_bzero(q->token, strlen(q->token));
        json_table_done(request_fields, q);
        *q = (AuthRequest){};
}

char *auth_request_encode(const AuthRequest *q) {
        if (q->token)
                return encode(json_pack("{s:s, s:s}", "token", q->token, "address", q->address), "token");
        return encode(json_pack("{s:s, s:s, s:s}", "username", q->username, "password", q->password,
                                      "address", q->address),
                        "password");
}

static bool request_is_valid(const AuthRequest *q) {
        if (!session_address_is_valid(q->address))
                return false;
        if (q->token)
                return !q->username && !q->password && session_token_is_valid(q->token);
        return q->username && q->password && session_user_is_valid(q->username);
}

int auth_request_decode(const char *text, size_t size, AuthRequest *ret) {
        AuthRequest q = {};
        int r = decode(request_fields, text, size, "password", &q);

        if (r >= 0 && !request_is_valid(&q))
                r = -EBADMSG;
        if (r < 0) {
                auth_request_done(&q);
                return r;
        }
        *ret = q;
        return 0;
}

/* --- answers --------------------------------------------------------------------------------------- */

static const char *const result_table[_AUTH_RESULT_MAX] = {
        [AUTH_OK] = "ok",
        [AUTH_WRONG] = "wrong",
        [AUTH_ENDED] = "ended",
        [AUTH_DENIED] = "denied",
        [AUTH_FAILED] = "failed",
};

const char *auth_result_to_string(AuthResult r) {
        return r < 0 || r >= _AUTH_RESULT_MAX ? NULL : result_table[r];
}

AuthResult auth_result_from_string(const char *s) {
        for (AuthResult r = 0; r < _AUTH_RESULT_MAX; r++)
                if (streq(result_table[r], s))
                        return r;
        return _AUTH_RESULT_INVALID;
}

static int result_from_string(const char *s) {
        return auth_result_from_string(s);
}

static int role_word(const char *s) {
        return role_from_string(s);
}

static const JsonField answer_fields[] = {
        { "result", JSON_FIELD_ENUM, offsetof(AuthAnswer, result), JSON_REQUIRED,
                        .from_string = result_from_string, .expected = "ok, wrong, ended, denied, failed" },
        { "message", JSON_FIELD_STRING, offsetof(AuthAnswer, message), JSON_NULLABLE, 0, MESSAGE_TEXT_MAX },
        { "username", JSON_FIELD_STRING, offsetof(AuthAnswer, username), JSON_NULLABLE, 0, JSON_STRING_MAX },
        { "token", JSON_FIELD_STRING, offsetof(AuthAnswer, token), JSON_NULLABLE, 0, SESSION_TOKEN_LENGTH },
        { "role", JSON_FIELD_ENUM, offsetof(AuthAnswer, role), 0, .from_string = role_word,
                        .expected = "viewer, operator, admin" },
        { "expires_at", JSON_FIELD_UINT64, offsetof(AuthAnswer, expires_at), 0 },
        {},
};

void auth_answer_done(AuthAnswer *a) {
        if (a->token)
                explicit_bzero(a->token, strlen(a->token));
        json_table_done(answer_fields, a);
        *a = (AuthAnswer){};
}

char *auth_answer_encode(const AuthAnswer *a) {
        const char *result = auth_result_to_string(a->result);

        if (a->result != AUTH_OK)
                return encode(json_pack("{s:s, s:s?}", "result", result, "message", a->message), "");
        return encode(json_pack("{s:s, s:s, s:s, s:s, s:I}", "result", result, "username", a->username,
                                      "token", a->token, "role", role_to_string(a->role), "expires_at",
                                      (json_int_t) a->expires_at),
                        "token");
}

static bool answer_is_valid(const AuthAnswer *a) {
        if (a->result == AUTH_OK)
                return a->username && a->token && session_token_is_valid(a->token) && a->role > ROLE_NONE &&
                                a->expires_at > 0;
        return (a->result != AUTH_DENIED && a->result != AUTH_FAILED) || a->message;
}

int auth_answer_decode(const char *text, size_t size, AuthAnswer *ret) {
        AuthAnswer a = { .result = AUTH_FAILED };
        int r = decode(answer_fields, text, size, "token", &a);

        if (r >= 0 && !answer_is_valid(&a))
                r = -EBADMSG;
        if (r < 0) {
                auth_answer_done(&a);
                return r;
        }
        *ret = a;
        return 0;
}
