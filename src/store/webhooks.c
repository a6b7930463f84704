/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>

#include "basic/string-util.h"
#include "store/sql.h"
#include "store/webhooks.h"

WebhookRow *webhook_row_free(WebhookRow *row) {
        if (!row)
                return NULL;
        free(row->url);
        strv_free(row->events);
        strv_free(row->headers);
        free(row->credential);
        return mfree(row);
}

void webhook_rows_done(WebhookRows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                webhook_row_free(rows->rows[i]);
        free(rows->rows);
        *rows = (WebhookRows){};
}

/* Lists of words are kept as JSON. */
static char *words_to_text(char *const *words) {
        _cleanup_json_ json_t *list = json_array();

        STRV_FOREACH(w, words)
                if (json_array_append_new(list, json_string(*w)) < 0)
                        return NULL;
        return list ? json_dumps(list, JSON_COMPACT) : NULL;
}

static int words_from_text(const char *text, char ***ret) {
        _cleanup_json_ json_t *list = text ? json_loads(text, 0, NULL) : NULL;
        _cleanup_strv_free_ char **words = NULL;
        json_t *word;
        size_t i;

        if (!json_is_array(list))
                return -EBADMSG;
        words = new0(char *, json_array_size(list) + 1);
        if (!words)
                return -ENOMEM;
        json_array_foreach(list, i, word) {
                if (!json_is_string(word))
                        return -EBADMSG;
                words[i] = strdup(json_string_value(word));
                if (!words[i])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

/* The columns of WEBHOOK_COLUMNS. */
static int row_read(sqlite3_stmt *st, void *ret) {
        _cleanup_(webhook_row_freep) WebhookRow *row = new0(WebhookRow, 1);
        int r;

        if (!row)
                return -ENOMEM;
        row->seq = sqlite3_column_int64(st, 0);
        row->event_mask = (uint32_t) sqlite3_column_int64(st, 3);
        row->enabled = sqlite3_column_int(st, 4);
        row->timeout = (unsigned) sqlite3_column_int64(st, 5);
        row->retry_count = (unsigned) sqlite3_column_int64(st, 6);
        row->has_secret = sqlite3_column_int(st, 8);
        row->from_config = sqlite3_column_int(st, 10);
        row->created_at = (usec_t) sqlite3_column_int64(st, 11);
        row->delivered = (uint64_t) sqlite3_column_int64(st, 12);
        row->failed = (uint64_t) sqlite3_column_int64(st, 13);
        row->pending = (uint64_t) sqlite3_column_int64(st, 14);
        r = sql_column_strdup(st, 1, &row->url);
        if (r >= 0)
                r = words_from_text((const char *) sqlite3_column_text(st, 2), &row->events);
        if (r >= 0)
                r = words_from_text((const char *) sqlite3_column_text(st, 7), &row->headers);
        if (r >= 0)
                r = sql_column_strdup(st, 9, &row->credential);
        if (r < 0)
                return r;
        *(WebhookRow **) ret = TAKE_PTR(row);
        return 0;
}

/* The parameters that inserting and updating have in common; the texts must outlive the statement. */
static void bind_definition(
                sqlite3_stmt *st, const WebhookRow *row, const char *events, const char *headers) {
        sql_bind_text(st, 2, row->url);
        sql_bind_text(st, 3, events);
        sql_bind_uint(st, 4, row->event_mask);
        sql_bind_uint(st, 5, row->enabled);
        sql_bind_uint(st, 6, row->timeout);
        sql_bind_uint(st, 7, row->retry_count);
        sql_bind_text(st, 8, headers);
        sql_bind_uint(st, 9, row->has_secret);
        sql_bind_text(st, 10, row->credential);
        sql_bind_uint(st, 11, row->from_config);
        sql_bind_uint(st, 12, row->created_at);
}

int store_webhook_insert(Store *s, WebhookRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WEBHOOK_INSERT);
        _cleanup_free_ char *events = words_to_text(row->events), *headers = words_to_text(row->headers);
        int r;

        if (!st)
                return sql_errno(s);
        if (!events || !headers)
                return -ENOMEM;
        bind_definition(st, row, events, headers);
        r = sql_run(s, st);
        if (r >= 0)
                row->seq = sqlite3_last_insert_rowid(s->db);
        return r;
}

int store_webhook_update(Store *s, const WebhookRow *row) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WEBHOOK_UPDATE);
        _cleanup_free_ char *events = words_to_text(row->events), *headers = words_to_text(row->headers);

        if (!st)
                return sql_errno(s);
        if (!events || !headers)
                return -ENOMEM;
        sql_bind_uint(st, 1, (uint64_t) row->seq);
        bind_definition(st, row, events, headers);
        return sql_run_on_one(s, st);
}

int store_webhook_delete(Store *s, int64_t seq) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WEBHOOK_DELETE);

        if (!st)
                return sql_errno(s);
        sql_bind_uint(st, 1, (uint64_t) seq);
        return sql_run_on_one(s, st);
}

int store_webhooks_list(Store *s, WebhookRows *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_WEBHOOKS_LIST);
        _cleanup_(webhook_rows_done) WebhookRows rows = {};
        int r = SQL_READ_ROWS(s, st, row_read, rows.rows, rows.n);

        if (r < 0)
                return r;
        *ret = rows;
        rows = (WebhookRows){};
        return 0;
}
