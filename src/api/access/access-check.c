/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>

#include "api/access/access-check.h"
#include "api/access/access.h"
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

static const struct sockaddr *client_address(Request *r) {
        const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

        return info ? info->client_addr : NULL;
}

static void read_address(Request *r, uint8_t ret[static 16]) {
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
        const struct sockaddr *address = client_address(r);

        memset(ret, 0, 16);
        if (!address)
                return;
        if (address->sa_family == AF_INET) {
                memcpy(ret, mapped, sizeof(mapped));
                memcpy(ret + 12, &((const struct sockaddr_in *) address)->sin_addr, 4);
        } else if (address->sa_family == AF_INET6) {
                const struct in6_addr *in6 = &((const struct sockaddr_in6 *) address)->sin6_addr;

                memcpy(ret, in6, IN6_IS_ADDR_V4MAPPED(in6) ? 16 : 8);
        }
}

static const char *address_text(Request *r, char buf[static INET6_ADDRSTRLEN]) {
        const struct sockaddr *address = client_address(r);
        const void *bytes = !address ? NULL
                        : address->sa_family == AF_INET
                        ? (const void *) &((const struct sockaddr_in *) address)->sin_addr
                        : address->sa_family == AF_INET6
                        ? (const void *) &((const struct sockaddr_in6 *) address)->sin6_addr
                        : NULL;

        return bytes && inet_ntop(address->sa_family, bytes, buf, INET6_ADDRSTRLEN) ? buf : "(unknown)";
}

/* The key as it came: in X-API-Key, or as a bearer token (RFC 6750, 2.1), for clients that know no other
 * header. */
static const char *request_key(Request *r) {
        static const char bearer[] = "Bearer ";
        const char *key = request_header(r, API_KEY_HEADER), *authorization;

        if (key)
                return key;
        authorization = request_header(r, MHD_HTTP_HEADER_AUTHORIZATION);
        if (!authorization || strncasecmp(authorization, bearer, strlen(bearer)) != 0)
                return NULL;
        authorization += strlen(bearer);
        return authorization + strspn(authorization, " ");
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

static int refuse(Request *r, const char *why) {
        /* RFC 9110, 11.6.1 requires a challenge; the scheme of API keys is not a registered one. */
        const char *challenge = request_dialect(r)->challenge;
        int k = request_add_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                        challenge ? challenge : "ApiKey realm=\"hyper\"");

        if (k < 0)
                return k;
        request_reply_error(r, MHD_HTTP_UNAUTHORIZED, "%s", why);
        return -EACCES;
}

static void read_stranger(Request *r, Stranger *s) {
        uid_t uid = r->has_uid ? r->uid : (uid_t) -1;

        read_address(r, s->address);
        memcpy(s->uid, &uid, sizeof(uid));
}

static int refuse_key(Request *r, Access *a, const Stranger *s, const char *why) {
        RateVerdict v = access_take_failure(a, s, sizeof(*s));
        char address[INET6_ADDRSTRLEN];

        if (!v.allowed)
                return refuse_for_now(
                                r, &v, "Too many requests from this address came with a wrong API key.");
        log_notice("%s.socket: refused a request from %s%s%s: %s", request_dialect(r)->fd_name,
                        address_text(r, address), isempty(s->id.text) ? "" : " with key ", s->id.text, why);
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

static int check_key(Request *r, Access *a) {
        const ApiKeyRow *key = NULL;
        int k;

        k = find_valid_key(r, a, &key);
        if (k < 0)
                return k;
        RateVerdict v = access_take_key(a, key);
        k = check_rate(r, &v);
        if (k < 0)
                return k;
        if (!scopes_allow(key->scopes, r->route->scope)) {
                request_reply_error(r, MHD_HTTP_FORBIDDEN,
                                "The API key %s does not have the scope \"%s\", which this requires.",
                                key->name, scope_to_string(r->route->scope));
                return -EACCES;
        }
        r->key = key->id;
        r->role = scopes_role(key->scopes);
        return 0;
}

/* Whether the request comes with a key, where none is required. A text in another form is not meant for
 * us. */
static bool has_key(Request *r) {
        const char *text = request_key(r);
        ApiKeyId id;

        return text && api_key_parse(text, &id) >= 0;
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
        read_address(r, address);
        RateVerdict v = access_take_address(a, address);
        return check_rate(r, &v);
}

bool request_is_still_allowed(Request *r) {
        Access *a;

        if (r->by_user)
                return scopes_allow(role_scopes(user_role(r)), r->route->scope);
        return isempty(r->key.text) || (api_access(request_api(r), &a) >= 0 && access_is_valid(a, &r->key));
}

int request_check_access(Request *r) {
        Api *api = request_api(r);
        Access *a;
        int k;

        /* A refused configuration is all that is told then. */
        if (r->route->scope == SCOPE_PUBLIC || api_refusal(api))
                return 0;
        k = api_access(api, &a);
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
