/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/job-json.h"
#include "basic/string-util.h"
#include "spec/warm-state.h"
#include "store/jobs.h"
#include "json/json-redact.h"

json_t *json_text(const char *s) {
        if (!s)
                return json_null();
        if (utf8_is_valid(s))
                return json_string(s);

        _cleanup_free_ char *copy = strdup(s);
        if (!copy)
                return NULL;
        for (char *c = copy; *c; c++)
                if ((unsigned char) *c >= 0x80)
                        *c = '?';
        return json_string(copy);
}

json_t *json_count(uint64_t n) {
        return json_integer((json_int_t) MIN(n, (uint64_t) INT64_MAX));
}

/* What stands in the database was written by the manager; if it is no JSON after all, the answer is without
 * it rather than no answer. */
static json_t *parse_column(const char *text) {
        return text ? json_loads(text, 0, NULL) : NULL;
}

json_t *job_row_definition(const JobRow *row, const char *dialect, const FieldMap *map, const char *id_key) {
        _cleanup_json_ json_t *definition = NULL;

        if (streq_ptr(row->dialect, dialect))
                definition = parse_column(row->request);
        if (!json_is_object(definition)) {
                _cleanup_json_ json_t *canonical = parse_column(row->spec),
                                      *clean = json_is_object(canonical) ? json_redact(canonical) : NULL;

                /* Secrets are not in there, but a user's name in a URL may be: the job needs it, nobody
                 * else. */
                json_decref(definition);
                definition = dialect_job_from_canonical(map, clean);
        }
        if (!definition || json_object_set_new(definition, id_key, json_text(row->id)) < 0)
                return NULL;
        return TAKE_PTR(definition);
}

json_t *job_row_result(const JobRow *row) {
        _cleanup_json_ json_t *result = parse_column(row->result);

        return json_is_object(result) ? TAKE_PTR(result) : NULL;
}

json_t *job_row_warm(const JobRow *row) {
        WarmState warm;

        if (!row->warm || warm_state_decode(row->warm, &warm) < 0)
                return NULL;
        return warm_state_to_json(&warm, row->state, row->phase, row->due_at);
}

int job_row_add_warm(const JobRow *row, json_t *object) {
        json_t *warm = job_row_warm(row);

        return warm && json_object_set_new(object, "warm", warm) < 0 ? -ENOMEM : 0;
}

int submitter_add(const char *column, json_t *object) {
        json_t *submitter = parse_column(column);

        return submitter && json_object_set_new(object, "submitter", submitter) < 0 ? -ENOMEM : 0;
}

int job_row_add_submitter(const JobRow *row, json_t *object) {
        return submitter_add(row->submitter, object);
}

int job_row_add_waits_for(const JobRow *row, json_t *object) {
        _cleanup_json_ json_t *names = row->waits_for ? json_array() : NULL;
        _cleanup_free_ char *copy = row->waits_for ? strdup(row->waits_for) : NULL;
        char *rest = copy;

        if (!row->waits_for)
                return 0;
        for (char *name; copy && (name = strsep(&rest, "\n"));)
                if (json_array_append_new(names, json_text(name)) < 0)
                        return -ENOMEM;
        return copy && json_object_set(object, "waits_for", names) >= 0 ? 0 : -ENOMEM;
}

static const SchemaField submitter_fields[] = {
        { "name", SCHEMA_STRING, .description = "For people: the user, or the key." },
        { "user", SCHEMA_STRING, SCHEMA_OPTIONAL, "Of a session, or of this machine." },
        { "uid", SCHEMA_INTEGER, SCHEMA_OPTIONAL },
        { "address", SCHEMA_STRING, SCHEMA_OPTIONAL, "Of a client on another machine." },
        { "key", SCHEMA_STRING, SCHEMA_OPTIONAL, "The name of the API key." },
        { "session", SCHEMA_STRING, SCHEMA_OPTIONAL, "The ID of the session." },
        { "schedule", SCHEMA_STRING, SCHEMA_OPTIONAL, "The schedule that has submitted the job." },
        {},
};
const Schema job_submitter_schema = { .name = "Submitter", .fields = submitter_fields };

const char *job_row_error_text(const JobRow *row, const json_t *result) {
        if (row->state != JOB_FAILED)
                return NULL;

        const char *message = json_string_value(json_path_get(result, "error.message"));
        if (!isempty(message))
                return message;
        return !isempty(row->reason) ? row->reason : "The job failed; its log may say more.";
}

unsigned job_row_percent(const JobRow *row) {
        if (row->state == JOB_COMPLETED)
                return 100;
        if (!(row->percent > 0))
                return 0;
        return row->percent >= 100 ? 99 : (unsigned) row->percent;
}
