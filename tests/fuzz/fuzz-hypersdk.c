/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bodies HyperSDK clients send: submissions, queries, cancels, schedules. Each input is tried as all of
 * them. What was taken must also hold its promises: a job is the same job after a trip through the dialect,
 * and errors come exactly with refusals. */

#include <stdio.h>

#include "api/hypersdk/hypersdk-decode.h"
#include "api/hypersdk/hypersdk-schedule-json.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "json/json-parse.h"

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

static void try_job(json_t *object) {
        _cleanup_(dialect_job_done) DialectJob job = {}, again = {};
        _cleanup_(json_errors_done) JsonErrors errors = {}, none = {};
        int r = hypersdk_job_decode(object, &job, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        if (r < 0)
                return;
        /* Secrets are gone from it: such a job cannot be submitted again. */
        if (json_object_size(job.spec->secrets) > 0)
                return;

        _cleanup_json_ json_t *there = dialect_job_from_canonical(hypersdk_fields, job.spec->document);
        check(there, "a canonical spec can be put into words");
        check(hypersdk_job_decode(there, &again, &none) == 0, "these words are understood");
        check(job_spec_equal(job.spec, again.spec), "and mean the same");
}

static void try_schedule(json_t *body, bool create) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *definition = NULL;
        int r = hypersdk_schedule_decode(body, create, &definition, &job, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        if (r < 0)
                return;
        check(!create || json_object_get(definition, "job"), "a new schedule has a job");
        check(!job.spec == !json_object_get(definition, "job"), "a job comes with its spec");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(hypersdk_selection_done) HypersdkSelection query = {}, cancel = {};
        _cleanup_(json_errors_done) JsonErrors e1 = {}, e2 = {}, e3 = {};
        _cleanup_json_ json_t *body = NULL, *list = NULL;
        _cleanup_free_ char *error = NULL;
        bool batch;

        if (json_parse_any((const char *) data, size, &body, &error) < 0)
                return 0;
        if (hypersdk_submit_decode(body, &list, &batch, &e1) >= 0) {
                size_t i;
                json_t *object;

                json_array_foreach(list, i, object)
                        try_job(object);
        }
        if (hypersdk_query_decode(body, &query, &e2) >= 0)
                check(query.limit <= HYPERSDK_LIMIT_MAX, "a page has a limit");
        if (hypersdk_cancel_decode(body, &cancel, &e3) >= 0)
                check(cancel.ids || cancel.states != 0, "a cancel says what");
        if (json_is_object(body)) {
                try_schedule(body, true);
                try_schedule(body, false);
        }
        return 0;
}
