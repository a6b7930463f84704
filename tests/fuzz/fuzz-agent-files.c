/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read again after a crash: our own file of a job, and what the manager of this machine says of
 * it. */

#include "agent/held.h"
#include "agent/report.h"
#include "basic/string-util.h"
#include "dialect/worker-message.h"
#include "fuzz.h"
#include "spec/job-spec.h"

static void try_file(const char *text, size_t size) {
        _cleanup_(held_file_done) HeldFile f = {};

        if (held_file_decode(text, size, &f) < 0)
                return;
        if (!job_id_is_valid(f.job_id) || !job_id_is_valid(f.local_id) || !json_is_object(f.spec) ||
                        !f.server)
                abort();
}

/* What is made of it the server takes, but for its size. */
static void try_details(const char *text) {
        _cleanup_(worker_result_done) WorkerResult taken = {};
        _cleanup_(json_errors_done) JsonErrors errors = {};
        _cleanup_json_ json_t *result = NULL;
        _cleanup_free_ char *report = NULL;

        if (result_from_details("w", text, &result) < 0 || !result)
                return;
        report = json_dumps(result, JSON_COMPACT);
        if (!report)
                abort();
        if (worker_result_parse(report, &taken, &errors) < 0 && strlen(text) < 4096 &&
                        !strstr(text, "\"outputs\"") && !strstr(text, "\"metrics\"") &&
                        !strstr(text, "\"error\""))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);

        if (!text)
                return 0;
        try_file((const char *) data, size);
        try_details(text);
        return 0;
}
