/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/answer.h"
#include "json/json-parse.h"

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "spec/job-spec.h"

#define MESSAGE_MAX ((size_t) 300)

/* Decodes @value by @table; what is wrong in one line. */
static int decode(const JsonField *table, json_t *value, void *base, char **ret_error) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r;

        if (!json_is_object(value)) {
                *ret_error = strdup("it is no JSON object");
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        r = json_table_decode(table, value, "", base, &errors);
        if (r < 0 || errors.n_errors == 0)
                return r;
        *ret_error = json_errors_text(&errors);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

static int refuse(const char *what, char **ret_error) {
        *ret_error = strdup(what);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* --- POST /queue/dequeue --------------------------------------------------------------------------- */

typedef struct Dequeued {
        char *job_id;
} Dequeued;

static const JsonField dequeued_fields[] = {
        { "job_id", JSON_FIELD_STRING, offsetof(Dequeued, job_id), JSON_REQUIRED, .max = JOB_ID_MAX },
        {},
};

static void dequeued_done(Dequeued *d) {
        json_table_done(dequeued_fields, d);
}

int answer_dequeued(const char *text, size_t size, char **ret_job_id, char **ret_error) {
        _cleanup_(dequeued_done) Dequeued d = {};
        _cleanup_json_ json_t *value = NULL;
        int r = json_parse_any(text, size, &value, ret_error);

        if (r >= 0 && !json_is_null(value)) {
                r = decode(dequeued_fields, value, &d, ret_error);
                if (r >= 0 && !job_id_is_valid(d.job_id))
                        r = refuse("job_id: is none", ret_error);
        }
        if (r < 0)
                return r;
        *ret_job_id = TAKE_PTR(d.job_id);
        return 0;
}

/* --- POST /workers/{id}/heartbeat ------------------------------------------------------------------ */

static const JsonField heartbeat_fields[] = {
        { "jobs", JSON_FIELD_STRV, offsetof(HeartbeatAnswer, jobs), JSON_REQUIRED, .max = JOB_ID_MAX },
        { "cancel_jobs", JSON_FIELD_STRV, offsetof(HeartbeatAnswer, cancelled), JSON_REQUIRED,
                        .max = JOB_ID_MAX },
        {},
};

void heartbeat_answer_done(HeartbeatAnswer *a) {
        json_table_done(heartbeat_fields, a);
        *a = (HeartbeatAnswer){};
}

static bool are_ids(char *const *ids) {
        STRV_FOREACH(id, ids)
                if (!job_id_is_valid(*id))
                        return false;
        return true;
}

int answer_heartbeat(const char *text, size_t size, HeartbeatAnswer *ret, char **ret_error) {
        _cleanup_(heartbeat_answer_done) HeartbeatAnswer a = {};
        _cleanup_json_ json_t *value = NULL;
        int r = json_parse_any(text, size, &value, ret_error);

        if (r >= 0)
                r = decode(heartbeat_fields, value, &a, ret_error);
        if (r >= 0 && (!are_ids(a.jobs) || !are_ids(a.cancelled)))
                r = refuse("jobs, cancel_jobs: must be lists of job ids", ret_error);
        if (r < 0)
                return r;
        *ret = a;
        a = (HeartbeatAnswer){};
        return 0;
}

/* --- GET /jobs/{id} -------------------------------------------------------------------------------- */

static const JsonField job_fields[] = {
        { "job_id", JSON_FIELD_STRING, offsetof(JobAnswer, job_id), JSON_REQUIRED, .max = JOB_ID_MAX },
        { "state", JSON_FIELD_STRING, offsetof(JobAnswer, state), JSON_REQUIRED, .max = 32 },
        { "worker_id", JSON_FIELD_STRING, offsetof(JobAnswer, worker_id), JSON_NULLABLE, .max = JOB_ID_MAX },
        { "created_at", JSON_FIELD_STRING, offsetof(JobAnswer, created_at), JSON_REQUIRED, .max = 64 },
        { "attempt", JSON_FIELD_UNSIGNED, offsetof(JobAnswer, attempt), JSON_REQUIRED, .max = 1000000 },
        { "spec", JSON_FIELD_ANY, offsetof(JobAnswer, spec), JSON_REQUIRED },
        {},
};

void job_answer_done(JobAnswer *a) {
        json_table_done(job_fields, a);
        *a = (JobAnswer){};
}

int answer_job(const char *text, size_t size, JobAnswer *ret, char **ret_error) {
        _cleanup_(job_answer_done) JobAnswer a = {};
        _cleanup_json_ json_t *value = NULL;
        int r = json_parse_any(text, size, &value, ret_error);

        if (r >= 0)
                r = decode(job_fields, value, &a, ret_error);
        if (r >= 0 && !job_id_is_valid(a.job_id))
                r = refuse("job_id: is none", ret_error);
        if (r >= 0 && !json_is_object(a.spec))
                r = refuse("spec: must be an object", ret_error);
        if (r < 0)
                return r;
        *ret = a;
        a = (JobAnswer){};
        return 0;
}

/* --- errors ---------------------------------------------------------------------------------------- */

char *answer_message(const char *text, size_t size) {
        _cleanup_free_ char *why = NULL;
        _cleanup_json_ json_t *value = NULL;
        const char *message;
        char *line;

        if (json_parse_any(text, size, &value, &why) < 0)
                return NULL;
        message = json_string_value(json_object_get(json_object_get(value, "error"), "message"));
        line = isempty(message) ? NULL : utf8_make_valid(message, strlen(message), MESSAGE_MAX);
        return line ? utf8_replace_control(line, ' ') : NULL;
}

bool answer_is_error_for(const char *text, size_t size, unsigned status, const char *path) {
        _cleanup_free_ char *why = NULL;
        _cleanup_json_ json_t *value = NULL;
        json_t *error, *code;
        const char *named;

        if (json_parse_any(text, size, &value, &why) < 0)
                return false;
        error = json_object_get(value, "error");
        code = json_object_get(error, "code");
        named = json_string_value(json_object_get(error, "path"));
        if (!named || !json_is_integer(code) || json_integer_value(code) != (json_int_t) status)
                return false;
        named = startswith(named, path);
        return named && (*named == '\0' || *named == '/');
}
