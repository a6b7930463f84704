/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets in, with which key, to what, how often: the whole server on real sockets, its database written by
 * the test as the manager does.
 *
 * check: all */

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "api/access/access.h"
#include "api/http/http-server.h"
#include "api/http/reply.h"
#include "api/http/request.h"
#include "api/stream/sse-stream.h"
#include "api/stream/websocket.h"
#include "store/api-keys.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

static int on_anything(Request *r) {
        return request_reply_json(r, 200, json_pack("{s:s}", "hello", "world"));
}

static int on_open(WebSocket *w) {
        return 0;
}

static const WebSocketProtocol protocol = { .max_message = 100, .on_open = on_open };

static int on_websocket(Request *r) {
        return request_reply_websocket(r, &protocol);
}

static const Route routes[] = {
        { HTTP_GET, "/public", SCOPE_PUBLIC, on_anything },
        { HTTP_GET, "/read", SCOPE_READ, on_anything },
        { HTTP_POST, "/submit", SCOPE_SUBMIT, on_anything },
        { HTTP_POST, "/work", SCOPE_WORK, on_anything },
        { HTTP_POST, "/admin", SCOPE_ADMIN, on_anything },
        { HTTP_GET, "/page", SCOPE_READ, on_anything, .for_browsers = true },
        { HTTP_GET, "/ws", SCOPE_READ, on_websocket },
        {},
};

static const Dialect shy = { .name = "shy",
        .fd_name = "shy",
        .routes = routes,
        .keys = KEYS_ONCE_MADE,
        .error = test_dialect_error };
static const Dialect plain = {
        .name = "plain", .fd_name = "plain", .routes = routes, .error = test_dialect_error
};

typedef struct Fixture {
        char *dir, *path;
        Store *store;
        TestServer server;
} Fixture;

static void fixture_open(Fixture *f) {
        *f = (Fixture){ .dir = test_dir() };
        f->path = strprintf("%s/hyper.db", f->dir);
        ck_assert_int_eq(store_open(f->path, STORE_OWNER, &f->store), 0);
}

static void fixture_done(Fixture *f) {
        if (f->server.pid > 0)
                ck_assert_int_eq(test_server_stop(&f->server), 0);
        store_free(f->store);
        free(f->path);
        test_dir_freep(&f->dir);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static void start(Fixture *f, int family, const Dialect *dialect) {
        test_server_start(&f->server, family, dialect,
                        &(ApiConfig){ .database = f->path, .bus_address = "unix:path=/nonexistent/bus" });
}

static void add_row(
                Fixture *f, const char *name, uint32_t scopes, unsigned rate, usec_t expires, ApiKey *ret) {
        ApiKeyRow row = {
                .name = (char *) name, .scopes = scopes, .rate_limit = rate, .expires_at = expires
        };

        ck_assert_int_eq(api_key_make(ret), 0);
        row.id = ret->id;
        api_key_hash(ret->text, strlen(ret->text), &row.hash);
        ck_assert_int_eq(store_api_key_insert(f->store, &row), 0);
}

static void add(Fixture *f, const char *name, Scope scope, ApiKey *ret) {
        add_row(f, name, 1u << scope, 0, 0, ret);
}

static void ask(Fixture *f, const char *what, const char *header, const char *value, TestReply *ret) {
        test_request(&f->server, ret,
                        "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n%s%s%s\r\n\r\n", what,
                        header, *header ? ": " : "X-Nothing: ", value);
}

static void expect(Fixture *f, const char *what, const char *key, unsigned status) {
        _cleanup_reply_ TestReply r = {};

        ask(f, what, key ? "X-API-Key" : "", key ? key : "", &r);
        ck_assert_msg(r.status == status, "%s: %u instead of %u: %s", what, r.status, status, r.body);
}

START_TEST(without_keys_this_machine_gets_in) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        start(&f, AF_INET, &shy);
        expect(&f, "GET /read", NULL, 200);
        expect(&f, "POST /submit", NULL, 200);
        expect(&f, "POST /work", "anything", 200);
}
END_TEST

START_TEST(the_first_key_shuts_the_door_at_once_and_the_last_one_opens_it) {
        _cleanup_fixture_ Fixture f;
        ApiKey key, other;

        fixture_open(&f);
        start(&f, AF_INET, &shy);
        expect(&f, "GET /read", NULL, 200);
        add(&f, "a", SCOPE_SUBMIT, &key);
        expect(&f, "GET /read", NULL, 401);
        expect(&f, "GET /read", key.text, 200);
        add(&f, "b", SCOPE_READ, &other);
        expect(&f, "GET /read", other.text, 200);
        ck_assert_int_eq(store_api_key_delete(f.store, "a"), 0);
        expect(&f, "GET /read", key.text, 401);
        expect(&f, "GET /read", other.text, 200);
        ck_assert_int_eq(store_api_key_delete(f.store, "b"), 0);
        expect(&f, "GET /read", NULL, 200);
}
END_TEST

START_TEST(each_scope_gets_what_is_its_own) {
        static const struct {
                const char *what;
                bool allowed[_SCOPE_MAX];
        } cases[] = {
                { "GET /public", { false, true, true, true, true } },
                { "GET /read", { false, true, true, true, true } },
                { "HEAD /read", { false, true, true, true, true } },
                { "POST /submit", { [SCOPE_SUBMIT] = true, [SCOPE_ADMIN] = true } },
                { "POST /work", { [SCOPE_WORK] = true, [SCOPE_ADMIN] = true } },
                { "POST /admin", { [SCOPE_ADMIN] = true } },
        };
        _cleanup_fixture_ Fixture f;
        ApiKey keys[_SCOPE_MAX], both;

        fixture_open(&f);
        for (Scope s = SCOPE_READ; s < _SCOPE_MAX; s++)
                add(&f, scope_to_string(s), s, &keys[s]);
        add_row(&f, "both", 1u << SCOPE_SUBMIT | 1u << SCOPE_WORK, 0, 0, &both);
        start(&f, AF_INET, &shy);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                for (Scope s = SCOPE_READ; s < _SCOPE_MAX; s++) {
                        int fd = test_connect(&f.server);
                        _cleanup_reply_ TestReply r = {};

                        test_send(fd,
                                        "%s HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\nContent-Length: "
                                        "0\r\n\r\n",
                                        cases[i].what, keys[s].text);
                        test_read_reply_full(fd, startswith(cases[i].what, "HEAD"), &r);
                        close(fd);
                        ck_assert_msg(r.status == (cases[i].allowed[s] ? 200 : 403), "%s with %s: %u",
                                        cases[i].what, scope_to_string(s), r.status);
                        if (r.status == 403) /* the key by its name, and what it lacks */
                                ck_assert_msg(strstr(r.body, scope_to_string(s)) &&
                                                                strstr(r.body,
                                                                                strchr(cases[i].what, '/') +
                                                                                                1),
                                                "%s", r.body);
                }
                if (!startswith(cases[i].what, "HEAD"))
                        expect(&f, cases[i].what, both.text,
                                        streq(cases[i].what, "POST /admin") ? 403 : 200);
        }
}
END_TEST

START_TEST(a_refusal_is_in_the_dialects_form_and_says_what_to_do) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *challenge = NULL, *type = NULL;
        _cleanup_reply_ TestReply r = {};
        _cleanup_json_ json_t *body = NULL;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        start(&f, AF_INET, &shy);
        ask(&f, "GET /read", "", "", &r);
        ck_assert_uint_eq(r.status, 401);
        challenge = test_header(&r, "WWW-Authenticate");
        ck_assert_str_eq(challenge, "ApiKey realm=\"hyper\"");
        type = test_header(&r, "Content-Type");
        ck_assert_str_eq(type, "application/json; charset=utf-8");
        body = json_loads(r.body, 0, NULL);
        ck_assert_int_eq(json_integer_value(json_object_get(body, "status")), 401);
        ck_assert_ptr_nonnull(strstr(r.body, "X-API-Key"));
        ck_assert_ptr_nonnull(strstr(r.body, "hyperctl key add"));
        /* what needs no key, and what is nowhere */
        expect(&f, "GET /public", NULL, 200);
        expect(&f, "OPTIONS /read", NULL, 204);
        expect(&f, "GET /nowhere", NULL, 404);
}
END_TEST

START_TEST(a_bearer_token_is_a_key_too) {
        static const char *const good[] = { "Bearer %s", "bearer %s", "Bearer   %s" };
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        start(&f, AF_INET, &shy);
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_reply_ TestReply r = {};
                char value[128];

                stpcpy(stpcpy(value, good[i]) - 2, key.text);
                ask(&f, "GET /read", "Authorization", value, &r);
                ck_assert_uint_eq(r.status, 200);
        }
        _cleanup_reply_ TestReply r = {};
        ask(&f, "GET /read", "Authorization", "Basic YTpi", &r);
        ck_assert_uint_eq(r.status, 401);
}
END_TEST

START_TEST(what_is_nearly_a_key_is_none) {
        _cleanup_fixture_ Fixture f;
        ApiKey key, other;
        char text[API_KEY_LENGTH + 1];

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        add(&f, "b", SCOPE_READ, &other);
        start(&f, AF_INET, &shy);
        strcpy(text, key.text);
        text[API_KEY_LENGTH - 5] = text[API_KEY_LENGTH - 5] == 'A' ? 'B' : 'A';
        expect(&f, "GET /read", text, 401);
        memcpy(text, other.text, 15); /* the id of one, the secret of the other */
        strcpy(text + 15, key.text + 15);
        expect(&f, "GET /read", text, 401);
        expect(&f, "GET /read", "", 401);
        expect(&f, "GET /read", "hyper_", 401);
        expect(&f, "GET /read", key.text + 1, 401);
        expect(&f, "GET /read?api_key=x", NULL, 401);
        expect(&f, "GET /read", key.text, 200);
}
END_TEST

START_TEST(a_key_that_has_expired_is_none_and_leaves_the_door_shut) {
        _cleanup_fixture_ Fixture f;
        ApiKey old, young;

        fixture_open(&f);
        add_row(&f, "old", 1u << SCOPE_READ, 0, now_realtime() - USEC_PER_SEC, &old);
        start(&f, AF_INET, &shy);
        expect(&f, "GET /read", old.text, 401);
        expect(&f, "GET /read", NULL, 401);
        add_row(&f, "young", 1u << SCOPE_READ, 0, now_realtime() + USEC_PER_HOUR, &young);
        expect(&f, "GET /read", young.text, 200);
}
END_TEST

START_TEST(loopback_of_another_dialect_and_unix_sockets_ask_for_nothing) {
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        start(&f, AF_INET, &plain);
        expect(&f, "POST /submit", NULL, 200);
        expect(&f, "POST /submit", "nonsense", 200);
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        start(&f, AF_UNIX, &shy);
        expect(&f, "POST /submit", NULL, 200);
}
END_TEST

START_TEST(a_key_may_be_required_everywhere_but_on_unix_sockets) {
        _cleanup_fixture_ Fixture f;
        const char *bus = "unix:path=/nonexistent/bus";
        ApiKey key;

        fixture_open(&f);
        const ApiConfig config = { .database = f.path, .bus_address = bus, .require_key = true };
        test_server_start(&f.server, AF_INET, &plain, &config);
        expect(&f, "POST /submit", NULL, 401); /* also before there is a key */
        expect(&f, "GET /public", NULL, 200);
        add(&f, "a", SCOPE_SUBMIT, &key);
        expect(&f, "POST /submit", NULL, 401);
        expect(&f, "POST /submit", key.text, 200);
        expect(&f, "POST /work", key.text, 403);
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        test_server_start(&f.server, AF_UNIX, &plain, &config);
        expect(&f, "POST /submit", NULL, 200);
}
END_TEST

START_TEST(what_others_can_reach_is_not_served_without_a_key) {
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        test_server_start_open(&f.server, &plain,
                        &(ApiConfig){ .database = f.path, .bus_address = "unix:path=/nonexistent/bus" });
        ck_assert_int_eq(test_server_wait(&f.server), TEST_SERVER_REFUSED);
        test_server_start_open(&f.server, &plain, NULL); /* no database at all */
        ck_assert_int_eq(test_server_wait(&f.server), TEST_SERVER_REFUSED);
}
END_TEST

START_TEST(what_others_can_reach_wants_a_key_always) {
        _cleanup_fixture_ Fixture f;
        _cleanup_reply_ TestReply r = {};
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_SUBMIT, &key);
        test_server_start_open(&f.server, &plain,
                        &(ApiConfig){ .database = f.path, .bus_address = "unix:path=/nonexistent/bus" });
        expect(&f, "POST /submit", NULL, 401);
        expect(&f, "POST /submit", key.text, 200);
        expect(&f, "POST /work", key.text, 403);
        /* under whatever name others know it by */
        test_request(&f.server, &r, "GET /read HTTP/1.1\r\nHost: hyper.example.com\r\nX-API-Key: %s\r\n\r\n",
                        key.text);
        ck_assert_uint_eq(r.status, 200);
        ck_assert_int_eq(store_api_key_delete(f.store, "a"), 0);
        expect(&f, "POST /submit", key.text, 401);
        expect(&f, "POST /submit", NULL, 401);
        expect(&f, "GET /public", NULL, 200);
}
END_TEST

/* Whoever connects has not shown a key yet. */
START_TEST(one_address_does_not_take_all_connections) {
        enum { MORE = 20 };
        _cleanup_fixture_ Fixture f;
        int fds[HTTP_CONNECTIONS_PER_ADDRESS + MORE];
        struct rlimit limit;
        ApiKey key;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        test_server_start_open(&f.server, &plain,
                        &(ApiConfig){ .database = f.path, .bus_address = "unix:path=/nonexistent/bus" });
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = test_connect(&f.server);
        for (size_t i = HTTP_CONNECTIONS_PER_ADDRESS; i < ELEMENTSOF(fds); i++)
                ck_assert(test_is_closed(fds[i]));
        for (size_t i = 0; i < HTTP_CONNECTIONS_PER_ADDRESS; i += 100) {
                _cleanup_reply_ TestReply r = {};

                test_send(fds[i], "GET /read HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n",
                                key.text);
                test_read_reply(fds[i], &r);
                ck_assert_uint_eq(r.status, 200);
        }
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                close(fds[i]);
}
END_TEST

static void damage(Fixture *f, const char *sql) {
        sqlite3 *db;

        ck_assert_int_eq(sqlite3_open(f->path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(where_the_keys_are_not_known_nobody_gets_in) {
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        start(&f, AF_INET, &shy);
        expect(&f, "GET /read", key.text, 200);
        damage(&f, "UPDATE api_keys SET scopes = 'everything'");
        expect(&f, "GET /read", key.text, 503);
        expect(&f, "GET /read", NULL, 503);
        damage(&f, "UPDATE api_keys SET scopes = 'read'");
        expect(&f, "GET /read", key.text, 200);
        /* away for a moment, while it is replaced (it is looked for once a second) */
        _cleanup_free_ char *away = strprintf("%s.away", f.path);
        usec_t begun = now_monotonic();
        unsigned status;
        ck_assert_int_eq(rename(f.path, away), 0);
        do {
                _cleanup_reply_ TestReply r = {};

                ask(&f, "GET /read", "", "", &r);
                status = r.status;
        } while (status == 401 && now_monotonic() < begun + 20 * USEC_PER_SEC);
        ck_assert_uint_eq(status, 503);
        ck_assert_int_eq(rename(away, f.path), 0);
        expect(&f, "GET /read", key.text, 200);
        /* an older hyper's */
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        damage(&f, "UPDATE schema_version SET version = version - 1");
        start(&f, AF_INET, &shy);
        expect(&f, "GET /read", key.text, 503);
        expect(&f, "GET /read", NULL, 503);
        damage(&f, "UPDATE schema_version SET version = version + 1");
        expect(&f, "GET /read", key.text, 200);
}
END_TEST

static unsigned number(const TestReply *r, const char *name) {
        _cleanup_free_ char *value = test_header(r, name);

        ck_assert_msg(value, "there is no %s in: %s", name, r->head);
        return (unsigned) atoi(value);
}

START_TEST(a_key_may_ask_so_often_and_is_told_when_again) {
        _cleanup_fixture_ Fixture f;
        ApiKey slow, other;

        fixture_open(&f);
        add_row(&f, "slow", 1u << SCOPE_READ, 30, 0, &slow); /* five at once, one in two seconds */
        add(&f, "other", SCOPE_READ, &other);
        start(&f, AF_INET, &shy);
        for (unsigned i = 0; i < 6; i++) {
                _cleanup_reply_ TestReply r = {};

                ask(&f, "GET /read", "X-API-Key", slow.text, &r);
                ck_assert_uint_eq(r.status, i < 5 ? 200 : 429);
                ck_assert_uint_eq(number(&r, "X-RateLimit-Limit"), 5);
                ck_assert_uint_eq(number(&r, "X-RateLimit-Remaining"), i < 5 ? 4 - i : 0);
                ck_assert_uint_le(number(&r, "X-RateLimit-Reset"), 10);
                if (i == 5) {
                        unsigned wait = number(&r, "Retry-After");

                        ck_assert_uint_ge(wait, 1);
                        ck_assert_uint_le(wait, 2);
                        ck_assert_ptr_nonnull(strstr(r.body, "\"status\":429"));
                }
        }
        expect(&f, "GET /public", slow.text, 200);
        _cleanup_reply_ TestReply r = {};
        ask(&f, "GET /read", "X-API-Key", other.text, &r);
        ck_assert_uint_eq(r.status, 200);
        ck_assert_uint_eq(number(&r, "X-RateLimit-Limit"), ACCESS_RATE_LIMIT / 60 * ACCESS_RATE_SECONDS);
}
END_TEST

/* --- users ----------------------------------------------------------------------------------------- */

/* What role the user of the tests has is in a file, which the server's process reads. */
static char role_file[PATH_MAX];

static void set_role(Fixture *f, Role role) {
        FILE *file;

        (void) snprintf(role_file, sizeof(role_file), "%s/role", f->dir);
        file = fopen(role_file, "we");
        ck_assert_ptr_nonnull(file);
        fprintf(file, "%d", (int) role);
        ck_assert_int_eq(fclose(file), 0);
}

static int role_of_tester(uid_t uid, Role *ret) {
        FILE *file = fopen(role_file, "re");
        int role = ROLE_NONE;

        if (!file)
                return -errno;
        if (fscanf(file, "%d", &role) != 1 || uid != geteuid())
                role = ROLE_NONE;
        fclose(file);
        *ret = (Role) role;
        return 0;
}

static void start_with_roles(Fixture *f, int family, const Dialect *dialect, bool require_key) {
        test_server_start(&f->server, family, dialect,
                        &(ApiConfig){ .database = f->path,
                                        .bus_address = "unix:path=/nonexistent/bus",
                                        .require_key = require_key,
                                        .role_of_user = role_of_tester });
}

START_TEST(each_role_gets_what_is_its_own) {
        static const struct {
                const char *what;
                Role least;
                const char *group;
        } cases[] = {
                { "GET /public", ROLE_NONE, NULL },
                { "GET /read", ROLE_VIEWER, "hyper-viewer, hyper-operator or hyper-admin" },
                { "GET /page", ROLE_VIEWER, "hyper-viewer, hyper-operator or hyper-admin" },
                { "POST /submit", ROLE_OPERATOR, "hyper-operator or hyper-admin" },
                { "POST /work", ROLE_OPERATOR, "hyper-operator or hyper-admin" },
                { "POST /admin", ROLE_ADMIN, "the group hyper-admin" },
        };
        static const int families[] = { AF_INET, AF_UNIX };
        _cleanup_fixture_ Fixture f;

        fixture_open(&f);
        for (size_t n = 0; n < ELEMENTSOF(families); n++)
                for (Role role = ROLE_NONE; role < _ROLE_MAX; role++) {
                        set_role(&f, role);
                        start_with_roles(&f, families[n], &shy, false);
                        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                                _cleanup_reply_ TestReply r = {};

                                ask(&f, cases[i].what, "", "", &r);
                                ck_assert_msg(r.status == (role >= cases[i].least ? 200 : 403),
                                                "%s as %s: %u", cases[i].what, role_to_string(role),
                                                r.status);
                                if (r.status == 403)
                                        ck_assert_msg(strstr(r.body, cases[i].group) &&
                                                                        strstr(r.body, "API key"),
                                                        "%s", r.body);
                        }
                        ck_assert_int_eq(test_server_stop(&f.server), 0);
                }
}
END_TEST

START_TEST(a_key_that_comes_along_decides_before_the_user) {
        _cleanup_fixture_ Fixture f;
        ApiKey reader, admin;

        fixture_open(&f);
        add(&f, "reader", SCOPE_READ, &reader);
        add(&f, "admin", SCOPE_ADMIN, &admin);
        set_role(&f, ROLE_OPERATOR);
        start_with_roles(&f, AF_INET, &plain, false);
        expect(&f, "POST /submit", NULL, 200);
        expect(&f, "POST /submit", reader.text, 403);
        expect(&f, "POST /admin", NULL, 403);
        expect(&f, "POST /admin", admin.text, 200);
        expect(&f, "POST /submit", "of somebody else's", 200); /* not a key of ours */
        ck_assert_int_eq(store_api_key_delete(f.store, "admin"), 0);
        expect(&f, "POST /submit", admin.text, 401);
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        set_role(&f, ROLE_NONE);
        start_with_roles(&f, AF_UNIX, &plain, false);
        expect(&f, "GET /read", NULL, 403);
        expect(&f, "GET /read", reader.text, 200);
}
END_TEST

START_TEST(a_page_is_a_browsers_where_a_key_is_required) {
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        set_role(&f, ROLE_VIEWER);
        start_with_roles(&f, AF_INET, &plain, true);
        expect(&f, "GET /read", NULL, 401);
        expect(&f, "GET /page", NULL, 200);
        expect(&f, "GET /page", key.text, 200);
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        set_role(&f, ROLE_NONE);
        start_with_roles(&f, AF_INET, &plain, true);
        expect(&f, "GET /page", NULL, 401);
        expect(&f, "GET /page", key.text, 200);
}
END_TEST

START_TEST(a_role_that_is_taken_away_ends_within_ten_seconds) {
        _cleanup_fixture_ Fixture f;
        unsigned status;

        fixture_open(&f);
        set_role(&f, ROLE_VIEWER);
        start_with_roles(&f, AF_INET, &plain, false);
        expect(&f, "GET /read", NULL, 200);
        set_role(&f, ROLE_NONE);
        usec_t begun = now_monotonic();
        do {
                _cleanup_reply_ TestReply r = {};

                ask(&f, "GET /read", "", "", &r);
                status = r.status;
        } while (status == 200 && now_monotonic() < begun + 10 * USEC_PER_SEC);
        ck_assert_uint_eq(status, 403);
}
END_TEST

/* A database that is there and cannot be read is not the same as none. */
START_TEST(a_database_that_cannot_be_opened_shuts_every_door) {
        static const char *const routes_there[] = { "GET /read", "POST /submit", "GET /page",
                "POST /admin" };
        static const int families[] = { AF_INET, AF_UNIX };
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *none = NULL, *directory = NULL, *loop = NULL, *text = NULL;

        fixture_open(&f);
        none = strprintf("%s/none.db", f.dir);
        directory = strprintf("%s/directory.db", f.dir);
        loop = strprintf("%s/loop.db", f.dir);
        text = strprintf("%s/text.db", f.dir);
        ck_assert_int_eq(mkdir(directory, 0755), 0);
        ck_assert_int_eq(symlink("loop.db", loop), 0);
        FILE *file = fopen(text, "we");
        for (unsigned i = 0; i < 1000; i++)
                fputs("this is no database\n", file);
        ck_assert_int_eq(fclose(file), 0);
        const struct {
                const char *path;
                unsigned status;
        } cases[] = { { none, 200 }, { directory, 503 }, { loop, 503 }, { text, 503 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t n = 0; n < ELEMENTSOF(families); n++) {
                        test_server_start(&f.server, families[n], &shy,
                                        &(ApiConfig){ .database = cases[i].path,
                                                        .bus_address = "unix:path=/nonexistent/bus" });
                        for (size_t k = 0; k < ELEMENTSOF(routes_there); k++)
                                expect(&f, routes_there[k], NULL, cases[i].status);
                        expect(&f, "GET /public", NULL, 200);
                        ck_assert_int_eq(test_server_stop(&f.server), 0);
                }
}
END_TEST

START_TEST(a_limit_in_the_configuration_is_for_addresses_too_but_not_for_unix_sockets) {
        _cleanup_fixture_ Fixture f;
        const char *bus = "unix:path=/nonexistent/bus";

        fixture_open(&f);
        const ApiConfig config = {
                .database = f.path, .bus_address = bus, .rate_limit = 2, .rate_burst = 3
        };
        test_server_start(&f.server, AF_INET, &plain, &config);
        for (unsigned i = 0; i < 5; i++)
                expect(&f, "GET /read", NULL, i < 3 ? 200 : 429);
        expect(&f, "GET /public", NULL, 200);
        ck_assert_int_eq(test_server_stop(&f.server), 0);
        test_server_start(&f.server, AF_UNIX, &plain, &config);
        for (unsigned i = 0; i < 10; i++)
                expect(&f, "GET /read", NULL, 200);
}
END_TEST

START_TEST(wrong_keys_are_soon_not_looked_at_and_right_ones_still_are) {
        _cleanup_fixture_ Fixture f;
        ApiKey key, victim;
        char guess[API_KEY_LENGTH + 1];

        fixture_open(&f);
        add(&f, "key", SCOPE_READ, &key);
        add(&f, "victim", SCOPE_READ, &victim);
        start(&f, AF_INET, &shy);
        /* ids that there are not */
        for (unsigned i = 0; i < ACCESS_FAILURES_BURST + 5; i++)
                expect(&f, "GET /read", "hyper_00000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                i < ACCESS_FAILURES_BURST ? 401 : 429);
        expect(&f, "GET /read", "no key at all", 429);
        expect(&f, "GET /read", NULL, 401); /* that is no guess */
        expect(&f, "GET /read", key.text, 200);
        /* an id that there is: then not even the right key is looked at, which says nothing of the
         * guesses */
        strcpy(guess, victim.text);
        guess[20] = guess[20] == 'A' ? 'B' : 'A';
        for (unsigned i = 0; i < ACCESS_FAILURES_BURST + 5; i++)
                expect(&f, "GET /read", guess, i < ACCESS_FAILURES_BURST ? 401 : 429);
        expect(&f, "GET /read", victim.text, 429);
        expect(&f, "GET /read", key.text, 200);
}
END_TEST

START_TEST(a_web_page_of_a_configured_origin_may_send_a_key_and_read_the_limits) {
        char *origins[] = { (char *) "https://console.example.com", NULL };
        _cleanup_free_ char *allowed = NULL, *exposed = NULL;
        _cleanup_reply_ TestReply preflight = {}, r = {};
        _cleanup_fixture_ Fixture f;
        ApiKey key;

        fixture_open(&f);
        add(&f, "a", SCOPE_SUBMIT, &key);
        test_server_start(&f.server, AF_INET, &shy,
                        &(ApiConfig){ .database = f.path,
                                        .bus_address = "unix:path=/nonexistent/bus",
                                        .cors_origins = origins });
        test_request(&f.server, &preflight,
                        "OPTIONS /submit HTTP/1.1\r\nHost: localhost\r\nOrigin: "
                        "https://console.example.com\r\n"
                        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
                        "x-api-key\r\n\r\n");
        ck_assert_uint_eq(preflight.status, 204);
        allowed = test_header(&preflight, "Access-Control-Allow-Headers");
        ck_assert_ptr_nonnull(strstr(allowed, "X-API-Key"));
        ck_assert_ptr_nonnull(strstr(allowed, "Authorization"));
        test_request(&f.server, &r,
                        "POST /submit HTTP/1.1\r\nHost: localhost\r\nOrigin: https://console.example.com\r\n"
                        "X-API-Key: %s\r\nContent-Length: 0\r\n\r\n",
                        key.text);
        ck_assert_uint_eq(r.status, 200);
        exposed = test_header(&r, "Access-Control-Expose-Headers");
        ck_assert_ptr_nonnull(strstr(exposed, "X-RateLimit-Remaining"));
}
END_TEST

START_TEST(a_websocket_wants_a_key_and_ends_with_it) {
        static const char handshake[] = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: "
                                        "Upgrade\r\nUpgrade: websocket\r\n"
                                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                                        "dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s\r\n\r\n";
        _cleanup_fixture_ Fixture f;
        _cleanup_reply_ TestReply refused = {};
        ApiKey key;
        char head[512];
        size_t n = 0;
        int fd;

        fixture_open(&f);
        add(&f, "a", SCOPE_READ, &key);
        start(&f, AF_INET, &shy);
        test_request(&f.server, &refused, handshake, "X-Nothing: ", "");
        ck_assert_uint_eq(refused.status, 401);

        fd = test_connect(&f.server);
        test_send(fd, handshake, "X-API-Key: ", key.text);
        while (n < sizeof(head) - 1 && read(fd, head + n, 1) == 1) {
                head[++n] = '\0';
                if (n >= 4 && streq(head + n - 4, "\r\n\r\n"))
                        break;
        }
        ck_assert_ptr_nonnull(startswith(head, "HTTP/1.1 101"));
        ck_assert_int_eq(store_api_key_delete(f.store, "a"), 0);
        /* a close frame, with 1008 */
        ck_assert_int_eq(recv(fd, head, 4, MSG_WAITALL), 4);
        ck_assert_int_eq((unsigned char) head[0], 0x88);
        ck_assert_int_eq((unsigned char) head[2] << 8 | (unsigned char) head[3], WS_CLOSE_POLICY);
        close(fd);
}
END_TEST

TEST_MAIN("api-access", without_keys_this_machine_gets_in,
                the_first_key_shuts_the_door_at_once_and_the_last_one_opens_it,
                each_scope_gets_what_is_its_own, a_refusal_is_in_the_dialects_form_and_says_what_to_do,
                a_bearer_token_is_a_key_too, what_is_nearly_a_key_is_none,
                a_key_that_has_expired_is_none_and_leaves_the_door_shut,
                loopback_of_another_dialect_and_unix_sockets_ask_for_nothing,
                a_key_may_be_required_everywhere_but_on_unix_sockets,
                what_others_can_reach_is_not_served_without_a_key, what_others_can_reach_wants_a_key_always,
                one_address_does_not_take_all_connections, where_the_keys_are_not_known_nobody_gets_in,
                a_key_may_ask_so_often_and_is_told_when_again, each_role_gets_what_is_its_own,
                a_key_that_comes_along_decides_before_the_user, a_page_is_a_browsers_where_a_key_is_required,
                a_role_that_is_taken_away_ends_within_ten_seconds,
                a_database_that_cannot_be_opened_shuts_every_door,
                a_limit_in_the_configuration_is_for_addresses_too_but_not_for_unix_sockets,
                wrong_keys_are_soon_not_looked_at_and_right_ones_still_are,
                a_web_page_of_a_configured_origin_may_send_a_key_and_read_the_limits,
                a_websocket_wants_a_key_and_ends_with_it)
