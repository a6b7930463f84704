/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Logins, tokens and limits of the v1 API: the whole server on a real socket (without TLS, which system/tls
 * has), its database written by the test as the manager does, and a hyper-auth that the test plays. */

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/http/request.h"
#include "api/v1/v1-login.h"
#include "api/v1/v1-routes.h"
#include "basic/fd-util.h"
#include "shared/auth-message.h"
#include "store/api-keys.h"
#include "store/sessions.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"
#include "json/json-parse.h"

#define MANY 1000000u

typedef struct Fixture {
        char *dir, *path, *socket;
        int listen_fd;
        Store *store;
        TestServer server;
} Fixture;

/* The roles of users by UID. */
static int test_roles(uid_t uid, Role *ret) {
        *ret = uid >= 1000 && uid < 1000 + _ROLE_MAX ? (Role) (uid - 1000) : ROLE_NONE;
        return 0;
}

static void fixture_open_limited(Fixture *f, unsigned address_limit) {
        *f = (Fixture){ .dir = test_dir() };
        f->path = strprintf("%s/hyper.db", f->dir);
        f->socket = strprintf("%s/auth.sock", f->dir);
        f->listen_fd = test_listen(f->socket);
        ck_assert_int_eq(store_open(f->path, STORE_OWNER, &f->store), 0);
        test_server_start(&f->server, AF_INET, &v1_dialect,
                        &(ApiConfig){ .database = f->path,
                                        .bus_address = "unix:path=/nonexistent/bus",
                                        .auth_socket = f->socket,
                                        .role_of_user = test_roles,
                                        .v1_rate_limit = address_limit });
}

static void fixture_open(Fixture *f) {
        fixture_open_limited(f, MANY);
}

static void fixture_done(Fixture *f) {
        ck_assert_int_eq(test_server_stop(&f->server), 0);
        safe_close(f->listen_fd);
        store_free(f->store);
        free(f->path);
        free(f->socket);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* --- hyper-auth ------------------------------------------------------------------------------------ */

/* Takes the next connection, and reads what is asked. */
static int accept_question(Fixture *f, AuthRequest *ret) {
        int fd = accept(f->listen_fd, NULL, NULL);
        char text[AUTH_MESSAGE_MAX];
        ssize_t n;

        ck_assert_int_ge(fd, 0);
        n = read(fd, text, sizeof(text));
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(text[n - 1], '\n');
        ck_assert_int_eq(auth_request_decode(text, (size_t) n - 1, ret), 0);
        return fd;
}

static void answer_text(Fixture *f, const char *text) {
        _cleanup_(auth_request_done) AuthRequest q = {};
        _cleanup_close_ int fd = accept_question(f, &q);

        ck_assert_int_eq(write(fd, text, strlen(text)), (int) strlen(text));
}

static void answer(Fixture *f, const AuthAnswer *a) {
        _cleanup_free_ char *text = auth_answer_encode(a);

        answer_text(f, text);
}

static bool is_asked(Fixture *f) {
        return poll(&(struct pollfd){ .fd = f->listen_fd, .events = POLLIN }, 1, 0) > 0;
}

/* --- requests -------------------------------------------------------------------------------------- */

static int post(Fixture *f, const char *path, const char *token, const char *body) {
        int fd = test_connect(&f->server);

        test_send(fd, "POST %s HTTP/1.1\r\nHost: localhost\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", path,
                        token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "",
                        strlen(body), body);
        return fd;
}

static void read_reply(int fd, TestReply *ret) {
        test_read_reply(fd, ret);
        close(fd);
}

static void ask(Fixture *f, const char *what, const char *token, TestReply *ret) {
        test_request(&f->server, ret, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n%s%s\r\n\r\n",
                        what, token ? "Authorization: Bearer " : "X-Nothing: ", token ? token : "");
}

static void expect(Fixture *f, const char *what, const char *token, unsigned status) {
        _cleanup_reply_ TestReply r = {};

        ask(f, what, token, &r);
        ck_assert_msg(r.status == status, "%s: %u instead of %u: %s", what, r.status, status, r.body);
}

static json_t *parse(const TestReply *r) {
        json_t *body = json_loads(r->body, 0, NULL);

        ck_assert_ptr_nonnull(body);
        return body;
}

/* --- sessions -------------------------------------------------------------------------------------- */

static char *add_session(Fixture *f, const char *username, Role role, Role role_now, usec_t created) {
        SessionRow row = { .username = (char *) username,
                .uid = 1000 + (uid_t) role_now,
                .role = role,
                .address = (char *) "192.0.2.1",
                .login_at = created,
                .created_at = created,
                .expires_at = created + USEC_PER_HOUR };
        SessionToken token;

        ck_assert_int_eq(session_id_make(row.id), 0);
        ck_assert_int_eq(session_token_make(&token), 0);
        api_key_hash(token.text, SESSION_TOKEN_LENGTH, &row.hash);
        ck_assert_int_eq(store_session_start(f->store, &row, 1000, NULL, 0), 0);
        return strdup(token.text);
}

static void add_key(Fixture *f, const char *name, Scope scope, unsigned rate, ApiKey *ret) {
        ApiKeyRow row = { .name = (char *) name, .scopes = 1u << scope, .rate_limit = rate };

        ck_assert_int_eq(api_key_make(ret), 0);
        row.id = ret->id;
        api_key_hash(ret->text, strlen(ret->text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(f->store, &row), 0);
}

/* --- logins ---------------------------------------------------------------------------------------- */

#define LOGIN "{\"username\": \"alice\", \"password\": \"s\\u00e9cret \\\\ \\\"\", \"remember\": true}"

static const AuthAnswer wrong = { .result = AUTH_WRONG };

START_TEST(a_login_gives_a_token) {
        static const char *const paths[] = { "/api/v1/auth/login", "/api/login" };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                SessionToken token;
                AuthAnswer a = { .result = AUTH_OK,
                        .username = (char *) "alice",
                        .token = token.text,
                        .role = ROLE_OPERATOR,
                        .expires_at = now_realtime() + 100 * USEC_PER_SEC };
                _cleanup_(auth_request_done) AuthRequest q = {};
                _cleanup_reply_ TestReply r = {};
                _cleanup_json_ json_t *body = NULL;
                const char *got, *type, *role, *expires;
                _cleanup_free_ char *text = NULL, *cache = NULL;
                json_int_t seconds;

                ck_assert_int_eq(session_token_make(&token), 0);
                text = auth_answer_encode(&a);
                int fd = post(&f, paths[i], NULL, LOGIN), auth = accept_question(&f, &q);
                ck_assert_str_eq(q.username, "alice");
                ck_assert_str_eq(q.password,
                                "s\xc3\xa9"
                                "cret \\ \"");
                ck_assert_str_eq(q.address, "127.0.0.1");
                ck_assert_int_eq(write(auth, text, strlen(text)), (int) strlen(text));
                close(auth);
                read_reply(fd, &r);
                ck_assert_uint_eq(r.status, 200);
                cache = test_header(&r, "Cache-Control");
                ck_assert_str_eq(cache, "no-store");
                body = parse(&r);
                ck_assert_int_eq(json_unpack(body, "{s:s, s:s, s:I, s:s, s:s}", "token", &got, "token_type",
                                                 &type, "expires_in", &seconds, "expires_at", &expires,
                                                 "role", &role),
                                0);
                ck_assert_str_eq(got, token.text);
                ck_assert_str_eq(type, "Bearer");
                ck_assert_str_eq(role, "operator");
                ck_assert(seconds > 0 && seconds <= 100);
        }
}
END_TEST

START_TEST(whatever_hyper_auth_says_is_a_status) {
        static const struct {
                const char *answer;
                unsigned status;
                const char *text;
        } cases[] = {
                { "{\"result\":\"denied\",\"message\":\"is in none of the groups\"}\n", 403, "groups" },
                { "{\"result\":\"failed\",\"message\":\"no bus\"}\n", 503, "no bus" },
                { "{\"result\":\"maybe\"}\n", 503, "hyper-auth" },
                { "", 503, "hyper-auth" },
                { "{\"result\":\"denied\"", 503, "hyper-auth" },
        };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ TestReply r = {};
                int fd = post(&f, "/api/v1/auth/login", NULL, LOGIN);

                answer_text(&f, cases[i].answer);
                read_reply(fd, &r);
                ck_assert_msg(r.status == cases[i].status, "%s: %u", cases[i].answer, r.status);
                ck_assert_ptr_nonnull(strstr(r.body, cases[i].text));
        }
        /* A socket that is not there. */
        _cleanup_reply_ TestReply r = {};
        ck_assert_int_eq(unlink(f.socket), 0);
        read_reply(post(&f, "/api/v1/auth/login", NULL, LOGIN), &r);
        ck_assert_uint_eq(r.status, 503);
}
END_TEST

/* All at once, since each answer takes a second: the fifth one is the last that is asked. */
START_TEST(wrong_passwords_are_limited_and_do_not_lock_for_good) {
        _cleanup_fixture_ Fixture f;
        int fds[5];

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = post(&f, "/api/v1/auth/login", NULL, LOGIN);
                answer(&f, &wrong);
        }
        _cleanup_reply_ TestReply refused = {};
        read_reply(post(&f, "/api/v1/auth/login", NULL, LOGIN), &refused);
        ck_assert_uint_eq(refused.status, 429);
        _cleanup_free_ char *after = test_header(&refused, "Retry-After");
        ck_assert_int_gt(atoi(after), 50);
        ck_assert(!is_asked(&f));
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                _cleanup_reply_ TestReply r = {};
                _cleanup_free_ char *challenge = NULL;

                read_reply(fds[i], &r);
                ck_assert_uint_eq(r.status, 401);
                ck_assert_ptr_nonnull(strstr(r.body, "The user name or the password is wrong."));
                challenge = test_header(&r, "WWW-Authenticate");
                ck_assert_str_eq(challenge, "Bearer realm=\"hyper\"");
        }
}
END_TEST

START_TEST(a_bad_body_names_its_fields_and_is_not_asked_about) {
        static const struct {
                const char *body;
                unsigned status;
                const char *fields;
        } cases[] = {
                { "", 400, NULL },
                { "{", 400, NULL },
                { "[]", 400, NULL },
                { "{}", 400, "username password" },
                { "{\"username\": \"alice\"}", 400, "password" },
                { "{\"username\": \"\", \"password\": \"\"}", 400, "username password" },
                { "{\"username\": 1, \"password\": null}", 400, "username password" },
                { "{\"username\": \"a b\", \"password\": \"x\"}", 400, "username" },
                { "{\"username\": \"a\\u0000b\", \"password\": \"x\"}", 400, NULL },
                { "{\"username\": \"\xc3\xa4\", \"password\": \"x\"}", 400, "username" },
        };
        _cleanup_fixture_ Fixture f;
        char *long_body = calloc(1, V1_AUTH_BODY_MAX + 100);

        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_reply_ TestReply r = {};
                _cleanup_json_ json_t *body = NULL;
                _cleanup_strv_free_ char **fields = NULL;
                _cleanup_free_ char *joined = NULL;
                json_t *error;
                size_t k;

                read_reply(post(&f, "/api/v1/auth/login", NULL, cases[i].body), &r);
                ck_assert_msg(r.status == cases[i].status, "%s: %u", cases[i].body, r.status);
                body = parse(&r);
                ck_assert_int_eq(json_integer_value(json_object_get(body, "status")), 400);
                json_array_foreach(json_object_get(body, "errors"), k, error)
                        ck_assert_int_eq(strv_extend(&fields,
                                                         json_string_value(json_object_get(error, "field"))),
                                        0);
                joined = strv_join(fields, " ");
                ck_assert_str_eq(joined, strempty(cases[i].fields));
        }
        memset(long_body, ' ', V1_AUTH_BODY_MAX + 50);
        _cleanup_reply_ TestReply r = {};
        read_reply(post(&f, "/api/v1/auth/login", NULL, long_body), &r);
        ck_assert_uint_eq(r.status, 413);
        free(long_body);
        ck_assert(!is_asked(&f));
}
END_TEST

/* --- tokens ---------------------------------------------------------------------------------------- */

START_TEST(a_token_is_valid_until_it_ends) {
        usec_t now = now_realtime();
        _cleanup_fixture_ Fixture f;
        _cleanup_(session_rows_done) SessionRows rows = {};

        fixture_open(&f);
        _cleanup_free_ char *good = add_session(&f, "alice", ROLE_OPERATOR, ROLE_OPERATOR, now),
                            *old = add_session(&f, "bob", ROLE_ADMIN, ROLE_ADMIN,
                                            now - USEC_PER_HOUR - USEC_PER_SEC),
                            *future = add_session(
                                            &f, "carol", ROLE_ADMIN, ROLE_ADMIN, now + 30 * USEC_PER_MINUTE),
                            *lowered = add_session(&f, "dave", ROLE_ADMIN, ROLE_VIEWER, now),
                            *raised = add_session(&f, "erin", ROLE_VIEWER, ROLE_ADMIN, now),
                            *gone = add_session(&f, "frank", ROLE_ADMIN, ROLE_NONE, now);
        expect(&f, "GET /api/v1/auth/me", good, 200);
        expect(&f, "GET /auth/me", good, 200);
        expect(&f, "GET /api/v1/auth/me", old, 401);
        expect(&f, "GET /api/v1/auth/me", future, 401);
        expect(&f, "GET /api/v1/auth/me", "hyps_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 401);
        expect(&f, "GET /api/v1/auth/me", gone, 403);
        /* the lower one of the role at the login and the role now */
        expect(&f, "DELETE /api/v1/webhooks/0", lowered, 403);
        expect(&f, "DELETE /api/v1/webhooks/0", raised, 403);
        expect(&f, "GET /api/v1/auth/me", lowered, 200);
        /* in X-API-Key, it is none */
        _cleanup_reply_ TestReply r = {};
        test_request(&f.server, &r,
                        "GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", good);
        ck_assert_uint_eq(r.status, 401);
        ck_assert_int_eq(store_sessions_list(f.store, "alice", &rows), 0);
        ck_assert_int_eq(store_session_delete(f.store, rows.rows[0].id), 0);
        _cleanup_reply_ TestReply ended = {};
        ask(&f, "GET /api/v1/auth/me", good, &ended);
        ck_assert_uint_eq(ended.status, 401);
        _cleanup_free_ char *challenge = test_header(&ended, "WWW-Authenticate");
        ck_assert_str_eq(challenge, "Bearer realm=\"hyper\", error=\"invalid_token\"");
        expect(&f, "GET /api/v1/auth/me", NULL, 401);
}
END_TEST

START_TEST(whoever_asks_sees_who_it_is) {
        _cleanup_json_ json_t *me = NULL, *session = NULL, *key_me = NULL;
        _cleanup_reply_ TestReply r = {}, s = {}, k = {};
        const char *username, *role, *auth, *id;
        _cleanup_fixture_ Fixture f;
        int authenticated;
        ApiKey key;

        fixture_open(&f);
        _cleanup_free_ char *token = add_session(&f, "alice", ROLE_VIEWER, ROLE_ADMIN, now_realtime());
        add_key(&f, "robot", SCOPE_SUBMIT, 0, &key);
        ask(&f, "GET /api/v1/auth/me", token, &r);
        me = parse(&r);
        ck_assert_int_eq(json_unpack(me, "{s:s, s:s, s:s, s:n, s:[s, s, s!]}", "username", &username, "role",
                                         &role, "auth", &auth, "key_id", "permissions", &id, &id, &id),
                        0);
        ck_assert_str_eq(username, "alice");
        ck_assert_str_eq(role, "viewer");
        ck_assert_str_eq(auth, "session");
        ask(&f, "GET /api/v1/auth/session", token, &s);
        session = parse(&s);
        ck_assert_int_eq(json_unpack(session, "{s:b}", "authenticated", &authenticated), 0);
        ck_assert(authenticated);
        ask(&f, "GET /api/v1/auth/me", key.text, &k);
        key_me = parse(&k);
        ck_assert_int_eq(json_unpack(key_me, "{s:s, s:s, s:s, s:s, s:n}", "username", &username, "role",
                                         &role, "auth", &auth, "key_id", &id, "expires_at"),
                        0);
        ck_assert_str_eq(username, "robot");
        ck_assert_str_eq(role, "operator");
        ck_assert_str_eq(auth, "api_key");
        ck_assert_str_eq(id, key.id.text);
        /* a key has no session to refresh or end */
        expect(&f, "POST /api/v1/auth/refresh", key.text, 400);
        expect(&f, "POST /api/v1/auth/logout", key.text, 400);
}
END_TEST

static size_t count_sessions(Fixture *f, const char *token) {
        _cleanup_reply_ TestReply r = {};
        _cleanup_json_ json_t *body = NULL;

        ask(f, "GET /api/v1/auth/sessions", token, &r);
        ck_assert_uint_eq(r.status, 200);
        ck_assert_ptr_null(strstr(r.body, "hyps_"));
        body = parse(&r);
        return json_array_size(json_object_get(body, "data"));
}

START_TEST(sessions_of_others_are_for_administrators) {
        _cleanup_fixture_ Fixture f;
        _cleanup_(session_rows_done) SessionRows rows = {};
        usec_t now = now_realtime();

        fixture_open(&f);
        _cleanup_free_ char *alice = add_session(&f, "alice", ROLE_OPERATOR, ROLE_OPERATOR, now),
                            *again = add_session(&f, "alice", ROLE_OPERATOR, ROLE_OPERATOR, now),
                            *root = add_session(&f, "root", ROLE_ADMIN, ROLE_ADMIN, now);
        ck_assert_uint_eq(count_sessions(&f, alice), 2);
        ck_assert_uint_eq(count_sessions(&f, again), 2);
        ck_assert_uint_eq(count_sessions(&f, root), 3);
        _cleanup_reply_ TestReply r = {}, bad = {};
        ask(&f, "GET /api/v1/auth/sessions?offset=1&limit=1", root, &r);
        _cleanup_json_ json_t *page = parse(&r);
        json_int_t total;
        int more;
        ck_assert_int_eq(json_unpack(page, "{s:[{}!], s:{s:I, s:b}}", "data", "pagination", "total", &total,
                                         "has_more", &more),
                        0);
        ck_assert(total == 3 && more);
        ask(&f, "GET /api/v1/auth/sessions?limit=201", root, &bad);
        ck_assert_uint_eq(bad.status, 400);
        ck_assert_int_eq(store_sessions_list(f.store, "root", &rows), 0);
        _cleanup_free_ char *what = strprintf("DELETE /api/v1/auth/sessions/%s", rows.rows[0].id);
        expect(&f, what, alice, 404);
        expect(&f, what, root, 503); /* there is no manager */
        expect(&f, "DELETE /api/v1/auth/sessions/x", root, 404);
        expect(&f, "POST /api/v1/auth/logout", alice, 503);
}
END_TEST

START_TEST(a_refresh_asks_with_the_token) {
        _cleanup_(auth_request_done) AuthRequest q = {};
        _cleanup_reply_ TestReply r = {};
        _cleanup_fixture_ Fixture f;
        static const char ended[] = "{\"result\":\"ended\"}\n";

        fixture_open(&f);
        _cleanup_free_ char *token = add_session(&f, "alice", ROLE_VIEWER, ROLE_VIEWER, now_realtime());
        int fd = post(&f, "/api/v1/auth/refresh", token, ""), auth = accept_question(&f, &q);
        ck_assert_str_eq(q.token, token);
        ck_assert_ptr_null(q.password);
        ck_assert_int_eq(write(auth, ended, strlen(ended)), (int) strlen(ended));
        close(auth);
        read_reply(fd, &r);
        ck_assert_uint_eq(r.status, 401);
        _cleanup_free_ char *challenge = test_header(&r, "WWW-Authenticate");
        ck_assert_ptr_nonnull(strstr(challenge, "invalid_token"));
}
END_TEST

/* --- roles ----------------------------------------------------------------------------------------- */

/* The status of a request, whose reply may have no end. */
static unsigned status_of(Fixture *f, const Route *route, const char *token) {
        int fd = test_connect(&f->server);
        _cleanup_free_ char *path = strdup(route->path);
        char line[64] = "";
        unsigned status = 0;
        size_t n = 0;

        for (char *p = path; (p = strchr(p, '{'));) {
                memmove(p + 1, strchr(p, '}') + 1, strlen(strchr(p, '}')));
                *p = 'x';
        }
        test_send(fd, "%s %s%s HTTP/1.1\r\nHost: localhost\r\n%s%s%sContent-Length: 0\r\n\r\n",
                        http_method_to_string(route->method), startswith(path, "/api/") ? "" : "/api/v1",
                        path, token ? "Authorization: Bearer " : "", token ? token : "",
                        token ? "\r\n" : "");
        while (n < sizeof(line) - 1 && !strchr(line, '\n')) {
                ck_assert_int_eq(read(fd, line + n, 1), 1);
                n++;
        }
        close(fd);
        ck_assert_int_eq(sscanf(line, "HTTP/1.1 %u", &status), 1);
        return status;
}

/* What each role may do, by the scope of the route. */
static bool is_allowed(Role role, Scope scope) {
        switch (scope) {
        case SCOPE_PUBLIC:
                return true;
        case SCOPE_READ:
                return role >= ROLE_VIEWER;
        case SCOPE_ADMIN:
                return role >= ROLE_ADMIN;
        default:
                return role >= ROLE_OPERATOR;
        }
}

START_TEST(each_role_is_tried_against_each_route) {
        char *tokens[_ROLE_MAX] = {};
        _cleanup_fixture_ Fixture f;
        unsigned n = 0;

        fixture_open(&f);
        for (Role role = ROLE_VIEWER; role < _ROLE_MAX; role++)
                tokens[role] = add_session(&f, role_to_string(role), role, role, now_realtime());
        for (const Route *route = dialect_next_route(&v1_dialect, NULL); route;
                        route = dialect_next_route(&v1_dialect, route), n++) {
                unsigned status = 0;

                if (streq(route->path, "/api/v1/auth/login") || streq(route->path, "/auth/login") ||
                                streq(route->path, "/api/login") || strstr(route->path, "/auth/refresh"))
                        continue; /* asks hyper-auth; above */
                for (Role role = ROLE_NONE; role < _ROLE_MAX; role++) {
                        unsigned expected = is_allowed(role, route->scope) ? 0 : tokens[role] ? 403 : 401;

                        status = status_of(&f, route, tokens[role]);
                        ck_assert_msg(expected > 0 ? status == expected : status != 401 && status != 403,
                                        "%s %s as %s: %u", http_method_to_string(route->method), route->path,
                                        role_to_string(role), status);
                }
        }
        ck_assert_uint_gt(n, 40);
        for (Role role = ROLE_VIEWER; role < _ROLE_MAX; role++)
                free(tokens[role]);
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------------- */

START_TEST(requests_without_a_token_are_counted_for_the_address) {
        static const char *const what[] = { "GET /api/v1/health", "GET /api/v1/jobs/x", "GET /nothing",
                "OPTIONS /api/v1/health", "PUT /api/v1/health" };
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open_limited(&f, 3); /* one more comes back every 20 s */
        _cleanup_free_ char *token = add_session(&f, "alice", ROLE_VIEWER, ROLE_VIEWER, now_realtime());
        add_key(&f, "slow", SCOPE_READ, 60, &key);
        for (unsigned i = 0; i < ELEMENTSOF(what); i++) {
                _cleanup_reply_ TestReply r = {};

                expect(&f, "GET /api/v1/auth/me", token, 200); /* does not count */
                ask(&f, what[i], i % 2 ? NULL : "hyps_x", &r);
                _cleanup_free_ char *limit = test_header(&r, "X-RateLimit-Limit"),
                                    *left = test_header(&r, "X-RateLimit-Remaining"),
                                    *after = test_header(&r, "Retry-After");
                ck_assert_msg((r.status == 429) == (i >= 3), "%s: %u", what[i], r.status);
                ck_assert_int_eq(!after, i < 3);
                ck_assert_str_eq(limit, "3");
                ck_assert_int_eq(atoi(left), i < 3 ? 2 - (int) i : 0);
        }
        _cleanup_reply_ TestReply r = {}, own = {};
        ask(&f, "GET /api/v1/auth/me", token, &r);
        ck_assert_uint_eq(r.status, 200);
        _cleanup_free_ char *limit = test_header(&r, "X-RateLimit-Limit");
        ck_assert_str_eq(limit, "1000");
        ask(&f, "GET /api/v1/auth/me", key.text, &own);
        _cleanup_free_ char *own_limit = test_header(&own, "X-RateLimit-Limit");
        ck_assert_str_eq(own_limit, "10");
}
END_TEST

START_TEST(the_limits_are_those_of_the_contract) {
        _cleanup_reply_ TestReply r = {};
        _cleanup_fixture_ Fixture f;

        fixture_open_limited(&f, 0);
        ask(&f, "GET /api/v1/health", NULL, &r);
        ck_assert_uint_eq(r.status, 200);
        _cleanup_free_ char *limit = test_header(&r, "X-RateLimit-Limit"),
                            *left = test_header(&r, "X-RateLimit-Remaining");
        ck_assert_str_eq(limit, "100");
        ck_assert_str_eq(left, "99");
}
END_TEST

START_TEST(two_different_credentials_are_refused) {
        _cleanup_reply_ TestReply r = {}, same = {};
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        _cleanup_free_ char *token = add_session(&f, "alice", ROLE_VIEWER, ROLE_VIEWER, now_realtime());
        add_key(&f, "robot", SCOPE_READ, 0, &key);
        test_request(&f.server, &r,
                        "GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\nAuthorization: "
                        "Bearer %s\r\n\r\n",
                        key.text, token);
        ck_assert_uint_eq(r.status, 400);
        test_request(&f.server, &same,
                        "GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\nAuthorization: "
                        "Bearer %s\r\n\r\n",
                        key.text, key.text);
        ck_assert_uint_eq(same.status, 200);
}
END_TEST

TEST_MAIN("v1-auth", a_login_gives_a_token, whatever_hyper_auth_says_is_a_status,
                wrong_passwords_are_limited_and_do_not_lock_for_good,
                a_bad_body_names_its_fields_and_is_not_asked_about, a_token_is_valid_until_it_ends,
                whoever_asks_sees_who_it_is, sessions_of_others_are_for_administrators,
                a_refresh_asks_with_the_token, each_role_is_tried_against_each_route,
                requests_without_a_token_are_counted_for_the_address, the_limits_are_those_of_the_contract,
                two_different_credentials_are_refused)
