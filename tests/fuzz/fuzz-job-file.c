/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/string-util.h"
#include "basic/utf8.h"
#include "fuzz.h"
#include "spec/job-file.h"
#include "spec/job-remains.h"
#include "spec/job-result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_(job_plan_freep) JobPlan *plan = NULL;
        _cleanup_job_remains_ JobRemains *remains = NULL;

        if (job_result_decode((const char *) data, size, &result) == 0 &&
                        (!job_outcome_to_string(result->outcome) || result->attempt == 0))
                abort();
        if (job_plan_decode((const char *) data, size, &plan) == 0 && !job_id_is_valid(plan->job_id))
                abort();
        if (job_remains_decode((const char *) data, size, &remains) == 0 &&
                        (remains->tries < 1 || remains->tries > JOB_REMAINS_TRIES ||
                                        utf8_has_control(remains->message)))
                abort();
        return 0;
}
