/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deliveries: made with what they tell of, tried in order, kept for a while. */

#include "store/deliveries.h"
#include "basic/string-util.h"
#include "shared/webhook.h"
#include "spec/job-spec.h"
#include "store/jobs.h"
#include "store/sql.h"

static const char *const state_names[_DELIVERY_STATE_MAX] = {
        [DELIVERY_PENDING] = "pending",
        [DELIVERY_DELIVERED] = "delivered",
        [DELIVERY_FAILED] = "failed",
};

const char *delivery_state_to_string(DeliveryState s) {
        return s >= 0 && s < _DELIVERY_STATE_MAX ? state_names[s] : NULL;
}

DeliveryState delivery_state_from_string(const char *s) {
        for (DeliveryState i = 0; s && i < _DELIVERY_STATE_MAX; i++)
                if (streq(state_names[i], s))
                        return i;
        return _DELIVERY_STATE_INVALID;
}

void delivery_rows_done(DeliveryRows *rows) {
        for (size_t i = 0; i < rows->n; i++) {
                free(rows->rows[i].id);
                free(rows->rows[i].event);
                free(rows->rows[i].body);
                free(rows->rows[i].error);
                free(rows->rows[i].response);
        }
        free(rows->rows);
        *rows = (DeliveryRows){};
}

/* --- reading --------------------------------------------------------------------------------------- */

/* The columns of DELIVERY_COLUMNS. */
static int row_read(sqlite3_stmt *st, void *ret) {
        DeliveryRow *row = ret;
        const SqlText texts[] = {
                { 2, &row->id },
                { 3, &row->event },
                { 4, &row->body },
                { 12, &row->error },
                { 13, &row->response },
                {},
        };
        int r;

        *row = (DeliveryRow){
                .seq = sqlite3_column_int64(st, 0),
                .webhook_seq = sqlite3_column_int64(st, 1),
                .state = delivery_state_from_string((const char *) sqlite3_column_text(st, 5)),
                .attempts = (unsigned) sqlite3_column_int64(st, 6),
                .created_at = (usec_t) sqlite3_column_int64(st, 7),
                .due_at = (usec_t) sqlite3_column_int64(st, 8),
                .tried_at = (usec_t) sqlite3_column_int64(st, 9),
                .status = (unsigned) sqlite3_column_int64(st, 10),
                .duration = (usec_t) sqlite3_column_int64(st, 11),
        };
        r = sql_column_texts(st, texts);
        return r < 0 ? r : row->state < 0 ? -EBADMSG : 0;
}

int store_deliveries_list(Store *s, int64_t webhook_seq, uint64_t limit, DeliveryRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERIES_LIST);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) webhook_seq);
        sql_bind_uint(st, 2, limit);
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0)
                return r;
        *ret = rows;
        rows = (DeliveryRows){};
        return 0;
}

int store_delivery_get(Store *s, int64_t seq, DeliveryRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERY_GET);
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) seq);
        r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        if (r < 0 || rows.n == 0)
                return r < 0 ? r : -ENOENT;
        *ret = rows;
        rows = (DeliveryRows){};
        return 0;
}

/* --- what is due ----------------------------------------------------------------------------------- */

static bool is_busy(const int64_t *busy, size_t n, int64_t seq) {
        for (size_t i = 0; i < n; i++)
                if (busy[i] == seq)
                        return true;
        return false;
}

/* The webhooks that are enabled and have something pending, and when the first of that is due. */
typedef struct Head {
        int64_t webhook_seq;
        usec_t due_at;
} Head;

static int read_heads(Store *s, usec_t now, const int64_t *busy, size_t n_busy, Head **ret, size_t *ret_n) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERY_HEADS);
        _cleanup_free_ Head *heads = NULL;
        size_t n = 0, allocated = 0;
        int r;

        while ((r = sql_next(s, st)) > 0) {
                Head head = { sqlite3_column_int64(st, 0), (usec_t) sqlite3_column_int64(st, 1) };

                if (sqlite3_column_type(st, 1) == SQLITE_NULL || is_busy(busy, n_busy, head.webhook_seq))
                        continue;
                /* Further away than the longest pause: the clock was set back meanwhile. */
                if (head.due_at > now + WEBHOOK_PAUSE_MAX)
                        head.due_at = now;
                if (!GREEDY_REALLOC(heads, allocated, n + 1))
                        return -ENOMEM;
                heads[n++] = head;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(heads);
        *ret_n = n;
        return 0;
}

int store_deliveries_due(Store *s, usec_t now, const int64_t *busy, size_t n_busy, unsigned limit,
                DeliveryRows *ret) {
        _cleanup_(delivery_rows_done) DeliveryRows rows = {};
        _cleanup_free_ Head *heads = NULL;
        size_t n = 0;
        int r = read_heads(s, now, busy, n_busy, &heads, &n);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_sql_done_ sqlite3_stmt *st = NULL;

                if (heads[i].due_at > now)
                        continue;
                st = sql_statement(s, SQL_DELIVERIES_PENDING);
                if (!st)
                        return sql_errno(s);
                sql_bind_uint(st, 1, (uint64_t) heads[i].webhook_seq);
                sql_bind_uint(st, 2, limit);
                r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);
        }
        if (r < 0)
                return r;
        *ret = rows;
        rows = (DeliveryRows){};
        return 0;
}

int store_deliveries_next_due(Store *s, usec_t now, const int64_t *busy, size_t n_busy, usec_t *ret) {
        _cleanup_free_ Head *heads = NULL;
        usec_t due = USEC_INFINITY;
        size_t n = 0;
        int r = read_heads(s, now, busy, n_busy, &heads, &n);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                due = MIN(due, heads[i].due_at);
        if (due == USEC_INFINITY)
                return -ENOENT;
        *ret = due;
        return 0;
}

/* --- recording ------------------------------------------------------------------------------------- */

/* The delivery's attempts so far, and the retries it is allowed; -ENOENT if it is not pending. */
static int read_attempts(Store *s, int64_t seq, unsigned *ret_attempts, unsigned *ret_retries) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERY_ATTEMPTS);
        int r;

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) seq);
        r = sql_row(s, st);
        if (r < 0)
                return r;
        *ret_attempts = (unsigned) sqlite3_column_int64(st, 0);
        *ret_retries = (unsigned) sqlite3_column_int64(st, 1);
        return 0;
}

static int write_attempt(
                Store *s, const DeliveryResult *result, DeliveryState state, usec_t due, usec_t now) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERY_RECORD);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) result->seq);
        sql_bind_text(st, 2, delivery_state_to_string(state));
        sql_bind_uint(st, 3, due);
        sql_bind_uint(st, 4, now);
        sql_bind_uint(st, 5, result->status);
        sql_bind_uint(st, 6, result->duration);
        sql_bind_text(st, 7, strempty(result->error));
        sql_bind_text(st, 8, strempty(result->response));
        return sql_run(s, st);
}

/* A delivery has ended: counted with its webhook, and for all. */
static int count_end(Store *s, int64_t seq, DeliveryState state) {
        _cleanup_sql_done_ sqlite3_stmt *of_hook = sql_statement(s, SQL_WEBHOOK_COUNT), *of_all = NULL;
        int r;

        if (!of_hook)
                return sql_errno(s);
        sql_bind_uint(of_hook, 1, (uint64_t) seq);
        sql_bind_uint(of_hook, 2, state == DELIVERY_DELIVERED);
        sql_bind_uint(of_hook, 3, state == DELIVERY_FAILED);
        r = sql_run(s, of_hook);
        if (r < 0)
                return r;
        of_all = sql_statement(s, SQL_DELIVERY_COUNT);
        if (!of_all)
                return sql_errno(s);
        sql_bind_text(of_all, 1, delivery_state_to_string(state));
        return sql_run(s, of_all);
}

static int record_one(Store *s, DeliveryResult *result, usec_t now) {
        unsigned attempts = 0, retries = 0;
        DeliveryState state;
        int r = read_attempts(s, result->seq, &attempts, &retries);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        attempts++;
        state = result->success              ? DELIVERY_DELIVERED
                        : attempts > retries ? DELIVERY_FAILED
                                             : DELIVERY_PENDING;
        result->given_up = state == DELIVERY_FAILED;
        r = write_attempt(s, result, state, now + webhook_pause(attempts), now);
        return r < 0 || state == DELIVERY_PENDING ? r : count_end(s, result->seq, state);
}

int store_deliveries_record(Store *s, DeliveryResult *results, size_t n, usec_t now) {
        int r = sql_begin(s);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = record_one(s, results + i, now);
        return sql_end(s, r);
}

int store_deliveries_prune(Store *s, usec_t before) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERIES_PRUNE);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, before);
        return sql_run(s, st);
}

int store_deliveries_count(Store *s, uint64_t ret[static _DELIVERY_STATE_MAX]) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_DELIVERIES_COUNT);
        uint64_t counts[_DELIVERY_STATE_MAX] = {};
        int r;

        while ((r = sql_next(s, st)) > 0) {
                DeliveryState state = delivery_state_from_string((const char *) sqlite3_column_text(st, 0));

                if (state >= 0)
                        counts[state] = (uint64_t) sqlite3_column_int64(st, 1);
        }
        if (r < 0)
                return r;
        memcpy(ret, counts, sizeof(counts));
        return 0;
}
