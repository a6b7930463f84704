/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/carbon-spec.h"
#include "basic/string-util.h"

static const char *const missing_words[] = { "run", "fail" };

static int missing_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(missing_words); i++)
                if (streq(s, missing_words[i]))
                        return (int) i;
        return -EINVAL;
}

const JsonField carbon_spec_fields[] = {
        { "max_intensity", JSON_FIELD_UNSIGNED, offsetof(JobSpec, carbon.max_intensity),
                        .flags = JSON_NULLABLE, .min = CARBON_LIMIT_MIN, .max = CARBON_LIMIT_MAX },
        { "deadline", JSON_FIELD_STRING, offsetof(JobSpec, carbon.deadline), .flags = JSON_NULLABLE },
        { "max_delay", JSON_FIELD_UNSIGNED, offsetof(JobSpec, carbon.max_delay), .flags = JSON_NULLABLE,
                        .max = CARBON_DELAY_MAX },
        { "duration_minutes", JSON_FIELD_UNSIGNED, offsetof(JobSpec, carbon.duration_minutes),
                        .flags = JSON_NULLABLE, .min = CARBON_MINUTES_MIN, .max = CARBON_MINUTES_MAX },
        { "on_missing", JSON_FIELD_ENUM, offsetof(JobSpec, carbon.on_missing), .flags = JSON_NULLABLE,
                        .from_string = missing_from_string, .expected = "run, fail" },
        { "zone", JSON_FIELD_STRING, offsetof(JobSpec, carbon.zone), .flags = JSON_NULLABLE,
                        .max = CARBON_ZONE_MAX },
        {},
};

void carbon_spec_init(JobSpec *s) {
        s->carbon.max_delay = CARBON_DELAY_DEFAULT;
        s->carbon.duration_minutes = CARBON_MINUTES_DEFAULT;
}

static bool is_given(json_t *object, const char *key) {
        json_t *value = json_object_get(object, key);

        return value && !json_is_null(value);
}

int carbon_spec_check(JobSpec *s, json_t *object, JsonErrors *errors) {
        int r = 0;

        s->carbon.given = json_is_object(object);
        if (!s->carbon.given)
                return 0;
        if (s->parameters.warm)
                r = json_errors_add(errors, "carbon",
                                "must not be given for a warm job: its passes have times of their own");
        if (r >= 0 && is_given(object, "deadline") && is_given(object, "max_delay"))
                r = json_errors_add(errors, "carbon.max_delay", "must not be given together with deadline");
        if (r >= 0 && s->carbon.deadline &&
                        (parse_rfc3339(s->carbon.deadline, &s->carbon.deadline_at) < 0 ||
                                        s->carbon.deadline_at == 0))
                r = json_errors_add(errors, "carbon.deadline", "must be a time, like 2026-05-01T02:00:00Z");
        if (r >= 0 && s->carbon.zone && !carbon_zone_is_valid(s->carbon.zone))
                r = json_errors_add(
                                errors, "carbon.zone", "must consist of letters, digits, \"-\" and \"_\"");
        return r;
}

int carbon_spec_fill(const JobSpec *s) {
        json_t *object = json_object_get(s->document, "carbon");
        char time[RFC3339_SIZE];
        int failed = 0;

        if (!s->carbon.given) {
                (void) json_object_del(s->document, "carbon");
                return 0;
        }
        if (s->carbon.deadline_at > 0)
                failed |= json_object_set_new(object, "deadline",
                                json_string(format_rfc3339(time, s->carbon.deadline_at)));
        else
                failed |= json_object_set_new(object, "max_delay", json_integer(s->carbon.max_delay));
        failed |= json_object_set_new(object, "duration_minutes", json_integer(s->carbon.duration_minutes));
        failed |= json_object_set_new(
                        object, "on_missing", json_string(missing_words[s->carbon.on_missing]));
        return failed ? -ENOMEM : 0;
}

usec_t carbon_spec_not_after(const JobSpec *s, usec_t submitted_at) {
        return s->carbon.deadline_at > 0 ? s->carbon.deadline_at
                                         : submitted_at + s->carbon.max_delay * USEC_PER_SEC;
}
