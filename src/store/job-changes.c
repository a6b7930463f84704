/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/job-changes.h"
#include "basic/string-util.h"
#include "store/delivery-events.h"
#include "store/jobs.h"
#include "store/lease.h"
#include "store/limit-book.h"
#include "store/sql.h"

/* Of the job with the number @seq, or, if that is 0, with the id. */
static int insert_state(Store *s, int64_t seq, const char *id, const JobStateRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st =
                        sql_statement(s, seq > 0 ? SQL_JOB_STATE_INSERT : SQL_JOB_STATE_INSERT_BY_ID);

        if (!st)
                return sql_errno(s);
        if (seq > 0)
                sql_bind_uint(st, 1, (uint64_t) seq);
        else
                sql_bind_text(st, 1, id);
        sql_bind_text(st, 2, job_state_to_string(row->state));
        sql_bind_uint(st, 3, row->timestamp);
        sql_bind_text(st, 4, strempty(row->reason));
        return sql_run(s, st);
}

/* What may name a workflow, or NULL: a text is parsed only if it has that key, or escapes. */
static const char *with_workflow(const JobRow *row) {
        const char *sent = row->request ? row->request : row->spec;

        return sent && (strstr(sent, "workflow_id") || strchr(sent, '\\')) ? sent : NULL;
}

static int insert_row(Store *s, JobRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_INSERT);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 2, row->id);
        sql_bind_text(st, 3, row->operation);
        sql_bind_text(st, 4, row->spec);
        sql_bind_text(st, 5, row->dialect);
        sql_bind_text(st, 6, row->request);
        sql_bind_text(st, 7, job_state_to_string(row->state));
        sql_bind_text(st, 8, strempty(row->reason));
        sql_bind_uint(st, 9, row->priority);
        sql_bind_uint(st, 10, row->attempt);
        sql_bind_uint(st, 11, row->retry_count);
        sql_bind_uint(st, 12, row->idempotent);
        sql_bind_uint(st, 13, row->any_worker);
        sql_bind_text(st, 14, row->worker_id);
        sql_bind_uint(st, 15, row->created_at);
        sql_bind_uint(st, 16, row->updated_at);
        sql_bind_uint(st, 17, row->started_at);
        sql_bind_uint(st, 18, row->finished_at);
        sql_bind_uint(st, 19, row->due_at);
        sql_bind_text(st, 20, row->phase >= 0 ? job_phase_to_string(row->phase) : NULL);
        (void) sqlite3_bind_double(st, 21, row->percent);
        sql_bind_uint(st, 22, row->bytes_done);
        sql_bind_uint(st, 23, row->bytes_total);
        sql_bind_uint(st, 24, row->rate);
        sql_bind_text(st, 25, row->result);
        sql_bind_uint(st, 26, row->demand);
        sql_bind_uint(st, 27, row->timeout_seconds);
        sql_bind_text(st, 28, role_to_string(row->role));
        sql_bind_text(st, 29, row->source_path);
        sql_bind_text(st, 30, row->destination_path);
        sql_bind_text(st, 31, row->warm);
        sql_bind_text(st, 32, row->carbon);
        sql_bind_text(st, 33, row->submitter);
        sql_bind_text(st, 34, with_workflow(row));
        (void) sqlite3_bind_int64(st, 35, row->limit_set);
        r = sql_run(s, st);
        if (r >= 0)
                row->seq = sqlite3_last_insert_rowid(s->db);
        return r;
}

int store_job_insert(Store *s, JobRow *row, const JobStateRow *states, size_t n_states) {
        int r;

        if (n_states == 0)
                return -EINVAL;
        r = sql_begin(s);
        if (r < 0)
                return r;
        row->state = states[n_states - 1].state;
        r = free_and_strdup(&row->reason, states[n_states - 1].reason);
        if (r >= 0 && row->limits)
                r = limits_intern(s, row->limits, &row->limit_set);
        if (r >= 0)
                r = insert_row(s, row);
        if (r >= 0)
                limits_job_entered(s,
                                &(LimitedJob){ .limit_set = row->limit_set,
                                                .place = { row->priority, row->seq },
                                                .any_worker = row->any_worker,
                                                .demand = row->demand,
                                                .due_at = row->due_at },
                                row->state);
        for (size_t i = 0; i < n_states && r >= 0; i++)
                r = insert_state(s, row->seq, NULL, &states[i]);
        if (r >= 0)
                r = deliveries_add_job(s, WEBHOOK_JOB_SUBMITTED, row->id, row->created_at);
        return sql_end(s, r);
}

int job_transition_apply(Store *s, const char *id, const JobTransition *t) {
        _cleanup_sql_done_ sqlite3_stmt *st = NULL;
        LimitedJob limited;
        WebhookEvent event;
        int r;

        if (!job_state_may_become(t->from, t->to))
                return -EINVAL;
        r = limits_job_find(s, id, &limited);
        if (r < 0)
                return r;
        if (t->to == JOB_ASSIGNED && !limits_are_free(s, &limited))
                return -EUSERS;
        st = sql_statement(s, SQL_JOB_TRANSITION);
        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_text(st, 2, job_state_to_string(t->from));
        sql_bind_text(st, 3, job_state_to_string(t->to));
        sql_bind_text(st, 4, strempty(t->reason));
        sql_bind_uint(st, 5, t->timestamp);
        sql_bind_text(st, 6, t->worker_id);
        sql_bind_text(st, 7, t->result);
        sql_bind_uint(st, 8, t->to == JOB_RETRYING || t->to == JOB_QUEUED ? t->due_at : 0);
        sql_bind_uint(st, 9, t->begins_attempt);
        sql_bind_uint(st, 10, job_state_is_terminal(t->to));
        sql_bind_uint(st, 11, WORKER_LEASE / USEC_PER_SEC);
        sql_bind_uint(st, 12, job_state_is_terminal(t->from));
        sql_bind_uint(st, 13, WORKER_BEGIN_TIME / USEC_PER_SEC);
        sql_bind_text(st, 14, t->warm);
        sql_bind_uint(st, 15, t->ends_pass);
        sql_bind_uint(st, 16, t->drops_attempt);
        r = sql_run(s, st);
        if (r < 0)
                return r;
        if (sqlite3_changes(s->db) != 1)
                return -ESTALE;
        limits_job_changed(s, &limited, t->from, t->to, t->due_at);
        r = insert_state(s, 0, id, &(JobStateRow){ t->to, t->timestamp, (char *) t->reason });
        event = deliveries_event_of(t->to);
        if (r >= 0 && event >= 0)
                r = deliveries_add_job(s, event, id, t->timestamp);
        if (r >= 0 && job_state_is_terminal(t->to))
                r = deliveries_add_run(s, WEBHOOK_SCHEDULE_COMPLETED, id, t->timestamp);
        return r;
}

int store_job_transition(Store *s, const char *id, const JobTransition *changes, size_t n) {
        int r;

        r = sql_begin(s);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = job_transition_apply(s, id, changes + i);
        return sql_end(s, r);
}

int store_job_warm(Store *s, const char *id, const char *warm, usec_t due_at) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_WARM);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_text(st, 2, warm);
        sql_bind_uint(st, 3, due_at);
        r = sql_run(s, st);
        return r < 0 ? r : sqlite3_changes(s->db) == 1 ? 0 : -ESTALE;
}

int store_job_hold(Store *s, const char *id, const char *carbon, usec_t due_at, const char *reason,
                usec_t timestamp) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_HOLD);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_text(st, 2, carbon);
        sql_bind_uint(st, 3, due_at);
        sql_bind_text(st, 4, reason);
        sql_bind_uint(st, 5, timestamp);
        r = sql_run(s, st);
        limits_forget(s); /* it has its place in the queue, or has lost it */
        return r < 0 ? r : sqlite3_changes(s->db) == 1 ? 0 : -ESTALE;
}

int store_job_result(Store *s, const char *id, const char *result) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_RESULT);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_text(st, 2, result);
        r = sql_run(s, st);
        return r < 0 ? r : sqlite3_changes(s->db) == 1 ? 0 : -ESTALE;
}

int store_job_progress(Store *s, const JobProgress *progress, size_t n, usec_t timestamp) {
        int r;

        r = sql_begin(s);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++) {
                _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_PROGRESS);

                if (!st) {
                        r = sql_errno(s);
                        break;
                }
                sql_bind_text(st, 1, progress[i].id);
                sql_bind_text(st, 2, progress[i].phase >= 0 ? job_phase_to_string(progress[i].phase) : NULL);
                (void) sqlite3_bind_double(st, 3, progress[i].percent);
                sql_bind_uint(st, 4, progress[i].bytes_done);
                sql_bind_uint(st, 5, progress[i].bytes_total);
                sql_bind_uint(st, 6, progress[i].rate);
                sql_bind_uint(st, 7, timestamp);
                r = sql_run(s, st);
                if (r >= 0 && progress[i].tell && sqlite3_changes(s->db) == 1)
                        r = deliveries_add_job(s, WEBHOOK_JOB_PROGRESS, progress[i].id, timestamp);
        }
        return sql_end(s, r);
}

void job_changes_free(JobChange *changes, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(changes[i].job_id);
                free(changes[i].reason);
                free(changes[i].submitter);
        }
        free(changes);
}

static int change_read(sqlite3_stmt *st, void *ret) {
        JobChange *change = ret;
        const SqlText texts[] = { { 1, &change->job_id }, { 3, &change->reason }, { 4, &change->submitter },
                {} };
        const char *state = (const char *) sqlite3_column_text(st, 2);
        int r = sql_column_texts(st, texts);

        change->seq = (uint64_t) sqlite3_column_int64(st, 0);
        change->state = state ? job_state_from_string(state) : _JOB_STATE_INVALID;
        return r >= 0 && change->state < 0 ? -EBADMSG : r;
}

int store_job_changes(
                Store *s, uint64_t after, bool finished, size_t limit, JobChange **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_CHANGES);
        JobChange *changes = NULL;
        size_t n = 0;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, after);
        sql_bind_uint(st, 2, finished);
        sql_bind_uint(st, 3, limit);
        r = SQL_READ_ROWS(s, st, change_read, changes, n);
        if (r < 0) {
                job_changes_free(changes, n);
                return r;
        }
        *ret = changes;
        *ret_n = n;
        return 0;
}

int store_job_last_change(Store *s, uint64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_LAST_CHANGE);
        int r = st ? sql_row(s, st) : sql_errno(s);

        if (r >= 0)
                *ret = (uint64_t) sqlite3_column_int64(st, 0);
        return r;
}
