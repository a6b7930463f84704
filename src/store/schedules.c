/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/schedules.h"
#include "basic/string-util.h"
#include "store/sql.h"

static const char *const overlap_names[_OVERLAP_MAX] = {
        [OVERLAP_SKIP] = "skip",
        [OVERLAP_QUEUE] = "queue",
        [OVERLAP_ALLOW] = "allow",
};

const char *schedule_overlap_to_string(ScheduleOverlap o) {
        return o >= 0 && o < _OVERLAP_MAX ? overlap_names[o] : NULL;
}

ScheduleOverlap schedule_overlap_from_string(const char *s) {
        for (int i = 0; s && i < _OVERLAP_MAX; i++)
                if (streq(overlap_names[i], s))
                        return i;
        return _OVERLAP_INVALID;
}

ScheduleRow *schedule_row_free(ScheduleRow *row) {
        if (!row)
                return NULL;
        free(row->id);
        free(row->name);
        free(row->description);
        free(row->expression);
        free(row->spec);
        free(row->dialect);
        free(row->request);
        free(row->credentials);
        free(row->submitter);
        free(row->last_job_id);
        free(row->last_status);
        return mfree(row);
}

void schedule_rows_done(ScheduleRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                schedule_row_free(rows->rows[i]);
        rows->rows = mfree(rows->rows);
        rows->n = 0;
}

/* --- schedules ------------------------------------------------------------------------------------- */

static int row_read(sqlite3_stmt *st, void *ret) {
        _cleanup_(schedule_row_freep) ScheduleRow *row = new0(ScheduleRow, 1);

        if (!row)
                return -ENOMEM;
        const SqlText texts[] = { { 1, &row->id }, { 2, &row->name }, { 3, &row->description },
                { 4, &row->expression }, { 8, &row->spec }, { 9, &row->dialect }, { 10, &row->request },
                { 15, &row->last_job_id }, { 16, &row->last_status }, { 21, &row->credentials },
                { 22, &row->submitter }, {} };
        int r = sql_column_texts(st, texts);
        if (r < 0)
                return r;
        row->seq = sqlite3_column_int64(st, 0);
        row->enabled = sqlite3_column_int(st, 5);
        row->overlap = schedule_overlap_from_string((const char *) sqlite3_column_text(st, 6));
        row->catch_up = sqlite3_column_int(st, 7);
        row->created_at = (usec_t) sqlite3_column_int64(st, 11);
        row->updated_at = (usec_t) sqlite3_column_int64(st, 12);
        row->next_at = (usec_t) sqlite3_column_int64(st, 13);
        row->last_run_at = (usec_t) sqlite3_column_int64(st, 14);
        row->run_count = (uint64_t) sqlite3_column_int64(st, 17);
        row->success_count = (uint64_t) sqlite3_column_int64(st, 18);
        row->failure_count = (uint64_t) sqlite3_column_int64(st, 19);
        row->role = role_from_string((const char *) sqlite3_column_text(st, 20));
        if (row->overlap < 0 || row->role < 0 || !row->id || !row->expression || !row->spec)
                return -EBADMSG;
        *(ScheduleRow **) ret = TAKE_PTR(row);
        return 0;
}

static int write_row(Store *s, StatementId id, const ScheduleRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, id);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        sql_bind_text(st, 2, strempty(row->name));
        sql_bind_text(st, 3, strempty(row->description));
        sql_bind_text(st, 4, row->expression);
        sql_bind_uint(st, 5, row->enabled);
        sql_bind_text(st, 6, schedule_overlap_to_string(row->overlap));
        sql_bind_uint(st, 7, row->catch_up);
        sql_bind_text(st, 8, row->spec);
        sql_bind_text(st, 9, row->dialect);
        sql_bind_text(st, 10, row->request);
        if (id == SQL_SCHEDULE_INSERT)
                sql_bind_uint(st, 11, row->created_at);
        sql_bind_uint(st, 12, row->updated_at);
        sql_bind_uint(st, 13, row->next_at);
        sql_bind_text(st, 14, role_to_string(row->role));
        sql_bind_text(st, 15, row->credentials);
        sql_bind_text(st, 16, row->submitter);
        return sql_run_on_one(s, st);
}

int store_schedule_insert(Store *s, const ScheduleRow *row) {
        return write_row(s, SQL_SCHEDULE_INSERT, row);
}

int store_schedule_update(Store *s, const ScheduleRow *row) {
        return write_row(s, SQL_SCHEDULE_UPDATE, row);
}

int store_schedule_delete(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return sql_run_on_one(s, st);
}

int store_schedule_get(Store *s, const char *id, ScheduleRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_GET);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        return r < 0 ? r : row_read(st, ret);
}

int store_schedules_stats(Store *s, ScheduleStats *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULES_COUNT);
        int r = sql_row(s, st);

        if (r < 0)
                return r;
        *ret = (ScheduleStats){
                .total = (uint64_t) sqlite3_column_int64(st, 0),
                .enabled = (uint64_t) sqlite3_column_int64(st, 1),
                .runs = (uint64_t) sqlite3_column_int64(st, 2),
                .successful = (uint64_t) sqlite3_column_int64(st, 3),
                .failed = (uint64_t) sqlite3_column_int64(st, 4),
        };
        return 0;
}

static int read_rows(Store *s, sqlite3_stmt *st, ScheduleRows *ret) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        int r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);

        if (r < 0)
                return r;
        rows.total = rows.n;
        *ret = rows;
        rows = (ScheduleRows){};
        return 0;
}

int store_schedules_list_after(Store *s, int64_t seq, uint64_t offset, uint64_t limit, ScheduleRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULES_LIST);

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_int64(st, 1, limit > 0 && limit < INT64_MAX ? (int64_t) limit : -1);
        sql_bind_uint(st, 2, MIN(offset, (uint64_t) INT64_MAX));
        (void) sqlite3_bind_int64(st, 3, seq);
        return read_rows(s, st, ret);
}

int store_schedules_list(Store *s, uint64_t offset, uint64_t limit, ScheduleRows *ret) {
        ScheduleStats stats;
        int r = store_schedules_stats(s, &stats);

        if (r >= 0)
                r = store_schedules_list_after(s, 0, offset, limit, ret);
        if (r >= 0)
                ret->total = stats.total;
        return r;
}

int store_schedules_failed(Store *s, ScheduleRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULES_FAILED);

        return st ? read_rows(s, st, ret) : sql_errno(s);
}

/* --- pages ----------------------------------------------------------------------------------------- */

static const struct {
        const char *name, *key;
} sorts[_SCHEDULE_SORT_MAX] = {
        [SCHEDULE_SORT_CREATED_AT] = { "created_at", "created_at" },
        [SCHEDULE_SORT_NAME] = { "name", "nullif(name, '')" },
        [SCHEDULE_SORT_NEXT_RUN] = { "next_run", "nullif(next_at, 0)" },
        [SCHEDULE_SORT_LAST_RUN] = { "last_run", "nullif(last_run_at, 0)" },
};

ScheduleSort schedule_sort_from_string(const char *s) {
        for (int i = 0; i < _SCHEDULE_SORT_MAX; i++)
                if (streq(sorts[i].name, s))
                        return i;
        return _SCHEDULE_SORT_INVALID;
}

#define PAGE_CONDITIONS                                                                               \
        "FROM schedules WHERE enabled BETWEEN ?1 AND ?2 AND created_at > ?3 AND created_at < ?4 AND " \
        "(?5 IS NULL OR instr(lower(id), lower(?5)) OR instr(lower(name), lower(?5)) OR "             \
        "instr(lower(coalesce(iif(json_valid(request), json_extract(request, '$.vm_name'), NULL), "   \
        "json_extract(spec, '$.source.vm_path'), "                                                    \
        "json_extract(spec, '$.source.path'), '')), lower(?5)))"

static void bind_page(sqlite3_stmt *st, const SchedulePageFilter *f) {
        (void) sqlite3_bind_int(st, 1, f->no_disabled);
        (void) sqlite3_bind_int(st, 2, !f->no_enabled);
        (void) sqlite3_bind_int64(st, 3, f->after > 0 ? (int64_t) f->after : -1);
        (void) sqlite3_bind_int64(st, 4, f->before > 0 ? (int64_t) f->before : INT64_MAX);
        if (f->search)
                sql_bind_text(st, 5, f->search);
}

static int read_page(Store *s, const SchedulePageFilter *f, ScheduleRows *ret) {
        const char *direction = f->descending ? "DESC" : "ASC", *key = sorts[f->sort].key;
        _cleanup_free_ char *text = strprintf("SELECT " SCHEDULE_COLUMNS " " PAGE_CONDITIONS
                                              " ORDER BY %s %s NULLS LAST, id %s LIMIT ?6 OFFSET ?7",
                        key, direction, direction);
        sqlite3_stmt *st = NULL;
        int r = text ? sql_prepare(s, text, &st) : -ENOMEM;

        if (r < 0)
                return r;
        bind_page(st, f);
        sql_bind_uint(st, 6, MIN(f->limit, (uint64_t) INT64_MAX));
        sql_bind_uint(st, 7, MIN(f->offset, (uint64_t) INT64_MAX));
        r = read_rows(s, st, ret);
        (void) sqlite3_finalize(st);
        return r;
}

int store_schedules_page(Store *s, const SchedulePageFilter *filter, ScheduleRows *ret) {
        _cleanup_(schedule_rows_done) ScheduleRows rows = {};
        sqlite3_stmt *st = NULL;
        int r = read_page(s, filter, &rows);

        if (r >= 0)
                r = sql_prepare(s, "SELECT count(*) " PAGE_CONDITIONS, &st);
        if (r < 0)
                return r;
        bind_page(st, filter);
        r = sql_row(s, st);
        if (r >= 0) {
                rows.total = (uint64_t) sqlite3_column_int64(st, 0);
                *ret = rows;
                rows = (ScheduleRows){};
        }
        (void) sqlite3_finalize(st);
        return r;
}

int store_schedules_ids(Store *s, bool all, char ***ret) {
        _cleanup_sql_done_ sqlite3_stmt *st =
                        sql_statement(s, all ? SQL_SCHEDULES_IDS : SQL_SCHEDULES_WITHOUT_TIMER);
        _cleanup_strv_free_ char **ids = NULL;
        size_t n = 0, allocated = 0;
        int r;

        while ((r = sql_next(s, st)) > 0) {
                if (!GREEDY_REALLOC(ids, allocated, n + 2))
                        return -ENOMEM;
                ids[n] = ids[n + 1] = NULL;
                r = sql_column_strdup(st, 0, &ids[n++]);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                *ret = TAKE_PTR(ids);
        return r;
}

int store_schedule_timer_made(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_TIMER_MADE);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        return sql_run(s, st);
}

int store_schedule_of_job(Store *s, const char *job_id, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_SCHEDULE_OF_JOB);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, job_id);
        r = sql_row(s, st);
        return r < 0 ? r : sql_column_strdup(st, 0, ret);
}
