/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/group.h"
#include "store/job-changes.h"
#include "store/limits.h"
#include "store/workers.h"
#include "unit/lib/test.h"

#define QEMU (1u << CAPABILITY_QEMU_IMG)
#define T0 (1000 * USEC_PER_SEC)

typedef struct Bench {
        char *dir;
        Store *store;
        LimitRules rules;
} Bench;

static void bench_open(Bench *b) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", b->dir);

        ck_assert_int_eq(store_open(path, STORE_OWNER, &b->store), 0);
        store_limits_set_rules(b->store, &b->rules);
}

/* As if the manager had been killed. */
static void bench_reopen(Bench *b) {
        b->store = store_free(b->store);
        bench_open(b);
}

static void limit(Bench *b, const char *pattern, unsigned max) {
        ck_assert_int_eq(limit_rules_set(&b->rules, pattern, max), 0);
        store_limits_set_rules(b->store, &b->rules);
}

static void bench_init(Bench *b) {
        const WorkerRow row = { .id = (char *) "w",
                .capabilities = (char *) "[\"qemu_img\"]",
                .capability_mask = QEMU,
                .system_info = (char *) "{}",
                .registered_at = T0 };
        bool created;

        *b = (Bench){ .dir = test_dir() };
        bench_open(b);
        ck_assert_int_eq(store_worker_register(b->store, &row, &created), 0);
        limit(b, "a:*", 1);
        limit(b, "b:*", 1);
        limit(b, "many:*", 3);
}

static void bench_done(Bench *b) {
        b->store = store_free(b->store);
        limit_rules_done(&b->rules);
        test_dir_freep(&b->dir);
}

static void submit(Bench *b, const char *id, unsigned priority, const char *limits) {
        static const JobStateRow states[] = { { JOB_QUEUED, 100, (char *) "Queued" } };
        JobDemand demand = { .capabilities = QEMU };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "worker",
                .priority = priority,
                .any_worker = true,
                .demand = job_demand_pack(&demand),
                .limits = (char *) limits,
                .created_at = 100,
                .phase = _PHASE_INVALID,
                .percent = -1 };

        ck_assert_int_eq(store_job_insert(b->store, &row, states, 1), 0);
        ck_assert(!limits == (row.limit_set == 0));
        free(row.reason);
}

/* The next job is @id; NULL: there is none. */
static void expect_next(Bench *b, const char *id) {
        const WorkerOffer offer = { .worker_id = "w", .capabilities = QEMU };
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = store_job_dequeue(b->store, &offer, T0, "Assigned", &row);

        if (id) {
                ck_assert_int_eq(r, 0);
                ck_assert_str_eq(row->id, id);
        } else
                ck_assert_int_eq(r, -ENOENT);
}

static int change(Bench *b, const char *id, JobState from, JobState to) {
        const JobTransition t = { .from = from,
                .to = to,
                .timestamp = T0,
                .reason = "because",
                .begins_attempt = to == JOB_ASSIGNED,
                .worker_id = to == JOB_QUEUED || to == JOB_RETRYING ? "" : NULL };

        return store_job_transition(b->store, id, &t, 1);
}

static void end(Bench *b, const char *id) {
        ck_assert_int_eq(change(b, id, JOB_ASSIGNED, JOB_CANCELLED), 0);
}

static char *waits_for(Bench *b, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_strv_free_ char **names = NULL;

        ck_assert_int_eq(store_job_get(b->store, id, &row), 0);
        ck_assert_int_eq(store_job_waits_for(b->store, row, &names), 0);
        return names ? strv_join(names, " ") : strdup("");
}

static void expect_waits(Bench *b, const char *id, const char *names) {
        _cleanup_free_ char *found = waits_for(b, id);

        ck_assert_str_eq(found, names);
}

/* clang-format off */
#define LIMIT_TEST(name) START_TEST(name) { Bench b; bench_init(&b);
#define LIMIT_TEST_END bench_done(&b); } END_TEST
/* clang-format on */

LIMIT_TEST(a_job_that_waits_for_a_limit_does_not_delay_others)
        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        submit(&b, "3", 50, "a:y");
        submit(&b, "4", 50, NULL);
        expect_next(&b, "1");
        expect_next(&b, "3");
        expect_next(&b, "4");
        expect_next(&b, NULL);
        expect_waits(&b, "2", "a:x");
        expect_waits(&b, "1", "");
        end(&b, "1");
        expect_waits(&b, "2", "");
        expect_next(&b, "2");
LIMIT_TEST_END

LIMIT_TEST(for_its_limit_it_is_the_first_by_the_order_of_the_queue)
        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        submit(&b, "3", 60, "a:x");
        submit(&b, "4", 50, "a:x\nmany:z");
        expect_next(&b, "3");
        submit(&b, "5", 55, "a:x");
        end(&b, "3");
        expect_next(&b, "5");
        end(&b, "5");
        expect_next(&b, "1");
        end(&b, "1");
        expect_next(&b, "2");
        end(&b, "2");
        expect_next(&b, "4");
LIMIT_TEST_END

/* Each limit would go to jobs that need only that one, for ever. */
LIMIT_TEST(a_job_that_needs_two_is_not_passed_for_ever)
        submit(&b, "a0", 50, "a:x");
        submit(&b, "b0", 50, "b:x");
        expect_next(&b, "a0");
        expect_next(&b, "b0");
        submit(&b, "both", 50, "a:x\nb:x");
        submit(&b, "a1", 50, "a:x");
        submit(&b, "b1", 50, "b:x");
        submit(&b, "a2", 50, "a:x");
        submit(&b, "b2", 50, "b:x");
        expect_waits(&b, "both", "a:x b:x");
        end(&b, "a0"); /* b:x is held by one that came before: a1 may go on meanwhile */
        expect_next(&b, "a1");
        end(&b, "b0"); /* but a1 has passed it: b:x is kept */
        expect_next(&b, NULL);
        expect_waits(&b, "both", "a:x");
        bench_reopen(&b);
        expect_next(&b, NULL);
        end(&b, "a1");
        expect_next(&b, "both");
        end(&b, "both");
        expect_next(&b, "b1");
        expect_next(&b, "a2");
LIMIT_TEST_END

LIMIT_TEST(what_nobody_can_do_keeps_nothing)
        submit(&b, "a0", 50, "a:x");
        expect_next(&b, "a0");
        submit(&b, "both", 50, "a:x\nb:x");
        end(&b, "a0");
        ck_assert_int_eq(store_worker_delete(b.store, "w"), 0);
        /* The worker is another one now, which cannot do it. */
        const WorkerRow row = { .id = (char *) "w",
                .capabilities = (char *) "[]",
                .system_info = (char *) "{}",
                .registered_at = T0 };
        bool created, is_free;
        ck_assert_int_eq(store_worker_register(b.store, &row, &created), 0);
        submit(&b, "a1", 50, "a:x");
        expect_next(&b, "both"); /* it says that it can */
        end(&b, "both");
        expect_next(&b, "a1");
        submit(&b, "both-2", 60, "a:x\nb:x");
        _cleanup_(job_row_freep) JobRow *other = NULL;
        submit(&b, "b1", 50, "b:x");
        ck_assert_int_eq(store_job_get(b.store, "b1", &other), 0);
        ck_assert_int_eq(store_limits_are_free(b.store, other->limit_set, 50, other->seq, &is_free), 0);
        ck_assert(is_free);
LIMIT_TEST_END

LIMIT_TEST(who_holds_what_follows_from_the_rows)
        submit(&b, "1", 50, "many:x");
        submit(&b, "2", 50, "many:x");
        submit(&b, "3", 50, "many:x\nother:y");
        submit(&b, "4", 50, "many:x");
        expect_next(&b, "1");
        expect_next(&b, "2");
        bench_reopen(&b);
        expect_next(&b, "3");
        expect_next(&b, NULL);
        bench_reopen(&b);
        expect_next(&b, NULL);
        /* Running or only assigned, and given back when it is tried again later. */
        ck_assert_int_eq(change(&b, "2", JOB_ASSIGNED, JOB_RUNNING), 0);
        expect_next(&b, NULL);
        ck_assert_int_eq(change(&b, "2", JOB_RUNNING, JOB_RETRYING), 0);
        expect_next(&b, "4");
        ck_assert_int_eq(change(&b, "2", JOB_RETRYING, JOB_QUEUED), 0);
        expect_next(&b, NULL);
        ck_assert_int_eq(change(&b, "1", JOB_ASSIGNED, JOB_QUEUED), 0);
        expect_next(&b, "1");
        LimitUse *uses;
        size_t n;
        ck_assert_int_eq(store_limits_in_use(b.store, &uses, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(uses[0].name, "many:x");
        ck_assert_uint_eq(uses[0].held, 3);
        ck_assert_uint_eq(uses[0].max, 3);
        ck_assert_str_eq(uses[1].name, "other:y");
        ck_assert_uint_eq(uses[1].held, 1);
        ck_assert_uint_eq(uses[1].max, LIMIT_UNLIMITED);
        limit_uses_free(uses, n);
LIMIT_TEST_END

LIMIT_TEST(no_other_way_to_begin_an_attempt_passes_a_limit)
        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        expect_next(&b, "1");
        ck_assert_int_eq(change(&b, "2", JOB_QUEUED, JOB_ASSIGNED), -EUSERS);
        end(&b, "1");
        ck_assert_int_eq(change(&b, "2", JOB_QUEUED, JOB_ASSIGNED), 0);
LIMIT_TEST_END

LIMIT_TEST(what_is_taken_back_was_not_held)
        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        const JobTransition twice[] = {
                { .from = JOB_QUEUED, .to = JOB_ASSIGNED, .timestamp = T0, .begins_attempt = true },
                { .from = JOB_QUEUED, .to = JOB_ASSIGNED, .timestamp = T0, .begins_attempt = true },
        };
        expect_waits(&b, "2", "");
        ck_assert_int_lt(store_job_transition(b.store, "1", twice, 2), 0);
        expect_waits(&b, "2", "");
        /* In a group: each member sees what those before it have taken. */
        ck_assert_int_eq(store_group_enter(b.store), 0);
        expect_next(&b, "1");
        expect_next(&b, NULL);
        ck_assert_int_lt(store_job_transition(b.store, "1", twice, 2), 0);
        expect_next(&b, NULL);
        store_group_leave(b.store);
        ck_assert_int_eq(store_group_commit(b.store), 0);
        expect_waits(&b, "2", "a:x");
LIMIT_TEST_END

LIMIT_TEST(other_rules_are_in_force_at_once)
        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        submit(&b, "3", 50, "a:x");
        expect_next(&b, "1");
        expect_next(&b, NULL);
        limit(&b, "a:x", 2);
        expect_next(&b, "2");
        expect_next(&b, NULL);
        limit(&b, "a:x", 1); /* more hold it than may: none is added */
        end(&b, "1");
        expect_next(&b, NULL);
        limit(&b, "a:x", LIMIT_UNLIMITED);
        expect_next(&b, "3");
LIMIT_TEST_END

LIMIT_TEST(a_reader_sees_what_the_owner_has_written)
        _cleanup_free_ char *path = strprintf("%s/hyper.db", b.dir);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_strv_free_ char **names = NULL, **later = NULL;
        Store *reader = NULL;

        submit(&b, "1", 50, "a:x");
        submit(&b, "2", 50, "a:x");
        ck_assert_int_eq(store_open(path, STORE_READER, &reader), 0);
        store_limits_set_rules(reader, &b.rules);
        ck_assert_int_eq(store_job_get(reader, "2", &row), 0);
        ck_assert_int_eq(store_job_waits_for(reader, row, &names), 0);
        ck_assert_ptr_null(names);
        expect_next(&b, "1");
        ck_assert_int_eq(store_job_waits_for(reader, row, &names), 0);
        ck_assert(strv_contains(names, "a:x"));
        end(&b, "1");
        ck_assert_int_eq(store_job_waits_for(reader, row, &later), 0);
        ck_assert_ptr_null(later);
        store_free(reader);
LIMIT_TEST_END

TEST_MAIN("store-limits", a_job_that_waits_for_a_limit_does_not_delay_others,
                for_its_limit_it_is_the_first_by_the_order_of_the_queue,
                a_job_that_needs_two_is_not_passed_for_ever, what_nobody_can_do_keeps_nothing,
                who_holds_what_follows_from_the_rows, no_other_way_to_begin_an_attempt_passes_a_limit,
                what_is_taken_back_was_not_held, other_rules_are_in_force_at_once,
                a_reader_sees_what_the_owner_has_written)
