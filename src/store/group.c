/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/group.h"
#include "store/sql.h"

static int run(Store *s, StatementId id) {
        return sql_run(s, sql_statement_any(s, id));
}

static void close_group(Store *s, int r) {
        s->group.open = false;
        s->group.result = r;
        if (r < 0)
                sql_forget(s);
}

int store_group_enter(Store *s) {
        int r;

        assert(!s->group.entered);
        if (s->group.pending && !s->group.open)
                return -EBUSY;
        if (!s->group.pending) {
                r = run(s, SQL_BEGIN);
                if (r < 0)
                        return r;
                s->group = (StoreGroup){ .pending = true, .open = true };
        }
        s->group.entered = true;
        return 0;
}

/* The whole group, with what its other members have written, if SQLite has rolled it back: after some errors
 * (a full disk) it does. */
static bool is_lost(Store *s) {
        return sqlite3_get_autocommit(s->db);
}

void store_group_leave(Store *s) {
        s->group.entered = false;
        if (s->group.open && is_lost(s))
                close_group(s, -EIO);
}

void sql_group_close(Store *s) {
        int r;

        if (!s->group.open)
                return;
        r = run(s, SQL_COMMIT);
        if (r < 0 && !is_lost(s))
                (void) run(s, SQL_ROLLBACK);
        close_group(s, r);
}

int sql_group_begin(Store *s) {
        if (!s->group.open || is_lost(s))
                return -EIO;
        return run(s, SQL_SAVEPOINT);
}

int sql_group_end(Store *s, int r) {
        int q;

        if (is_lost(s)) {
                if (r >= 0)
                        r = -EIO;
                if (s->group.open)
                        close_group(s, r);
                return r;
        }
        if (r < 0) {
                (void) run(s, SQL_SAVEPOINT_ROLLBACK);
                sql_forget(s);
        }
        q = run(s, SQL_SAVEPOINT_RELEASE);
        return r < 0 || q >= 0 ? r : q;
}

int store_group_commit(Store *s) {
        if (!s->group.pending)
                return -ENOENT;
        assert(!s->group.entered);
        sql_group_close(s);
        s->group.pending = false;
        return s->group.result;
}
