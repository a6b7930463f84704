/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/workers.h"
#include "basic/string-util.h"
#include "spec/capability.h"
#include "spec/job-demand.h"
#include "store/job-changes.h"
#include "store/jobs-list.h"
#include "store/jobs.h"
#include "store/limit-book.h"
#include "store/placement.h"
#include "store/sql.h"

void worker_row_done(WorkerRow *row) {
        free(row->id);
        free(row->capabilities);
        free(row->system_info);
        free(row->execution_mode);
        free(row->labels);
        *row = (WorkerRow){};
}

WorkerRow *worker_row_free(WorkerRow *row) {
        if (!row)
                return NULL;
        worker_row_done(row);
        return mfree(row);
}

void worker_rows_done(WorkerRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                worker_row_done(&rows->rows[i]);
        free(rows->rows);
        *rows = (WorkerRows){};
}

void queue_status_done(QueueStatus *q) {
        free(q->priorities);
        *q = (QueueStatus){};
}

/* On failure what @row got is the caller's to free. */
static int row_read(sqlite3_stmt *st, void *ret) {
        WorkerRow *row = ret;
        int r;

        *row = (WorkerRow){
                .seq = sqlite3_column_int64(st, 0),
                .capability_mask = (uint32_t) sqlite3_column_int64(st, 3),
                .memory_gb = (uint64_t) sqlite3_column_int64(st, 4),
                .disk_gb = (uint64_t) sqlite3_column_int64(st, 5),
                .registered_at = (usec_t) sqlite3_column_int64(st, 8),
                .heartbeat_at = (usec_t) sqlite3_column_int64(st, 9),
                .jobs = (uint64_t) sqlite3_column_int64(st, 10),
        };
        r = sql_column_texts(st,
                        (SqlText[]){ { 1, &row->id }, { 2, &row->capabilities }, { 6, &row->system_info },
                                        { 7, &row->execution_mode }, { 11, &row->labels }, {} });
        if (r < 0)
                return r;
        return row->id && row->capabilities && row->system_info && row->labels ? 0 : -EBADMSG;
}

/* When the worker was heard from last; -ENOENT. */
static int read_heartbeat(Store *s, const char *id, usec_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKER_HEARTBEAT);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                *ret = (usec_t) sqlite3_column_int64(st, 0);
        return r;
}

static int put(Store *s, const WorkerRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKER_PUT);

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, row->id);
        sql_bind_text(st, 2, row->capabilities);
        sql_bind_uint(st, 3, row->capability_mask);
        sql_bind_uint(st, 4, row->memory_gb);
        sql_bind_uint(st, 5, row->disk_gb);
        sql_bind_text(st, 6, row->system_info);
        sql_bind_text(st, 7, row->execution_mode);
        sql_bind_uint(st, 8, row->registered_at);
        sql_bind_text(st, 9, strempty(row->labels));
        placement_machines_changed(s);
        return sql_run(s, st);
}

int store_worker_register(Store *s, const WorkerRow *row, bool *ret_created) {
        bool created = false;
        usec_t heartbeat;
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = read_heartbeat(s, row->id, &heartbeat);
        if (r == -ENOENT) {
                created = true;
                r = 0;
        }
        if (r >= 0)
                r = put(s, row);
        r = sql_end(s, r);
        if (r >= 0)
                *ret_created = created;
        return r;
}

static int heard(Store *s, const char *id, usec_t now) {
        _cleanup_sql_done_ sqlite3_stmt *st = NULL;
        usec_t heartbeat;
        int r = read_heartbeat(s, id, &heartbeat);

        if (r < 0 || now < heartbeat + WORKER_HEARD_STEP)
                return r;
        st = sql_statement(s, SQL_WORKER_HEARD);
        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        sql_bind_uint(st, 2, now);
        return sql_run(s, st);
}

int store_worker_heard(Store *s, const char *id, usec_t now) {
        int r, k;

        r = sql_set_durable(s, false);
        if (r >= 0)
                r = sql_begin(s);
        if (r >= 0)
                r = sql_end(s, heard(s, id, now));
        k = sql_set_durable(s, true);
        return r < 0 ? r : k;
}

/* Rows of jobs by one or two values. */
static int list_jobs(Store *s, StatementId id, const char *worker_id, usec_t since, JobRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, id);
        _cleanup_(job_rows_done) JobRows rows = {};
        int r, i = 1;

        if (!st)
                return sql_errno(s);
        if (worker_id)
                sql_bind_text(st, i++, worker_id);
        if (id != SQL_WORKER_JOBS)
                sql_bind_uint(st, i, since);
        r = SQL_READ_ROWS(s, st, job_row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        rows.total = rows.n;
        *ret = rows;
        rows = (JobRows){};
        return 0;
}

int store_worker_jobs(Store *s, const char *worker_id, JobRows *ret) {
        return list_jobs(s, SQL_WORKER_JOBS, worker_id, 0, ret);
}

int store_worker_cancelled(Store *s, const char *worker_id, usec_t since, JobRows *ret) {
        return list_jobs(s, SQL_WORKER_CANCELLED, worker_id, since, ret);
}

int store_jobs_abandoned(Store *s, usec_t since, JobRows *ret) {
        return list_jobs(s, SQL_JOBS_ABANDONED, NULL, since, ret);
}

int store_jobs_overdue(Store *s, usec_t now, JobRows *ret) {
        return list_jobs(s, SQL_JOBS_OVERDUE, NULL, now, ret);
}

int store_job_next_deadline(Store *s, usec_t *ret) {
        return sql_read_earliest(s, SQL_JOB_NEXT_DEADLINE, ret);
}

static int delete_idle(Store *s, const char *id) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKER_DELETE);
        _cleanup_(job_rows_done) JobRows jobs = {};
        int r;

        if (!st)
                return sql_errno(s);
        r = store_worker_jobs(s, id, &jobs);
        if (r < 0)
                return r;
        if (jobs.n > 0)
                return -EBUSY;
        sql_bind_text(st, 1, id);
        placement_machines_changed(s);
        return sql_run_on_one(s, st);
}

int store_worker_delete(Store *s, const char *id) {
        int r = sql_begin(s);

        return r < 0 ? r : sql_end(s, delete_idle(s, id));
}

int store_worker_get(Store *s, const char *id, WorkerRow **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKER_GET);
        _cleanup_(worker_row_freep) WorkerRow *row = NULL;
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_row(s, st);
        if (r < 0)
                return r;
        row = new0(WorkerRow, 1);
        if (!row)
                return -ENOMEM;
        r = row_read(st, row);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(row);
        return 0;
}

int store_workers_list(Store *s, int64_t seq, uint64_t offset, uint64_t limit, WorkerRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_LIST);
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_int64(st, 1, limit > 0 && limit < INT64_MAX ? (int64_t) limit : -1);
        sql_bind_uint(st, 2, MIN(offset, (uint64_t) INT64_MAX));
        (void) sqlite3_bind_int64(st, 3, seq);
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (WorkerRows){};
        return 0;
}

int store_workers_silent(Store *s, usec_t since, WorkerRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_SILENT);
        _cleanup_(worker_rows_done) WorkerRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, since);
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (WorkerRows){};
        return 0;
}

int store_workers_count(Store *s, usec_t since, uint64_t *ret_total, uint64_t *ret_active) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_COUNT);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, since);
        r = sql_row(s, st);
        if (r < 0)
                return r;
        *ret_total = (uint64_t) sqlite3_column_int64(st, 0);
        *ret_active = (uint64_t) sqlite3_column_int64(st, 1);
        return 0;
}

int store_workers_can(Store *s, const JobDemand *demand, bool *ret) {
        StoreWorkersCan *last = &s->workers_can;
        uint64_t packed = job_demand_pack(demand);

        /* Rows that are not committed may be taken back. */
        bool committed = sqlite3_get_autocommit(s->db);

        if (committed && last->known && last->demand == packed &&
                        last->changes == sqlite3_total_changes(s->db)) {
                *ret = last->can;
                return 0;
        }
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_CAN);
        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, demand->capabilities);
        sql_bind_uint(st, 2, demand->memory_gb);
        sql_bind_uint(st, 3, demand->disk_gb);
        int r = sql_row(s, st);
        if (r < 0)
                return r;
        *ret = sqlite3_column_int(st, 0);
        *last = (StoreWorkersCan){ committed, *ret, packed, sqlite3_total_changes(s->db) };
        return 0;
}

int store_workers_longest_silent(Store *s, usec_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WORKERS_LONGEST_SILENT);
        int r = sql_row(s, st);

        if (r >= 0)
                *ret = (usec_t) sqlite3_column_int64(st, 0);
        return r;
}

void worker_offer_make(const WorkerRow *row, const WorkerHello *h, WorkerOffer *ret) {
        *ret = (WorkerOffer){
                .worker_id = row->id,
                .capabilities = (h->capabilities ? h->capability_mask
                                                 : row->capability_mask & CAPABILITY_BITS) |
                                (h->operations ? h->operation_mask : row->capability_mask & OPERATION_BITS),
                .memory_gb = h->memory_gb > 0 ? h->memory_gb : row->memory_gb,
                .disk_gb = h->disk_gb > 0 ? h->disk_gb : row->disk_gb,
                .labels = row->labels,
                .job_id = h->job_id,
        };
        /* Its machine was chosen already. */
        if (h->job_id)
                ret->capabilities |= DEMAND_SLURM;
}

/* The same as SQL_JOB_FOR_WORKER says. */
bool worker_offer_meets(const WorkerOffer *o, uint64_t demand) {
        JobDemand d = job_demand_unpack(demand);

        return !(d.capabilities & ~o->capabilities) && d.memory_gb <= o->memory_gb &&
                        d.disk_gb <= o->disk_gb;
}

int worker_offer_fit(Store *s, const WorkerOffer *o, const JobRow *row, PlacementFit *ret) {
        *ret = PLACEMENT_FITS;
        return job_demand_unpack(row->demand).capabilities & DEMAND_SLURM
                        ? 0 /* Slurm has seen to it */
                        : store_placement_fit(s, row->limit_set, strempty(o->labels), ret);
}

/* The first one that the worker can do of those that hold nothing; -ENOENT. */
static int find_unlimited(Store *s, const WorkerOffer *offer, LimitPlace *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_JOB_FOR_WORKER);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, offer->capabilities);
        sql_bind_uint(st, 2, offer->memory_gb);
        sql_bind_uint(st, 3, offer->disk_gb);
        r = sql_row(s, st);
        if (r >= 0)
                *ret = (LimitPlace){ (unsigned) sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 0) };
        return r;
}

static bool meets(const void *userdata, uint64_t demand) {
        return worker_offer_meets(userdata, demand);
}

/* The id of the job that the worker should get; -ENOENT. */
static int find_job(Store *s, const WorkerOffer *offer, char **ret) {
        const LimitAsker asker = { meets, offer, offer->labels };
        LimitPlace place = {}, limited;
        int r = find_unlimited(s, offer, &place), k;

        if (r < 0 && r != -ENOENT)
                return r;
        k = limits_first(s, &asker, /* others= */ false, &limited);
        if (k == 0 && r < 0) /* what others should rather have is better than nothing */
                k = limits_first(s, &asker, /* others= */ true, &limited);
        if (k < 0)
                return k;
        if (k > 0 && (r < 0 || limit_place_is_before(&limited, &place)))
                place = limited;
        else if (r < 0)
                return r;
        return limits_job_id(s, place.seq, ret);
}

/* The same for the job that the worker asks for. */
static int find_this_job(Store *s, const WorkerOffer *offer, char **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        PlacementFit fit;
        int r = store_job_get(s, offer->job_id, &row);

        if (r >= 0)
                r = worker_offer_fit(s, offer, row, &fit);
        if (r < 0)
                return r;
        if (row->state != JOB_QUEUED || !row->any_worker || !worker_offer_meets(offer, row->demand) ||
                        fit == PLACEMENT_REFUSED)
                return -ENOENT;
        *ret = TAKE_PTR(row->id);
        return 0;
}

/* 1 with *ret, or 0 if no job fits. */
static int dequeue(Store *s, const WorkerOffer *offer, usec_t now, const char *reason, JobRow **ret) {
        _cleanup_free_ char *id = NULL;
        int r = heard(s, offer->worker_id, now);

        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;
        r = offer->job_id ? find_this_job(s, offer, &id) : find_job(s, offer, &id);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = job_transition_apply(s, id,
                        &(JobTransition){ .from = JOB_QUEUED,
                                        .to = JOB_ASSIGNED,
                                        .timestamp = now,
                                        .reason = reason,
                                        .worker_id = offer->worker_id,
                                        .begins_attempt = true });
        if (r == -EUSERS) /* a limit of the job that it asked for is not free */
                return 0;
        if (r >= 0)
                r = store_job_get(s, id, ret);
        return r < 0 ? r : 1;
}

int store_job_dequeue(Store *s, const WorkerOffer *offer, usec_t now, const char *reason, JobRow **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        int r = sql_begin(s);

        if (r < 0)
                return r;
        r = sql_end(s, dequeue(s, offer, now, reason, &row));
        if (r < 0)
                return r;
        if (r == 0)
                return -ENOENT;
        *ret = TAKE_PTR(row);
        return 0;
}

static int priority_read(sqlite3_stmt *st, void *ret) {
        QueuePriority *row = ret;

        row->priority = (unsigned) sqlite3_column_int64(st, 0);
        row->n = (uint64_t) sqlite3_column_int64(st, 1);
        return 0;
}

int store_queue_status(Store *s, QueueStatus *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_QUEUE_STATUS);
        _cleanup_(queue_status_done) QueueStatus q = {};
        int r = SQL_READ_ROWS(s, st, priority_read, q.priorities, q.n_priorities);

        if (r < 0)
                return r;
        for (size_t i = 0; i < q.n_priorities; i++)
                q.total += q.priorities[i].n;
        *ret = q;
        q = (QueueStatus){};
        return 0;
}
