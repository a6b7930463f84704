/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "api/access/access-check.h"
#include "api/access/access.h"
#include "api/access/client-address.h"
#include "api/access/session-check.h"
#include "api/access/ticket.h"
#include "api/api-state.h"
#include "api/http/http-server-state.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* Who comes with a wrong key. */
typedef struct Stranger {
        uint8_t address[16]; /* IPv4 as mapped to IPv6; of IPv6 the first 64 bits, which are one network's */
        uint8_t uid[sizeof(uid_t)]; /* of a user of this machine, whose address all others have, too */
        ApiKeyId id; /* the one it names, if there is a key with that */
} Stranger; /* without padding: it is a name in a table */

/* --- who asks -------------------------------------------------------------------------------------- */

/* A bearer token (RFC 6750, 2.1). */
const char *request_bearer_token(Request *r) {
        static const char bearer[] = "Bearer ";
        const char *authorization = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);

        if (!authorization || strncasecmp(authorization, bearer, strlen(bearer)) != 0)
                return NULL;
        authorization += strlen(bearer);
        return authorization + strspn(authorization, " ");
}

/* The key as it came: in X-API-Key, or as a bearer token, for clients that know no other header; or the token
 * of a session, which comes as a bearer token only. */
static const char *request_key(Request *r) {
        const char *key = request_header(r, API_KEY_HEADER);

        return key ? key : request_bearer_token(r);
}

const char *request_credential(Request *r) {
        return strempty(request_key(r));
}

static bool is_session_token(Request *r, const char *text) {
        return text && !request_header(r, API_KEY_HEADER) && session_token_is_meant(text);
}

/* --- answers --------------------------------------------------------------------------------------- */

static int add_number(Request *r, const char *name, uint64_t value) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%" PRIu64, value);
        return request_add_header(r, name, text);
}

static int refuse_for_now(Request *r, const RateVerdict *v, const char *why) {
        uint64_t seconds = MAX(usec_to_seconds_up(v->wait), (uint64_t) 1);
        int k = add_number(r, MHD_HTTP_HEADER_RETRY_AFTER, seconds);

        if (k < 0)
                return k;
        request_reply_error(r, MHD_HTTP_TOO_MANY_REQUESTS, "%s Try again in %" PRIu64 " s.", why, seconds);
        return -EACCES;
}

int request_add_challenge(Request *r, bool invalid_token) {
        const char *challenge = request_dialect(r)->challenge;
        char text[128];

        if (challenge && invalid_token) {
                (void) snprintf(text, sizeof(text), "%s, error=\"invalid_token\"", challenge);
                challenge = text;
        }
        return request_add_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                        challenge ? challenge : "ApiKey realm=\"hyper\"");
}

static int refuse(Request *r, const char *why) {
        /* RFC 9110, 11.6.1 requires a challenge; the scheme of API keys is not a registered one. */
        int k = request_add_challenge(r, request_key(r));

        if (k < 0)
                return k;
        request_reply_error(r, MHD_HTTP_UNAUTHORIZED, "%s", why);
        return -EACCES;
}

static void read_stranger(Request *r, Stranger *s) {
        uid_t uid = r->has_uid ? r->uid : (uid_t) -1;

        client_address_read(r, s->address);
        memcpy(s->uid, &uid, sizeof(uid));
}

static int refuse_key(Request *r, Access *a, const Stranger *s, const char *why) {
        RateVerdict v = access_take_failure(a, s, sizeof(*s));
        char address[INET6_ADDRSTRLEN];

        if (!v.allowed)
                return refuse_for_now(
                                r, &v, "Too many requests from this address came with a wrong API key.");
        log_notice("%s.socket: refused a request from %s%s%s: %s", request_dialect(r)->fd_name,
                        client_address_text(r, address), isempty(s->id.text) ? "" : " with key ", s->id.text,
                        why);
        return refuse(r, why);
}

/* --- roles ----------------------------------------------------------------------------------------- */

static uint32_t role_scopes(Role role) {
        static const uint32_t scopes[_ROLE_MAX] = {
                [ROLE_VIEWER] = 1u << SCOPE_READ,
                [ROLE_OPERATOR] = 1u << SCOPE_READ | 1u << SCOPE_SUBMIT | 1u << SCOPE_WORK,
                [ROLE_ADMIN] = 1u << SCOPE_ADMIN,
        };

        return scopes[role];
}

static Role scopes_role(uint32_t scopes) {
        return scopes & 1u << SCOPE_ADMIN             ? ROLE_ADMIN
                        : scopes & 1u << SCOPE_SUBMIT ? ROLE_OPERATOR
                        : scopes                      ? ROLE_VIEWER
                                                      : ROLE_NONE;
}

/* Which groups have a scope, for people. */
static const char *scope_groups(Scope scope) {
        switch (scope) {
        case SCOPE_READ:
                return ROLE_GROUP_VIEWER ", " ROLE_GROUP_OPERATOR " or " ROLE_GROUP_ADMIN;
        case SCOPE_ADMIN:
                return ROLE_GROUP_ADMIN;
        default:
                return ROLE_GROUP_OPERATOR " or " ROLE_GROUP_ADMIN;
        }
}

static Role user_role(Request *r) {
        Api *api = request_api(r);

        return api_local_is_anybody(api) ? ROLE_ADMIN : r->has_uid ? api_role_of(api, r->uid) : ROLE_NONE;
}

/* What every user that may do this is a member of, and which key would do as well. */
static int refuse_user(Request *r) {
        char who[64] = "The user of this connection cannot be found, so it has no role";

        if (r->has_uid)
                (void) snprintf(who, sizeof(who), "The user with the UID %u has no role for this",
                                (unsigned) r->uid);
        request_reply_error(r, MHD_HTTP_FORBIDDEN,
                        "%s. It requires membership in the group %s, or an API key with the scope \"%s\" in "
                        "the "
                        "header " API_KEY_HEADER " ('hyperctl key add').",
                        who, scope_groups(r->route->scope), scope_to_string(r->route->scope));
        return -EACCES;
}

/* --- checks ---------------------------------------------------------------------------------------- */

static int check_rate(Request *r, const RateVerdict *v) {
        int k;

        k = add_number(r, "X-RateLimit-Limit", v->limit);
        if (k >= 0)
                k = add_number(r, "X-RateLimit-Remaining", v->remaining);
        if (k >= 0)
                k = add_number(r, "X-RateLimit-Reset", usec_to_seconds_up(v->full_in));
        if (k < 0)
                return k;
        return v->allowed ? 0 : refuse_for_now(r, v, "There were too many requests.");
}

/* The key that the request came with, if it is one. */
static int find_valid_key(Request *r, Access *a, const ApiKeyRow **ret) {
        static const char unknown[] =
                        "The API key is not valid: it was removed, or there never was such a one.";
        const char *text = request_key(r);
        const ApiKeyRow *key;
        Stranger s = {};
        ApiKeyHash hash;
        ApiKeyId id;

        if (!text)
                return refuse(r,
                                "This needs an API key, in the header " API_KEY_HEADER
                                ". Whoever runs this server makes one with 'hyperctl key add'.");
        read_stranger(r, &s);
        if (api_key_parse(text, &id) < 0)
                return refuse_key(r, a, &s, "What came as an API key is none.");
        key = access_find_key(a, &id);
        if (!key)
                return refuse_key(r, a, &s, unknown);

        s.id = id;
        RateVerdict v = access_look_failures(a, &s, sizeof(s));
        if (!v.allowed)
                return refuse_for_now(
                                r, &v, "Too many requests from this address came with a wrong API key.");
        api_key_hash(text, API_KEY_LENGTH, &hash);
        if (!api_key_hash_equal(&hash, &key->hash))
                return refuse_key(r, a, &s, unknown);
        if (access_key_has_expired(key))
                return refuse_key(r, a, &s, "The API key has expired.");
        *ret = key;
        return 0;
}

static int check_scope(Request *r) {
        if (scopes_allow(r->scopes, r->route->scope))
                return 0;
        if (r->session)
                request_reply_error(r, MHD_HTTP_FORBIDDEN,
                                "The user %s has the role %s, and this requires membership in the group %s.",
                                r->session->username, role_to_string(r->role),
                                scope_groups(r->route->scope));
        else
                request_reply_error(r, MHD_HTTP_FORBIDDEN,
                                "The API key %s does not have the scope \"%s\", which this requires.",
                                r->key_name, scope_to_string(r->route->scope));
        return -EACCES;
}

static const char session_ended[] = "The session has ended, or there never was such a one; log in again.";

static void admit_key(Request *r, const ApiKeyRow *key) {
        r->key = key->id;
        (void) stpncpy(r->key_name, key->name, sizeof(r->key_name) - 1);
        r->key_expires_at = key->expires_at;
        r->role = scopes_role(key->scopes);
        r->scopes = key->scopes;
}

/* Takes over @session. */
static void admit_session(Request *r, SessionRow *session) {
        r->session = session;
        r->role = session_check_role(r, session);
        r->scopes = role_scopes(r->role);
}

static int check_session(Request *r, Access *a, const char *token) {
        SessionRow *session = NULL;
        Stranger s = {};
        int k;

        k = session_check_find(r, token, &session);
        if (k == -ENOENT) {
                read_stranger(r, &s);
                return refuse_key(r, a, &s, session_ended);
        }
        if (k < 0)
                return k;
        admit_session(r, session);
        RateVerdict v = access_take_user(a, session->username);
        k = check_rate(r, &v);
        return k < 0 ? k : check_scope(r);
}

static int check_key(Request *r, Access *a) {
        const char *text = request_key(r);
        const ApiKeyRow *key = NULL;
        int k;

        if (is_session_token(r, text))
                return check_session(r, a, text);
        k = find_valid_key(r, a, &key);
        if (k < 0)
                return k;
        RateVerdict v = access_take_key(a, key);
        k = check_rate(r, &v);
        if (k < 0)
                return k;
        admit_key(r, key);
        return check_scope(r);
}

/* Whether the request comes with a key, where none is required. A text in another form is not meant for
 * us. */
static bool has_key(Request *r) {
        const char *text = request_key(r);
        ApiKeyId id;

        return text && (is_session_token(r, text) || api_key_parse(text, &id) >= 0);
}

static bool requires_key(Request *r, const Access *a) {
        HttpServer *s = r->server;

        if (!http_server_is_local(s) || request_dialect(r)->keys == KEYS_ALWAYS)
                return true;
        if (!http_server_is_inet(s))
                return false;
        return api_requires_key(request_api(r)) ||
                        (request_dialect(r)->keys == KEYS_ONCE_MADE && access_has_keys(a));
}

static bool user_is_allowed(Request *r) {
        r->role = user_role(r);
        r->by_user = scopes_allow(role_scopes(r->role), r->route->scope);
        return r->by_user;
}

static int check_user(Request *r, Access *a) {
        uint8_t address[16];

        if (!user_is_allowed(r))
                return refuse_user(r);
        if (!access_limits_addresses(a) || !http_server_is_inet(r->server))
                return 0;
        client_address_read(r, address);
        RateVerdict v = access_take_address(a, address);
        return check_rate(r, &v);
}

bool request_is_still_allowed(Request *r) {
        Access *a;

        if (r->by_user)
                return scopes_allow(role_scopes(user_role(r)), r->route->scope);
        if (r->session)
                return session_check_again(r) &&
                                scopes_allow(role_scopes(session_check_role(r, r->session)),
                                                r->route->scope);
        return isempty(r->key.text) || (api_access(request_api(r), &a) >= 0 && access_is_valid(a, &r->key));
}

/* --- dialects that are "limited" ------------------------------------------------------------------- */

static const char *find_key(Request *r, Access *a, const char *text, const ApiKeyRow **ret) {
        const ApiKeyRow *key;
        ApiKeyHash hash;
        ApiKeyId id;

        if (api_key_parse(text, &id) < 0)
                return "What came as a token is neither one nor an API key.";
        key = access_find_key(a, &id);
        if (key)
                api_key_hash(text, API_KEY_LENGTH, &hash);
        if (!key || !api_key_hash_equal(&hash, &key->hash))
                return "The API key is not valid: it was removed, or there never was such a one.";
        if (access_key_has_expired(key))
                return "The API key has expired.";
        *ret = key;
        return NULL;
}

/* Finds out who has @text, without an answer. 0, or negative errno if that cannot be known. */
static int identify_by(Request *r, Access *a, const char *text, const ApiKeyRow **ret_key) {
        SessionRow *session = NULL;
        int k = 0;

        if (!is_session_token(r, text)) {
                r->refused = find_key(r, a, text, ret_key);
                if (*ret_key)
                        admit_key(r, *ret_key);
                return 0;
        }
        k = session_check_find(r, text, &session);
        if (session)
                admit_session(r, session);
        else
                r->refused = session_ended;
        return k == -ENOENT ? 0 : k;
}

/* Two different ones: it is not known which one is meant. */
static int check_ambiguity(Request *r) {
        const char *key = request_header(r, API_KEY_HEADER), *token = request_bearer_token(r);

        if (!key || !token || streq(key, token))
                return 0;
        request_reply_error(r, MHD_HTTP_BAD_REQUEST,
                        "The request has an Authorization header and a different " API_KEY_HEADER
                        " header; send only one of them.");
        return -EINVAL;
}

static int identify(Request *r, Access *a, const ApiKeyRow **ret_key) {
        const char *text = request_key(r);

        return text ? identify_by(r, a, text, ret_key) : 0;
}

int request_check_limit(Request *r) {
        const ApiKeyRow *key = NULL;
        uint8_t address[16];
        RateVerdict v;
        Access *a;
        int k;

        if (!request_dialect(r)->limited || api_refusal(request_api(r)))
                return 0;
        k = api_access(request_api(r), &a);
        if (k >= 0)
                k = identify(r, a, &key);
        if (k < 0) {
                r->unknown = true;
                a = api_any_access(request_api(r));
        }
        if (r->session || key)
                v = access_take_identity(a, key, key ? NULL : r->session->username);
        else {
                client_address_read(r, address);
                v = access_take_stranger(a, address);
        }
        k = check_rate(r, &v);
        return k < 0 ? k : check_ambiguity(r);
}

/* Of a route that permits it: the token, or that of the ticket, in the query. */
static int identify_by_query(Request *r, Access *a) {
        const char *token = request_query(r, "token"), *ticket = request_query(r, "ticket");
        _cleanup_free_ char *of_ticket = NULL;
        const ApiKeyRow *key = NULL;

        if (!r->route->token_in_query || request_key(r) || (!token && !ticket))
                return 0;
        if (!token && tickets_take(api_tickets(request_api(r)), ticket, now_monotonic(), &of_ticket) < 0) {
                r->refused = "The ticket has been used, has expired, or there never was such a one.";
                return 0;
        }
        return identify_by(r, a, token ? token : of_ticket, &key);
}

static int check_identity(Request *r, Access *a) {
        int k = r->session || r->scopes ? 0 : identify_by_query(r, a);

        if (k < 0)
                return k;
        if (r->session || r->scopes)
                return check_scope(r);
        if (r->refused)
                return refuse(r, r->refused);
        return refuse(r,
                        "This requires a token, as \"Authorization: Bearer TOKEN\": log in with POST "
                        "/api/v1/auth/login, or use an API key ('hyperctl key add').");
}

int request_check_access(Request *r) {
        Api *api = request_api(r);
        Access *a;
        int k;

        /* A refused configuration is all that is told then. */
        if (r->route->scope == SCOPE_PUBLIC || api_refusal(api))
                return 0;
        k = r->unknown ? -EAGAIN : api_access(api, &a);
        if (k >= 0 && request_dialect(r)->limited)
                return check_identity(r, a);
        if (k < 0) {
                request_reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "The database cannot be read at present, so it is not known who may do "
                                "this. The "
                                "journal of hyper.service says why; try again when that is mended.");
                return k;
        }
        if (requires_key(r, a)) {
                bool by_role = r->route->for_browsers && http_server_is_local(r->server) &&
                                !request_key(r) && user_is_allowed(r);
                return by_role ? 0 : check_key(r, a);
        }
        return !api_local_is_anybody(api) && has_key(r) ? check_key(r, a) : check_user(r, a);
}
