/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that are called in threads. */

#include <semaphore.h>

#include "shared/thread-call.h"
#include "unit/lib/test.h"

typedef struct Work {
        sem_t go; /* work() waits for it */
        bool waits;
        int returns, result;
        unsigned n_done;
        sem_t *destroyed;
} Work;

static int work(void *userdata) {
        Work *w = userdata;

        if (w->waits)
                while (sem_wait(&w->go) < 0)
                        ;
        return w->returns;
}

static void done(int r, void *userdata) {
        Work *w = userdata;

        w->result = r;
        w->n_done++;
}

static void destroy(void *userdata) {
        Work *w = userdata;

        ck_assert_int_eq(sem_post(w->destroyed), 0);
}

static void wait_until_done(sd_event *event, const Work *w) {
        while (w->n_done == 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

START_TEST(the_loop_gets_the_result) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(thread_calls_freep) ThreadCalls *calls = NULL;
        sem_t destroyed;
        Work w = { .returns = -EXDEV, .destroyed = &destroyed };

        ck_assert_int_eq(sem_init(&destroyed, 0, 0), 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(thread_calls_new(event, 2, &calls), 0);
        ck_assert_uint_eq(thread_calls_pending(calls), 0);
        ck_assert_int_eq(thread_call(calls, work, done, destroy, &w), 0);
        ck_assert_uint_eq(thread_calls_pending(calls), 1);
        wait_until_done(event, &w);
        ck_assert_int_eq(w.result, -EXDEV);
        ck_assert_uint_eq(thread_calls_pending(calls), 0);
        ck_assert_int_eq(sem_wait(&destroyed), 0);
}
END_TEST

START_TEST(one_that_hangs_takes_a_place_and_does_not_hold_the_end) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        sem_t destroyed;
        Work hangs = { .waits = true, .destroyed = &destroyed }, other = { .destroyed = &destroyed };
        ThreadCalls *calls = NULL;

        ck_assert_int_eq(sem_init(&destroyed, 0, 0), 0);
        ck_assert_int_eq(sem_init(&hangs.go, 0, 0), 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(thread_calls_new(event, 2, &calls), 0);
        ck_assert_int_eq(thread_call(calls, work, done, destroy, &hangs), 0);
        ck_assert_int_eq(thread_call(calls, work, done, destroy, &other), 0);
        ck_assert_int_eq(thread_call(calls, work, done, destroy, &other), -EBUSY);
        wait_until_done(event, &other);
        ck_assert_uint_eq(hangs.n_done, 0);
        calls = thread_calls_free(calls);
        ck_assert_uint_eq(hangs.n_done, 1);
        ck_assert_int_eq(hangs.result, -ECANCELED);
        ck_assert_int_eq(sem_post(&hangs.go), 0);
        /* both: what the thread used was not freed before it had ended */
        ck_assert_int_eq(sem_wait(&destroyed), 0);
        ck_assert_int_eq(sem_wait(&destroyed), 0);
}
END_TEST

TEST_MAIN("thread-call", the_loop_gets_the_result, one_that_hangs_takes_a_place_and_does_not_hold_the_end)
