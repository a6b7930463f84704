/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/uploads.h"
#include "basic/string-util.h"
#include "store/sql.h"

static const char *const states[_UPLOAD_STATE_MAX] = {
        [UPLOAD_OPEN] = "open",
        [UPLOAD_VERIFYING] = "verifying",
        [UPLOAD_COMPLETED] = "completed",
        [UPLOAD_FAILED] = "failed",
};

const char *upload_state_to_string(UploadState s) {
        return states[s];
}

static int state_from_string(const char *text) {
        for (int i = 0; text && i < _UPLOAD_STATE_MAX; i++)
                if (streq(states[i], text))
                        return i;
        return -EBADMSG;
}

uint64_t upload_n_chunks(const UploadRow *row) {
        return (row->size + row->chunk_size - 1) / row->chunk_size;
}

uint64_t upload_chunk_offset(const UploadRow *row, uint64_t chunk) {
        return chunk * row->chunk_size;
}

uint64_t upload_chunk_length(const UploadRow *row, uint64_t chunk) {
        return MIN(row->chunk_size, row->size - upload_chunk_offset(row, chunk));
}

static void row_done(UploadRow *row) {
        free(row->id);
        free(row->owner);
        free(row->filename);
        free(row->sha256);
        free(row->path);
        free(row->error);
}

UploadRow *upload_row_free(UploadRow *row) {
        if (!row)
                return NULL;
        row_done(row);
        return mfree(row);
}

void upload_rows_done(UploadRows *l) {
        for (size_t i = 0; i < l->n; i++)
                row_done(&l->rows[i]);
        free(l->rows);
        *l = (UploadRows){};
}

/* The columns of UPLOAD_COLUMNS. */
static int row_read(sqlite3_stmt *st, UploadRow *row) {
        _cleanup_free_ char *state = NULL;
        int r = sql_column_texts(st,
                        (SqlText[]){ { 0, &row->id }, { 1, &row->owner }, { 2, &row->filename },
                                        { 5, &row->sha256 }, { 6, &state }, { 7, &row->path },
                                        { 8, &row->error }, {} });

        if (r < 0)
                return r;
        row->size = (uint64_t) sqlite3_column_int64(st, 3);
        row->chunk_size = (uint64_t) sqlite3_column_int64(st, 4);
        row->created_at = (usec_t) sqlite3_column_int64(st, 9);
        row->updated_at = (usec_t) sqlite3_column_int64(st, 10);
        r = state_from_string(state);
        if (r < 0 || row->size == 0 || row->chunk_size == 0)
                return -EBADMSG;
        row->state = (UploadState) r;
        return 0;
}

int store_upload_insert(Store *s, const UploadRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_INSERT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        sql_bind_text(st, 2, row->owner);
        sql_bind_text(st, 3, row->filename);
        sql_bind_uint(st, 4, row->size);
        sql_bind_uint(st, 5, row->chunk_size);
        sql_bind_text(st, 6, row->sha256);
        sql_bind_text(st, 7, upload_state_to_string(row->state));
        sql_bind_text(st, 8, row->path);
        sql_bind_text(st, 9, row->error);
        sql_bind_uint(st, 10, row->created_at);
        sql_bind_uint(st, 11, row->updated_at);
        return sql_run(s, st);
}

int store_upload_delete(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return sql_run_on_one(s, st);
}

int store_upload_get(Store *s, const char *id, UploadRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_GET);
        _cleanup_(upload_row_freep) UploadRow *row = new0(UploadRow, 1);
        int r;

        if (!st)
                return sql_errno(s);
        if (!row)
                return -ENOMEM;
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                r = row_read(st, row);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(row);
        return 0;
}

int store_upload_update(Store *s, const UploadRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_UPDATE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        sql_bind_text(st, 2, row->sha256);
        sql_bind_text(st, 3, upload_state_to_string(row->state));
        sql_bind_text(st, 4, row->path);
        sql_bind_text(st, 5, row->error);
        sql_bind_uint(st, 6, row->updated_at);
        return sql_run_on_one(s, st);
}

/* Both rows or none. */
int store_upload_put_chunk(Store *s, const char *id, uint64_t chunk, usec_t now) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        _cleanup_sql_done_ sqlite3_stmt *touch = sql_statement_any(s, SQL_UPLOAD_TOUCH),
                                        *put = sql_statement_any(s, SQL_UPLOAD_CHUNK_PUT);
        if (!touch || !put)
                return sql_end(s, sql_errno(s));
        sql_bind_text(touch, 1, id);
        sql_bind_uint(touch, 2, now);
        r = sql_run_on_one(s, touch);
        if (r >= 0) {
                sql_bind_text(put, 1, id);
                sql_bind_uint(put, 2, chunk);
                r = sql_run(s, put);
        }
        return sql_end(s, r);
}

int store_upload_drop_chunk(Store *s, const char *id, uint64_t chunk) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_CHUNK_DROP);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, chunk);
        return sql_run(s, st);
}

static int chunk_read(sqlite3_stmt *st, void *ret) {
        *(uint64_t *) ret = (uint64_t) sqlite3_column_int64(st, 0);
        return 0;
}

int store_upload_chunks(Store *s, const char *id, uint64_t **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_CHUNKS);
        uint64_t *chunks = NULL;
        size_t n = 0;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        int r = SQL_READ_ROWS(s, st, chunk_read, chunks, n);
        if (r < 0) {
                free(chunks);
                return r;
        }
        *ret = chunks;
        *ret_n = n;
        return 0;
}

static int recent_read(sqlite3_stmt *st, void *ret) {
        return row_read(st, ret);
}

int store_uploads_recent(Store *s, usec_t since, UploadRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOADS_RECENT);
        _cleanup_(upload_rows_done) UploadRows l = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, since);
        r = SQL_READ_ROWS(s, st, recent_read, l.rows, l.n);
        if (r < 0)
                return r;
        *ret = l;
        l = (UploadRows){};
        return 0;
}

int store_uploads_count(Store *s, const char *owner, UploadCounts *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOADS_COUNT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, owner);
        int r = sql_row(s, st);
        if (r < 0)
                return r;
        *ret = (UploadCounts){
                .n = (uint64_t) sqlite3_column_int64(st, 0),
                .n_owner = (uint64_t) sqlite3_column_int64(st, 1),
                .size = (uint64_t) sqlite3_column_int64(st, 2),
        };
        return 0;
}

int store_upload_find_expired(Store *s, usec_t before, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_UPLOAD_EXPIRED);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, before);
        int r = sql_row(s, st);
        return r < 0 ? r : sql_column_strdup(st, 0, ret);
}
