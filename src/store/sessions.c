/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/sessions.h"
#include "basic/string-util.h"
#include "store/sql.h"

static void session_row_done(SessionRow *row) {
        free(row->username);
        free(row->address);
        *row = (SessionRow){};
}

SessionRow *session_row_free(SessionRow *row) {
        if (!row)
                return NULL;
        session_row_done(row);
        return mfree(row);
}

void session_rows_done(SessionRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                session_row_done(&rows->rows[i]);
        free(rows->rows);
        *rows = (SessionRows){};
}

/* The columns of SESSION_COLUMNS. */
static int row_read(sqlite3_stmt *st, void *ret) {
        const char *id = (const char *) sqlite3_column_text(st, 0),
                   *role = (const char *) sqlite3_column_text(st, 4);
        SessionRow row = {
                .uid = (uid_t) sqlite3_column_int64(st, 3),
                .role = role_from_string(role),
                .login_at = (usec_t) sqlite3_column_int64(st, 6),
                .created_at = (usec_t) sqlite3_column_int64(st, 7),
                .expires_at = (usec_t) sqlite3_column_int64(st, 8),
        };
        int r;

        if (!id || !session_id_is_valid(id) || row.role < 0 ||
                        sqlite3_column_bytes(st, 1) != sizeof(row.hash.bytes))
                return -EBADMSG;
        memcpy(row.id, id, sizeof(row.id));
        memcpy(row.hash.bytes, sqlite3_column_blob(st, 1), sizeof(row.hash.bytes));
        r = sql_column_texts(st, (SqlText[]){ { 2, &row.username }, { 5, &row.address }, {} });
        if (r >= 0 && (!row.username || !row.address))
                r = -EBADMSG;
        if (r < 0) {
                session_row_done(&row);
                return r;
        }
        *(SessionRow *) ret = row;
        return 0;
}

static int prune(Store *s, usec_t now) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSIONS_PRUNE);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, now);
        return sql_run(s, st);
}

static int insert(Store *s, const SessionRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_INSERT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        (void) sqlite3_bind_blob(st, 2, row->hash.bytes, sizeof(row->hash.bytes), SQLITE_STATIC);
        sql_bind_text(st, 3, row->username);
        sql_bind_uint(st, 4, row->uid);
        sql_bind_text(st, 5, role_to_string(row->role));
        sql_bind_text(st, 6, row->address);
        sql_bind_uint(st, 7, row->login_at);
        sql_bind_uint(st, 8, row->created_at);
        sql_bind_uint(st, 9, row->expires_at);
        return sql_run(s, st);
}

static int shorten(Store *s, const char *id, usec_t until) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_SHORTEN);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, until);
        return sql_run(s, st);
}

static int drop_oldest(Store *s, const char *username, unsigned max) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSIONS_DROP_OLDEST);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, username);
        sql_bind_uint(st, 2, max);
        return sql_run(s, st);
}

int store_session_start(
                Store *s, const SessionRow *row, unsigned max, const char *replaced, usec_t replaced_until) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = prune(s, row->created_at);
        if (r >= 0)
                r = insert(s, row);
        if (r >= 0 && replaced)
                r = shorten(s, replaced, replaced_until);
        if (r >= 0)
                r = drop_oldest(s, row->username, max);
        return sql_end(s, r);
}

/* The only row of a statement. */
static int read_one(Store *s, sqlite3_stmt *st, SessionRow **ret) {
        _cleanup_(session_row_freep) SessionRow *row = new0(SessionRow, 1);
        int r;

        if (!row)
                return -ENOMEM;
        r = sql_row(s, st);
        if (r >= 0)
                r = row_read(st, row);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(row);
        return 0;
}

int store_session_find(Store *s, const ApiKeyHash *hash, SessionRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_FIND);

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_blob(st, 1, hash->bytes, sizeof(hash->bytes), SQLITE_STATIC);
        return read_one(s, st, ret);
}

int store_session_get(Store *s, const char *id, SessionRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_GET);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return read_one(s, st, ret);
}

int store_session_delete(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return sql_run_on_one(s, st);
}

int store_sessions_list(Store *s, const char *username, SessionRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSIONS_LIST);
        _cleanup_(session_rows_done) SessionRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, username);
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (SessionRows){};
        return 0;
}

int store_session_is_known(Store *s, const char *username, const char *address, usec_t now) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SESSION_IS_KNOWN);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, username);
        sql_bind_text(st, 2, address);
        sql_bind_uint(st, 3, now);
        r = sql_row(s, st);
        return r < 0 ? r : sqlite3_column_int(st, 0) > 0;
}
