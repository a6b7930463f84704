/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schedules that clients of the v1 API send. */

#include <stdio.h>

#include "api/v1/v1-schedule-json.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "json/json-parse.h"

#define NOW (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

static void try_schedule(json_t *body, bool create) {
        _cleanup_json_ json_t *definition = NULL, *job = NULL;
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = v1_schedule_decode(body, create, create ? NULL : body, &definition, &job, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        check((r == 0) == (definition != NULL), "a definition comes without errors");
        check(r < 0 || !create || json_is_object(job), "a new schedule has a job");
}

static void try_times(json_t *body) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *times = NULL;
        int r = v1_schedule_times(body, NOW, &times, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        check(r < 0 || json_array_size(json_object_get(times, "next_runs")) > 0, "it has a time");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *error = NULL;

        if (json_parse_object((const char *) data, size, &body, &error) < 0)
                return 0;
        try_schedule(body, true);
        try_schedule(body, false);
        try_times(body);
        return 0;
}
