/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/nbd-uri.h"
#include "unit/lib/test.h"

typedef struct Expected {
        const char *uri;
        bool tls;
        const char *socket, *host;
        unsigned port;
        const char *user, *export_name;
} Expected;

START_TEST(good_uris_are_understood) {
        static const Expected cases[] = {
                { "nbd://h", false, NULL, "h", 10809, NULL, "" },
                { "nbd://h/", false, NULL, "h", 10809, NULL, "" },
                { "nbd://h:1/x", false, NULL, "h", 1, NULL, "x" },
                { "nbds://alice@h.example/x/y", true, NULL, "h.example", 10809, "alice", "x/y" },
                { "nbd://h//x", false, NULL, "h", 10809, NULL, "/x" },
                { "nbd://[::1]:10/x", false, NULL, "::1", 10, NULL, "x" },
                { "nbd://127.0.0.1/a%20b%c3%a4", false, NULL, "127.0.0.1", 10809, NULL, "a b\xc3\xa4" },
                { "nbd+unix:///?socket=/run/n.sock", false, "/run/n.sock", NULL, 0, NULL, "" },
                { "nbd+unix:///x?socket=/run/a%20b", false, "/run/a b", NULL, 0, NULL, "x" },
                { "nbds+unix://bob@/x?socket=/run/n", true, "/run/n", NULL, 0, "bob", "x" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Expected *e = &cases[i];
                _cleanup_free_ char *error = NULL;
                NbdUri u = {};

                ck_assert_msg(nbd_uri_parse(e->uri, &u, &error) == 0, "%s: %s", e->uri, strna(error));
                ck_assert_int_eq(u.tls, e->tls);
                ck_assert_msg(streq_ptr(u.socket, e->socket), "%s: socket %s", e->uri, strna(u.socket));
                ck_assert_msg(streq_ptr(u.host, e->host), "%s: host %s", e->uri, strna(u.host));
                ck_assert_uint_eq(u.port, e->port);
                ck_assert_msg(streq_ptr(u.user, e->user), "%s: user %s", e->uri, strna(u.user));
                ck_assert_msg(streq_ptr(u.export_name, e->export_name), "%s: %s", e->uri, u.export_name);
                nbd_uri_done(&u);
        }
}
END_TEST

START_TEST(what_reaches_elsewhere_is_refused) {
        static const char *const bad[] = { "", "nbd", "nbd:", "nbd:h", "nbd:h:10809", "nbd://", "nbd:///x",
                "nbd:unix:/run/s", "NBD://h", "http://h/", "nbd+vsock://2/", "nbd+ssh://h/",
                "file:///etc/passwd", "nbd://h:0x10/", "nbd://h:65536/", "nbd://h:99999999999/",
                "nbd://h/#f", "nbd://u:p@h/", "nbd://u%3ap@h/", "nbd://u%0ap@h/", "nbd://h/a%00b",
                "nbd://h/a%0ab", "nbd://h/a b", "nbd://h/\xc3\xa4", "nbd://h/a\n", "nbd://h/%ff",
                "nbd://h/?socket=/s", "nbd://h/?tls-psk-file=/etc/shadow",
                "nbd://h/?TLS-PSK-FILE=/etc/shadow", "nbd://h/?tls-certificates=/etc",
                "nbds://h/?tls-verify-peer=false", "nbd://h/?x", "nbd://h/?export=../x", "nbd+unix:///",
                "nbd+unix:///?socket=", "nbd+unix:///?socket=s",
                "nbd+unix:///?socket=;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                "nbd+unix:///?socket=&socket=/b", "nbd+unix:///?socket=/a/../b",
                "nbd+unix:///?socket=/a%2f..%2fb", "nbd+unix:///?socket=/a&socket=/b",
                "nbd+unix:///?socket=/a;socket=/b", "nbd+unix:///?socket=/a&tls-psk-file=/b",
                "nbd+unix://h/?socket=/a", "nbd+unix:///?socket=%00", "nbd+unix:///?Socket=/a",
                "nbd+unix:///?socket=/a%0ab",
                ("nbd+unix:///?socket=/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *error = NULL;
                NbdUri u = {};

                ck_assert_msg(nbd_uri_parse(bad[i], &u, &error) == -EINVAL, "%s was taken", bad[i]);
                ck_assert_msg(startswith(error, "must "), "%s: %s", bad[i], error);
                ck_assert_ptr_null(u.export_name);
        }
}
END_TEST

START_TEST(a_refusal_says_what_to_do_instead_and_quotes_nothing) {
        static const struct {
                const char *uri, *says;
        } cases[] = { { "nbd://u:hunter2@h/", "tls_psk" }, { "nbds://h/?tls-psk-file=/x", "tls_psk" },
                { "nbds://h/?tls-certificates=/x", "tls_certificates" }, { "nbd+unix:///", "socket" } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *error = NULL;
                NbdUri u;

                ck_assert_int_eq(nbd_uri_parse(cases[i].uri, &u, &error), -EINVAL);
                ck_assert_msg(strstr(error, cases[i].says) != NULL, "%s", error);
                ck_assert_ptr_null(strstr(error, "hunter2"));
        }
}
END_TEST

TEST_MAIN("nbd-uri", good_uris_are_understood, what_reaches_elsewhere_is_refused,
                a_refusal_says_what_to_do_instead_and_quotes_nothing)
