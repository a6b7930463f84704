/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/schedule-runs.h"
#include "basic/string-util.h"
#include "store/delivery-events.h"
#include "store/sql.h"

void schedule_runs_done(ScheduleRuns *runs) {
        for (size_t i = 0; i < runs->n; i++) {
                free(runs->runs[i].schedule_id);
                free(runs->runs[i].job_id);
                free(runs->runs[i].status);
        }
        runs->runs = mfree(runs->runs);
        runs->n = 0;
}

static int insert_run(Store *s, const char *id, usec_t now, const char *job_id, const char *status) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_RUN_INSERT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, now);
        sql_bind_text(st, 3, job_id);
        sql_bind_text(st, 4, status);
        return sql_run_on_one(s, st);
}

/* Only runs with a job count as runs, and that is known when it was submitted. */
int store_schedule_fire(Store *s, const char *id, usec_t now, const char *job_id, const char *status,
                usec_t next_at, int64_t *ret_seq) {
        sqlite3_stmt *st;
        int64_t seq = 0;
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = insert_run(s, id, now, job_id, status);
        if (r >= 0) {
                seq = sqlite3_last_insert_rowid(s->db);
                st = sql_statement(s, SQL_SCHEDULE_RAN);
                if (!st)
                        r = sql_errno(s);
                else {
                        sql_bind_text(st, 1, id);
                        sql_bind_uint(st, 2, now);
                        sql_bind_text(st, 3, job_id);
                        sql_bind_text(st, 4, status);
                        sql_bind_uint(st, 5, next_at);
                        sql_bind_uint(st, 6, 0);
                        r = sql_run(s, st);
                        sql_donep(&st);
                }
        }
        r = sql_end(s, r);
        if (r >= 0)
                *ret_seq = seq;
        return r;
}

int store_schedule_run_change(
                Store *s, int64_t seq, const char *schedule_id, const char *job_id, const char *status) {
        sqlite3_stmt *st;
        int r = sql_begin(s);

        if (r < 0)
                return r;
        st = sql_statement(s, SQL_SCHEDULE_RUN_STATUS);
        if (!st)
                return sql_end(s, sql_errno(s));
        (void) sqlite3_bind_int64(st, 1, seq);
        sql_bind_text(st, 2, status);
        sql_bind_text(st, 3, job_id);
        r = sql_run(s, st);
        sql_donep(&st);
        st = r >= 0 ? sql_statement(s, SQL_SCHEDULE_LAST_STATUS) : NULL;
        if (r >= 0 && !st)
                r = sql_errno(s);
        if (r >= 0) {
                sql_bind_text(st, 1, schedule_id);
                sql_bind_text(st, 2, job_id);
                sql_bind_text(st, 3, status);
                sql_bind_uint(st, 4, streq(status, RUN_REFUSED));
                sql_bind_uint(st, 5, streq(status, RUN_RUNNING) || streq(status, RUN_REFUSED));
                r = sql_run(s, st);
                sql_donep(&st);
        }
        if (r >= 0 && job_id && streq(status, RUN_RUNNING))
                r = deliveries_add_run(s, WEBHOOK_SCHEDULE_TRIGGERED, job_id, 0);
        return sql_end(s, r);
}

int store_schedule_set_next(Store *s, const char *id, usec_t next_at) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_NEXT_AT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, next_at);
        return sql_run_on_one(s, st);
}

static int count_runs(Store *s, StatementId statement, const char *id, uint64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, statement);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                *ret = (uint64_t) sqlite3_column_int64(st, 0);
        return r;
}

int store_schedule_busy(Store *s, const char *id, uint64_t *ret_running, uint64_t *ret_waiting) {
        int r = count_runs(s, SQL_SCHEDULE_BUSY, id, ret_running);

        return r < 0 ? r : count_runs(s, SQL_SCHEDULE_WAITING, id, ret_waiting);
}

static int run_read(sqlite3_stmt *st, void *ret) {
        ScheduleRun *run = ret;

        run->seq = sqlite3_column_int64(st, 0);
        run->started_at = (usec_t) sqlite3_column_int64(st, 2);
        return sql_column_texts(st,
                        (SqlText[]){ { 1, &run->schedule_id }, { 3, &run->job_id }, { 4, &run->status },
                                        {} });
}

static int read_runs(Store *s, sqlite3_stmt *st, ScheduleRuns *ret) {
        _cleanup_(schedule_runs_done) ScheduleRuns runs = {};
        int r = SQL_READ_ROWS(s, st, run_read, runs.runs, runs.n);

        if (r < 0)
                return r;
        *ret = runs;
        runs = (ScheduleRuns){};
        return 0;
}

int store_schedule_runs_pending(Store *s, const char *id, ScheduleRuns *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_RUNS_PENDING);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return read_runs(s, st, ret);
}

int store_schedule_runs_list(Store *s, const char *id, uint64_t limit, ScheduleRuns *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_RUNS_LIST);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, limit);
        return read_runs(s, st, ret);
}
