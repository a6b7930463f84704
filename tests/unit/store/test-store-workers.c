/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/job-changes.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/lease.h"
#include "store/schema.h"
#include "store/sql.h" /* to count what a statement does */
#include "store/workers.h"
#include "unit/lib/test.h"

#define QEMU (1u << CAPABILITY_QEMU_IMG)
#define LVM (1u << CAPABILITY_LVM_TOOLS)
#define T0 (1000 * USEC_PER_SEC)

static Store *open_owner(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static int insert(Store *s, const char *id, unsigned priority, bool any_worker, JobDemand demand) {
        static const JobStateRow states[] = { { JOB_QUEUED, 100, (char *) "Queued" } };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "worker",
                .priority = priority,
                .any_worker = any_worker,
                .demand = job_demand_pack(&demand),
                .timeout_seconds = 60,
                .created_at = 100,
                .phase = _PHASE_INVALID,
                .percent = -1 };
        int r = store_job_insert(s, &row, states, 1);

        free(row.reason);
        return r;
}

static void submit(Store *s, const char *id) {
        ck_assert_int_eq(insert(s, id, 50, true, (JobDemand){ .capabilities = QEMU }), 0);
}

static bool enlist(Store *s, const char *id, usec_t now) {
        const WorkerRow row = { .id = (char *) id,
                .capabilities = (char *) "[\"qemu_img\"]",
                .capability_mask = QEMU,
                .memory_gb = 16,
                .system_info = (char *) "{}",
                .registered_at = now };
        bool created = false;

        ck_assert_int_eq(store_worker_register(s, &row, &created), 0);
        return created;
}

static int take(Store *s, WorkerOffer offer, usec_t now, const char *id) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = store_job_dequeue(s, &offer, now, "Assigned", &row);

        if (r >= 0) {
                ck_assert_str_eq(row->id, id);
                ck_assert_int_eq(row->state, JOB_ASSIGNED);
                ck_assert_str_eq(row->worker_id, offer.worker_id);
        }
        return r;
}

static int take_simple(Store *s, const char *worker, usec_t now, const char *id) {
        return take(s, (WorkerOffer){ .worker_id = worker, .capabilities = QEMU }, now, id);
}

static int change(Store *s, const char *id, JobState from, JobState to, usec_t now) {
        return store_job_transition(s, id,
                        &(JobTransition){ .from = from,
                                        .to = to,
                                        .timestamp = now,
                                        .reason = "because",
                                        .worker_id = to == JOB_QUEUED || to == JOB_RETRYING ? "" : NULL },
                        1);
}

START_TEST(a_worker_reads_back_as_it_registered) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        const WorkerRow put = { .id = (char *) "w1",
                .capabilities = (char *) "{\"qemu_img\":true}",
                .capability_mask = QEMU,
                .memory_gb = 16,
                .disk_gb = 500,
                .system_info = (char *) "{\"hostname\":\"node\"}",
                .execution_mode = (char *) "HOST",
                .registered_at = T0 };
        bool created;

        ck_assert_int_eq(store_worker_register(s, &put, &created), 0);
        ck_assert(created);
        ck_assert_int_eq(store_worker_get(s, "w1", &row), 0);
        ck_assert_str_eq(row->capabilities, put.capabilities);
        ck_assert_uint_eq(row->capability_mask, QEMU);
        ck_assert_uint_eq(row->memory_gb, 16);
        ck_assert_uint_eq(row->disk_gb, 500);
        ck_assert_str_eq(row->system_info, put.system_info);
        ck_assert_str_eq(row->execution_mode, "HOST");
        ck_assert_uint_eq(row->registered_at, T0);
        ck_assert_uint_eq(row->heartbeat_at, T0);
        ck_assert_uint_eq(row->jobs, 0);
        row = worker_row_free(row);
        ck_assert_int_eq(store_worker_get(s, "w2", &row), -ENOENT);
}
END_TEST

START_TEST(registering_again_overwrites_and_keeps_jobs_and_place) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        WorkerRow again = { .id = (char *) "w1",
                .capabilities = (char *) "[]",
                .system_info = (char *) "{}",
                .registered_at = T0 + USEC_PER_SEC };
        bool created;

        ck_assert(enlist(s, "w1", T0));
        ck_assert(enlist(s, "w2", T0));
        submit(s, "a");
        ck_assert_int_eq(take_simple(s, "w1", T0, "a"), 0);
        ck_assert_int_eq(store_worker_register(s, &again, &created), 0);
        ck_assert(!created);
        ck_assert_int_eq(store_workers_list(s, 0, 0, 0, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[0].id, "w1");
        ck_assert_str_eq(rows.rows[0].capabilities, "[]");
        ck_assert_uint_eq(rows.rows[0].capability_mask, 0);
        ck_assert_uint_eq(rows.rows[0].jobs, 1);
        ck_assert_uint_eq(rows.rows[1].jobs, 0);
}
END_TEST

START_TEST(a_heartbeat_is_noted_and_never_goes_back) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        uint64_t total, active;

        enlist(s, "w1", T0);
        enlist(s, "w2", T0);
        ck_assert_int_eq(store_worker_heard(s, "nobody", T0), -ENOENT);
        ck_assert_int_eq(store_worker_heard(s, "w1", T0 + 10 * USEC_PER_SEC), 0);
        ck_assert_int_eq(store_worker_heard(s, "w1", T0), 0);
        ck_assert_int_eq(store_worker_get(s, "w1", &row), 0);
        ck_assert_uint_eq(row->heartbeat_at, T0 + 10 * USEC_PER_SEC);
        ck_assert_int_eq(store_workers_count(s, T0, &total, &active), 0);
        ck_assert_uint_eq(total, 2);
        ck_assert_uint_eq(active, 1);
}
END_TEST

START_TEST(jobs_go_by_priority_then_arrival_across_demands) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        const JobDemand qemu = { .capabilities = QEMU }, none = {},
                        large = { .capabilities = QEMU, .memory_gb = 8 };
        const WorkerOffer offer = { "w1", QEMU, 8, 0 };

        enlist(s, "w1", T0);
        ck_assert_int_eq(insert(s, "a", 50, true, large), 0);
        ck_assert_int_eq(insert(s, "b", 90, true, qemu), 0);
        ck_assert_int_eq(insert(s, "c", 90, true, large), 0);
        ck_assert_int_eq(insert(s, "d", 90, true, none), 0);
        ck_assert_int_eq(insert(s, "e", 50, true, none), 0);
        ck_assert_int_eq(take(s, offer, T0, "b"), 0);
        ck_assert_int_eq(take(s, offer, T0, "c"), 0);
        ck_assert_int_eq(take(s, offer, T0, "d"), 0);
        ck_assert_int_eq(take(s, offer, T0, "a"), 0);
        ck_assert_int_eq(take(s, offer, T0, "e"), 0);
        ck_assert_int_eq(take(s, offer, T0, NULL), -ENOENT);
}
END_TEST

START_TEST(a_job_goes_only_to_a_worker_that_can_do_it) {
        static const struct {
                JobDemand demand;
                WorkerOffer offer;
                bool fits;
        } cases[] = {
                { { .capabilities = QEMU | LVM }, { "w1", QEMU, 64, 64 }, false },
                { { .capabilities = QEMU | LVM }, { "w1", QEMU | LVM, 0, 0 }, true },
                { { .capabilities = QEMU }, { "w1", QEMU | LVM, 0, 0 }, true },
                { { .memory_gb = 9 }, { "w1", QEMU, 8, 64 }, false },
                { { .memory_gb = 8 }, { "w1", 0, 8, 0 }, true },
                { { .disk_gb = 65 }, { "w1", QEMU, 8, 64 }, false },
                { { .disk_gb = 64 }, { "w1", 0, 0, 64 }, true },
                { { .memory_gb = DEMAND_MEMORY_MAX, .disk_gb = DEMAND_DISK_MAX },
                                { "w1", 0, DEMAND_MEMORY_MAX, DEMAND_DISK_MAX }, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                _cleanup_(store_freep) Store *s = open_owner(dir);

                enlist(s, "w1", T0);
                ck_assert_int_eq(insert(s, "a", 50, true, cases[i].demand), 0);
                ck_assert_msg(take(s, cases[i].offer, T0, "a") == (cases[i].fits ? 0 : -ENOENT), "case %zu",
                                i);
        }
}
END_TEST

START_TEST(this_machines_jobs_and_those_that_do_not_wait_are_not_given_away) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);

        enlist(s, "w1", T0);
        ck_assert_int_eq(insert(s, "local", 50, false, (JobDemand){}), 0);
        submit(s, "cancelled");
        ck_assert_int_eq(change(s, "cancelled", JOB_QUEUED, JOB_CANCELLED, T0), 0);
        ck_assert_int_eq(take_simple(s, "w1", T0, NULL), -ENOENT);
        submit(s, "a");
        ck_assert_int_eq(take_simple(s, "nobody", T0, NULL), -ENODEV);
        ck_assert_int_eq(take_simple(s, "w1", T0, "a"), 0);
}
END_TEST

START_TEST(asking_is_a_sign_of_life) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;

        enlist(s, "w1", T0);
        ck_assert_int_eq(take_simple(s, "w1", T0 + 5 * USEC_PER_SEC, NULL), -ENOENT);
        ck_assert_int_eq(store_worker_get(s, "w1", &row), 0);
        ck_assert_uint_eq(row->heartbeat_at, T0 + 5 * USEC_PER_SEC);
}
END_TEST

START_TEST(the_jobs_of_silent_workers_are_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_rows_done) JobRows rows = {};
        usec_t silent;

        enlist(s, "idle", T0 - 1);
        enlist(s, "w1", T0);
        enlist(s, "w2", T0);
        ck_assert_int_eq(store_workers_longest_silent(s, &silent), -ENOENT);
        submit(s, "a");
        submit(s, "b");
        submit(s, "c");
        ck_assert_int_eq(take_simple(s, "w1", T0, "a"), 0);
        ck_assert_int_eq(take_simple(s, "w2", T0, "b"), 0);
        ck_assert_int_eq(take_simple(s, "w1", T0, "c"), 0);
        ck_assert_int_eq(store_worker_heard(s, "w2", T0 + 60 * USEC_PER_SEC), 0);
        ck_assert_int_eq(store_workers_longest_silent(s, &silent), 0);
        ck_assert_uint_eq(silent, T0);
        ck_assert_int_eq(store_jobs_abandoned(s, T0 - 1, &rows), 0);
        ck_assert_uint_eq(rows.n, 0);
        ck_assert_int_eq(store_jobs_abandoned(s, T0, &rows), 0);
        ck_assert_uint_eq(rows.n, 2);
        ck_assert_str_eq(rows.rows[0]->id, "a");
        ck_assert_str_eq(rows.rows[1]->id, "c");
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_RETRYING, T0), 0);
        ck_assert_int_eq(change(s, "c", JOB_ASSIGNED, JOB_FAILED, T0), 0);
        ck_assert_int_eq(store_workers_longest_silent(s, &silent), 0);
        ck_assert_uint_eq(silent, T0 + 60 * USEC_PER_SEC);
}
END_TEST

START_TEST(a_worker_is_removed_when_it_holds_nothing) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_rows_done) JobRows rows = {};

        enlist(s, "w1", T0);
        submit(s, "a");
        ck_assert_int_eq(take_simple(s, "w1", T0, "a"), 0);
        ck_assert_int_eq(store_worker_delete(s, "w1"), -EBUSY);
        ck_assert_int_eq(store_worker_jobs(s, "w1", &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_QUEUED, T0), 0);
        ck_assert_int_eq(store_worker_delete(s, "w1"), 0);
        ck_assert_int_eq(store_worker_delete(s, "w1"), -ENOENT);
        enlist(s, "w2", T0);
        ck_assert_int_eq(take_simple(s, "w2", T0, "a"), 0);
}
END_TEST

START_TEST(a_worker_can_be_told_what_was_cancelled) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_rows_done) JobRows rows = {};

        enlist(s, "w1", T0);
        submit(s, "a");
        submit(s, "b");
        ck_assert_int_eq(take_simple(s, "w1", T0, "a"), 0);
        ck_assert_int_eq(take_simple(s, "w1", T0, "b"), 0);
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_CANCELLED, T0 + 7), 0);
        ck_assert_int_eq(change(s, "b", JOB_ASSIGNED, JOB_FAILED, T0 + 7), 0);
        ck_assert_int_eq(store_worker_cancelled(s, "w1", T0 + 7, &rows), 0);
        ck_assert_uint_eq(rows.n, 0);
        ck_assert_int_eq(store_worker_cancelled(s, "w1", T0 + 6, &rows), 0);
        ck_assert_uint_eq(rows.n, 1);
        ck_assert_str_eq(rows.rows[0]->id, "a");
        ck_assert_str_eq(rows.rows[0]->worker_id, "w1");
}
END_TEST

START_TEST(the_queue_is_counted_by_priority) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(queue_status_done) QueueStatus q = {};

        ck_assert_int_eq(store_queue_status(s, &q), 0);
        ck_assert_uint_eq(q.total, 0);
        ck_assert_uint_eq(q.n_priorities, 0);
        ck_assert_int_eq(insert(s, "a", 10, true, (JobDemand){}), 0);
        ck_assert_int_eq(insert(s, "b", 90, false, (JobDemand){}), 0);
        ck_assert_int_eq(insert(s, "c", 10, true, (JobDemand){}), 0);
        ck_assert_int_eq(store_queue_status(s, &q), 0);
        ck_assert_uint_eq(q.total, 3);
        ck_assert_uint_eq(q.n_priorities, 2);
        ck_assert_uint_eq(q.priorities[0].priority, 90);
        ck_assert_uint_eq(q.priorities[0].n, 1);
        ck_assert_uint_eq(q.priorities[1].priority, 10);
        ck_assert_uint_eq(q.priorities[1].n, 2);
}
END_TEST

/* What looking for a job costs, in steps of SQLite's machine. */
static int steps_of_dequeue(Store *s, uint32_t capabilities, bool fits) {
        sqlite3_stmt *st = sql_statement(s, SQL_JOB_FOR_WORKER);

        ck_assert_ptr_nonnull(st);
        sql_donep(&st);
        (void) sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, true);
        sql_bind_uint(st, 1, capabilities);
        sql_bind_uint(st, 2, 0);
        sql_bind_uint(st, 3, 0);
        ck_assert_int_eq(sqlite3_step(st), fits ? SQLITE_ROW : SQLITE_DONE);
        int steps = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, true);
        sql_donep(&st);
        return steps;
}

/* As many jobs as one statement can make; what is looked at is the same. */
static void fill(Store *s, unsigned n) {
        _cleanup_free_ char *sql = strprintf(
                        "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %u) "
                        "INSERT INTO jobs (id, operation, spec, dialect, state, priority, retry_count, "
                        "idempotent, "
                        "any_worker, created_at, updated_at, demand) SELECT 'n%u-' || i, 'convert', '{}', "
                        "'worker', "
                        "'QUEUED', i %% 101, 0, 0, 1, 1, 1, (i %% 3) * 2 + 1 FROM c",
                        n, n);

        ck_assert_int_eq(sqlite3_exec(s->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

START_TEST(a_dequeue_costs_the_same_however_many_jobs_wait) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);

        fill(s, 100);
        int few = steps_of_dequeue(s, 1, true), few_misfits = steps_of_dequeue(s, 0, false);
        fill(s, 20000);
        ck_assert_int_eq(steps_of_dequeue(s, 1, true), few);
        ck_assert_int_eq(steps_of_dequeue(s, 0, false), few_misfits);
}
END_TEST

/* The same of the place of a job. */
static int steps_of_position(Store *s, const char *id) {
        sqlite3_stmt *st = sql_statement(s, SQL_JOB_QUEUE_POSITION);

        ck_assert_ptr_nonnull(st);
        sql_donep(&st);
        (void) sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, true);
        sql_bind_text(st, 1, id);
        ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
        int steps = sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, true);
        sql_donep(&st);
        return steps;
}

START_TEST(a_place_in_the_queue_costs_the_same_however_many_jobs_wait) {
        _cleanup_test_dir_ char *few_dir = test_dir(), *many_dir = test_dir();
        _cleanup_(store_freep) Store *few = open_owner(few_dir), *many = open_owner(many_dir);

        fill(few, 101);
        fill(many, 20200);
        ck_assert_int_eq(insert(few, "last", 50, true, (JobDemand){}), 0);
        ck_assert_int_eq(insert(many, "last", 50, true, (JobDemand){}), 0);
        ck_assert_int_eq(steps_of_position(many, "last"), steps_of_position(few, "last"));
}
END_TEST

/* Jobs of one priority only, which is what most have. */
START_TEST(the_place_of_a_job_that_waits_for_long_is_counted_in_blocks) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        uint64_t position;

        ck_assert_int_eq(insert(s, "first", 50, true, (JobDemand){}), 0);
        ck_assert_int_eq(sqlite3_exec(s->db,
                                         "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
                                         "WHERE i < 20000) INSERT INTO jobs (id, operation, spec, dialect, "
                                         "state, priority, retry_count, idempotent, created_at, updated_at) "
                                         "SELECT 'n-' || i, 'convert', '{}', 'worker', 'QUEUED', 50, 0, 0, "
                                         "1, 1 FROM c",
                                         NULL, NULL, NULL),
                        SQLITE_OK);
        ck_assert_int_lt(steps_of_position(s, "first"), 20000);
        ck_assert_int_lt(steps_of_position(s, "n-10000"), 20000);
        for (unsigned i = 1; i <= 20000; i += 1023) {
                _cleanup_free_ char *id = strprintf("n-%u", i);

                ck_assert_int_eq(store_job_queue_position(s, id, NULL, &position), 0);
                ck_assert_uint_eq(position, i + 1);
        }
}
END_TEST

START_TEST(workers_are_listed_in_pages) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        static const struct {
                uint64_t offset, limit;
                const char *first;
                size_t n;
        } pages[] = { { 0, 2, "w1", 2 }, { 1, 1, "w2", 1 }, { 2, 0, "w3", 1 }, { 0, 0, "w1", 3 },
                { 3, 5, NULL, 0 }, { UINT64_MAX, UINT64_MAX, NULL, 0 } };

        enlist(s, "w1", T0);
        enlist(s, "w2", T0);
        enlist(s, "w3", T0);
        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                _cleanup_(worker_rows_done) WorkerRows rows = {};

                ck_assert_int_eq(store_workers_list(s, 0, pages[i].offset, pages[i].limit, &rows), 0);
                ck_assert_uint_eq(rows.n, pages[i].n);
                if (rows.n > 0)
                        ck_assert_str_eq(rows.rows[0].id, pages[i].first);
        }

        /* In steps, with one that comes in between. */
        _cleanup_(worker_rows_done) WorkerRows step = {}, last = {};
        ck_assert_int_eq(store_workers_list(s, 0, 1, 1, &step), 0);
        ck_assert_str_eq(step.rows[0].id, "w2");
        enlist(s, "w0", T0);
        ck_assert_int_eq(store_workers_list(s, step.rows[0].seq, 0, 2, &last), 0);
        ck_assert_uint_eq(last.n, 2);
        ck_assert_str_eq(last.rows[0].id, "w3");
        ck_assert_str_eq(last.rows[1].id, "w0");
}
END_TEST

#define RACERS 4
#define RACED 200

/* Takes jobs until none is left, and writes the number of each into the pipe. */
static void race(const char *dir, unsigned racer, int fd) {
        _cleanup_free_ char *worker = strprintf("w%u", racer);
        const WorkerOffer offer = { .worker_id = worker, .capabilities = QEMU };
        Store *s = open_owner(dir);

        for (;;) {
                JobRow *row = NULL;
                int r = store_job_dequeue(s, &offer, T0, "Assigned", &row);

                if (r == -ENOENT)
                        _exit(0);
                if (r == -EBUSY)
                        continue;
                if (r < 0)
                        _exit(1);
                unsigned char n = (unsigned char) atoi(row->id);
                if (write(fd, &n, 1) != 1)
                        _exit(2);
                /* One of them dies on the way. */
                if (racer == 0 && n % 8 == 7)
                        (void) kill(getpid(), SIGKILL);
                job_row_free(row);
        }
}

START_TEST(two_connections_never_get_one_job) {
        _cleanup_test_dir_ char *dir = test_dir();
        Store *s = open_owner(dir);
        unsigned seen[RACED] = {}, held = 0;
        pid_t pids[RACERS];
        int results[2], status;
        unsigned char n;

        for (unsigned i = 0; i < RACERS; i++) {
                _cleanup_free_ char *worker = strprintf("w%u", i);

                enlist(s, worker, T0);
        }
        for (unsigned i = 0; i < RACED; i++) {
                _cleanup_free_ char *id = strprintf("%u", i);

                submit(s, id);
        }
        s = store_free(s);
        ck_assert_int_eq(pipe(results), 0);
        for (unsigned i = 0; i < RACERS; i++) {
                pids[i] = fork();
                ck_assert_int_ge(pids[i], 0);
                if (pids[i] == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        close(results[0]);
                        race(dir, i, results[1]);
                }
        }
        close(results[1]);
        while (read(results[0], &n, 1) == 1)
                ck_assert_msg(seen[n]++ == 0, "job %u was given twice", n);
        close(results[0]);
        for (unsigned i = 0; i < RACERS; i++) {
                ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
                if (i > 0)
                        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "racer %u failed", i);
        }
        s = open_owner(dir);
        for (unsigned i = 0; i < RACERS; i++) {
                _cleanup_free_ char *worker = strprintf("w%u", i);
                _cleanup_(job_rows_done) JobRows rows = {};

                ck_assert_int_eq(store_worker_jobs(s, worker, &rows), 0);
                held += (unsigned) rows.n;
        }
        ck_assert_uint_eq(held, RACED);
        store_free(s);
}
END_TEST

START_TEST(a_job_that_is_held_too_long_is_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_rows_done) JobRows early = {}, late = {}, told = {}, after = {};
        _cleanup_(job_row_freep) JobRow *row = NULL;
        usec_t deadline = 0;

        enlist(s, "w", T0);
        submit(s, "a");
        submit(s, "b");
        ck_assert_int_eq(store_job_next_deadline(s, &deadline), -ENOENT);
        ck_assert_int_eq(take_simple(s, "w", T0, "a"), 0);
        ck_assert_int_eq(store_job_next_deadline(s, &deadline), 0);
        ck_assert_uint_eq(deadline, T0 + 60 * USEC_PER_SEC + WORKER_LEASE);
        ck_assert_int_eq(store_jobs_overdue(s, deadline - 1, &early), 0);
        ck_assert_uint_eq(early.n, 0);
        ck_assert_int_eq(store_jobs_overdue(s, deadline, &late), 0);
        ck_assert_uint_eq(late.n, 1);
        ck_assert_uint_eq(late.rows[0]->deadline_at, deadline);
        /* Its end at the deadline is told to the worker, an earlier one is the worker's own. */
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_RUNNING, T0 + 1), 0);
        ck_assert_int_eq(change(s, "a", JOB_RUNNING, JOB_FAILED, deadline), 0);
        ck_assert_int_eq(take_simple(s, "w", T0, "b"), 0);
        ck_assert_int_eq(change(s, "b", JOB_ASSIGNED, JOB_FAILED, T0 + 2), 0);
        ck_assert_int_eq(store_worker_cancelled(s, "w", T0, &told), 0);
        ck_assert_uint_eq(told.n, 1);
        ck_assert_str_eq(told.rows[0]->id, "a");
        ck_assert_int_eq(store_jobs_overdue(s, deadline, &after), 0);
        ck_assert_uint_eq(after.n, 0);
        /* What goes back has none. */
        submit(s, "c");
        ck_assert_int_eq(take_simple(s, "w", T0, "c"), 0);
        ck_assert_int_eq(change(s, "c", JOB_ASSIGNED, JOB_QUEUED, T0), 0);
        ck_assert_int_eq(store_job_get(s, "c", &row), 0);
        ck_assert_uint_eq(row->deadline_at, 0);
        ck_assert_int_eq(store_job_next_deadline(s, &deadline), -ENOENT);
}
END_TEST

START_TEST(a_job_without_a_time_limit_has_a_deadline_until_it_has_begun) {
        static const JobStateRow queued = { JOB_QUEUED, 100, (char *) "Queued" };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        JobRow row = { .id = (char *) "a",
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "worker",
                .any_worker = true,
                .demand = job_demand_pack(&(JobDemand){ .capabilities = QEMU }),
                .phase = _PHASE_INVALID };
        usec_t deadline = 0;

        enlist(s, "w", T0);
        ck_assert_int_eq(store_job_insert(s, &row, &queued, 1), 0);
        free(row.reason);
        ck_assert_int_eq(take_simple(s, "w", T0, "a"), 0);
        ck_assert_int_eq(store_job_next_deadline(s, &deadline), 0);
        ck_assert_uint_eq(deadline, T0 + WORKER_BEGIN_TIME + WORKER_LEASE);
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_RUNNING, T0 + 1), 0);
        ck_assert_int_eq(store_job_next_deadline(s, &deadline), -ENOENT);
}
END_TEST

/* A database as an older hyper has left it, at the step that brought workers. */
static void make_older(const char *path) {
        static const char jobs[] =
                        "INSERT INTO jobs (id, operation, spec, dialect, state, priority, retry_count, "
                        "idempotent, any_worker, "
                        "worker_id, created_at, updated_at, finished_at) VALUES "
                        "('held', 'convert', '{\"execution_policy\":{\"timeout_seconds\":60}}', 'bus', "
                        "'RUNNING', 50, 0, 1, 1, 'w', 1, 1000000, 0),"
                        "('waits', 'convert', '{}', 'bus', 'QUEUED', 50, 0, 1, 1, NULL, 1, 1, 0),"
                        "('broken', 'convert', '{', 'bus', 'RUNNING', 50, 0, 1, 0, NULL, 1, 1, 0),"
                        "('linked', 'convert', '{\"a\":1,\"resolved_paths\":{\"source\":\"/srv/real\"}}', "
                        "'bus', 'COMPLETED', 50, 0, 1, 0, NULL, 1, 1, 7),"
                        "('over', 'convert', '{', 'bus', 'COMPLETED', 50, 0, 1, 1, 'w', 1, 1, 7)";
        sqlite3 *db;

        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, schema_jobs.set_application_id, NULL, NULL, NULL), SQLITE_OK);
        for (size_t i = 0; i < 5; i++)
                ck_assert_int_eq(sqlite3_exec(db, schema_jobs.steps[i], NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db,
                                         "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;"
                                         "INSERT INTO schema_version VALUES (5)",
                                         NULL, NULL, NULL),
                        SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, jobs, NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(what_an_older_hyper_has_is_brought_up_to_date) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        _cleanup_(queue_status_done) QueueStatus q = {};
        _cleanup_(store_freep) Store *s = NULL;
        uint64_t position;
        static const struct {
                const char *id;
                unsigned timeout;
                usec_t deadline;
        } expected[] = { { "held", 60, 361 * USEC_PER_SEC }, { "waits", 7200, 0 }, { "broken", 7200, 0 },
                { "over", 0, 0 } };

        make_older(path);
        s = open_owner(dir);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                _cleanup_(job_row_freep) JobRow *row = NULL;

                ck_assert_int_eq(store_job_get(s, expected[i].id, &row), 0);
                ck_assert_uint_eq(row->timeout_seconds, expected[i].timeout);
                ck_assert_uint_eq(row->deadline_at, expected[i].deadline);
                /* Anybody may have submitted it. */
                ck_assert_int_eq(row->role, ROLE_OPERATOR);
        }
        ck_assert_int_eq(store_queue_status(s, &q), 0);
        ck_assert_uint_eq(q.n_priorities, 1);
        ck_assert_uint_eq(q.priorities[0].n, 1);
        ck_assert_int_eq(insert(s, "later", 50, true, (JobDemand){}), 0);
        ck_assert_int_eq(store_job_queue_position(s, "waits", NULL, &position), 0);
        ck_assert_uint_eq(position, 1);

        /* Resolved paths were in the spec. */
        _cleanup_(job_row_freep) JobRow *linked = NULL;
        ck_assert_int_eq(store_job_get(s, "linked", &linked), 0);
        ck_assert_str_eq(linked->spec, "{\"a\":1}");
        ck_assert_str_eq(linked->source_path, "/srv/real");
        ck_assert_ptr_null(linked->destination_path);
}
END_TEST

TEST_MAIN("store-workers", a_worker_reads_back_as_it_registered,
                registering_again_overwrites_and_keeps_jobs_and_place,
                a_heartbeat_is_noted_and_never_goes_back, jobs_go_by_priority_then_arrival_across_demands,
                a_job_goes_only_to_a_worker_that_can_do_it,
                this_machines_jobs_and_those_that_do_not_wait_are_not_given_away, asking_is_a_sign_of_life,
                the_jobs_of_silent_workers_are_found, a_worker_is_removed_when_it_holds_nothing,
                a_worker_can_be_told_what_was_cancelled, the_queue_is_counted_by_priority,
                a_dequeue_costs_the_same_however_many_jobs_wait,
                a_place_in_the_queue_costs_the_same_however_many_jobs_wait,
                the_place_of_a_job_that_waits_for_long_is_counted_in_blocks, workers_are_listed_in_pages,
                two_connections_never_get_one_job, a_job_that_is_held_too_long_is_found,
                a_job_without_a_time_limit_has_a_deadline_until_it_has_begun,
                what_an_older_hyper_has_is_brought_up_to_date)
