/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/hosts.h"
#include "basic/string-util.h"
#include "store/sql.h"

static const char *const host_states[] = {
        [HOST_CONNECTED] = "CONNECTED",
        [HOST_DISCONNECTED] = "DISCONNECTED",
        [HOST_ERROR] = "ERROR",
};

const char *host_state_to_string(HostState s) {
        return s >= 0 && s < _HOST_STATE_MAX ? host_states[s] : NULL;
}

HostState host_state_from_string(const char *s) {
        for (HostState i = 0; i < _HOST_STATE_MAX; i++)
                if (streq_ptr(s, host_states[i]))
                        return i;
        return _HOST_STATE_INVALID;
}

const char *vm_state_to_string(int state) {
        /* https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainState, which is part of its ABI;
         * this directory does not depend on libvirt. A VM on its way to being off (4) still runs. */
        static const char *const words[] = { "UNKNOWN", "ACTIVE", "ACTIVE", "PAUSED", "ACTIVE", "STOPPED",
                "ERROR", "SUSPENDED" };

        return state >= 0 && state < (int) ELEMENTSOF(words) ? words[state] : "UNKNOWN";
}

void host_row_done(HostRow *row) {
        free(row->id);
        free(row->uri);
        free(row->shown_uri);
        free(row->name);
        free(row->error);
        *row = (HostRow){};
}

void host_rows_done(HostRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                host_row_done(rows->rows + i);
        free(rows->rows);
        *rows = (HostRows){};
}

void vm_row_done(VmRow *row) {
        free(row->uuid);
        free(row->name);
        free(row->description);
        free(row->cpu_model);
        free(row->os_type);
        free(row->cpu_topology);
        free(row->drift);
        free(row->concerns);
        strv_free(row->macs);
        *row = (VmRow){};
}

void vm_rows_done(VmRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                vm_row_done(rows->rows + i);
        free(rows->rows);
        *rows = (VmRows){};
}

static void bind_text(sqlite3_stmt *st, int i, const char *text) {
        (void) sqlite3_bind_text(st, i, strempty(text), -1, SQLITE_STATIC);
}

/* --- hosts ----------------------------------------------------------------------------------------- */

int store_host_insert(Store *s, const HostRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOST_PUT);
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, row->id);
        bind_text(st, 2, row->uri);
        bind_text(st, 3, row->shown_uri);
        bind_text(st, 4, row->name);
        bind_text(st, 5, host_state_to_string(row->state));
        bind_text(st, 6, row->error);
        sql_bind_uint(st, 7, row->created_at);
        sql_bind_uint(st, 8, row->updated_at);
        sql_bind_uint(st, 9, !row->manual);
        r = sql_run(s, st);
        /* The id is the primary key, which SQLite tells apart from other unique columns. */
        if (r == -EINVAL && sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
                r = -EEXIST;
        return r;
}

int store_host_set_state(Store *s, const char *id, HostState state, const char *error, usec_t timestamp) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOST_STATE);

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, id);
        bind_text(st, 2, host_state_to_string(state));
        bind_text(st, 3, error);
        sql_bind_uint(st, 4, timestamp);
        return sql_run(s, st);
}

int store_host_set_definition(Store *s, const HostRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOST_DEFINITION);

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, row->id);
        bind_text(st, 2, row->name);
        sql_bind_uint(st, 3, !row->manual);
        sql_bind_uint(st, 4, row->updated_at);
        return sql_run_on_one(s, st);
}

int store_hosts_set_away(Store *s) {
        return sql_run(s, sql_statement(s, SQL_HOSTS_AWAY));
}

int store_host_delete(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOST_DELETE);

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, id);
        return sql_run_on_one(s, st);
}

static int host_row_read(sqlite3_stmt *st, void *ret) {
        HostRow *row = ret;

        *row = (HostRow){
                .state = host_state_from_string((const char *) sqlite3_column_text(st, 4)),
                .created_at = (usec_t) sqlite3_column_int64(st, 6),
                .updated_at = (usec_t) sqlite3_column_int64(st, 7),
                .manual = !sqlite3_column_int(st, 8),
        };
        if (row->state < 0)
                return -EBADMSG;
        return sql_column_texts(st,
                        (SqlText[]){ { 0, &row->id }, { 1, &row->uri }, { 2, &row->shown_uri },
                                        { 3, &row->name }, { 5, &row->error }, {} });
}

int store_host_get(Store *s, const char *id, HostRow *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOST_GET);
        HostRow row = {};
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                r = host_row_read(st, &row);
        if (r < 0) {
                host_row_done(&row);
                return r;
        }
        *ret = row;
        return 0;
}

int store_hosts_list(Store *s, HostRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_HOSTS);
        _cleanup_(host_rows_done) HostRows rows = {};
        int r = SQL_READ_ROWS(s, st, host_row_read, rows.rows, rows.n);

        if (r < 0)
                return r;
        *ret = rows;
        rows = (HostRows){};
        return 0;
}

/* --- VMs ------------------------------------------------------------------------------------------- */

static int vm_put(Store *s, const char *host_id, VmRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VM_PUT);
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, host_id);
        bind_text(st, 2, row->uuid);
        bind_text(st, 3, row->name);
        bind_text(st, 4, row->description);
        (void) sqlite3_bind_int(st, 5, row->state);
        sql_bind_uint(st, 6, row->vcpu_count);
        sql_bind_uint(st, 7, row->memory_bytes);
        sql_bind_uint(st, 8, row->vnc);
        sql_bind_uint(st, 9, row->spice);
        sql_bind_uint(st, 10, row->persistent);
        sql_bind_uint(st, 11, row->updated_at);
        bind_text(st, 12, row->cpu_model);
        bind_text(st, 13, row->os_type);
        sql_bind_uint(st, 14, row->disk_bytes);
        bind_text(st, 15, row->cpu_topology);
        bind_text(st, 16, row->drift);
        bind_text(st, 17, row->concerns);
        r = sql_row(s, st);
        if (r < 0)
                return r;
        row->seq = sqlite3_column_int64(st, 0);
        row->created_at = (usec_t) sqlite3_column_int64(st, 1);
        return 0;
}

static int vm_delete(Store *s, const char *host_id, const char *uuid) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VM_DELETE);

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, host_id);
        bind_text(st, 2, uuid);
        return sql_run(s, st);
}

int store_vms_put(Store *s, const char *host_id, VmRow *const *rows, size_t n, char *const *gone) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        STRV_FOREACH(uuid, gone)
                if (r >= 0)
                        r = vm_delete(s, host_id, *uuid);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = vm_put(s, host_id, rows[i]);
        return sql_end(s, r);
}

static int vm_row_read(sqlite3_stmt *st, void *ret) {
        VmRow *row = ret;

        *row = (VmRow){
                .seq = sqlite3_column_int64(st, 0),
                .state = sqlite3_column_int(st, 4),
                .vcpu_count = (unsigned) sqlite3_column_int64(st, 5),
                .memory_bytes = (uint64_t) sqlite3_column_int64(st, 6),
                .vnc = sqlite3_column_int(st, 7),
                .spice = sqlite3_column_int(st, 8),
                .persistent = sqlite3_column_int(st, 9),
                .created_at = (usec_t) sqlite3_column_int64(st, 10),
                .updated_at = (usec_t) sqlite3_column_int64(st, 11),
                .disk_bytes = (uint64_t) sqlite3_column_int64(st, 14),
        };
        return sql_column_texts(st,
                        (SqlText[]){ { 1, &row->uuid }, { 2, &row->name }, { 3, &row->description },
                                        { 12, &row->cpu_model }, { 13, &row->os_type },
                                        { 15, &row->cpu_topology }, { 16, &row->drift },
                                        { 17, &row->concerns }, {} });
}

int store_vms_list(Store *s, const char *host_id, VmRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VMS_BY_HOST);
        _cleanup_(vm_rows_done) VmRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, host_id);
        r = SQL_READ_ROWS(s, st, vm_row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (VmRows){};
        return 0;
}

int store_vms_list_after(
                Store *s, const char *host_id, const char *name, int64_t seq, uint64_t limit, VmRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VMS_AFTER);
        _cleanup_(vm_rows_done) VmRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, host_id);
        bind_text(st, 2, name);
        (void) sqlite3_bind_int64(st, 3, seq);
        sql_bind_uint(st, 4, limit);
        r = SQL_READ_ROWS(s, st, vm_row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (VmRows){};
        return 0;
}

static int vm_count_read(sqlite3_stmt *st, void *ret) {
        *(VmCount *) ret = (VmCount){ sqlite3_column_int(st, 0), (uint64_t) sqlite3_column_int64(st, 1),
                (uint64_t) sqlite3_column_int64(st, 2) };
        return 0;
}

int store_vms_count(Store *s, const char *host_id, VmCount **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VMS_COUNT);
        _cleanup_free_ VmCount *counts = NULL;
        size_t n = 0;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, host_id);
        r = SQL_READ_ROWS(s, st, vm_count_read, counts, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(counts);
        *ret_n = n;
        return 0;
}

/* --- settings -------------------------------------------------------------------------------------- */

int store_setting_get(Store *s, const char *name, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SETTING_GET);
        int r;

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, name);
        r = sql_row(s, st);
        return r < 0 ? r : sql_column_texts(st, (SqlText[]){ { 0, ret }, {} });
}

int store_setting_set(Store *s, const char *name, const char *value) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SETTING_SET);

        if (!st)
                return sql_errno(s);
        bind_text(st, 1, name);
        bind_text(st, 2, value);
        return sql_run(s, st);
}
