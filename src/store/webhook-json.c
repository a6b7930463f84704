/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Webhooks and deliveries as JSON: what is told of a job, and how the rows are shown, on the bus as in
 * HTTP. */

#include "store/webhook-json.h"
#include "basic/string-util.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "json/json-redact.h"

/* What is in the database was JSON when it was written. */
static json_t *text_to_json(const char *text) {
        return text ? json_loads(text, 0, NULL) : NULL;
}

/* The first of @keys that @object has as a string; NULL if none. Borrowed. */
static json_t *first_string(json_t *object, char *const *keys) {
        STRV_FOREACH(k, keys) {
                json_t *value = json_object_get(object, *k);

                if (json_is_string(value) && json_string_length(value) > 0)
                        return value;
        }
        return NULL;
}
#define KEYS(...) ((char *const[]){ __VA_ARGS__, NULL })

/* What the client called the disk, else where it is. */
static json_t *disk_of(json_t *request, json_t *spec) {
        json_t *value = first_string(request, KEYS((char *) "vm_path"));

        if (!value)
                value = first_string(json_object_get(spec, "source"),
                                KEYS((char *) "path", (char *) "uri", (char *) "vm_path"));
        return value ? json_redact(value) : json_null();
}

static json_t *name_of(json_t *request, const JobRow *row) {
        json_t *value = first_string(
                        request, KEYS((char *) "name", (char *) "job_name", (char *) "vm_name"));

        return value ? json_incref(value) : json_string(row->id);
}

static json_t *error_of(const JobRow *row) {
        _cleanup_json_ json_t *result = text_to_json(row->result);
        json_t *message = json_object_get(json_object_get(result, "error"), "message");

        if (json_is_string(message))
                return json_incref(message);
        return row->state == JOB_FAILED ? json_string(strempty(row->reason)) : json_null();
}

json_t *job_row_webhook_data(const JobRow *row) {
        _cleanup_json_ json_t *request = text_to_json(row->request), *spec = text_to_json(row->spec);

        return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:I, s:{s:o, s:s?, s:I, s:I}, s:o, s:o, s:o, "
                         "s:o}",
                        "job_id", row->id, "job_name", name_of(request, row), "vm_path",
                        disk_of(request, spec), "operation", strempty(row->operation), "status",
                        job_state_to_status(row->state), "state", job_state_to_string(row->state), "reason",
                        strempty(row->reason), "attempt", (json_int_t) row->attempt, "progress",
                        "percent_complete", row->percent < 0 ? json_null() : json_real(row->percent),
                        "phase", job_phase_to_string(row->phase), "bytes_transferred",
                        (json_int_t) row->bytes_done, "total_bytes", (json_int_t) row->bytes_total,
                        "created_at", json_time(row->created_at), "started_at", json_time(row->started_at),
                        "completed_at", json_time(row->finished_at), "error", error_of(row));
}

/* --- how the rows are shown ------------------------------------------------------------------------ */

static json_t *words_to_json(char *const *words) {
        _cleanup_json_ json_t *list = json_array();

        STRV_FOREACH(w, words)
                if (json_array_append_new(list, json_string(*w)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static json_t *headers_to_json(char *const *names) {
        _cleanup_json_ json_t *object = json_object();

        STRV_FOREACH(n, names)
                if (json_object_set_new(object, *n, json_string("***")) < 0)
                        return NULL;
        return TAKE_PTR(object);
}

json_t *webhook_row_to_json(const WebhookRow *row, size_t index) {
        return json_pack("{s:I, s:s, s:o, s:b, s:I, s:I, s:o, s:s?, s:s, s:o, s:I, s:I, s:I}", "index",
                        (json_int_t) index, "url", row->url, "events", words_to_json(row->events), "enabled",
                        (int) row->enabled, "timeout", (json_int_t) row->timeout, "retry_count",
                        (json_int_t) row->retry_count, "headers", headers_to_json(row->headers), "secret",
                        row->has_secret ? "***" : NULL, "origin", row->from_config ? "config" : "api",
                        "created_at", json_time(row->created_at), "pending", (json_int_t) row->pending,
                        "delivered", (json_int_t) row->delivered, "failed", (json_int_t) row->failed);
}

static json_t *text_or_null(const char *text) {
        return isempty(text) ? json_null() : json_string(text);
}

json_t *delivery_row_to_json(const DeliveryRow *row) {
        _cleanup_json_ json_t *body = text_to_json(row->body);

        return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:O?}", "delivery_id",
                        row->id, "event", row->event, "status", delivery_state_to_string(row->state),
                        "attempts", (json_int_t) row->attempts, "created_at", json_time(row->created_at),
                        "last_attempt_at", json_time(row->tried_at), "next_attempt_at",
                        json_time(row->state == DELIVERY_PENDING ? row->due_at : 0), "status_code",
                        row->status > 0 ? json_integer(row->status) : json_null(), "duration_ms",
                        row->attempts > 0 ? json_integer((json_int_t) (row->duration / USEC_PER_MSEC))
                                          : json_null(),
                        "error", text_or_null(row->error), "response", text_or_null(row->response), "body",
                        body);
}
