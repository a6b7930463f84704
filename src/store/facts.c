/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/facts.h"
#include "basic/string-util.h"
#include "store/sql.h"

int store_version(Store *s, int64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VERSION);
        int r = sql_row(s, st);

        if (r >= 0)
                *ret = sqlite3_column_int64(st, 0);
        return r;
}

int store_get_fact(Store *s, const char *name, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_FACT_GET);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, name);
        r = sql_row(s, st);
        return r < 0 ? r : sql_column_strdup(st, 0, ret);
}

int store_set_fact(Store *s, const char *name, const char *value) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_FACT_SET);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, name);
        sql_bind_text(st, 2, value);
        return sql_run(s, st);
}

int store_update_fact(Store *s, const char *name, const char *value) {
        _cleanup_free_ char *old = NULL;
        int r = store_get_fact(s, name, &old);

        if (r < 0 && r != -ENOENT)
                return r;
        if (streq_ptr(value, old))
                return 0;
        r = store_set_fact(s, name, value);
        return r < 0 ? r : 1;
}
