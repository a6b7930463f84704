/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Group commit in the store. A commit that fails is made by SQLite's own commit hook. */

#include "store/group.h"
#include "store/job-changes.h"
#include "store/jobs.h"
#include "store/sql.h"
#include "store/workers.h"
#include "unit/lib/test.h"

static unsigned commits;
static bool refuse;

static int on_commit(void *userdata) {
        commits++;
        return refuse;
}

static Store *open_store(const char *dir, StoreMode mode) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, mode, &s), 0);
        if (mode == STORE_OWNER)
                (void) sqlite3_commit_hook(s->db, on_commit, NULL);
        commits = 0;
        refuse = false;
        return s;
}

static int insert(Store *s, const char *id) {
        _cleanup_free_ char *spec = strprintf("{\"job_id\":\"%s\"}", id);
        JobRow row = {
                .id = (char *) id,
                .operation = (char *) "convert",
                .spec = spec,
                .dialect = (char *) "bus",
                .role = ROLE_ADMIN,
                .priority = 50,
                .any_worker = true,
                .timeout_seconds = 60,
                .created_at = 1,
                .updated_at = 1,
                .phase = _PHASE_INVALID,
                .percent = -1,
        };
        int r = store_job_insert(s, &row, &(JobStateRow){ JOB_QUEUED, 1, (char *) "Queued" }, 1);

        free(row.reason);
        return r;
}

/* As one member of a group. */
static int insert_in_group(Store *s, const char *id) {
        int r;

        ck_assert_int_eq(store_group_enter(s), 0);
        r = insert(s, id);
        store_group_leave(s);
        return r;
}

static bool has(Store *s, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = store_job_get(s, id, &row);

        ck_assert(r == 0 || r == -ENOENT);
        return r == 0;
}

START_TEST(one_commit_for_all) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);
        _cleanup_(store_freep) Store *reader = open_store(dir, STORE_READER);

        ck_assert_int_eq(store_group_commit(s), -ENOENT);
        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert_int_eq(insert_in_group(s, "b"), 0);
        ck_assert_int_eq(insert_in_group(s, "c"), 0);
        ck_assert_uint_eq(commits, 0);
        ck_assert(!has(reader, "a") && !has(reader, "c"));
        ck_assert_int_eq(store_group_commit(s), 0);
        ck_assert_uint_eq(commits, 1);
        ck_assert(has(reader, "a") && has(reader, "b") && has(reader, "c"));
        ck_assert_int_eq(store_group_commit(s), -ENOENT);
}
END_TEST

START_TEST(a_member_that_fails_takes_only_itself_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        WorkerOffer nobody = { .worker_id = "nobody" };
        JobTransition wrong[] = {
                { .from = JOB_QUEUED, .to = JOB_ASSIGNED, .timestamp = 2, .reason = "Given" },
                { .from = JOB_RETRYING, .to = JOB_QUEUED, .timestamp = 2, .reason = "Not so" },
        };
        JobStateRow *states;
        size_t n;

        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert_int_eq(insert_in_group(s, "a"), -EEXIST);
        ck_assert_int_eq(store_group_enter(s), 0);
        ck_assert_int_eq(store_job_transition(s, "a", wrong, ELEMENTSOF(wrong)), -ESTALE);
        ck_assert_int_eq(store_job_dequeue(s, &nobody, 3, "Given", &row), -ENODEV);
        store_group_leave(s);
        ck_assert_int_eq(insert_in_group(s, "b"), 0);
        ck_assert_int_eq(store_group_commit(s), 0);
        ck_assert_uint_eq(commits, 1);
        ck_assert(has(s, "b"));
        ck_assert_int_eq(store_job_states(s, "a", &states, &n), 0);
        ck_assert_uint_eq(n, 1);
        job_state_rows_free(states, n);
}
END_TEST

START_TEST(whoever_is_outside_sees_nothing_that_is_not_durable) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);

        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert(has(s, "a"));
        ck_assert_uint_eq(commits, 1);
        /* The members of that one are to be told first. */
        ck_assert_int_eq(store_group_enter(s), -EBUSY);
        ck_assert_int_eq(store_group_commit(s), 0);

        ck_assert_int_eq(insert_in_group(s, "b"), 0);
        ck_assert_int_eq(insert(s, "c"), 0);
        ck_assert_uint_eq(commits, 3);
        ck_assert_int_eq(store_group_commit(s), 0);
        ck_assert_int_eq(insert_in_group(s, "d"), 0);
        ck_assert_int_eq(store_worker_heard(s, "w", 1), -ENOENT);
        ck_assert_uint_ge(commits, 4);
        ck_assert_int_eq(store_group_commit(s), 0);
}
END_TEST

START_TEST(a_commit_that_fails_fails_all) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);

        refuse = true;
        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert_int_eq(insert_in_group(s, "b"), 0);
        ck_assert_int_lt(store_group_commit(s), 0);
        refuse = false;
        ck_assert(!has(s, "a") && !has(s, "b"));

        /* Also where somebody outside has made it end. */
        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        refuse = true;
        ck_assert(!has(s, "a"));
        refuse = false;
        ck_assert_int_eq(store_group_enter(s), -EBUSY);
        ck_assert_int_lt(store_group_commit(s), 0);

        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert_int_eq(store_group_commit(s), 0);
        ck_assert(has(s, "a"));
}
END_TEST

/* A full disk: SQLite rolls the whole transaction back by itself. */
START_TEST(a_group_that_sqlite_gives_up_is_lost_as_a_whole) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_store(dir, STORE_OWNER);

        ck_assert_int_eq(insert_in_group(s, "a"), 0);
        ck_assert_int_eq(store_group_enter(s), 0);
        ck_assert_int_eq(sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_lt(insert(s, "b"), 0);
        store_group_leave(s);
        ck_assert_int_eq(store_group_enter(s), -EBUSY);
        ck_assert_int_lt(store_group_commit(s), 0);
        ck_assert(!has(s, "a") && !has(s, "b"));
        ck_assert_int_eq(insert_in_group(s, "b"), 0);
        ck_assert_int_eq(store_group_commit(s), 0);
}
END_TEST

TEST_MAIN("store-group", one_commit_for_all, a_member_that_fails_takes_only_itself_back,
                whoever_is_outside_sees_nothing_that_is_not_durable, a_commit_that_fails_fails_all,
                a_group_that_sqlite_gives_up_is_lost_as_a_whole)
