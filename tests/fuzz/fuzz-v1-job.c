/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs that clients of the v1 API send, as jobs of their own and as those of schedules. */

#include <stdio.h>

#include "api/v1/v1-job-decode.h"
#include "basic/string-util.h"
#include "fuzz.h"
#include "json/json-parse.h"

static void check(bool b, const char *what) {
        if (!b) {
                fprintf(stderr, "not true: %s\n", what);
                abort();
        }
}

static void try_job(json_t *body, const V1JobContext *context) {
        _cleanup_(dialect_job_done) DialectJob job = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        int r = v1_job_decode(body, context, &job, &errors);

        check((r == -EBADMSG) == (errors.n_errors > 0), "errors come with a refusal");
        check((r == 0) == (job.spec != NULL), "a spec comes without errors");
        if (r < 0)
                return;

        /* The manager decodes it once more. */
        _cleanup_free_ char *text = json_dumps(job.spec->document, JSON_COMPACT);
        _cleanup_(json_errors_done) JsonErrors none = {};
        _cleanup_(job_spec_freep) JobSpec *again = NULL;
        if (json_object_size(job.spec->secrets) == 0) {
                check(job_spec_parse(text, strlen(text), &again, &none) == 0, "the manager understands it");
                check(job_spec_equal(job.spec, again), "and it means the same");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *body = NULL;
        _cleanup_free_ char *error = NULL;

        if (json_parse_any((const char *) data, size, &body, &error) < 0)
                return 0;
        try_job(body, &(V1JobContext){ .source_name = "vc1" });
        try_job(body, &(V1JobContext){ .upload_path = "/var/lib/hyper/uploads/a.vmdk" });
        try_job(body, &(V1JobContext){ .is_template = true });
        return 0;
}
