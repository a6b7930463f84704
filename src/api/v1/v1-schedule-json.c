/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-schedule-json.h"

#include "api/job-json.h"
#include "api/v1/v1-job-decode.h"
#include "basic/string-util.h"
#include "spec/cron-calendar.h"
#include "spec/cron.h"
#include "store/jobs-page.h"
#include "json/json-redact.h"

#define TIMES_MAX 5u

/* --- what clients send ----------------------------------------------------------------------------- */

/* Passed as they are: the manager says what is wrong with them, by the same names. */
static const char *const plain_fields[] = { "id", "name", "description", "schedule", "enabled",
        "overlap_policy", "catch_up" };

/* The value of @key, or of its alias; both must be the same. NULL: neither is given. */
static json_t *value_of(json_t *object, const char *key, const char *alias, JsonErrors *errors, int *r) {
        json_t *value = json_object_get(object, key), *other = json_object_get(object, alias);

        if (json_is_null(value))
                value = NULL;
        if (json_is_null(other))
                other = NULL;
        if (value && other && !json_equal(value, other) && *r >= 0)
                *r = json_errors_add(errors, alias, "contradicts %s: give one of them", key);
        return value ? value : other;
}

static int copy_plain_fields(json_t *object, json_t *expression, json_t *definition) {
        for (size_t i = 0; i < ELEMENTSOF(plain_fields); i++) {
                json_t *value = json_object_get(object, plain_fields[i]);

                if (streq(plain_fields[i], "schedule"))
                        value = expression;
                if (value && !json_is_null(value) && json_object_set(definition, plain_fields[i], value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static bool contradicts(const json_t *a, const json_t *b) {
        return a && b && !json_is_null(a) && !json_is_null(b) && !json_equal(a, b);
}

int v1_schedule_decode(json_t *object, bool create, const json_t *old_job, json_t **ret, json_t **ret_job,
                JsonErrors *errors) {
        _cleanup_json_ json_t *definition = json_object(), *copy = NULL;
        json_t *carbon = json_object_get(object, "carbon"), *job, *expression;
        int r = definition ? 0 : -ENOMEM;

        expression = value_of(object, "schedule", "cron", errors, &r);
        job = value_of(object, "job", "job_template", errors, &r);
        if (r >= 0)
                r = copy_plain_fields(object, expression, definition);
        if (r >= 0 && (job || create) && !json_is_object(job))
                r = json_errors_add(errors, "job", "must be an object, a job as for POST /jobs");
        if (r >= 0 && carbon && !job && old_job) {
                copy = json_deep_copy(old_job);
                job = copy;
                (void) json_object_del(copy, "carbon");
                r = copy ? 0 : -ENOMEM;
        }
        if (r >= 0 && carbon && !json_is_null(carbon) && !job)
                r = json_errors_add(errors, "carbon", "must be given together with job");
        if (r >= 0 && contradicts(carbon, json_object_get(job, "carbon")))
                r = json_errors_add(errors, "carbon", "contradicts job.carbon: give one of them");
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        if (job && !copy)
                copy = json_copy(job);
        if (job && !copy)
                return -ENOMEM;
        if (carbon && !json_is_null(carbon) && json_object_set(copy, "carbon", carbon) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(definition);
        *ret_job = TAKE_PTR(copy);
        return 0;
}

/* --- what they read -------------------------------------------------------------------------------- */

static const char *type_of(json_t *spec) {
        const char *kind = json_string_value(json_path_get(spec, "parameters.kind")),
                   *operation = json_string_value(json_object_get(spec, "operation"));

        return kind ? kind : strempty(operation);
}

static const char *provider_of(json_t *spec) {
        const char *type = json_string_value(json_path_get(spec, "source.type"));

        return !type || streq(type, "file") ? "local" : type;
}

/* What a client of this API has sent; of other dialects' schedules, the same in the words of this one. */
static json_t *job_json(const ScheduleRow *row) {
        _cleanup_json_ json_t *canonical = json_loads(row->spec, 0, NULL),
                              *spec = json_is_object(canonical) ? json_redact(canonical) : NULL, *job = NULL;

        if (row->request && streq_ptr(row->dialect, V1_DIALECT)) {
                job = json_loads(row->request, 0, NULL);
                if (json_is_object(job))
                        return TAKE_PTR(job);
                json_decref(job);
        }
        job = spec ? dialect_job_from_canonical(v1_job_fields, spec) : NULL;
        if (!job || json_object_set_new(job, "type", json_string(type_of(spec))) < 0 ||
                        json_object_set_new(job, "provider", json_string(provider_of(spec))) < 0)
                return NULL;
        json_t *name = json_path_get(spec, "source.vm_path");
        return name && json_object_set(job, "vm_name", name) < 0 ? NULL : TAKE_PTR(job);
}

/* That of the job, or a word for a run that has none. */
static const char *last_status(const ScheduleRow *row) {
        JobState state = row->last_status ? job_state_from_string(row->last_status) : -EINVAL;

        return state >= 0 ? job_status_to_string(job_status_of_state(state)) : row->last_status;
}

json_t *v1_schedule_json(const ScheduleRow *row) {
        json_t *job = job_json(row), *carbon = json_incref(json_object_get(job, "carbon"));
        _cleanup_json_ json_t *schedule = NULL;

        (void) json_object_del(job, "carbon"); /* it is a field of the schedule */
        schedule = json_pack(
                        "{s:s, s:s?, s:s?, s:s, s:b, s:s, s:o, s:s, s:b, s:o?, s:o, s:o, s:s?, s:s?, s:I, "
                        "s:o, s:o}",
                        "id", row->id, "name", row->name, "description", row->description, "schedule",
                        row->expression, "enabled", row->enabled, "status",
                        row->enabled ? "enabled" : "disabled", "job", job, "overlap_policy",
                        schedule_overlap_to_string(row->overlap), "catch_up", row->catch_up, "carbon",
                        carbon, "next_run", json_time(row->next_at), "last_run", json_time(row->last_run_at),
                        "last_job_id", row->last_job_id, "last_status", last_status(row), "run_count",
                        (json_int_t) row->run_count, "created_at", json_time(row->created_at), "updated_at",
                        json_time(row->updated_at));
        return schedule && submitter_add(row->submitter, schedule) >= 0 ? TAKE_PTR(schedule) : NULL;
}

/* --- the times of an expression -------------------------------------------------------------------- */

static int add_times(const Cron *cron, usec_t now, json_t *times) {
        usec_t next = now;

        for (unsigned i = 0; i < TIMES_MAX; i++) {
                if (cron->every > 0)
                        next += cron->every;
                else if (cron_next(cron, next, &next) < 0)
                        break;
                if (json_array_append_new(times, json_time(next)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int v1_schedule_times(json_t *object, usec_t now, json_t **ret, JsonErrors *errors) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL;
        int r = 0;
        const char *expression = json_string_value(value_of(object, "schedule", "cron", errors, &r));
        json_t *times;

        if (r >= 0 && isempty(expression))
                r = json_errors_add(errors, "schedule", "must be a cron expression as in \"0 2 * * *\"");
        else if (r >= 0 && strlen(expression) > CRON_LENGTH_MAX)
                r = json_errors_add(errors, "schedule", "must have at most %u bytes", CRON_LENGTH_MAX);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        r = cron_parse(expression, &cron, &why);
        if (r == -EINVAL)
                r = json_errors_add(errors, "schedule", "%s", why);
        if (r < 0)
                return r;
        if (errors->n_errors > 0)
                return -EBADMSG;
        times = json_array();
        r = times ? add_times(&cron, now, times) : -ENOMEM;
        if (r < 0) {
                json_decref(times);
                return r;
        }
        *ret = json_pack("{s:b, s:s, s:o}", "valid", 1, "schedule", expression, "next_runs", times);
        return *ret ? 0 : -ENOMEM;
}

/* --- schemas --------------------------------------------------------------------------------------- */

static const char *overlap_word(int i) {
        return schedule_overlap_to_string(i);
}

static const SchemaField schedule_fields[] = {
        { "id", SCHEMA_STRING },
        { "name", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "description", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "schedule", SCHEMA_STRING, .description = "A cron expression." },
        { "enabled", SCHEMA_BOOLEAN },
        { "status", SCHEMA_STRING, .description = "enabled or disabled" },
        { "job", SCHEMA_OBJECT, .description = "The job, as for POST /jobs." },
        { "overlap_policy", SCHEMA_WORD, .word = overlap_word },
        { "catch_up", SCHEMA_BOOLEAN },
        { "carbon", SCHEMA_ANY, SCHEMA_NULLABLE },
        { "next_run", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "last_run", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "last_job_id", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "last_status", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "run_count", SCHEMA_INTEGER },
        { "created_at", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "submitter", SCHEMA_OBJECT, SCHEMA_OPTIONAL, "Who has created it, if that is known.",
                        &job_submitter_schema },
        {},
};
const Schema v1_schedule_schema = { .name = "Schedule", .fields = schedule_fields };

static const SchemaField new_fields[] = {
        { "id", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "name", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "description", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE },
        { "schedule", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "A cron expression; or cron." },
        { "cron", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "The same as schedule." },
        { "enabled", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Default: true." },
        { "overlap_policy", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "skip, queue or allow" },
        { "catch_up", SCHEMA_BOOLEAN, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Default: true." },
        { "carbon", SCHEMA_ANY, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "As that of the job." },
        { "job", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "Of a new schedule; or job_template.",
                        &v1_job_body },
        { "job_template", SCHEMA_OBJECT, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "The same as job." },
        {},
};
const Schema v1_new_schedule_schema = { .name = "NewSchedule", .fields = new_fields };

static const SchemaField expression_fields[] = {
        { "schedule", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "A cron expression; or cron." },
        { "cron", SCHEMA_STRING, SCHEMA_OPTIONAL | SCHEMA_NULLABLE, "The same as schedule." },
        {},
};
const Schema v1_schedule_expression_schema = { .name = "ScheduleExpression", .fields = expression_fields };

static const SchemaField times_fields[] = {
        { "valid", SCHEMA_BOOLEAN, .description = "true" },
        { "schedule", SCHEMA_STRING },
        { "next_runs", SCHEMA_ARRAY, .description = "The next five times." },
        {},
};
const Schema v1_schedule_times_schema = { .name = "ScheduleTimes", .fields = times_fields };
