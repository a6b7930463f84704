/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/hypersdk/hypersdk-schedule-json.h"
#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-definition.h"
#include "api/hypersdk/hypersdk-json.h"
#include "api/job-json.h"
#include "basic/string-util.h"

/* --- what clients send ----------------------------------------------------------------------------- */

/* Handed on as they are: the manager says what is wrong with them, by the same names. */
static const struct {
        const char *key;
        bool zero_is_absent;
} plain_fields[] = {
        { "id", true },
        { "name", true },
        { "description", true },
        { "schedule", true },
        { "enabled", false },
        { "overlap_policy", true },
        { "catch_up", false },
};

static int decode_template(json_t *template, json_t *definition, DialectJob *ret, JsonErrors *errors) {
        _cleanup_(json_errors_done) JsonErrors found = {};
        int r;

        if (!json_is_object(template)) {
                r = json_errors_add(errors, "job_template", "must be an object, a job as for /jobs/submit");
                return r < 0 ? r : -EBADMSG;
        }
        r = hypersdk_template_decode(template, ret, &found);
        if (r == -EBADMSG) {
                r = json_errors_adopt(errors, "job_template", &found);
                return r < 0 ? r : -EBADMSG;
        }
        if (r < 0)
                return r;
        return json_object_set(definition, "job", ret->spec->document) < 0 ? -ENOMEM : 0;
}

int hypersdk_schedule_decode(
                json_t *object, bool create, json_t **ret, DialectJob *ret_job, JsonErrors *errors) {
        _cleanup_json_ json_t *definition = json_object();
        json_t *template = json_object_get(object, "job_template");
        int r;

        if (!definition)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(plain_fields); i++) {
                json_t *value = json_object_get(object, plain_fields[i].key);

                if (!value || (plain_fields[i].zero_is_absent && json_is_zero_value(value)))
                        continue;
                if (json_object_set(definition, plain_fields[i].key, value) < 0)
                        return -ENOMEM;
        }
        if (template || create) {
                r = template ? decode_template(template, definition, ret_job, errors)
                             : json_errors_add(errors, "job_template",
                                               "must be given, a job as for /jobs/submit");
                if (r < 0)
                        return r;
        }
        if (errors->n_errors > 0)
                return -EBADMSG;
        *ret = TAKE_PTR(definition);
        return 0;
}

/* --- what they read -------------------------------------------------------------------------------- */

static json_t *template_json(const ScheduleRow *row) {
        bool own = row->request && streq_ptr(row->dialect, HYPERSDK_DIALECT);
        _cleanup_json_ json_t *spec = json_loads(row->spec, 0, NULL),
                              *request = own ? json_loads(row->request, 0, NULL) : NULL;

        return spec ? hypersdk_template_json(request, spec) : NULL;
}

/* How the last run went: a job's state in the words of this dialect, or a word for a run that has no job
 * yet. */
static const char *last_status(const ScheduleRow *row) {
        JobState state = row->last_status ? job_state_from_string(row->last_status) : -EINVAL;

        return state >= 0 ? job_state_to_status(state) : row->last_status;
}

static json_t *schedule_json(const ScheduleRow *row) {
        return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:b, s:o, s:o, s:o, s:I, s:s?, s:s?, s:I, s:I, "
                         "s:o, s:o}",
                        "id", row->id, "name", row->name, "description", row->description, "schedule",
                        row->expression, "enabled", row->enabled, "overlap_policy",
                        schedule_overlap_to_string(row->overlap), "catch_up", row->catch_up, "job_template",
                        template_json(row), "last_run", json_time(row->last_run_at), "next_run",
                        json_time(row->next_at), "run_count", (json_int_t) row->run_count, "last_job_id",
                        row->last_job_id, "last_status", last_status(row), "success_count",
                        (json_int_t) row->success_count, "failure_count", (json_int_t) row->failure_count,
                        "created_at", json_time(row->created_at), "updated_at", json_time(row->updated_at));
}

json_t *hypersdk_schedule_json(const ScheduleRow *row) {
        _cleanup_json_ json_t *schedule = schedule_json(row);

        return schedule && submitter_add(row->submitter, schedule) >= 0 ? TAKE_PTR(schedule) : NULL;
}

json_t *hypersdk_schedule_reply_json(
                const ScheduleRow *row, const char *message, bool schedule_is_text, usec_t now) {
        _cleanup_json_ json_t *schedule = hypersdk_schedule_json(row),
                              *reply = json_pack(
                                              "{s:s, s:o}", "message", message, "timestamp", json_time(now));

        if (!schedule || !reply)
                return NULL;
        if (!schedule_is_text && json_object_set(reply, "schedule", schedule) < 0)
                return NULL;
        if (json_object_update_missing(reply, schedule) < 0)
                return NULL;
        return TAKE_PTR(reply);
}
