/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job as JSON, for GetJob. */

#include "manager/job-json.h"

#include <jansson.h>

#include "basic/string-util.h"
#include "manager/manager.h"
#include "spec/warm-state.h"
#include "store/jobs.h"

/* What is in the database was JSON when it was written; null where there is nothing. */
static json_t *text_to_json(const char *text) {
        json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

        return value ? value : json_null();
}

static json_t *history_to_json(const JobStateRow *rows, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < n; i++) {
                json_t *entry = json_pack("{s:s, s:o, s:s}", "state", job_state_to_string(rows[i].state),
                                "timestamp", json_time(rows[i].timestamp), "reason",
                                strempty(rows[i].reason));

                if (json_array_append_new(list, entry) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static json_t *progress_to_json(const JobRow *row) {
        uint64_t seconds;
        bool known = job_row_remaining(row, &seconds);

        return json_pack("{s:s?, s:o, s:I, s:I, s:I, s:o}", "phase", job_phase_to_string(row->phase),
                        "percent", row->percent < 0 ? json_null() : json_real(row->percent), "bytes_done",
                        (json_int_t) row->bytes_done, "bytes_total", (json_int_t) row->bytes_total, "rate",
                        (json_int_t) row->rate, "remaining_seconds",
                        known ? json_integer((json_int_t) MIN(seconds, (uint64_t) INT64_MAX)) : json_null());
}

/* The request is the client's own text: JSON if it is JSON. */
static json_t *request_to_json(const char *request) {
        json_t *value = request ? json_loads(request, JSON_DECODE_ANY, NULL) : NULL;

        return value ? value : request ? json_string(request) : json_null();
}

static json_t *warm_to_json(const JobRow *row) {
        WarmState warm;

        return row->warm && warm_state_decode(row->warm, &warm) >= 0
                        ? warm_state_to_json(&warm, row->state, row->phase, row->due_at)
                        : json_null();
}

/* In lines; null: none. */
static json_t *names_to_json(const char *names) {
        _cleanup_json_ json_t *list = names ? json_array() : NULL;
        _cleanup_free_ char *copy = names ? strdup(names) : NULL;
        char *rest = copy;

        if (!names)
                return json_null();
        for (char *name; copy && (name = strsep(&rest, "\n"));)
                if (json_array_append_new(list, json_string(name)) < 0)
                        return NULL;
        return copy ? TAKE_PTR(list) : NULL;
}

static json_t *row_to_json(const JobRow *row, const char *unit, const JobStateRow *states, size_t n) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:i, s:b, s:b, s:s?, s:s, s:s, s:o, s:o, "
                         "s:o, s:o, "
                         "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                        "job_id", row->id, "operation", row->operation, "role", role_to_string(row->role),
                        "state", job_state_to_string(row->state), "reason", strempty(row->reason),
                        "state_history", history_to_json(states, n), "attempt", (int) row->attempt,
                        "retry_count", (int) row->retry_count, "priority", (int) row->priority, "idempotent",
                        (int) row->idempotent, "any_worker", (int) row->any_worker, "worker_id",
                        row->worker_id, "unit", unit, "dialect", strempty(row->dialect), "request",
                        request_to_json(row->request), "created_at", json_time(row->created_at),
                        "updated_at", json_time(row->updated_at), "started_at", json_time(row->started_at),
                        "finished_at", json_time(row->finished_at), "due_at", json_time(row->due_at),
                        "deadline_at", json_time(row->deadline_at), "progress", progress_to_json(row),
                        "submitter", text_to_json(row->submitter), "spec", text_to_json(row->spec), "warm",
                        warm_to_json(row), "result", text_to_json(row->result), "waits_for",
                        names_to_json(row->waits_for));
}

uint64_t job_remaining_usec(const JobRow *row) {
        uint64_t seconds;

        if (!job_row_remaining(row, &seconds) || seconds >= UINT64_MAX / USEC_PER_SEC)
                return UINT64_MAX;
        return seconds * USEC_PER_SEC;
}

int job_details(Store *store, const char *id, char **ret) {
        _cleanup_(job_row_freep) JobRow *row = NULL;
        _cleanup_free_ char *unit = job_unit_name(id);
        _cleanup_json_ json_t *object = NULL;
        JobStateRow *states = NULL;
        size_t n = 0;
        int r;

        if (!unit)
                return -ENOMEM;
        r = store_job_get(store, id, &row);
        if (r >= 0)
                r = store_job_states(store, id, &states, &n);
        if (r < 0)
                return r;
        object = row_to_json(row, unit, states, n);
        job_state_rows_free(states, n);
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
