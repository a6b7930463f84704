/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/facts.h"
#include "store/job-changes.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/workers.h"
#include "unit/lib/test.h"

static Store *open_owner(const char *dir) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        Store *s = NULL;

        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), 0);
        return s;
}

static int open_reader(const char *dir, Store **ret) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);

        return store_open(path, STORE_READER, ret);
}

static int insert(Store *s, const char *id, unsigned priority) {
        static const JobStateRow states[] = {
                { JOB_CREATED, 100, (char *) "Job submitted" },
                { JOB_VALIDATED, 101, (char *) "Spec validated" },
                { JOB_QUEUED, 102, (char *) "Queued" },
        };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) "{}",
                .dialect = (char *) "bus",
                .priority = priority,
                .retry_count = 3,
                .idempotent = true,
                .created_at = 100,
                .updated_at = 102,
                .phase = _PHASE_INVALID,
                .percent = -1 };
        int r = store_job_insert(s, &row, states, ELEMENTSOF(states));

        free(row.reason);
        return r;
}

static int change(Store *s, const char *id, JobState from, JobState to) {
        const JobTransition t = { .from = from,
                .to = to,
                .timestamp = 200,
                .reason = "because",
                .begins_attempt = to == JOB_ASSIGNED,
                .due_at = to == JOB_RETRYING ? 5000 : 0 };

        return store_job_transition(s, id, &t, 1);
}

static JobRow *get(Store *s, const char *id) {
        JobRow *row = NULL;

        ck_assert_int_eq(store_job_get(s, id, &row), 0);
        return row;
}

START_TEST(a_job_reads_back_as_it_was_written) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        JobStateRow *states;
        size_t n;

        ck_assert_int_eq(insert(s, "a", 70), 0);
        row = get(s, "a");
        ck_assert_str_eq(row->id, "a");
        ck_assert_str_eq(row->reason, "Queued");
        ck_assert_int_eq(row->state, JOB_QUEUED);
        ck_assert_uint_eq(row->priority, 70);
        ck_assert_ptr_null(row->request);
        ck_assert_ptr_null(row->worker_id);
        ck_assert_int_eq(row->phase, _PHASE_INVALID);
        ck_assert_int_eq(store_job_states(s, "a", &states, &n), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_int_eq(states[0].state, JOB_CREATED);
        ck_assert_str_eq(states[1].reason, "Spec validated");
        ck_assert_uint_eq(states[2].timestamp, 102);
        job_state_rows_free(states, n);
}
END_TEST

START_TEST(an_id_is_taken_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        uint64_t counts[_JOB_STATE_MAX];
        JobRow *row;

        ck_assert_int_eq(insert(s, "a", 50), 0);
        ck_assert_int_eq(insert(s, "a", 50), -EEXIST);
        ck_assert_int_eq(store_jobs_count(s, counts), 0);
        ck_assert_uint_eq(counts[JOB_QUEUED], 1);
        ck_assert_int_eq(store_job_get(s, "b", &row), -ENOENT);
}
END_TEST

START_TEST(a_change_applies_only_to_the_state_it_was_made_for) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        JobStateRow *states;
        size_t n;

        insert(s, "a", 50);
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_RUNNING), -ESTALE);
        ck_assert_int_eq(change(s, "a", JOB_QUEUED, JOB_COMPLETED), -EINVAL);
        ck_assert_int_eq(change(s, "a", JOB_QUEUED, JOB_ASSIGNED), 0);
        ck_assert_int_eq(change(s, "a", JOB_ASSIGNED, JOB_RUNNING), 0);
        ck_assert_int_eq(change(s, "a", JOB_RUNNING, JOB_COMPLETED), 0);
        ck_assert_int_eq(change(s, "a", JOB_COMPLETED, JOB_CANCELLED), -EINVAL);
        row = get(s, "a");
        ck_assert_uint_eq(row->attempt, 1);
        ck_assert_uint_eq(row->started_at, 200);
        ck_assert_uint_eq(row->finished_at, 200);
        ck_assert_int_eq(store_job_states(s, "a", &states, &n), 0);
        ck_assert_uint_eq(n, 6);
        job_state_rows_free(states, n);
}
END_TEST

START_TEST(several_changes_are_one_transaction) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        _cleanup_(job_row_freep) JobRow *row = NULL;
        const JobTransition both[] = {
                { .from = JOB_QUEUED,
                                .to = JOB_ASSIGNED,
                                .timestamp = 1,
                                .reason = "slot",
                                .worker_id = "w" },
                { .from = JOB_RUNNING, .to = JOB_FAILED, .timestamp = 2, .reason = "never applies" },
        };
        JobStateRow *states;
        size_t n;

        insert(s, "a", 50);
        ck_assert_int_eq(store_job_transition(s, "a", both, 2), -ESTALE);
        row = get(s, "a");
        ck_assert_int_eq(row->state, JOB_QUEUED);
        ck_assert_ptr_null(row->worker_id);
        ck_assert_int_eq(store_job_states(s, "a", &states, &n), 0);
        ck_assert_uint_eq(n, 3);
        job_state_rows_free(states, n);
}
END_TEST

START_TEST(changes_are_read_in_the_order_in_which_they_were_recorded) {
        _cleanup_(store_freep) Store *s = NULL;
        _cleanup_test_dir_ char *dir = test_dir();
        JobChange *changes;
        uint64_t last;
        size_t n;

        s = open_owner(dir);
        ck_assert_int_eq(store_job_last_change(s, &last), 0);
        ck_assert_uint_eq(last, 0);
        ck_assert_int_eq(insert(s, "b", 50), 0);
        ck_assert_int_eq(insert(s, "a", 50), 0);
        ck_assert_int_eq(change(s, "b", JOB_QUEUED, JOB_CANCELLED), 0);
        ck_assert_int_eq(store_job_last_change(s, &last), 0);
        ck_assert_uint_eq(last, 7);

        ck_assert_int_eq(store_job_changes(s, 5, true, 10, &changes, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(changes[0].seq, 6);
        ck_assert_str_eq(changes[0].job_id, "a");
        ck_assert_int_eq(changes[0].state, JOB_QUEUED);
        ck_assert_str_eq(changes[0].reason, "Queued");
        ck_assert_str_eq(changes[1].job_id, "b");
        ck_assert_int_eq(changes[1].state, JOB_CANCELLED);
        job_changes_free(changes, n);

        ck_assert_int_eq(store_job_changes(s, 0, false, 2, &changes, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(changes[0].seq, 4);
        ck_assert_str_eq(changes[0].job_id, "a");
        job_changes_free(changes, n);
        ck_assert_int_eq(store_job_changes(s, 7, true, 2, &changes, &n), 0);
        ck_assert_uint_eq(n, 0);
        job_changes_free(changes, n);
}
END_TEST

START_TEST(the_queue_is_by_priority_then_arrival) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        static const char *const expected[] = { "high", "first", "second", "low" };
        uint64_t position;

        insert(s, "first", 50);
        insert(s, "low", 10);
        insert(s, "second", 50);
        insert(s, "high", 90);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_int_eq(store_job_queue_position(s, expected[i], NULL, &position), 0);
                ck_assert_uint_eq(position, i + 1);
        }
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_int_eq(change(s, expected[i], JOB_QUEUED, JOB_ASSIGNED), 0);
                ck_assert_int_eq(store_job_queue_position(s, expected[i], NULL, &position), 0);
                ck_assert_uint_eq(position, 0);
        }
}
END_TEST

/* Each job's place is what the list in the queue's order says, and the counts are those of that list. */
static void check_positions(Store *s) {
        const JobFilter filter = { .states = 1u << JOB_QUEUED, .order = JOB_ORDER_QUEUE };
        _cleanup_(queue_status_done) QueueStatus q = {};
        _cleanup_(job_rows_done) JobRows rows = {};
        size_t counted = 0;

        ck_assert_int_eq(store_jobs_list(s, &filter, &rows), 0);
        for (size_t i = 0; i < rows.n; i++) {
                uint64_t position;

                ck_assert_int_eq(store_job_queue_position(s, rows.rows[i]->id, NULL, &position), 0);
                ck_assert_uint_eq(position, i + 1);
        }
        ck_assert_int_eq(store_queue_status(s, &q), 0);
        ck_assert_uint_eq(q.total, rows.n);
        for (size_t i = 0; i < q.n_priorities; i++)
                for (uint64_t n = 0; n < q.priorities[i].n; n++)
                        ck_assert_uint_eq(rows.rows[counted++]->priority, q.priorities[i].priority);
        ck_assert_uint_eq(counted, rows.n);
}

START_TEST(places_in_the_queue_are_right_whoever_comes_and_goes) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        JobState states[40];

        srand(1);
        for (unsigned i = 0; i < ELEMENTSOF(states); i++) {
                _cleanup_free_ char *id = strprintf("%u", i);

                insert(s, id, (unsigned) rand() % 4 * 25);
                states[i] = JOB_QUEUED;
        }
        check_positions(s);
        for (unsigned step = 0; step < 100; step++) {
                unsigned i = (unsigned) rand() % ELEMENTSOF(states);
                _cleanup_free_ char *id = strprintf("%u", i);
                JobState next = states[i] == JOB_QUEUED     ? rand() % 8 == 0 ? JOB_CANCELLED : JOB_ASSIGNED
                                : states[i] == JOB_ASSIGNED ? JOB_RETRYING
                                                            : JOB_QUEUED;

                if (job_state_is_terminal(states[i]))
                        continue;
                ck_assert_int_eq(change(s, id, states[i], next), 0);
                states[i] = next;
                check_positions(s);
        }
}
END_TEST

START_TEST(progress_of_a_finished_job_is_passed_over) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        const JobProgress progress[] = {
                { .id = "runs",
                                .phase = PHASE_CONVERSION,
                                .percent = 12.5,
                                .bytes_done = 1,
                                .bytes_total = 8,
                                .rate = 7 },
                { .id = "ended", .phase = PHASE_CONVERSION, .percent = 12.5 },
                { .id = "unknown", .phase = PHASE_CONVERSION, .percent = 12.5 },
        };

        insert(s, "runs", 50);
        insert(s, "ended", 50);
        change(s, "runs", JOB_QUEUED, JOB_ASSIGNED);
        change(s, "ended", JOB_QUEUED, JOB_CANCELLED);
        ck_assert_int_eq(store_job_progress(s, progress, ELEMENTSOF(progress), 300), 0);
        _cleanup_(job_row_freep) JobRow *runs = get(s, "runs"), *ended = get(s, "ended");
        ck_assert_int_eq(runs->phase, PHASE_CONVERSION);
        ck_assert_double_eq(runs->percent, 12.5);
        ck_assert_uint_eq(runs->bytes_total, 8);
        ck_assert_double_eq(ended->percent, -1);
}
END_TEST

static void assert_page(Store *s, JobFilter filter, uint64_t total, const char *const *ids) {
        JobRows rows;
        size_t n = 0;

        ck_assert_int_eq(store_jobs_list(s, &filter, &rows), 0);
        ck_assert_uint_eq(rows.total, total);
        for (; ids[n]; n++) {
                ck_assert_uint_lt(n, rows.n);
                ck_assert_str_eq(rows.rows[n]->id, ids[n]);
        }
        ck_assert_uint_eq(rows.n, n);
        job_rows_done(&rows);
}
#define IDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE ((const char *const[]){ NULL })

START_TEST(pages_are_filtered_ordered_and_counted) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *s = open_owner(dir);
        char *wanted[] = { (char *) "b", (char *) "d", (char *) "nowhere", (char *) "it's \"quoted\"",
                NULL };

        insert(s, "a", 10);
        insert(s, "b", 90);
        insert(s, "c", 50);
        insert(s, "d", 50);
        change(s, "d", JOB_QUEUED, JOB_CANCELLED);
        change(s, "a", JOB_QUEUED, JOB_ASSIGNED);

        assert_page(s, (JobFilter){}, 4, IDS("d", "c", "b", "a"));
        assert_page(s, (JobFilter){ .order = JOB_ORDER_OLDEST, .limit = 2, .offset = 1 }, 4, IDS("b", "c"));
        assert_page(s, (JobFilter){ .states = 1u << JOB_QUEUED }, 2, IDS("c", "b"));
        assert_page(s, (JobFilter){ .states = 1u << JOB_QUEUED, .order = JOB_ORDER_QUEUE }, 2,
                        IDS("b", "c"));
        assert_page(s, (JobFilter){ .states = 1u << JOB_CANCELLED | 1u << JOB_ASSIGNED }, 2, IDS("d", "a"));
        assert_page(s, (JobFilter){ .offset = 4 }, 4, NONE);
        assert_page(s, (JobFilter){ .ids = wanted }, 2, IDS("d", "b"));
        assert_page(s, (JobFilter){ .ids = wanted, .limit = 1, .order = JOB_ORDER_OLDEST }, 2, IDS("b"));
        assert_page(s, (JobFilter){ .ids = wanted, .order = JOB_ORDER_QUEUE }, 2, IDS("b", "d"));
        assert_page(s, (JobFilter){ .ids = wanted, .states = 1u << JOB_CANCELLED }, 1, IDS("d"));
}
END_TEST

START_TEST(what_was_inserted_survives_a_kill) {
        _cleanup_test_dir_ char *dir = test_dir();
        int told[2];
        char id;

        ck_assert_int_eq(pipe(told), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                Store *s = open_owner(dir);

                for (char name[2] = "a"; name[0] <= 'z'; name[0]++) {
                        if (insert(s, name, 50) < 0 || write(told[1], name, 1) != 1)
                                _exit(1);
                }
                for (;;)
                        (void) pause();
        }
        for (int i = 0; i < 26; i++)
                ck_assert_int_eq(read(told[0], &id, 1), 1);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        close(told[0]);
        close(told[1]);

        _cleanup_(store_freep) Store *s = open_owner(dir);
        uint64_t counts[_JOB_STATE_MAX];
        ck_assert_int_eq(store_jobs_count(s, counts), 0);
        ck_assert_uint_eq(counts[JOB_QUEUED], 26);
}
END_TEST

START_TEST(a_reader_without_any_rights_reads_while_the_owner_is_away) {
        _cleanup_test_dir_ char *dir = test_dir();
        Store *s = open_owner(dir);
        int status;

        insert(s, "a", 50);
        ck_assert_ptr_null(store_free(s));
        ck_assert_int_eq(chmod(dir, 0755), 0);
        pid_t pid = fork();
        if (pid == 0) {
                Store *reader;
                JobRow *row;

                if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
                        _exit(2);
                if (open_reader(dir, &reader) < 0)
                        _exit(3);
                if (store_job_get(reader, "a", &row) < 0)
                        _exit(4);
                if (insert(reader, "b", 50) >= 0)
                        _exit(5);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}
END_TEST

/* In the manager's sandbox there is nowhere to put them. */
START_TEST(no_temporary_files_are_needed) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *owner = open_owner(dir), *reader = NULL;

        ck_assert_int_eq(open_reader(dir, &reader), 0);
        Store *const stores[] = { owner, reader };
        for (size_t i = 0; i < ELEMENTSOF(stores); i++) {
                sqlite3_stmt *st;

                ck_assert_int_eq(sqlite3_prepare_v2(stores[i]->db, "PRAGMA temp_store", -1, &st, NULL),
                                SQLITE_OK);
                ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
                ck_assert_int_eq(sqlite3_column_int(st, 0), 2);
                ck_assert_int_eq(sqlite3_finalize(st), SQLITE_OK);
        }
}
END_TEST

START_TEST(a_reader_sees_each_commit_at_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(store_freep) Store *owner = open_owner(dir), *reader = NULL;
        _cleanup_(job_row_freep) JobRow *row = NULL;

        ck_assert_int_eq(open_reader(dir, &reader), 0);
        ck_assert_int_eq(store_job_get(reader, "a", &row), -ENOENT);
        insert(owner, "a", 50);
        ck_assert_int_eq(store_job_get(reader, "a", &row), 0);
        change(owner, "a", JOB_QUEUED, JOB_CANCELLED);
        row = job_row_free(row);
        ck_assert_int_eq(store_job_get(reader, "a", &row), 0);
        ck_assert_int_eq(row->state, JOB_CANCELLED);
}
END_TEST

static void run_sql(const char *dir, const char *sql) {
        _cleanup_free_ char *path = strprintf("%s/hyper.db", dir);
        sqlite3 *db;

        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* The index of the log, in memory: what SQLite's walIndexHdr and walCkptInfo describe. */
typedef struct LogIndex {
        uint8_t head[2][48];
        uint32_t backfilled, marks[5];
} LogIndex;

/* Of the children that read: what their pauses do. */
static struct {
        LogIndex *index, whole;
        unsigned pauses, mend_at, unlock_at;
        int from_owner, to_owner;
} spoilt;

static void mend_in_the_end(unsigned looks) {
        char c;

        spoilt.pauses++;
        if (looks == spoilt.unlock_at &&
                        (write(spoilt.to_owner, "", 1) != 1 || read(spoilt.from_owner, &c, 1) != 1))
                _exit(7);
        if (looks == spoilt.mend_at)
                *spoilt.index = spoilt.whole;
}

static void spoil_head(LogIndex *index) {
        index->head[0][8] ^= 1;
}

/* As if the owner had begun the log anew, and were about to say so to the readers. */
static void spoil_marks(LogIndex *index) {
        for (size_t i = 1; i < ELEMENTSOF(index->marks); i++)
                index->marks[i] = 1000000;
}

/* Reads without any rights: SQLite behaves differently where it cannot write the log's index. The exit status
 * is 0 if the value could be read, and 1 if not. */
static int read_once(const char *dir, void (*spoil)(LogIndex *index)) {
        _cleanup_free_ char *value = NULL;
        Store *reader;
        int r;

        if (setgid(65534) < 0 || setuid(65534) < 0 || open_reader(dir, &reader) < 0)
                return 2;
        reader->pause = mend_in_the_end;
        spoilt.whole = *spoilt.index;
        spoil(spoilt.index);
        r = store_get_fact(reader, "n", &value);
        if (r < 0 && r != -EROFS)
                return 3;
        return r < 0;
}

/* What a reader returns that finds the index spoilt until it has looked @mend_at times and once more. The
 * owner holds its lock until it has looked @unlock_at times; 0: not at all, UINT_MAX: for ever. */
static int read_spoilt(
                void (*spoil)(LogIndex *index), unsigned unlock_at, unsigned mend_at, unsigned *ret_pauses) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hyper.db-shm", dir);
        int status, fd, pair[2], ready[2];
        Store *owner = open_owner(dir);
        pid_t pid;
        char c;

        ck_assert_int_eq(chmod(dir, 0755), 0);
        ck_assert_int_eq(store_set_fact(owner, "n", "0"), 0);
        /* A connection must not be there when a process forks: both would take the index for theirs. */
        store_free(owner);
        ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (read(ready[0], &c, 1) != 1)
                        _exit(4);
                fd = open(path, O_RDWR | O_CLOEXEC);
                spoilt.index = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                if (fd < 0 || spoilt.index == MAP_FAILED)
                        _exit(5);
                spoilt.mend_at = mend_at;
                spoilt.unlock_at = unlock_at > 0 ? unlock_at : UINT_MAX;
                spoilt.from_owner = ready[0];
                spoilt.to_owner = pair[1];
                status = read_once(dir, spoil);
                if (write(pair[1], &spoilt.pauses, sizeof(spoilt.pauses)) != sizeof(spoilt.pauses))
                        _exit(6);
                _exit(status);
        }
        owner = open_owner(dir);
        ck_assert_int_eq(store_set_fact(owner, "n", "1"), 0);
        if (unlock_at > 0)
                ck_assert_int_eq(sqlite3_exec(owner->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(write(ready[1], "", 1), 1);
        if (unlock_at > 0 && unlock_at < UINT_MAX) {
                ck_assert_int_eq(read(pair[0], &c, 1), 1);
                ck_assert_int_eq(sqlite3_exec(owner->db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
                ck_assert_int_eq(write(ready[1], "", 1), 1);
        }
        ck_assert_int_eq(read(pair[0], ret_pauses, sizeof(*ret_pauses)), sizeof(*ret_pauses));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        store_free(owner);
        close(pair[0]);
        close(pair[1]);
        close(ready[0]);
        close(ready[1]);
        return WEXITSTATUS(status);
}

START_TEST(a_reader_does_not_take_an_owner_that_writes_for_one_that_died) {
        unsigned pauses;

        if (geteuid() != 0) /* there is nobody else to be */
                return;
        /* The head is half written, and nobody holds the lock any more. */
        ck_assert_int_eq(read_spoilt(spoil_head, 0, 3, &pauses), 0);
        ck_assert_uint_eq(pauses, 4);
        /* The owner begins the log anew. However long it does not run, it is waited for. */
        ck_assert_int_eq(read_spoilt(spoil_marks, UINT_MAX, 10 * SQL_LOOKS_MAX, &pauses), 0);
        ck_assert_uint_eq(pauses, 10 * SQL_LOOKS_MAX + 1);
        /* It is done between a look and the question who writes. */
        ck_assert_int_eq(read_spoilt(spoil_marks, 10 * SQL_LOOKS_MAX, 10 * SQL_LOOKS_MAX + 1, &pauses), 0);
        ck_assert_uint_eq(pauses, 10 * SQL_LOOKS_MAX + 2);
}
END_TEST

START_TEST(a_reader_does_not_wait_for_an_owner_that_died) {
        unsigned pauses;

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(read_spoilt(spoil_head, 0, UINT_MAX, &pauses), 1);
        ck_assert_uint_eq(pauses, SQL_LOOKS_MAX);
        ck_assert_int_eq(read_spoilt(spoil_marks, 0, UINT_MAX, &pauses), 1);
        ck_assert_uint_eq(pauses, SQL_LOOKS_MAX);
        /* Nor for ever for one that was stopped. */
        ck_assert_int_eq(read_spoilt(spoil_marks, UINT_MAX, UINT_MAX, &pauses), 1);
        ck_assert_uint_eq(pauses, SQL_LOOKS_WRITING);
}
END_TEST

START_TEST(a_database_that_is_not_ours_is_refused) {
        _cleanup_test_dir_ char *foreign = test_dir(), *newer = test_dir(), *garbage = test_dir(),
                                *nothing = test_dir();
        _cleanup_free_ char *path = strprintf("%s/hyper.db", garbage),
                            *there = strprintf("%s/hyper.db", foreign);
        Store *s;

        run_sql(foreign, "CREATE TABLE somebody (elses INTEGER)");
        ck_assert_int_eq(store_open(there, STORE_OWNER, &s), -EBADMSG);

        store_free(open_owner(newer));
        run_sql(newer, "UPDATE schema_version SET version = 99");
        ck_assert_int_eq(open_reader(newer, &s), -EBADMSG);

        FILE *f = fopen(path, "w");
        for (int i = 0; i < 4096; i++)
                fputc('x', f);
        fclose(f);
        ck_assert_int_eq(store_open(path, STORE_OWNER, &s), -EBADMSG);
        ck_assert_int_eq(open_reader(nothing, &s), -ENOENT);
}
END_TEST

START_TEST(facts_outlive_their_owner) {
        _cleanup_test_dir_ char *dir = test_dir();
        Store *s = open_owner(dir);
        _cleanup_free_ char *value = NULL;

        ck_assert_int_eq(store_get_fact(s, "cursor", &value), -ENOENT);
        ck_assert_int_eq(store_set_fact(s, "cursor", "one"), 0);
        ck_assert_int_eq(store_set_fact(s, "cursor", "two"), 0);
        ck_assert_ptr_null(store_free(s));
        s = open_owner(dir);
        ck_assert_int_eq(store_get_fact(s, "cursor", &value), 0);
        ck_assert_str_eq(value, "two");
        store_free(s);
}
END_TEST

static void insert_sent(Store *s, const char *id, const char *request, const char *spec) {
        const JobStateRow queued = { JOB_QUEUED, 1, (char *) "" };
        JobRow row = { .id = (char *) id,
                .operation = (char *) "convert",
                .spec = (char *) spec,
                .dialect = (char *) "bus",
                .request = (char *) request,
                .created_at = 1,
                .updated_at = 1,
                .percent = -1,
                .phase = _PHASE_INVALID };

        ck_assert_int_eq(store_job_insert(s, &row, &queued, 1), 0);
        free(row.reason);
}

START_TEST(all_jobs_that_ended_are_counted_and_those_of_a_workflow_found) {
        _cleanup_test_dir_ char *dir = test_dir();
        Store *s = open_owner(dir);
        uint64_t n;

        store_free(s);
        /* More than a page; the first one ended last. */
        run_sql(dir,
                        "WITH RECURSIVE c (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 1500) "
                        "INSERT INTO jobs (id, operation, spec, dialect, state, priority, retry_count, "
                        "idempotent, created_at, updated_at, finished_at) SELECT 'j' || i, 'convert', '{}', 'bus', "
                        "'COMPLETED', 50, 0, 1, i, i, iif(i = 1, 9000, i) FROM c");
        s = open_owner(dir);
        ck_assert_int_eq(store_jobs_count_ended(s, JOB_COMPLETED, 2, &n), 0);
        ck_assert_uint_eq(n, 1500);
        ck_assert_int_eq(store_jobs_count_ended(s, JOB_COMPLETED, 1500, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(store_jobs_count_ended(s, JOB_FAILED, 0, &n), 0);
        ck_assert_uint_eq(n, 0);

        insert_sent(s, "first", "{\"workflow_id\":\"w\"}", "{}");
        insert_sent(s, "bus", NULL, "{\"workflow_id\":\"w\"}");
        insert_sent(s, "number", "{\"workflow_id\":7}", "{}");
        insert_sent(s, "nonsense", "workflow_id", "{\"workflow_id\":\"w\"}");
        assert_page(s, (JobFilter){ .workflow_id = "w" }, 2, IDS("bus", "first"));
        assert_page(s, (JobFilter){ .workflow_id = "w", .limit = 1, .offset = 1 }, 2, IDS("first"));
        assert_page(s, (JobFilter){ .workflow_id = "7" }, 0, NONE);
        assert_page(s, (JobFilter){ .workflow_id = "w", .states = 1u << JOB_FAILED }, 0, NONE);
        store_free(s);
}
END_TEST

TEST_MAIN("store", all_jobs_that_ended_are_counted_and_those_of_a_workflow_found,
                a_job_reads_back_as_it_was_written, an_id_is_taken_once,
                a_change_applies_only_to_the_state_it_was_made_for, several_changes_are_one_transaction,
                changes_are_read_in_the_order_in_which_they_were_recorded,
                the_queue_is_by_priority_then_arrival, places_in_the_queue_are_right_whoever_comes_and_goes,
                progress_of_a_finished_job_is_passed_over, pages_are_filtered_ordered_and_counted,
                what_was_inserted_survives_a_kill, a_reader_without_any_rights_reads_while_the_owner_is_away,
                no_temporary_files_are_needed, a_reader_sees_each_commit_at_once,
                a_reader_does_not_take_an_owner_that_writes_for_one_that_died,
                a_reader_does_not_wait_for_an_owner_that_died, a_database_that_is_not_ours_is_refused,
                facts_outlive_their_owner)
