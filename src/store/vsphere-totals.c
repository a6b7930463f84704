/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/vsphere-totals.h"
#include "store/sql.h"

void vsphere_totals_done(VsphereTotals *t) {
        for (size_t i = 0; i < t->n_rows; i++) {
                free(t->rows[i].server);
                free(t->rows[i].what);
        }
        free(t->rows);
        *t = (VsphereTotals){};
}

int store_vsphere_add(Store *s, const char *server, const char *what, uint64_t n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VSPHERE_ADD);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, server);
        sql_bind_text(st, 2, what);
        sql_bind_uint(st, 3, n);
        sql_bind_uint(st, 4, VSPHERE_SERVERS_MAX);
        return sql_run(s, st);
}

static int read_total(sqlite3_stmt *st, void *ret) {
        VsphereTotal *t = ret;

        t->n = (uint64_t) sqlite3_column_int64(st, 2);
        return sql_column_texts(st, (SqlText[]){ { 0, &t->server }, { 1, &t->what }, {} });
}

static int count_running(Store *s, uint64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VSPHERE_RUNNING);
        int r = st ? sql_row(s, st) : sql_errno(s);

        if (r >= 0)
                *ret = (uint64_t) sqlite3_column_int64(st, 0);
        return r;
}

int store_vsphere_totals(Store *s, VsphereTotals *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VSPHERE_TOTALS);
        _cleanup_(vsphere_totals_done) VsphereTotals t = {};
        int r = st ? SQL_READ_ROWS(s, st, read_total, t.rows, t.n_rows) : sql_errno(s);

        if (r >= 0)
                r = count_running(s, &t.running);
        if (r < 0)
                return r;
        *ret = t;
        t = (VsphereTotals){};
        return 0;
}
