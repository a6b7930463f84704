/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/api-keys.h"
#include "basic/string-util.h"
#include "store/sql.h"

void api_key_rows_done(ApiKeyRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                free(rows->rows[i].name);
        free(rows->rows);
        *rows = (ApiKeyRows){};
}

int store_api_key_insert(Store *s, const ApiKeyRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_API_KEY_INSERT);
        _cleanup_free_ char *scopes = scopes_to_text(row->scopes);

        if (!st)
                return sql_errno(s);
        if (!scopes)
                return -ENOMEM;
        sql_bind_text(st, 1, row->id.text);
        sql_bind_text(st, 2, row->name);
        (void) sqlite3_bind_blob(st, 3, row->hash.bytes, sizeof(row->hash.bytes), SQLITE_STATIC);
        sql_bind_text(st, 4, scopes);
        sql_bind_uint(st, 5, row->rate_limit);
        sql_bind_uint(st, 6, row->created_at);
        sql_bind_uint(st, 7, row->expires_at);
        return sql_run(s, st);
}

int store_api_key_delete(Store *s, const char *name) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_API_KEY_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, name);
        return sql_run_on_one(s, st);
}

/* A row that says nothing that can be trusted fails: a key that is passed over would look as if there were
 * none. */
static int row_read(sqlite3_stmt *st, void *ret) {
        const char *id = (const char *) sqlite3_column_text(st, 0),
                   *scopes = (const char *) sqlite3_column_text(st, 3);
        ApiKeyRow row = {
                .rate_limit = (unsigned) sqlite3_column_int64(st, 4),
                .created_at = (usec_t) sqlite3_column_int64(st, 5),
                .expires_at = (usec_t) sqlite3_column_int64(st, 6),
        };
        int r;

        if (!id || !scopes || !api_key_id_is_valid(id) ||
                        sqlite3_column_bytes(st, 2) != sizeof(row.hash.bytes))
                return -EBADMSG;
        memcpy(row.id.text, id, sizeof(row.id.text));
        memcpy(row.hash.bytes, sqlite3_column_blob(st, 2), sizeof(row.hash.bytes));
        r = scopes_from_text(scopes, &row.scopes);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        r = sql_column_strdup(st, 1, &row.name);
        if (r < 0)
                return r;
        if (!row.name)
                return -EBADMSG;
        *(ApiKeyRow *) ret = row;
        return 0;
}

int store_api_keys_list(Store *s, ApiKeyRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_API_KEYS_LIST);
        _cleanup_(api_key_rows_done) ApiKeyRows rows = {};
        int r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);

        if (r < 0)
                return r;
        *ret = rows;
        rows = (ApiKeyRows){};
        return 0;
}
