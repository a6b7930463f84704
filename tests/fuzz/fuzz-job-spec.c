/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "fuzz.h"
#include "spec/job-spec.h"
#include "json/json-parse.h"
#include "json/json-redact.h"

/* What was accepted is accepted again as it was stored, and means the same; secrets are not in it. */
static void check_document(const JobSpec *s) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *again = NULL;

        if (job_spec_from_json(s->document, &again, &errors) != 0 || !job_spec_equal(s, again) ||
                        json_object_size(again->secrets) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_(job_spec_freep) JobSpec *s = NULL;
        _cleanup_free_ char *error = NULL, *text = NULL;
        _cleanup_json_ json_t *value = NULL, *clean = NULL;

        if (job_spec_parse((const char *) data, size, &s, &errors) == 0)
                check_document(s);
        else if (errors.n_errors == 0)
                abort();
        text = json_errors_text(&errors);
        if (!text || !utf8_is_valid(text))
                abort();

        if (json_parse_any((const char *) data, size, &value, &error) == 0) {
                clean = json_redact(value);
                if (!clean)
                        abort();
        }
        return 0;
}
