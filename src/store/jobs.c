/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/jobs.h"
#include "basic/string-util.h"
#include "spec/job-demand.h"
#include "spec/job-state.h"
#include "store/limit-waits.h"
#include "store/slurm-jobs.h"
#include "store/sql.h"

JobRow *job_row_free(JobRow *row) {
        if (!row)
                return NULL;
        free(row->id);
        free(row->operation);
        free(row->spec);
        free(row->dialect);
        free(row->request);
        free(row->reason);
        free(row->worker_id);
        free(row->result);
        free(row->warm);
        free(row->carbon);
        free(row->submitter);
        free(row->limits);
        free(row->waits_for);
        free(row->source_path);
        free(row->destination_path);
        return mfree(row);
}

bool job_row_remaining(const JobRow *row, uint64_t *ret_seconds) {
        if (job_state_is_terminal(row->state)) {
                *ret_seconds = 0;
                return true;
        }
        if (row->state != JOB_RUNNING || row->rate == 0 || row->bytes_total == 0 ||
                        row->bytes_done > row->bytes_total)
                return false;

        uint64_t left = row->bytes_total - row->bytes_done;
        *ret_seconds = left / row->rate + (left % row->rate > 0);
        return true;
}

void job_state_rows_free(JobStateRow *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(rows[i].reason);
        free(rows);
}

int job_row_read(sqlite3_stmt *st, void *ret) {
        _cleanup_(job_row_freep) JobRow *row = new0(JobRow, 1);
        const char *state, *phase;

        if (!row)
                return -ENOMEM;
        row->seq = sqlite3_column_int64(st, 0);
        const SqlText texts[] = {
                { 1, &row->id },
                { 2, &row->operation },
                { 3, &row->spec },
                { 4, &row->dialect },
                { 5, &row->request },
                { 7, &row->reason },
                { 13, &row->worker_id },
                { 24, &row->result },
                { 29, &row->source_path },
                { 30, &row->destination_path },
                { 31, &row->warm },
                { 32, &row->carbon },
                { 33, &row->submitter },
                {},
        };
        int r = sql_column_texts(st, texts);
        if (r < 0)
                return r;
        state = (const char *) sqlite3_column_text(st, 6);
        row->state = state ? job_state_from_string(state) : _JOB_STATE_INVALID;
        if (row->state < 0 || !row->id || !row->spec)
                return -EBADMSG;
        row->priority = (unsigned) sqlite3_column_int64(st, 8);
        row->attempt = (unsigned) sqlite3_column_int64(st, 9);
        row->retry_count = (unsigned) sqlite3_column_int64(st, 10);
        row->idempotent = sqlite3_column_int(st, 11);
        row->any_worker = sqlite3_column_int(st, 12);
        row->created_at = (usec_t) sqlite3_column_int64(st, 14);
        row->updated_at = (usec_t) sqlite3_column_int64(st, 15);
        row->started_at = (usec_t) sqlite3_column_int64(st, 16);
        row->finished_at = (usec_t) sqlite3_column_int64(st, 17);
        row->due_at = (usec_t) sqlite3_column_int64(st, 18);
        phase = (const char *) sqlite3_column_text(st, 19);
        row->phase = phase ? job_phase_from_string(phase) : _PHASE_INVALID;
        row->percent = sqlite3_column_double(st, 20);
        row->bytes_done = (uint64_t) sqlite3_column_int64(st, 21);
        row->bytes_total = (uint64_t) sqlite3_column_int64(st, 22);
        row->rate = (uint64_t) sqlite3_column_int64(st, 23);
        row->demand = (uint64_t) sqlite3_column_int64(st, 25);
        row->timeout_seconds = (unsigned) sqlite3_column_int64(st, 26);
        row->deadline_at = (usec_t) sqlite3_column_int64(st, 27);
        row->role = role_from_string((const char *) sqlite3_column_text(st, 28));
        row->limit_set = sqlite3_column_int64(st, 34);
        if (row->role < 0)
                return -EBADMSG;
        *(JobRow **) ret = TAKE_PTR(row);
        return 0;
}

bool job_row_is_for_workers(const JobRow *row) {
        return row->any_worker && !(job_demand_unpack(row->demand).capabilities & DEMAND_SLURM);
}

int job_row_fill(Store *s, JobRow *row) {
        int r = limits_waits_text(s, row->state, row->due_at, row->limit_set, job_row_is_for_workers(row),
                        &row->waits_for);

        return r < 0 ? r
                     : slurm_waits_text(s, row->seq,
                                       row->state == JOB_QUEUED && row->due_at == 0 &&
                                                       (job_demand_unpack(row->demand).capabilities &
                                                                       DEMAND_SLURM),
                                       &row->waits_for);
}

/* A statement that gives one row at most. -ENOENT if it gives none. */
static int job_row_query(Store *s, sqlite3_stmt *st, JobRow **ret) {
        int r = sql_row(s, st);

        _cleanup_(job_row_freep) JobRow *row = NULL;

        if (r >= 0)
                r = job_row_read(st, &row);
        if (r >= 0)
                r = job_row_fill(s, row);
        if (r >= 0)
                *ret = TAKE_PTR(row);
        return r;
}

int store_job_get(Store *s, const char *id, JobRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_GET);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return job_row_query(s, st, ret);
}

static int state_row_read(sqlite3_stmt *st, void *ret) {
        const char *state = (const char *) sqlite3_column_text(st, 0);
        JobStateRow *row = ret;

        row->state = state ? job_state_from_string(state) : _JOB_STATE_INVALID;
        row->timestamp = (usec_t) sqlite3_column_int64(st, 1);
        return row->state < 0 ? -EBADMSG : sql_column_strdup(st, 2, &row->reason);
}

int store_job_states(Store *s, const char *id, JobStateRow **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_STATES);
        JobStateRow *rows = NULL;
        size_t n = 0;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = SQL_READ_ROWS(s, st, state_row_read, rows, n);
        if (r < 0) {
                job_state_rows_free(rows, n);
                return r;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

int store_job_queue_position(Store *s, const char *id, JobState *ret_state, uint64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_QUEUE_POSITION);
        const char *text;
        JobState state;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r < 0)
                return r;
        text = (const char *) sqlite3_column_text(st, 0);
        state = text ? job_state_from_string(text) : _JOB_STATE_INVALID;
        if (state < 0)
                return -EBADMSG;
        if (ret_state)
                *ret_state = state;
        *ret = (uint64_t) sqlite3_column_int64(st, 1);
        return 0;
}
