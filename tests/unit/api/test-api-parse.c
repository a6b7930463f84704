/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The parts of hyper-apid that read bytes and know no server: addresses, routes, origins, cursors. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "api/http/origin.h"
#include "api/http/router.h"
#include "api/http/uri.h"
#include "api/stream/journal-position.h"
#include "unit/lib/test.h"

static int decode(const char *text, bool plus, char out[static 64]) {
        strcpy(out, text);
        return uri_decode(out, plus);
}

START_TEST(decoding_is_strict) {
        static const char *const bad[] = {
                "%",
                "a%",
                "%4",
                "%zz",
                "%4g",
                "%00",
                "a%00b",
                "%0a",
                "\n",
                "%7f",
                "%1b[0m",
                "%ff",
                "%c0%80",
                "%ed%a0%80",
                "\xff",
                "%f4%90%80%80",
        };
        char out[64];

        ck_assert_int_eq(decode("a%2Fb%20c", false, out), 0);
        ck_assert_str_eq(out, "a/b c");
        ck_assert_int_eq(decode("1+1%2b1", false, out), 0);
        ck_assert_str_eq(out, "1+1+1");
        ck_assert_int_eq(decode("1+1%2b1", true, out), 0);
        ck_assert_str_eq(out, "1 1+1");
        ck_assert_int_eq(decode("%c3%a4", false, out), 0);
        ck_assert_str_eq(out, "ä");
        /* decoded once, not twice */
        ck_assert_int_eq(decode("%2500", false, out), 0);
        ck_assert_str_eq(out, "%00");

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(decode(bad[i], false, out) == -EINVAL, "\"%s\" was accepted", bad[i]);
}
END_TEST

static int split_target(
                const char *text, char buf[static 128], const char **host, char **path, char **query) {
        strcpy(buf, text);
        return uri_split_target(buf, host, path, query);
}

START_TEST(targets_in_both_forms) {
        const char *host;
        char buf[128], *path, *query;

        ck_assert_int_eq(split_target("/a/b?c=d?e", buf, &host, &path, &query), 0);
        ck_assert_ptr_null(host);
        ck_assert_str_eq(path, "/a/b");
        ck_assert_str_eq(query, "c=d?e");

        ck_assert_int_eq(split_target("HTTP://localhost:8080/jobs/1", buf, &host, &path, &query), 0);
        ck_assert_str_eq(host, "localhost:8080");
        ck_assert_str_eq(path, "/jobs/1");
        ck_assert_ptr_null(query);

        ck_assert_int_eq(split_target("http://localhost", buf, &host, &path, &query), 0);
        ck_assert_str_eq(host, "localhost");
        ck_assert_str_eq(path, "/");
        ck_assert_int_eq(split_target("http://localhost?x", buf, &host, &path, &query), 0);
        ck_assert_str_eq(path, "/");
        ck_assert_str_eq(query, "x");

        ck_assert_int_eq(split_target("", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("*", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("jobs", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("http://", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("http:///jobs", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("http://evil@localhost/", buf, &host, &path, &query), -EINVAL);
        ck_assert_int_eq(split_target("https://localhost/", buf, &host, &path, &query), -EINVAL);
}
END_TEST

static int split_path(const char *text, char buf[static 128], const char **segments, size_t *n) {
        strcpy(buf, text);
        return uri_split_path(buf, segments, 4, n);
}

START_TEST(paths_are_split_before_they_are_decoded) {
        const char *s[4];
        char buf[128];
        size_t n;

        ck_assert_int_eq(split_path("/", buf, s, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(split_path("/jobs/a%2Fb/", buf, s, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(s[0], "jobs");
        ck_assert_str_eq(s[1], "a/b");
        ck_assert_int_eq(split_path("/a/b/c/d", buf, s, &n), 0);
        ck_assert_uint_eq(n, 4);

        ck_assert_int_eq(split_path("/a/b/c/d/e", buf, s, &n), -E2BIG);
        ck_assert_int_eq(split_path("//a", buf, s, &n), -ENOENT);
        ck_assert_int_eq(split_path("/a//b", buf, s, &n), -ENOENT);
        ck_assert_int_eq(split_path("/a/%", buf, s, &n), -EINVAL);
        ck_assert_int_eq(split_path("/a/%00", buf, s, &n), -EINVAL);
}
END_TEST

START_TEST(queries_are_split_before_they_are_decoded) {
        char buf[] = "a=1&&b=x%26y&c&=z&a=2+3", many[] = "a&b&c", bad[] = "a=%0";
        QueryPair p[8];
        size_t n;

        ck_assert_int_eq(uri_split_query(buf, p, ELEMENTSOF(p), &n), 0);
        ck_assert_uint_eq(n, 5);
        ck_assert_str_eq(p[0].value, "1");
        ck_assert_str_eq(p[1].key, "b");
        ck_assert_str_eq(p[1].value, "x&y");
        ck_assert_str_eq(p[2].key, "c");
        ck_assert_ptr_null(p[2].value);
        ck_assert_str_eq(p[3].key, "");
        ck_assert_str_eq(p[4].value, "2 3");

        ck_assert_int_eq(uri_split_query(many, p, 2, &n), -E2BIG);
        ck_assert_int_eq(uri_split_query(bad, p, 2, &n), -EINVAL);
}
END_TEST

static int handler(Request *r) {
        return 0;
}

START_TEST(literals_win_over_parameters) {
        static const Route routes[] = {
                { HTTP_GET, "/jobs/{id}", .handler = handler },
                { HTTP_DELETE, "/jobs/{id}", .handler = handler },
                { HTTP_GET, "/jobs/{id}/events", .handler = handler },
                { HTTP_POST, "/jobs/query", .handler = handler },
                { HTTP_GET, "/jobs/query/help", .handler = handler },
                { HTTP_GET, "/", .handler = handler },
                {},
        };
        const Dialect dialect = { .routes = routes };
        _cleanup_(router_freep) Router *router = NULL;
        char allow[ALLOW_SIZE];
        RouteMatch m;

        ck_assert_int_eq(router_new(&dialect, &router), 0);

        ck_assert_int_eq(router_match(router, (const char *[]){ "jobs", "x" }, 2, &m), 0);
        ck_assert_ptr_eq(m.routes[HTTP_GET], &routes[0]);
        ck_assert_ptr_eq(m.routes[HTTP_DELETE], &routes[1]);
        ck_assert_ptr_null(m.routes[HTTP_POST]);
        ck_assert_uint_eq(m.n_params, 1);
        ck_assert_str_eq(m.param_names[0], "id");
        ck_assert_str_eq(m.param_values[0], "x");
        ck_assert_str_eq(route_match_allow(&m, allow), "GET, HEAD, DELETE, OPTIONS");

        ck_assert_int_eq(router_match(router, (const char *[]){ "jobs", "query" }, 2, &m), 0);
        ck_assert_ptr_eq(m.routes[HTTP_POST], &routes[3]);
        ck_assert_ptr_null(m.routes[HTTP_GET]);
        ck_assert_uint_eq(m.n_params, 0);
        ck_assert_str_eq(route_match_allow(&m, allow), "POST, OPTIONS");

        /* the literal leads nowhere: the parameter is tried */
        ck_assert_int_eq(router_match(router, (const char *[]){ "jobs", "query", "events" }, 3, &m), 0);
        ck_assert_ptr_eq(m.routes[HTTP_GET], &routes[2]);
        ck_assert_str_eq(m.param_values[0], "query");

        ck_assert_int_eq(router_match(router, NULL, 0, &m), 0);
        ck_assert_ptr_eq(m.routes[HTTP_GET], &routes[5]);

        ck_assert_int_eq(router_match(router, (const char *[]){ "jobs" }, 1, &m), -ENOENT);
        ck_assert_int_eq(router_match(router, (const char *[]){ "Jobs", "x" }, 2, &m), -ENOENT);
        ck_assert_int_eq(router_match(router, (const char *[]){ "jobs", "x", "y" }, 3, &m), -ENOENT);
}
END_TEST

START_TEST(routes_of_another_dialect_are_served_too) {
        static const Route others[] = {
                { HTTP_GET, "/jobs/{id}", .handler = handler },
                { HTTP_GET, "/health", .handler = handler },
                { HTTP_POST, "/submit", .handler = handler },
                {},
        };
        static const Route own[] = {
                { HTTP_GET, "/health", .handler = handler },
                { HTTP_GET, "/jobs/{id}", .handler = handler },
                { HTTP_GET, "/files", .handler = handler },
                {},
        };
        const Dialect other = { .routes = others }, d = { .routes = own, .also = &other, .base = "/v1" };
        const struct {
                const char *segments[3];
                size_t n;
                HttpMethod method;
                const Route *route;
        } cases[] = {
                { { "health" }, 1, HTTP_GET, &others[1] },
                { { "v1", "health" }, 2, HTTP_GET, &own[0] },
                { { "jobs", "x" }, 2, HTTP_GET, &others[0] },
                { { "v1", "jobs", "x" }, 3, HTTP_GET, &own[1] },
                { { "files" }, 1, HTTP_GET, &own[2] },
                { { "v1", "files" }, 2, HTTP_GET, &own[2] },
                { { "submit" }, 1, HTTP_POST, &others[2] },
                { { "v1", "submit" }, 2, HTTP_POST, &others[2] },
        };
        const Route *listed[] = { &own[0], &own[1], &own[2], &others[2] }, *route = NULL;
        _cleanup_(router_freep) Router *router = NULL;
        RouteMatch m;

        ck_assert_int_eq(router_new(&d, &router), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ck_assert_int_eq(router_match(router, cases[i].segments, cases[i].n, &m), 0);
                ck_assert_ptr_eq(m.routes[cases[i].method], cases[i].route);
        }
        for (size_t i = 0; i < ELEMENTSOF(listed); i++) {
                route = dialect_next_route(&d, route);
                ck_assert_ptr_eq(route, listed[i]);
        }
        ck_assert_ptr_null(dialect_next_route(&d, route));
}
END_TEST

START_TEST(contradictory_tables_are_refused) {
        static const Route twice[] = { { HTTP_GET, "/a", .handler = handler },
                { HTTP_GET, "/a/", .handler = handler }, {} },
                           two_names[] = { { HTTP_GET, "/a/{x}", .handler = handler },
                                   { HTTP_PUT, "/a/{y}", .handler = handler }, {} },
                           no_name[] = { { HTTP_GET, "/a/{}", .handler = handler }, {} },
                           half[] = { { HTTP_GET, "/a/{x", .handler = handler }, {} },
                           relative[] = { { HTTP_GET, "a", .handler = handler }, {} },
                           empty[] = { { HTTP_GET, "/a//b", .handler = handler }, {} };
        static const Route *const tables[] = { twice, two_names, no_name, half, relative, empty };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                Router *router;

                ck_assert_int_eq(router_new(&(Dialect){ .routes = tables[i] }, &router), -EINVAL);
        }
}
END_TEST

START_TEST(hosts_that_are_this_machine) {
        static const char *const local[] = {
                "localhost",
                "LocalHost:8080",
                "localhost.",
                "a.localhost:1",
                "127.0.0.1",
                "127.0.0.1:8080",
                "192.168.1.7:8080",
                "[::1]",
                "[::1]:8080",
                "[fe80::1]",
                "myhost",
                "MyHost:8080",
        };
        static const char *const foreign[] = {
                "",
                ":8080",
                "evil.example",
                "evil.example:8080",
                "localhost.evil.example",
                "notlocalhost",
                ".localhost",
                "localhost:8080x",
                "localhost:123456",
                "[::1",
                "[::1]x",
                "[localhost]",
                "127.0.0.1.evil.example",
                "127.1",
                "localhost@evil",
                "myhost.evil.example",
                "local host",
        };

        for (size_t i = 0; i < ELEMENTSOF(local); i++)
                ck_assert_msg(host_is_local(local[i], "myhost"), "\"%s\" was refused", local[i]);
        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                ck_assert_msg(!host_is_local(foreign[i], "myhost"), "\"%s\" was accepted", foreign[i]);
        ck_assert(!host_is_local("myhost", NULL));
}
END_TEST

START_TEST(origins) {
        ck_assert(origin_is_same("http://localhost:8080", "localhost:8080"));
        ck_assert(origin_is_same("HTTP://LOCALHOST:8080", "localhost:8080"));
        ck_assert(!origin_is_same("http://localhost:3000", "localhost:8080"));
        ck_assert(!origin_is_same("http://localhost", "localhost:8080"));
        ck_assert(origin_is_same("https://hyper.example", "hyper.example"));
        ck_assert(!origin_is_same("https://hyper.example", "hyper.example:8080"));
        ck_assert(!origin_is_same("ftp://hyper.example", "hyper.example"));
        ck_assert(!origin_is_same("null", "localhost:8080"));
        ck_assert(!origin_is_same("", ""));
        ck_assert(!origin_is_same("http://localhost:8080", NULL));
}
END_TEST

static bool inet_is_local(const char *text) {
        struct sockaddr_in in = { .sin_family = AF_INET };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

        if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
                return address_is_local((struct sockaddr *) &in, sizeof(in));
        ck_assert_int_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        return address_is_local((struct sockaddr *) &in6, sizeof(in6));
}

START_TEST(addresses_only_this_machine_can_reach) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        struct sockaddr other = { .sa_family = AF_NETLINK };

        ck_assert(address_is_local((struct sockaddr *) &un, sizeof(un)));
        ck_assert(inet_is_local("127.0.0.1"));
        ck_assert(inet_is_local("127.255.0.3"));
        ck_assert(inet_is_local("::1"));
        ck_assert(inet_is_local("::ffff:127.0.0.1"));
        ck_assert(!inet_is_local("0.0.0.0"));
        ck_assert(!inet_is_local("192.168.0.1"));
        ck_assert(!inet_is_local("::"));
        ck_assert(!inet_is_local("fe80::1"));
        ck_assert(!inet_is_local("::ffff:10.0.0.1"));
        ck_assert(!address_is_local(&other, sizeof(other)));
}
END_TEST

#define ID_A "s=0123456789abcdef0123456789abcdef"
#define ID_B "s=ffffffffffffffffffffffffffffffff"
#define REST ";b=0123456789abcdef0123456789abcdef;m=5"

START_TEST(cursors) {
        static const char *const bad[] = {
                "",
                "x",
                "17",
                ID_A,
                ID_A ";i=1",
                ID_A ";i=1;t=2",
                "s=1;i=1;t=2;x=3",
                ID_A ";i=;t=2;x=3",
                ID_A ";i=g;t=2;x=3",
                ID_A ";i=11111111111111111;t=2;x=3",
                ID_A ";;i=1;t=2;x=3",
                "=;=",
        };
        JournalPosition first, second, other, later, twin;

        ck_assert_int_eq(journal_position_parse(ID_A ";i=9" REST ";t=100;x=1", &first), 0);
        ck_assert_uint_eq(first.seqnum, 9);
        ck_assert_uint_eq(first.realtime, 0x100);
        ck_assert_int_eq(journal_position_parse(ID_A ";i=A" REST ";t=90;x=2", &second), 0);
        ck_assert_int_eq(journal_position_parse(ID_B ";i=1" REST ";t=100;x=1", &other), 0);
        ck_assert_int_eq(journal_position_parse(ID_B ";i=1" REST ";t=101;x=1", &later), 0);
        ck_assert_int_eq(journal_position_parse(ID_B ";i=1" REST ";t=100;x=5", &twin), 0);

        /* by number, even if the clock was set back */
        ck_assert(journal_position_after(&second, &first));
        ck_assert(!journal_position_after(&first, &second));
        ck_assert(!journal_position_after(&first, &first));
        /* counted by another journald: by time; the same entry copied is the same */
        ck_assert(!journal_position_after(&other, &first));
        ck_assert(journal_position_after(&later, &first));
        ck_assert(journal_position_after(&twin, &first));

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(journal_position_parse(bad[i], &first) == -EINVAL, "\"%s\" was accepted",
                                bad[i]);
}
END_TEST

TEST_MAIN("api-parse", decoding_is_strict, targets_in_both_forms, paths_are_split_before_they_are_decoded,
                queries_are_split_before_they_are_decoded, literals_win_over_parameters,
                routes_of_another_dialect_are_served_too, contradictory_tables_are_refused,
                hosts_that_are_this_machine, origins, addresses_only_this_machine_can_reach, cursors)
