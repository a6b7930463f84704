/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/slurm-jobs.h"
#include "basic/string-util.h"
#include "store/sql.h"

/* Slurm is asked again for so many at once. */
#define REFUSED_MAX 8u

void slurm_row_done(SlurmRow *row) {
        free(row->id);
        free(row->limits);
        free(row->state);
        free(row->reason);
        *row = (SlurmRow){};
}

void slurm_rows_done(SlurmRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                slurm_row_done(&rows->rows[i]);
        free(rows->rows);
        *rows = (SlurmRows){};
}

/* On failure what @row got is the caller's to free. */
static int row_read(sqlite3_stmt *st, void *ret) {
        const char *state = (const char *) sqlite3_column_text(st, 1);
        SlurmRow *row = ret;

        *row = (SlurmRow){
                .job_state = state ? job_state_from_string(state) : _JOB_STATE_INVALID,
                .job_attempt = (unsigned) sqlite3_column_int64(st, 2),
                .priority = (unsigned) sqlite3_column_int64(st, 3),
                .demand = (uint64_t) sqlite3_column_int64(st, 4),
                .timeout_seconds = (unsigned) sqlite3_column_int64(st, 5),
                .number = (uint32_t) sqlite3_column_int64(st, 7),
                .attempt = (unsigned) sqlite3_column_int64(st, 10),
                .failures = (unsigned) sqlite3_column_int64(st, 11),
                .finished_at = (usec_t) sqlite3_column_int64(st, 12),
        };
        int r = sql_column_texts(st,
                        (SqlText[]){ { 0, &row->id }, { 6, &row->limits }, { 8, &row->state },
                                        { 9, &row->reason }, {} });

        return r < 0 ? r : row->id && row->job_state >= 0 ? 0 : -EBADMSG;
}

int store_slurm_get(Store *s, const char *id, SlurmRow *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SLURM_GET);
        SlurmRow row = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                r = row_read(st, &row);
        if (r < 0) {
                slurm_row_done(&row);
                return r;
        }
        *ret = row;
        return 0;
}

int store_slurm_put(Store *s, const SlurmRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SLURM_PUT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        sql_bind_uint(st, 2, row->number);
        sql_bind_uint(st, 3, row->attempt);
        sql_bind_text(st, 4, strempty(row->state));
        sql_bind_text(st, 5, strempty(row->reason));
        sql_bind_uint(st, 6, row->failures);
        return sql_run(s, st);
}

static int list(Store *s, StatementId id, unsigned limit, bool refused, SlurmRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, id);
        _cleanup_(slurm_rows_done) SlurmRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        if (limit > 0) {
                sql_bind_uint(st, 1, limit);
                sql_bind_uint(st, 2, refused);
        }
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (SlurmRows){};
        return 0;
}

int store_slurm_known(Store *s, SlurmRows *ret) {
        return list(s, SQL_SLURM_KNOWN, 0, false, ret);
}

int store_slurm_next(Store *s, unsigned limit, SlurmRows *ret) {
        int r = limit == 0 ? 0 : list(s, SQL_SLURM_NEXT, limit, false, ret);

        return r >= 0 && limit > 0 && ret->n == 0
                        ? list(s, SQL_SLURM_NEXT, MIN(limit, REFUSED_MAX), true, ret)
                        : r;
}

int slurm_waits_text(Store *s, int64_t seq, bool waits, char **text) {
        _cleanup_sql_done_ sqlite3_stmt *st = waits ? sql_statement(s, SQL_SLURM_STATE) : NULL;
        _cleanup_free_ char *state = NULL, *reason = NULL, *all = NULL;
        bool known = false;
        int r;

        if (!st)
                return waits ? sql_errno(s) : 0;
        sql_bind_uint(st, 1, (uint64_t) seq);
        r = sql_row(s, st);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                known = sqlite3_column_int64(st, 0) > 0;
                r = sql_column_texts(st, (SqlText[]){ { 1, &state }, { 2, &reason }, {} });
                if (r < 0)
                        return r;
        }
        all = strprintf("%s%sslurm:%s", strempty(*text), *text ? "\n" : "",
                        known && streq_ptr(state, "PENDING") && !isempty(reason) ? reason
                                        : known || streq_ptr(state, "REFUSED")   ? strempty(state)
                                                                                 : "not-submitted");
        if (!all)
                return -ENOMEM;
        free(*text);
        *text = TAKE_PTR(all);
        return 0;
}
