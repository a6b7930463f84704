/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The statement is composed of the constants below, since the combinations of filters and orders are too
 * many to be prepared once. Values are bound. */

#include "store/jobs-page.h"
#include "basic/string-util.h"
#include "store/jobs-list.h"
#include "store/sql.h"

#define INDEX_BY_ID "jobs_v1_id"

static const char *const status_table[_STATUS_MAX] = {
        [STATUS_CANCELLED] = "cancelled",
        [STATUS_COMPLETED] = "completed",
        [STATUS_FAILED] = "failed",
        [STATUS_QUEUED] = "queued",
        [STATUS_RUNNING] = "running",
};

static const char *const provider_table[_PROVIDER_MAX] = {
        [PROVIDER_LIBVIRT] = "libvirt",
        [PROVIDER_LOCAL] = "local",
        [PROVIDER_NBD] = "nbd",
        [PROVIDER_VSPHERE] = "vsphere",
};

static const struct {
        const char *name, *key, *index; /* of those that have ended; the key as it is indexed */
} sorts[_SORT_MAX] = {
        [SORT_CREATED_AT] = { "created_at", "created_at", "jobs_v1_created" },
        [SORT_UPDATED_AT] = { "updated_at", "updated_at", "jobs_v1_updated" },
        [SORT_STARTED_AT] = { "started_at", "nullif(started_at, 0)", "jobs_v1_started" },
        [SORT_COMPLETED_AT] = { "completed_at", "nullif(finished_at, 0)", "jobs_v1_completed" },
        [SORT_STATUS] = { "status", NULL, INDEX_BY_ID },
        [SORT_TYPE] = { "type", SQL_V1_TYPE, "jobs_v1_type" },
        [SORT_PROVIDER] = { "provider", "v1_provider", "jobs_v1_provider" },
        [SORT_VM_NAME] = { "vm_name", SQL_V1_NAME, "jobs_v1_name" },
        [SORT_PROGRESS] = { "progress", SQL_V1_PROGRESS, "jobs_v1_progress" },
        [SORT_PRIORITY] = { "priority", "priority", "jobs_v1_priority" },
        [SORT_ID] = { "id", "id", INDEX_BY_ID },
};

static int find_word(const char *const *words, int n, const char *s) {
        for (int i = 0; i < n; i++)
                if (streq(words[i], s))
                        return i;
        return -EINVAL;
}

const char *job_status_to_string(int s) {
        return s >= 0 && s < _STATUS_MAX ? status_table[s] : NULL;
}

int job_status_from_string(const char *s) {
        return find_word(status_table, _STATUS_MAX, s);
}

JobStatus job_status_of_state(JobState state) {
        switch (state) {
        case JOB_COMPLETED:
                return STATUS_COMPLETED;
        case JOB_FAILED:
                return STATUS_FAILED;
        case JOB_CANCELLED:
                return STATUS_CANCELLED;
        case JOB_RUNNING:
                return STATUS_RUNNING;
        default:
                return STATUS_QUEUED;
        }
}

const char *job_provider_to_string(int p) {
        return p >= 0 && p < _PROVIDER_MAX ? provider_table[p] : NULL;
}

int job_provider_from_string(const char *s) {
        return find_word(provider_table, _PROVIDER_MAX, s);
}

int job_sort_from_string(const char *s) {
        for (int i = 0; i < _SORT_MAX; i++)
                if (streq(sorts[i].name, s))
                        return i;
        return _SORT_INVALID;
}

void job_page_rows_done(JobPageRows *rows) {
        for (size_t i = 0; i < rows->n; i++) {
                job_row_free(rows->rows[i].row);
                free(rows->rows[i].type);
                free(rows->rows[i].provider);
                free(rows->rows[i].name);
        }
        free(rows->rows);
        *rows = (JobPageRows){};
}

/* --- the statement --------------------------------------------------------------------------------- */

/* The conditions that all arms share. A name is a part of the source. ?1 to ?5 are bound in bind_filter(). */
static char *conditions(const JobPageFilter *f) {
        _cleanup_strv_free_ char **all = NULL;
        int r = 0;

        if (f->types)
                r = strv_extend(&all, " AND " SQL_V1_TYPE " IN (SELECT value FROM json_each(?1))");
        if (r >= 0 && f->providers)
                r = strv_extend(&all, " AND v1_provider IN (SELECT value FROM json_each(?2))");
        if (r >= 0 && f->after > 0)
                r = strv_extend(&all, " AND created_at > ?3");
        if (r >= 0 && f->before > 0)
                r = strv_extend(&all, " AND created_at < ?4");
        if (r >= 0 && f->search)
                r = strv_extend(&all,
                                " AND (instr(lower(id), lower(?5)) OR instr(lower(v1_source), lower(?5)) "
                                "OR instr(lower(v1_output), lower(?5)) OR instr(lower(v1_label), "
                                "lower(?5)))");
        return r < 0 ? NULL : strv_join(all, "");
}

static bool is_wanted(const JobPageFilter *f, JobStatus status) {
        return f->statuses == 0 || f->statuses & 1u << status;
}

/* The jobs of each status: what the index of those that have ended is limited to, or those that go on. */
static const char *const arm_table[_STATUS_MAX] = {
        [STATUS_CANCELLED] = "state = 'CANCELLED' AND finished_at > 0",
        [STATUS_COMPLETED] = "state = 'COMPLETED' AND finished_at > 0",
        [STATUS_FAILED] = "state = 'FAILED' AND finished_at > 0",
        [STATUS_QUEUED] = "state IN ('CREATED', 'VALIDATED', 'QUEUED', 'ASSIGNED', 'RETRYING')",
        [STATUS_RUNNING] = "state = 'RUNNING'",
};

/* SQLite would rather sort. Those that go on have no such index. */
static char *indexed_by(JobStatus status, const char *index) {
        return status == STATUS_QUEUED || status == STATUS_RUNNING ? strdup("")
                                                                   : strprintf(" INDEXED BY %s", index);
}

/* The first rows of one status: ?6 is their number. */
static int add_arm(char ***arms, const JobPageFilter *f, JobStatus status, const char *where) {
        const char *key = sorts[f->sort].key, *direction = f->descending ? "DESC" : "ASC";
        bool complete = f->sort == SORT_PROGRESS && status == STATUS_COMPLETED; /* all have 100 % */
        _cleanup_free_ char *index = indexed_by(status, complete ? INDEX_BY_ID : sorts[f->sort].index);

        if (!index)
                return -ENOMEM;
        if (complete || !key)
                return strv_extendf(arms,
                                "SELECT * FROM (SELECT seq, %s%s%s AS k, id FROM jobs%s WHERE %s%s ORDER BY "
                                "id %s LIMIT ?6)",
                                complete ? "100.0" : "'", complete ? "" : status_table[status],
                                complete ? "" : "'", index, arm_table[status], where, direction);
        if (f->sort == SORT_ID)
                return strv_extendf(arms,
                                "SELECT * FROM (SELECT seq, id AS k, id FROM jobs%s WHERE %s%s ORDER BY id "
                                "%s LIMIT ?6)",
                                index, arm_table[status], where, direction);
        return strv_extendf(arms,
                        "SELECT * FROM (SELECT seq, %s AS k, id FROM jobs%s WHERE %s%s ORDER BY %s %s NULLS "
                        "LAST, id %s LIMIT ?6)",
                        key, index, arm_table[status], where, key, direction, direction);
}

static int make_page_text(const JobPageFilter *f, char **ret) {
        _cleanup_free_ char *where = conditions(f), *arms = NULL;
        _cleanup_strv_free_ char **list = NULL;
        const char *direction = f->descending ? "DESC" : "ASC";
        int r = where ? 0 : -ENOMEM;

        for (JobStatus s = 0; r >= 0 && s < _STATUS_MAX; s++)
                if (is_wanted(f, s))
                        r = add_arm(&list, f, s, where);
        arms = r >= 0 ? strv_join(list, " UNION ALL ") : NULL;
        if (!arms)
                return -ENOMEM;
        *ret = strprintf("WITH page AS MATERIALIZED (SELECT seq AS s, k, id AS i FROM (%s) ORDER BY k %s "
                         "NULLS LAST, id %s LIMIT ?7 OFFSET ?8) SELECT " JOB_COLUMNS ", " SQL_V1_TYPE
                         ", v1_provider, " SQL_V1_NAME
                         " FROM page CROSS JOIN jobs ON seq = s ORDER BY k %s NULLS LAST, i %s",
                        arms, direction, direction, direction, direction);
        return *ret ? 0 : -ENOMEM;
}

static int make_total_text(const JobPageFilter *f, char **ret) {
        _cleanup_free_ char *where = conditions(f), *sum = NULL;
        _cleanup_strv_free_ char **list = NULL;
        int r = where ? 0 : -ENOMEM;

        for (JobStatus s = 0; r >= 0 && s < _STATUS_MAX; s++)
                if (is_wanted(f, s))
                        r = strv_extendf(&list, "(SELECT count(*) FROM jobs WHERE %s%s)", arm_table[s],
                                        where);
        sum = r >= 0 ? strv_join(list, " + ") : NULL;
        *ret = sum ? strprintf("SELECT %s", sum) : NULL;
        return *ret ? 0 : -ENOMEM;
}

/* Lists as JSON, for json_each(). Words have no characters to be escaped. */
static char *types_json(const char *types) {
        _cleanup_strv_free_ char **words = NULL;
        _cleanup_free_ char *copy = strdup(types), *joined = NULL;
        char *rest = copy;

        for (const char *word; copy && (word = strsep(&rest, ","));)
                if (strv_extendf(&words, "\"%s\"", word) < 0)
                        return NULL;
        joined = strv_join(words, ",");
        return joined ? strprintf("[%s]", joined) : NULL;
}

static char *providers_json(uint32_t providers) {
        _cleanup_strv_free_ char **words = NULL;
        _cleanup_free_ char *joined = NULL;

        for (int p = 0; p < _PROVIDER_MAX; p++)
                if (providers & 1u << p && strv_extendf(&words, "\"%s\"", provider_table[p]) < 0)
                        return NULL;
        joined = strv_join(words, ",");
        return joined ? strprintf("[%s]", joined) : NULL;
}

/* What a statement does not have is not bound. */
static int bind_text(sqlite3_stmt *st, int i, const char *text) {
        if (!text || i > sqlite3_bind_parameter_count(st))
                return 0;
        return sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT) == SQLITE_OK ? 0 : -ENOMEM;
}

static int bind_filter(sqlite3_stmt *st, const JobPageFilter *f) {
        _cleanup_free_ char *types = f->types ? types_json(f->types) : NULL,
                            *providers = providers_json(f->providers);
        int r = (f->types && !types) || !providers ? -ENOMEM : 0;

        if (r >= 0)
                r = bind_text(st, 1, types);
        if (r >= 0)
                r = bind_text(st, 2, providers);
        if (r >= 0)
                r = bind_text(st, 5, f->search);
        (void) sqlite3_bind_int64(st, 3, (int64_t) f->after);
        (void) sqlite3_bind_int64(st, 4, (int64_t) f->before);
        return r;
}

static int page_row_read(sqlite3_stmt *st, void *ret) {
        JobPageRow *row = ret;
        int n = sqlite3_column_count(st), r = job_row_read(st, &row->row);

        if (r < 0)
                return r;
        return sql_column_texts(st,
                        (SqlText[]){ { n - 3, &row->type }, { n - 2, &row->provider }, { n - 1, &row->name },
                                        {} });
}

static int read_page(Store *s, const JobPageFilter *f, JobPageRows *rows) {
        uint64_t end = f->offset + f->limit;
        _cleanup_free_ char *text = NULL;
        sqlite3_stmt *st = NULL;
        int r = make_page_text(f, &text);

        if (r >= 0)
                r = sql_prepare(s, text, &st);
        if (r >= 0)
                r = bind_filter(st, f);
        if (r >= 0) {
                (void) sqlite3_bind_int64(st, 6, (int64_t) MIN(end, (uint64_t) INT64_MAX));
                (void) sqlite3_bind_int64(st, 7, (int64_t) f->limit);
                (void) sqlite3_bind_int64(st, 8, (int64_t) MIN(f->offset, (uint64_t) INT64_MAX));
                r = SQL_READ_ROWS(s, st, page_row_read, rows->rows, rows->n);
        }
        (void) sqlite3_finalize(st);
        return r;
}

static int read_total(Store *s, const JobPageFilter *f, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        sqlite3_stmt *st = NULL;
        int r = make_total_text(f, &text);

        if (r >= 0)
                r = sql_prepare(s, text, &st);
        if (r >= 0)
                r = bind_filter(st, f);
        if (r >= 0)
                r = sql_row(s, st);
        if (r >= 0)
                *ret = (uint64_t) sqlite3_column_int64(st, 0);
        (void) sqlite3_finalize(st);
        return r;
}

/* From the counters of states. */
static int read_simple_total(Store *s, const JobPageFilter *f, uint64_t *ret) {
        uint64_t counts[_JOB_STATE_MAX], total = 0;
        int r = store_jobs_count(s, counts);

        if (r < 0)
                return r;
        for (JobState state = 0; state < _JOB_STATE_MAX; state++)
                if (is_wanted(f, job_status_of_state(state)))
                        total += counts[state];
        *ret = total;
        return 0;
}

static bool is_simple(const JobPageFilter *f) {
        return !f->types && !f->providers && f->after == 0 && f->before == 0 && !f->search;
}

int store_jobs_page(Store *s, const JobPageFilter *filter, JobPageRows *ret) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        int r = read_page(s, filter, &rows);

        for (size_t i = 0; i < rows.n && r >= 0; i++)
                r = job_row_fill(s, rows.rows[i].row);
        if (r >= 0)
                r = is_simple(filter) ? read_simple_total(s, filter, &rows.total)
                                      : read_total(s, filter, &rows.total);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (JobPageRows){};
        return 0;
}

/* Takes what @st gives. */
static int read_rows(Store *s, sqlite3_stmt *st, JobPageRows *ret) {
        _cleanup_(job_page_rows_done) JobPageRows rows = {};
        int r = SQL_READ_ROWS(s, st, page_row_read, rows.rows, rows.n);

        for (size_t i = 0; i < rows.n && r >= 0; i++)
                r = job_row_fill(s, rows.rows[i].row);
        if (r < 0)
                return r;
        rows.total = rows.n;
        *ret = rows;
        rows = (JobPageRows){};
        return 0;
}

int store_jobs_page_newest(Store *s, uint32_t states, uint64_t limit, JobPageRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_PAGE_NEWEST);

        if (!st)
                return sql_errno(s);
        sql_bind_states(st, 1, states);
        sql_bind_uint(st, _JOB_STATE_MAX + 1, limit);
        return read_rows(s, st, ret);
}

int store_jobs_page_get(Store *s, const char *id, JobPageRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOBS_PAGE_GET);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = read_rows(s, st, ret);
        return r >= 0 && ret->n == 0 ? -ENOENT : r;
}
