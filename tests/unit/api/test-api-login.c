/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How often logins may fail, and from where; how hyper-auth, which the test plays, is asked. */

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/access/client-address.h"
#include "api/access/login-limit.h"
#include "api/auth-client.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

#define T0 (1000 * USEC_PER_SEC)

static LoginTry from(uint8_t host, const char *username, bool is_known) {
        return (LoginTry){
                .address = { [10] = 0xff, 0xff, 192, 0, 2, host }, .username = username, .is_known = is_known
        };
}

static bool take(LoginLimit *l, LoginTry t, usec_t now) {
        return login_limit_take(l, &t, now).allowed;
}

START_TEST(an_address_fails_five_times_and_then_once_a_minute) {
        _cleanup_(login_limit_freep) LoginLimit *l = NULL;
        LoginTry t = from(1, "alice", false);
        RateVerdict v;

        ck_assert_int_eq(login_limit_new(&l), 0);
        ck_assert_uint_eq(login_limit_full_at(l), 0);
        for (unsigned i = 0; i < LOGIN_FAILURES_OF_ADDRESS; i++)
                ck_assert(take(l, from(1, i % 2 ? "alice" : "bob", false), T0));
        v = login_limit_take(l, &t, T0);
        ck_assert(!v.allowed);
        ck_assert_uint_eq(v.wait, USEC_PER_MINUTE);
        ck_assert(take(l, from(2, "alice", false), T0));
        ck_assert(take(l, t, T0 + USEC_PER_MINUTE));
        ck_assert(!take(l, t, T0 + USEC_PER_MINUTE));
        ck_assert_uint_ge(login_limit_full_at(l), T0 + 5 * USEC_PER_MINUTE);
}
END_TEST

START_TEST(a_success_clears_the_address_but_not_the_name) {
        _cleanup_(login_limit_freep) LoginLimit *l = NULL;
        LoginTry t = from(1, "alice", false);

        ck_assert_int_eq(login_limit_new(&l), 0);
        for (unsigned round = 0; round < 5; round++) {
                for (unsigned i = 0; i < 4; i++)
                        ck_assert_msg(take(l, t, T0), "%u %u", round, i);
                ck_assert(round == 4 ? true : take(l, t, T0));
                if (round < 4)
                        login_limit_give(l, &t, true);
        }
        /* 4 times 4 wrong ones and 4 more: the name is used up, the address is not */
        ck_assert(!take(l, t, T0));
        /* but for first tries from elsewhere */
        for (uint8_t i = 0; i < LOGIN_FAILURES_OF_NAME_RESERVED; i++)
                ck_assert(take(l, from((uint8_t) (10 + i), "ALICE", false), T0));
        ck_assert(!take(l, from(2, "ALICE", false), T0));
        ck_assert(take(l, from(2, "bob", false), T0));
}
END_TEST

START_TEST(what_is_not_decided_does_not_count) {
        _cleanup_(login_limit_freep) LoginLimit *l = NULL;
        LoginTry t = from(1, "alice", false);

        ck_assert_int_eq(login_limit_new(&l), 0);
        for (unsigned i = 0; i < 100; i++) {
                ck_assert(take(l, t, T0));
                login_limit_give(l, &t, false);
        }
}
END_TEST

START_TEST(nobody_is_locked_out_by_others) {
        _cleanup_(login_limit_freep) LoginLimit *l = NULL;
        unsigned allowed = 0;
        usec_t now = T0;

        ck_assert_int_eq(login_limit_new(&l), 0);
        /* from all over the world, for an hour */
        for (unsigned i = 0; i < 36000; i++, now += USEC_PER_SEC / 10)
                allowed += take(l, from((uint8_t) (i % 250), "alice", false), now);
        ck_assert_uint_le(allowed,
                        LOGIN_FAILURES_OF_NAME + LOGIN_FAILURES_OF_NAME_RESERVED +
                                        60 * LOGIN_FAILURES_OF_NAME_PER_MINUTE);
        (void) take(l, from(3, "alice", false), now);
        ck_assert(!take(l, from(4, "alice", false), now));
        /* from an address that has not guessed */
        ck_assert(take(l, from(251, "alice", false), now));
        ck_assert(take(l, from(253, "alice", false), now));
        for (uint8_t i = 0; i < 3; i++)
                ck_assert(take(l, from(254, "alice", false), now) ==
                                (i < LOGIN_FAILURES_OF_NAME_RESERVED - 2));
        ck_assert(!take(l, from(255, "alice", false), now));
        /* where she is known */
        ck_assert(take(l, from(252, "alice", true), now));
        ck_assert(take(l, from(252, "alice", true), now));
}
END_TEST

/* An IPv6 network has 2^64 addresses to come from. */
START_TEST(addresses_of_one_network_are_one) {
        static const struct {
                const char *a, *b;
                bool same;
        } cases[] = {
                { "2001:db8::1", "2001:db8::ffff:2", true },
                { "2001:db8::1", "2001:db8:0:1::1", false },
                { "::ffff:192.0.2.1", "192.0.2.1", true },
                { "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
                { "::1", "::2", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *texts[] = { cases[i].a, cases[i].b };
                uint8_t prefixes[2][16];

                for (size_t k = 0; k < 2; k++) {
                        union {
                                struct sockaddr any;
                                struct sockaddr_in in;
                                struct sockaddr_in6 in6;
                        } address = {};

                        address.any.sa_family = strchr(texts[k], ':') ? AF_INET6 : AF_INET;
                        ck_assert_int_eq(inet_pton(address.any.sa_family, texts[k],
                                                         address.any.sa_family == AF_INET
                                                                         ? (void *) &address.in.sin_addr
                                                                         : &address.in6.sin6_addr),
                                        1);
                        client_address_prefix(&address.any, prefixes[k]);
                }
                ck_assert_msg((memcmp(prefixes[0], prefixes[1], 16) == 0) == cases[i].same, "%s %s",
                                cases[i].a, cases[i].b);
        }
}
END_TEST

/* --- hyper-auth ------------------------------------------------------------------------------------ */

typedef struct Asked {
        unsigned n_answers, n_without;
        int result;
} Asked;

static void on_answer(const AuthAnswer *a, void *userdata) {
        Asked *asked = userdata;

        asked->n_answers++;
        if (a)
                asked->result = a->result;
        else
                asked->n_without++;
}

static bool is_asked(int listen_fd) {
        return poll(&(struct pollfd){ .fd = listen_fd, .events = POLLIN }, 1, 0) > 0;
}

static void run_until(sd_event *event, const unsigned *counter, unsigned n) {
        while (*counter < n)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

START_TEST(eight_are_asked_at_once_and_others_wait) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(auth_client_freep) AuthClient *c = NULL;
        char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/auth.sock", dir);
        const AuthRequest q = { .username = (char *) "a", .password = (char *) "b", .address = (char *) "" };
        static const char wrong[] = "{\"result\":\"wrong\"}\n";
        AuthCall *calls[AUTH_CALLS_MAX + AUTH_WAITING_MAX], *more;
        int listen_fd = test_listen(path), fds[AUTH_CALLS_MAX];
        Asked asked = { .result = -1 };

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(auth_client_new(event, path, &c), 0);
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                ck_assert_int_eq(auth_client_call(c, &q, on_answer, &asked, &calls[i]), 0);
        ck_assert_int_eq(auth_client_call(c, &q, on_answer, &asked, &more), -EAGAIN);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = accept(listen_fd, NULL, NULL);
        ck_assert(!is_asked(listen_fd));

        /* An answer makes room, whatever it is. */
        ck_assert_int_eq(write(fds[0], wrong, strlen(wrong)), (int) strlen(wrong));
        close(fds[0]);
        run_until(event, &asked.n_answers, 1);
        ck_assert_int_eq(asked.result, AUTH_WRONG);
        ck_assert(is_asked(listen_fd));
        fds[0] = accept(listen_fd, NULL, NULL);
        ck_assert(!is_asked(listen_fd));

        /* A client that goes away does not: its process goes on. Nothing is asked for one that waits. */
        auth_call_drop(calls[1]);
        auth_call_drop(calls[AUTH_CALLS_MAX + 1]);
        ck_assert(!is_asked(listen_fd));
        close(fds[2]);
        run_until(event, &asked.n_without, 1);
        ck_assert_uint_eq(asked.n_answers, 2);
        ck_assert(is_asked(listen_fd));
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                if (i != 2)
                        close(fds[i]);
        close(listen_fd);
        test_dir_freep(&dir);
}
END_TEST

START_TEST(without_a_socket_there_is_no_answer) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(auth_client_freep) AuthClient *c = NULL;
        const AuthRequest q = { .token = (char *) "hyps_x", .address = (char *) "" };
        Asked asked = {};
        AuthCall *call;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(auth_client_new(event, "/nonexistent/auth.sock", &c), 0);
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_eq(auth_client_call(c, &q, on_answer, &asked, &call), 0);
        run_until(event, &asked.n_without, 3);
        ck_assert_uint_eq(asked.n_answers, 3);
}
END_TEST

TEST_MAIN("api-login", eight_are_asked_at_once_and_others_wait, without_a_socket_there_is_no_answer,
                an_address_fails_five_times_and_then_once_a_minute,
                a_success_clears_the_address_but_not_the_name, what_is_not_decided_does_not_count,
                nobody_is_locked_out_by_others, addresses_of_one_network_are_one)
