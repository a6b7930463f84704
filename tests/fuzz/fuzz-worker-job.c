/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of a worker client's submission, and whose report it would be. What was taken must be the same
 * job after a trip through the dialect, and errors come exactly with refusals. */

#include <stdio.h>

#include "api/worker/worker-decode.h"
#include "basic/string-util.h"
#include "dialect/worker-job.h"
#include "fuzz.h"
#include "json/json-parse.h"

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(dialect_job_done) DialectJob job = {}, again = {};
        _cleanup_(json_errors_done) JsonErrors errors = {}, none = {};
        _cleanup_json_ json_t *body = NULL, *there = NULL;
        _cleanup_free_ char *error = NULL;
        const char *why = NULL;
        int r;

        if (json_parse_any((const char *) data, size, &body, &error) < 0)
                return 0;
        check(worker_id_of_report(body, &why) || why, "a report of nobody is told as such");
        r = worker_job_decode(body, &job, &errors);
        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        /* Secrets are gone from it: such a job cannot be submitted again. */
        if (r < 0 || json_object_size(job.spec->secrets) > 0)
                return 0;

        there = dialect_job_from_canonical(worker_fields, job.spec->document);
        check(there, "a canonical spec can be put into words");
        check(worker_job_decode(there, &again, &none) == 0, "these words are understood");
        check(job_spec_equal(job.spec, again.spec), "and mean the same");
        return 0;
}
