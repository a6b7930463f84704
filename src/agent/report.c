/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/report.h"
#include "json/json-parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "basic/string-util.h"
#include "shared/machine.h"
#include "spec/label.h"
#include "json/json-table.h"

/* What a server takes of an event's details (dialect/worker-message.c). */
#define DETAILS_MAX (EVENT_DETAILS_MAX / 2)

/* --- of this machine ------------------------------------------------------------------------------- */

static json_t *capabilities_json(void) {
        uint32_t mask = machine_capabilities();
        json_t *list = json_array();

        for (int c = 0; list && c < _CAPABILITY_MAX; c++)
                if ((mask & 1u << c) &&
                                json_array_append_new(list, json_string(capability_to_string(c))) < 0) {
                        json_decref(list);
                        return NULL;
                }
        return list;
}

json_t *hello_json(const AgentSettings *s) {
        _cleanup_free_ char *labels = labels_to_text(s->worker.labels);
        struct utsname u;

        if (!labels)
                return NULL;
        if (uname(&u) < 0)
                u = (struct utsname){};
        return json_pack("{s:s, s:o, s:o, s:{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}, s:s, s:o}",
                        "worker_id", s->worker.id, "capabilities", capabilities_json(), "operations",
                        operations_to_json(machine_operations()), "system_info", "hostname",
                        utf8_is_valid(u.nodename) ? u.nodename : "?", "os", u.sysname, "kernel", u.release,
                        "architecture", u.machine, "agent", "hyper " PACKAGE_VERSION, "memory_mb",
                        (json_int_t) machine_memory_mb(), "disk_space_mb",
                        (json_int_t) machine_free_space_mb(s->worker.directory), "max_jobs",
                        (json_int_t) s->worker.max_jobs, "execution_mode", "systemd", "labels",
                        labels_to_json(labels));
}

json_t *question_json(const AgentSettings *s, unsigned wait) {
        json_t *o = hello_json(s);

        if (o && json_object_set_new(o, "wait", json_integer(wait)) < 0) {
                json_decref(o);
                return NULL;
        }
        return o;
}

/* --- of a job that goes on ------------------------------------------------------------------------- */

bool event_is_told(const JobEvent *e) {
        return e->kind != EVENT_STATE;
}

static int set_number(json_t *object, const char *key, uint64_t n) {
        return n == 0 ? 0
                      : json_object_set_new(object, key,
                                        json_integer((json_int_t) MIN(n, (uint64_t) INT64_MAX)));
}

/* Numbers by the names that this API has for them. */
static json_t *details_json(const JobEvent *e, uint64_t sequence, bool with_own) {
        _cleanup_json_ json_t *details = with_own && e->details ? json_copy(e->details) : json_object();

        if (!details || set_number(details, "sequence", sequence) < 0 ||
                        set_number(details, "bytes_processed", e->bytes_done) < 0 ||
                        set_number(details, "total_bytes", e->bytes_total) < 0 ||
                        set_number(details, "bytes_per_second", e->rate) < 0)
                return NULL;
        if (e->kind != EVENT_PROGRESS &&
                        json_object_set_new(details, "event", json_string(event_kind_to_string(e->kind))) <
                                        0)
                return NULL;
        return TAKE_PTR(details);
}

json_t *event_json(const char *worker_id, const JobEvent *e, uint64_t sequence) {
        _cleanup_json_ json_t *details = details_json(e, sequence, true), *o = NULL;
        char time[RFC3339_SIZE];

        /* A job may say more than a report can hold; the event goes without that. */
        if (details && json_dumpb(details, NULL, 0, JSON_COMPACT) > DETAILS_MAX) {
                json_decref(details);
                details = details_json(e, sequence, false);
        }
        if (!details)
                return NULL;
        o = json_pack("{s:s, s:s, s:s, s:O, s:I}", "worker_id", worker_id, "timestamp",
                        format_rfc3339(time, e->realtime), "message", strempty(e->message), "details",
                        details, "sequence", (json_int_t) MIN(sequence, (uint64_t) INT64_MAX));
        if (!o ||
                        (job_phase_to_string(e->phase) &&
                                        json_object_set_new(o, "phase",
                                                        json_string(job_phase_to_string(e->phase))) < 0) ||
                        (e->percent >= 0 &&
                                        json_object_set_new(o, "percentage",
                                                        json_real(MIN(e->percent, 100.0))) < 0))
                return NULL;
        return TAKE_PTR(o);
}

/* --- of a job that has ended ----------------------------------------------------------------------- */

json_t *result_failed(const char *worker_id, const char *code, const char *message, bool retryable) {
        return json_pack("{s:s, s:s, s:{s:s, s:s, s:b}}", "worker_id", worker_id, "status", "failed",
                        "error", "code", code, "message", message, "retryable", (int) retryable);
}

static json_t *object_or_null(json_t *value) {
        return json_is_object(value) ? json_incref(value) : json_null();
}

/* Which words there are in an error, and no others. */
static json_t *error_json(json_t *error, const char *reason) {
        const char *message = json_string_value(json_object_get(error, "message"));
        json_t *retryable = json_object_get(error, "retryable");

        return json_pack("{s:s?, s:s?, s:s, s:b}", "phase",
                        json_string_value(json_object_get(error, "phase")), "code",
                        json_string_value(json_object_get(error, "code")), "message",
                        message ? message : reason, "retryable", !json_is_false(retryable));
}

int result_from_details(const char *worker_id, const char *details, json_t **ret) {
        _cleanup_json_ json_t *job = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(details, strlen(details), &job, &why);
        json_t *result, *answer;
        const char *reason;
        JobState state;

        if (r < 0)
                return r;
        state = job_state_from_string(strempty(json_string_value(json_object_get(job, "state"))));
        reason = strempty(json_string_value(json_object_get(job, "reason")));
        result = json_object_get(job, "result");
        if (state < 0)
                return -EBADMSG;
        if (!job_state_is_terminal(state)) {
                *ret = NULL;
                return 0;
        }
        if (state == JOB_COMPLETED) {
                json_t *outputs = json_object_get(result, "outputs");

                answer = json_pack("{s:s, s:s, s:o, s:o, s:o}", "worker_id", worker_id, "status",
                                "completed", "outputs",
                                json_is_array(outputs) ? json_incref(outputs) : json_array(), "metrics",
                                object_or_null(json_object_get(result, "metrics")), "guest",
                                object_or_null(json_object_get(result, "guest")));
        } else if (state == JOB_FAILED)
                answer = json_pack("{s:s, s:s, s:o, s:o}", "worker_id", worker_id, "status", "failed",
                                "metrics", object_or_null(json_object_get(result, "metrics")), "error",
                                error_json(json_object_get(result, "error"), reason));
        else
                answer = result_failed(worker_id, "cancelled_on_worker",
                                "the job was cancelled on the machine that carried it out", true);
        if (!answer)
                return -ENOMEM;
        *ret = answer;
        return 0;
}
