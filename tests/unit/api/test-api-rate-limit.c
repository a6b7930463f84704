/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Token buckets, with a clock that the test moves. */

#include "api/http/rate-limit.h"
#include "unit/lib/test.h"

#define T0 (5000 * USEC_PER_SEC)

static RateVerdict take(RateTable *t, const char *who, RateLimit limit, usec_t now) {
        return rate_table_take(t, who, strlen(who), &limit, now);
}

static RateTable *table(size_t n) {
        RateTable *t = NULL;

        ck_assert_int_eq(rate_table_new(n, &t), 0);
        return t;
}

START_TEST(a_bucket_empties_and_fills_again) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);
        const RateLimit limit = { 60, 5 }; /* one a second, five at once */

        for (unsigned i = 0; i < 5; i++) {
                RateVerdict v = take(t, "a", limit, T0);

                ck_assert(v.allowed);
                ck_assert_uint_eq(v.limit, 5);
                ck_assert_uint_eq(v.remaining, 4 - i);
                ck_assert_uint_eq(v.full_in, (i + 1) * USEC_PER_SEC);
                ck_assert_uint_eq(v.wait, 0);
        }
        for (unsigned i = 0; i < 3; i++) { /* what is refused costs nothing more */
                RateVerdict v = take(t, "a", limit, T0 + 250 * USEC_PER_MSEC);

                ck_assert(!v.allowed);
                ck_assert_uint_eq(v.remaining, 0);
                ck_assert_uint_eq(v.wait, 750 * USEC_PER_MSEC);
        }
        ck_assert(take(t, "a", limit, T0 + USEC_PER_SEC).allowed);
        ck_assert(!take(t, "a", limit, T0 + USEC_PER_SEC).allowed);
        ck_assert_uint_eq(take(t, "a", limit, T0 + 3600 * USEC_PER_SEC).remaining, 4); /* never above full */
}
END_TEST

START_TEST(the_wait_that_was_told_is_enough_and_not_too_much) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);
        usec_t now = T0, told = 0;
        unsigned n_allowed = 0;

        for (unsigned per_minute = 1; per_minute <= 1000000; per_minute *= 10)
                for (unsigned i = 0; i < 50; i++) {
                        RateVerdict v = take(t, "a", (RateLimit){ per_minute, 3 }, now);

                        if (v.allowed) {
                                n_allowed++;
                                continue;
                        }
                        ck_assert_uint_gt(v.wait, 0);
                        ck_assert(!take(t, "a", (RateLimit){ per_minute, 3 }, now + v.wait - 1).allowed);
                        now += v.wait;
                        told++;
                        ck_assert(take(t, "a", (RateLimit){ per_minute, 3 }, now).allowed);
                }
        ck_assert_uint_eq(n_allowed, 3); /* all others had to wait first */
        ck_assert_uint_gt(told, 100);
}
END_TEST

START_TEST(over_time_it_is_the_rate_however_one_asks) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);
        const RateLimit limit = { 600, 20 };
        unsigned n = 0;

        /* for ten minutes every 7 ms */
        for (usec_t now = T0; now < T0 + 10 * USEC_PER_MINUTE; now += 7 * USEC_PER_MSEC)
                n += take(t, "greedy", limit, now).allowed;
        ck_assert_uint_ge(n, 6000);
        ck_assert_uint_le(n, 6000 + 20 + 1);
}
END_TEST

START_TEST(clients_have_buckets_of_their_own) {
        _cleanup_(rate_table_freep) RateTable *t = table(64);
        const RateLimit limit = { 1, 1 };

        ck_assert(take(t, "a", limit, T0).allowed);
        ck_assert(!take(t, "a", limit, T0).allowed);
        ck_assert(take(t, "b", limit, T0).allowed);
        ck_assert(take(t, "", limit, T0).allowed);
        ck_assert(!take(t, "b", limit, T0).allowed);
}
END_TEST

START_TEST(looking_takes_nothing) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);
        const RateLimit limit = { 1, 2 };

        for (unsigned i = 0; i < 10; i++)
                ck_assert_uint_eq(rate_table_look(t, "a", 1, &limit, T0).remaining, 2);
        (void) take(t, "a", limit, T0);
        (void) take(t, "a", limit, T0);
        ck_assert(!rate_table_look(t, "a", 1, &limit, T0).allowed);
}
END_TEST

START_TEST(without_a_limit_there_is_none) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);

        for (unsigned i = 0; i < 1000; i++)
                ck_assert(take(t, "a", (RateLimit){ 0, 1 }, T0).allowed);
}
END_TEST

/* A limit may be changed while buckets are in use. */
START_TEST(a_smaller_limit_does_not_shut_anybody_out_for_long) {
        _cleanup_(rate_table_freep) RateTable *t = table(16);
        RateVerdict v;

        for (unsigned i = 0; i < 100; i++)
                ck_assert(take(t, "a", (RateLimit){ 1, 100 }, T0).allowed); /* full in 100 minutes */
        v = take(t, "a", (RateLimit){ 60, 2 }, T0);
        ck_assert(!v.allowed);
        ck_assert_uint_eq(v.wait, USEC_PER_SEC);
}
END_TEST

/* A million strangers in a table for 1,024: those who are shortest of tokens are forgotten last. */
START_TEST(strangers_do_not_push_out_who_is_short_of_tokens) {
        _cleanup_(rate_table_freep) RateTable *t = table(1024);
        const RateLimit limit = { 60, 20 };
        unsigned kept = 0;

        for (unsigned i = 0; i < 20; i++)
                ck_assert(take(t, "guesser", limit, T0).allowed);
        for (unsigned i = 0; i < 1000000; i++) {
                char who[16];

                (void) snprintf(who, sizeof(who), "%u", i);
                (void) take(t, who, limit, T0 + i);
                if (i % 100000 == 0)
                        kept += !take(t, "guesser", limit, T0).allowed;
        }
        ck_assert_uint_eq(kept, 10);
}
END_TEST

TEST_MAIN("api-rate-limit", a_bucket_empties_and_fills_again,
                the_wait_that_was_told_is_enough_and_not_too_much, over_time_it_is_the_rate_however_one_asks,
                clients_have_buckets_of_their_own, looking_takes_nothing, without_a_limit_there_is_none,
                a_smaller_limit_does_not_shut_anybody_out_for_long,
                strangers_do_not_push_out_who_is_short_of_tokens)
