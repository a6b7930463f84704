/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pages of jobs. A page by state walks the index (state, seq) once per wanted state and merges, so it
 * touches only what it skips and what it gives, and the totals come from the counters. */

#include <jansson.h>

#include "spec/job-state.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/sql.h"

void job_rows_done(JobRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                job_row_free(rows->rows[i]);
        free(rows->rows);
        *rows = (JobRows){};
}

static void bind_page(sqlite3_stmt *st, int first, const JobFilter *filter) {
        (void) sqlite3_bind_int64(st, first,
                        filter->limit > 0 ? (int64_t) MIN(filter->limit, (uint64_t) INT64_MAX) : -1);
        (void) sqlite3_bind_int64(st, first + 1, (int64_t) MIN(filter->offset, (uint64_t) INT64_MAX));
}

static void bind_before(sqlite3_stmt *st, int i, const JobFilter *filter) {
        (void) sqlite3_bind_int64(st, i, filter->before > 0 ? filter->before : INT64_MAX);
}

static int list_by_state(Store *s, const JobFilter *filter, JobRows *rows) {
        static const StatementId statements[] = {
                [JOB_ORDER_NEWEST] = SQL_JOBS_NEWEST,
                [JOB_ORDER_OLDEST] = SQL_JOBS_OLDEST,
                [JOB_ORDER_QUEUE] = SQL_JOBS_BY_QUEUE,
        };
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, statements[filter->order]);
        uint64_t counts[_JOB_STATE_MAX];
        int r;

        if (!st)
                return sql_errno(s);
        r = store_jobs_count(s, counts);
        if (r < 0)
                return r;
        for (int i = 0; i < _JOB_STATE_MAX; i++)
                if (filter->states == 0 || filter->states & 1u << i)
                        rows->total += counts[i];
        sql_bind_states(st, 1, filter->states);
        bind_page(st, _JOB_STATE_MAX + 1, filter);
        if (filter->order == JOB_ORDER_NEWEST)
                bind_before(st, _JOB_STATE_MAX + 3, filter);
        return SQL_READ_ROWS(s, st, job_row_read, rows->rows, rows->n);
}

/* Binds ids, order and states, which the page and its total share. */
static int bind_ids(sqlite3_stmt *st, const JobFilter *filter, const char *ids) {
        if (sqlite3_bind_text(st, _JOB_STATE_MAX + 1, ids, -1, SQLITE_STATIC) != SQLITE_OK)
                return -ENOMEM;
        sql_bind_states(st, 1, filter->states);
        return 0;
}

/* Behind a job, a list goes on: its total has been counted. */
static int read_total(Store *s, sqlite3_stmt *st, const JobFilter *filter, JobRows *rows) {
        int r = filter->before > 0 ? 0 : sql_row(s, st);

        if (r >= 0 && filter->before == 0)
                rows->total = (uint64_t) sqlite3_column_int64(st, 0);
        return r;
}

static int list_by_id(Store *s, const JobFilter *filter, JobRows *rows) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_BY_ID);
        _cleanup_sql_done_ sqlite3_stmt *total = sql_statement(s, SQL_JOBS_BY_ID_TOTAL);
        json_auto_t *list = json_array();
        _cleanup_free_ char *ids = NULL;
        int r;

        if (!st || !total)
                return sql_errno(s);
        for (char *const *id = filter->ids; *id; id++)
                if (json_array_append_new(list, json_string(*id)) < 0)
                        return -EINVAL;
        ids = json_dumps(list, JSON_COMPACT);
        if (!ids)
                return -ENOMEM;
        r = bind_ids(total, filter, ids);
        if (r >= 0)
                r = bind_ids(st, filter, ids);
        if (r >= 0)
                r = read_total(s, total, filter, rows);
        if (r < 0)
                return r;
        bind_page(st, _JOB_STATE_MAX + 2, filter);
        (void) sqlite3_bind_int(st, _JOB_STATE_MAX + 4, (int) filter->order);
        bind_before(st, _JOB_STATE_MAX + 5, filter);
        return SQL_READ_ROWS(s, st, job_row_read, rows->rows, rows->n);
}

static void bind_workflow(sqlite3_stmt *st, const JobFilter *filter) {
        sql_bind_states(st, 1, filter->states);
        sql_bind_text(st, _JOB_STATE_MAX + 1, filter->workflow_id);
}

static int list_by_workflow(Store *s, const JobFilter *filter, JobRows *rows) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_BY_WORKFLOW);
        _cleanup_sql_done_ sqlite3_stmt *total = sql_statement(s, SQL_JOBS_BY_WORKFLOW_TOTAL);
        int r;

        if (!st || !total)
                return sql_errno(s);
        bind_workflow(total, filter);
        r = read_total(s, total, filter, rows);
        if (r < 0)
                return r;
        bind_workflow(st, filter);
        bind_page(st, _JOB_STATE_MAX + 2, filter);
        bind_before(st, _JOB_STATE_MAX + 4, filter);
        return SQL_READ_ROWS(s, st, job_row_read, rows->rows, rows->n);
}

int store_jobs_list(Store *s, const JobFilter *filter, JobRows *ret) {
        JobRows rows = {};
        int r;

        r = filter->ids                       ? list_by_id(s, filter, &rows)
                        : filter->workflow_id ? list_by_workflow(s, filter, &rows)
                                              : list_by_state(s, filter, &rows);
        for (size_t i = 0; i < rows.n && r >= 0; i++)
                r = job_row_fill(s, rows.rows[i]);
        if (r < 0) {
                job_rows_done(&rows);
                return r;
        }
        *ret = rows;
        return 0;
}

int store_jobs_on_hold(Store *s, uint64_t limit, JobRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_ON_HOLD);
        JobRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, limit);
        r = SQL_READ_ROWS(s, st, job_row_read, rows.rows, rows.n);
        if (r < 0) {
                job_rows_done(&rows);
                return r;
        }
        rows.total = rows.n;
        *ret = rows;
        return 0;
}

int store_jobs_count_ended(Store *s, JobState state, usec_t since, uint64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_COUNT_ENDED);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, job_state_to_string(state));
        sql_bind_uint(st, 2, since);
        r = sql_row(s, st);
        if (r >= 0)
                *ret = (uint64_t) sqlite3_column_int64(st, 0);
        return r;
}

int store_jobs_count(Store *s, uint64_t ret[static _JOB_STATE_MAX]) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_COUNT);
        uint64_t counts[_JOB_STATE_MAX] = {};
        int r;

        while ((r = sql_next(s, st)) > 0) {
                const char *name = (const char *) sqlite3_column_text(st, 0);
                JobState state = name ? job_state_from_string(name) : _JOB_STATE_INVALID;

                if (state < 0)
                        return -EBADMSG;
                counts[state] = (uint64_t) sqlite3_column_int64(st, 1);
        }
        if (r < 0)
                return r;
        memcpy(ret, counts, sizeof(counts));
        return 0;
}
