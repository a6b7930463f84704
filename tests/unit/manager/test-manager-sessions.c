/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sessions of the v1 API over the bus, as hyper-auth and hyperctl use them. */

#include "manager/session.h"
#include "shared/error-table.h"
#include "unit/lib/manager-test.h"

static int ask(Fixture *f, const char *member, sd_bus_message **ret, sd_bus_error *error, const char *types,
                ...) {
        sd_bus_message *m = NULL;
        va_list ap;
        int r;

        ck_assert_int_ge(sd_bus_message_new_method_call(f->client, &m, HYPER_BUS_NAME, HYPER_BUS_PATH,
                                         HYPER_SESSIONS_INTERFACE, member),
                        0);
        va_start(ap, types);
        r = sd_bus_message_appendv(m, types, ap);
        va_end(ap);
        ck_assert_int_ge(r, 0);
        return call_message(f, m, ret, error);
}

static char *read_token(sd_bus_message *reply, usec_t *ret_expires) {
        const char *token;
        uint64_t expires;

        ck_assert_int_ge(sd_bus_message_read(reply, "st", &token, &expires), 0);
        ck_assert(session_token_is_valid(token));
        if (ret_expires)
                *ret_expires = expires;
        return strdup(token);
}

static char *start(Fixture *f, const char *username, usec_t *ret_expires) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        ck_assert_int_ge(ask(f, "Start", &reply, NULL, "suss", username, 1000u, "operator", "192.0.2.1"), 0);
        return read_token(reply, ret_expires);
}

static char *refresh(Fixture *f, const char *token, const char *username, usec_t *ret_expires) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (ask(f, "Refresh", &reply, NULL, "ssuss", token, username, 1000u, "viewer", "") < 0)
                return NULL;
        return read_token(reply, ret_expires);
}

static bool is_alive(Fixture *f, const char *token) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = {};
        const char *username;

        if (ask(f, "Find", &reply, &error, "s", token) < 0) {
                ck_assert_str_eq(error.name, HYPER_BUS_ERROR_NO_SUCH_SESSION);
                return false;
        }
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &username), 0);
        ck_assert_str_eq(username, "alice");
        return true;
}

/* The clock goes on with each look at it. */
static void expect_about(usec_t t, usec_t expected) {
        ck_assert_uint_le(t, expected);
        ck_assert_uint_gt(t, expected - USEC_PER_SEC);
}

static json_t *list(Fixture *f) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *text;
        json_t *sessions;

        ck_assert_int_ge(call(f, "ListSessions", &reply, NULL, NULL), 0);
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
        ck_assert_ptr_null(strstr(text, SESSION_TOKEN_PREFIX));
        sessions = json_loads(text, 0, NULL);
        ck_assert(json_is_array(sessions));
        return sessions;
}

static size_t count(Fixture *f) {
        _cleanup_json_ json_t *sessions = list(f);

        return json_array_size(sessions);
}

BUS_TEST(a_session_outlives_the_manager_and_ends_when_it_is_ended)
        usec_t expires;
        _cleanup_free_ char *token = start(&f, "alice", &expires), *other = start(&f, "alice", NULL);
        _cleanup_json_ json_t *sessions = NULL;
        const char *id, *role, *address;

        expect_about(expires, test_clock + 8 * USEC_PER_HOUR);
        ck_assert_str_ne(token, other);
        manager_down(&f);
        manager_up(&f);
        ck_assert(is_alive(&f, token));
        sessions = list(&f);
        ck_assert_uint_eq(json_array_size(sessions), 2);
        ck_assert_int_eq(json_unpack(json_array_get(sessions, 0), "{s:s, s:s, s:s}", "id", &id, "role",
                                         &role, "address", &address),
                        0);
        ck_assert_str_eq(role, "operator");
        ck_assert_str_eq(address, "192.0.2.1");
        ck_assert_int_ge(call(&f, "EndSession", NULL, NULL, "s", id), 0);
        ck_assert(!is_alive(&f, token));
        ck_assert(is_alive(&f, other));
        ck_assert_int_lt(call(&f, "EndSession", NULL, NULL, "s", id), 0);
        ck_assert_int_lt(call(&f, "EndSession", NULL, NULL, "s", "../x"), 0);
BUS_TEST_END

/* The database is what an attacker reads. */
BUS_TEST(only_the_hash_is_stored)
        _cleanup_free_ char *token = start(&f, "alice", NULL);
        _cleanup_(session_rows_done) SessionRows rows = {};
        ApiKeyHash hash;

        ck_assert_int_eq(store_sessions_list(f.store, "alice", &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        api_key_hash(token, strlen(token), &hash);
        ck_assert(api_key_hash_equal(&hash, &rows.rows[0].hash));
        ck_assert_int_eq(store_session_is_known(f.store, "alice", "192.0.2.1", test_clock), 1);
        ck_assert_int_eq(store_session_is_known(f.store, "alice", "192.0.2.2", test_clock), 0);
        ck_assert_int_eq(store_session_is_known(f.store, "bob", "192.0.2.1", test_clock), 0);
BUS_TEST_END

BUS_TEST(a_refresh_gives_another_token_and_leaves_the_old_one_30_seconds)
        usec_t expires, begun = test_clock;
        _cleanup_free_ char *token = start(&f, "alice", NULL), *second = NULL, *third = NULL;

        test_clock += USEC_PER_HOUR;
        ck_assert_ptr_null(refresh(&f, token, "bob", NULL));
        second = refresh(&f, token, "alice", &expires);
        ck_assert_ptr_nonnull(second);
        expect_about(expires, test_clock + 8 * USEC_PER_HOUR);
        ck_assert(is_alive(&f, token));
        test_clock += 29 * USEC_PER_SEC;
        ck_assert(is_alive(&f, token));
        test_clock += USEC_PER_SEC;
        ck_assert(!is_alive(&f, token));
        ck_assert(is_alive(&f, second));
        ck_assert_uint_eq(count(&f), 1);

        /* Not beyond seven days after the login, however often. */
        _cleanup_free_ char *last = strdup(second);
        while (test_clock + 7 * USEC_PER_HOUR < begun + 7 * USEC_PER_DAY) {
                test_clock += 7 * USEC_PER_HOUR;
                char *next = refresh(&f, last, "alice", &expires);
                ck_assert_ptr_nonnull(next);
                free(last);
                last = next;
        }
        expect_about(expires, begun + 7 * USEC_PER_DAY);
        test_clock = begun + 7 * USEC_PER_DAY - USEC_PER_SEC / 2;
        third = refresh(&f, last, "alice", &expires);
        ck_assert_ptr_nonnull(third);
        expect_about(expires, begun + 7 * USEC_PER_DAY);
        test_clock += USEC_PER_SEC;
        ck_assert(!is_alive(&f, third));
        ck_assert_ptr_null(refresh(&f, third, "alice", NULL));
BUS_TEST_END

BUS_TEST(a_clock_that_jumps_makes_no_token_last_longer)
        _cleanup_free_ char *token = start(&f, "alice", NULL);

        test_clock -= 4 * USEC_PER_MINUTE;
        ck_assert(is_alive(&f, token));
        test_clock -= 2 * USEC_PER_MINUTE;
        ck_assert(!is_alive(&f, token));
        ck_assert_uint_eq(count(&f), 0);
        test_clock += 6 * USEC_PER_MINUTE + 8 * USEC_PER_HOUR;
        ck_assert(!is_alive(&f, token));
        _cleanup_free_ char *other = start(&f, "alice", NULL); /* which removes the row */
        test_clock -= USEC_PER_MINUTE;
        ck_assert(!is_alive(&f, token));
        ck_assert(is_alive(&f, other));
BUS_TEST_END

BUS_TEST(the_oldest_of_33_sessions_gives_way)
        _cleanup_free_ char *first = start(&f, "alice", NULL), *second = start(&f, "alice", NULL);

        free(start(&f, "bob", NULL));
        for (unsigned i = 2; i < SESSIONS_MAX_OF_USER; i++)
                free(start(&f, "alice", NULL));
        ck_assert(is_alive(&f, first));
        free(start(&f, "alice", NULL));
        ck_assert(!is_alive(&f, first));
        ck_assert(is_alive(&f, second));
        ck_assert_uint_eq(count(&f), SESSIONS_MAX_OF_USER + 1);
BUS_TEST_END

BUS_TEST(what_is_malformed_is_refused)
        static const struct {
                const char *username, *role, *address;
        } bad[] = {
                { "", "viewer", "" },
                { "a b", "viewer", "" },
                { "alice\n", "viewer", "" },
                { "alice", "none", "" },
                { "alice", "root", "" },
                { "alice", "viewer", "192.0.2.1\nX" },
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_lt(ask(&f, "Start", NULL, NULL, "suss", bad[i].username, 1u, bad[i].role,
                                                 bad[i].address),
                                0);
        ck_assert(!is_alive(&f, ""));
        ck_assert(!is_alive(&f, "hyps_"));
        ck_assert(!is_alive(&f, "hyps_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
        ck_assert_uint_eq(count(&f), 0);
BUS_TEST_END

TEST_MAIN("manager-sessions", a_session_outlives_the_manager_and_ends_when_it_is_ended,
                only_the_hash_is_stored, a_refresh_gives_another_token_and_leaves_the_old_one_30_seconds,
                a_clock_that_jumps_makes_no_token_last_longer, the_oldest_of_33_sessions_gives_way,
                what_is_malformed_is_refused)
