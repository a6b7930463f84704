/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/worker/worker-decode.h"
#include "api/openapi/dialect-schema.h"
#include "basic/string-util.h"

static json_t *make_job_schema(void) {
        return dialect_job_schema(worker_fields);
}

const Schema worker_spec_schema = {
        .name = "JobSpec",
        .description = "A job. Other fields are stored, but not evaluated.",
        .make = make_job_schema,
};

const char *worker_id_of_report(json_t *report, const char **ret_why) {
        size_t n = json_is_array(report) ? json_array_size(report) : 1;
        const char *id = NULL;

        *ret_why = "worker_id: must be given";
        for (size_t i = 0; i < n; i++) {
                json_t *value = json_object_get(
                                json_is_array(report) ? json_array_get(report, i) : report, "worker_id");

                if (!value)
                        continue;
                if (!json_is_string(value) || (id && !streq(id, json_string_value(value)))) {
                        *ret_why = "worker_id: must be a string, and the same in all events";
                        return NULL;
                }
                id = json_string_value(value);
        }
        return id;
}
