/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/sources.h"
#include "basic/string-util.h"
#include "store/sql.h"

void source_row_done(SourceRow *row) {
        free(row->name);
        free(row->type);
        free(row->url);
        free(row->username);
        free(row->datacenter);
        free(row->ca);
        free(row->thumbprint);
        free(row->credentials);
        *row = (SourceRow){};
}

SourceRow *source_row_free(SourceRow *row) {
        if (!row)
                return NULL;
        source_row_done(row);
        return mfree(row);
}

void source_rows_done(SourceRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                source_row_done(&rows->rows[i]);
        free(rows->rows);
        *rows = (SourceRows){};
}

/* The columns of SOURCE_COLUMNS. */
static int row_read(sqlite3_stmt *st, void *ret) {
        SourceRow row = { .created_at = (usec_t) sqlite3_column_int64(st, 8) };
        int r = sql_column_texts(st,
                        (SqlText[]){ { 0, &row.name }, { 1, &row.type }, { 2, &row.url },
                                        { 3, &row.username }, { 4, &row.datacenter }, { 5, &row.ca },
                                        { 6, &row.thumbprint }, { 7, &row.credentials }, {} });

        if (r >= 0 && (!row.name || !row.type || !row.url || !row.username || !row.credentials))
                r = -EBADMSG;
        if (r < 0) {
                source_row_done(&row);
                return r;
        }
        *(SourceRow *) ret = row;
        return 0;
}

int store_source_insert(Store *s, const SourceRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SOURCE_INSERT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->name);
        sql_bind_text(st, 2, row->type);
        sql_bind_text(st, 3, row->url);
        sql_bind_text(st, 4, row->username);
        sql_bind_text(st, 5, row->datacenter);
        sql_bind_text(st, 6, row->ca);
        sql_bind_text(st, 7, row->thumbprint);
        sql_bind_text(st, 8, row->credentials);
        sql_bind_uint(st, 9, row->created_at);
        return sql_run(s, st);
}

int store_source_delete(Store *s, const char *name) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SOURCE_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, name);
        return sql_run_on_one(s, st);
}

int store_source_replace(Store *s, const SourceRow *row) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = store_source_delete(s, row->name);
        if (r >= 0)
                r = store_source_insert(s, row);
        return sql_end(s, r);
}

int store_source_get(Store *s, const char *name, SourceRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SOURCE_GET);
        _cleanup_(source_row_freep) SourceRow *row = new0(SourceRow, 1);
        int r;

        if (!st)
                return sql_errno(s);
        if (!row)
                return -ENOMEM;
        sql_bind_text(st, 1, name);
        r = sql_row(s, st);
        if (r >= 0)
                r = row_read(st, row);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(row);
        return 0;
}

int store_sources_list(Store *s, SourceRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SOURCES_LIST);
        _cleanup_(source_rows_done) SourceRows rows = {};
        int r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);

        if (r < 0)
                return r;
        *ret = rows;
        rows = (SourceRows){};
        return 0;
}
