/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/sql.h"

int store_version(Store *s, int64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VERSION);

        if (!st || sqlite3_step(st) != SQLITE_ROW)
                return sql_errno(s);
        *ret = sqlite3_column_int64(st, 0);
        return 0;
}

int store_get_fact(Store *s, const char *name, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_FACT_GET);

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
        switch (sqlite3_step(st)) {
        case SQLITE_ROW:
                return sql_column_strdup(st, 0, ret);
        case SQLITE_DONE:
                return -ENOENT;
        default:
                return sql_errno(s);
        }
}

int store_set_fact(Store *s, const char *name, const char *value) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_FACT_SET);

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
        (void) sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
        return sql_run(s, st);
}
