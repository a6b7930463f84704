/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/schedule/schedule-definition.h"
#include "json/json-parse.h"

#include <unistd.h>

#include "basic/string-util.h"
#include "journal/schedule-event.h"
#include "spec/cron.h"
#include "spec/job-template.h"
#include "store/schedules.h"

#define TEXT_MAX 4096u
#define ZONE_DIRECTORY "/usr/share/zoneinfo"

static int overlap_from_string(const char *s) {
        return schedule_overlap_from_string(s);
}

static const JsonField table[] = {
        { "id", JSON_FIELD_STRING, offsetof(ScheduleDefinition, id), JSON_NONEMPTY | JSON_NULLABLE,
                        .max = JOB_ID_MAX },
        { "name", JSON_FIELD_STRING, offsetof(ScheduleDefinition, name), JSON_NULLABLE, .max = TEXT_MAX },
        { "description", JSON_FIELD_STRING, offsetof(ScheduleDefinition, description), JSON_NULLABLE,
                        .max = TEXT_MAX },
        { "schedule", JSON_FIELD_STRING, offsetof(ScheduleDefinition, schedule), JSON_NONEMPTY,
                        .max = CRON_LENGTH_MAX },
        { "enabled", JSON_FIELD_BOOLEAN, offsetof(ScheduleDefinition, enabled) },
        { "overlap_policy", JSON_FIELD_ENUM, offsetof(ScheduleDefinition, overlap),
                        .from_string = overlap_from_string, .expected = "skip, queue, allow" },
        { "catch_up", JSON_FIELD_BOOLEAN, offsetof(ScheduleDefinition, catch_up) },
        { "job", JSON_FIELD_ANY, offsetof(ScheduleDefinition, job) },
        {},
};

void schedule_definition_done(ScheduleDefinition *d) {
        json_table_done(table, d);
        d->spec = job_spec_free(d->spec);
}

static int check_expression(const char *expression, JsonErrors *errors) {
        _cleanup_(cron_done) Cron cron = {};
        _cleanup_free_ char *why = NULL, *zone = NULL;
        int r = cron_parse(expression, &cron, &why);

        if (r == -EINVAL)
                return json_errors_add(errors, "schedule", "%s", why);
        if (r < 0 || !cron.zone)
                return r;
        zone = strprintf(ZONE_DIRECTORY "/%s", cron.zone);
        if (!zone)
                return -ENOMEM;
        return access(zone, F_OK) >= 0
                        ? 0
                        : json_errors_add(errors, "schedule",
                                          "time zone '%s': there is no such zone in " ZONE_DIRECTORY,
                                          cron.zone);
}

static int check_placeholders(json_t *job, JsonErrors *errors) {
        static const char *const fields[] = { "path", "uri", "name" };
        json_t *destination = json_object_get(job, "destination");

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *text = json_string_value(json_object_get(destination, fields[i]));
                _cleanup_free_ char *placeholder = NULL, *field = strprintf("job.destination.%s", fields[i]);
                int r = !field ? -ENOMEM : text ? job_template_check(text, &placeholder) : 0;

                if (r == -EBADMSG)
                        r = json_errors_add(errors, field,
                                        "must not have the placeholder %s: {job_id} is the only one",
                                        placeholder);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Each run would miss it but the first ones. */
static int check_deadline(json_t *job, JsonErrors *errors) {
        return json_object_get(json_object_get(job, "carbon"), "deadline")
                        ? json_errors_add(errors, "job.carbon.deadline",
                                          "must not be given in a schedule: max_delay counts from each run")
                        : 0;
}

/* The job's errors are told with their place: "job.source.path: …". */
static int decode_job(ScheduleDefinition *d, JsonErrors *errors) {
        _cleanup_(json_errors_done) JsonErrors inner = {};
        int r = 0;

        if (!json_is_object(d->job))
                return json_errors_add(errors, "job", "must be an object, a job without its id");
        (void) json_object_del(d->job, "job_id");
        r = job_spec_from_json(d->job, &d->spec, &inner);
        if (r >= 0 && !job_operation_is_built_in(d->spec->operation))
                return json_errors_add(errors, "job.operation",
                                "must be convert: the jobs of a schedule are done by this machine");
        if (r >= 0)
                r = check_placeholders(d->job, errors);
        if (r >= 0)
                r = check_deadline(d->job, errors);
        if (r != -EBADMSG)
                return r;
        return json_errors_adopt(errors, "job", &inner);
}

int schedule_definition_decode(const char *text, bool create, ScheduleDefinition *d, JsonErrors *errors) {
        _cleanup_json_ json_t *object = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, strlen(text), &object, &why);

        if (r == -EBADMSG) {
                r = json_errors_add(errors, "", "the schedule is not valid JSON: %s", strna(why));
                return r < 0 ? r : -EBADMSG;
        }
        if (r >= 0)
                r = json_table_decode(table, object, "", d, errors);
        if (r >= 0 && d->id && !schedule_id_is_valid(d->id))
                r = json_errors_add(errors, "id",
                                "must begin with a letter or digit, have only letters, digits and ._:- "
                                "after it, and be at most %u long",
                                SCHEDULE_ID_MAX);
        if (r >= 0 && d->schedule)
                r = check_expression(d->schedule, errors);
        else if (r >= 0 && create && !json_object_get(object, "schedule"))
                r = json_errors_add(
                                errors, "schedule", "must be given, a cron expression as in \"0 2 * * *\"");
        if (r >= 0 && (d->job || create))
                r = decode_job(d, errors);
        return r < 0 ? r : errors->n_errors > 0 ? -EBADMSG : 0;
}
