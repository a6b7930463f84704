/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-verify.h"
#include "job/source-kind.h"
#include "job/verify.h"

int step_verify(Run *run) {
        /* A warm migration has compared already. */
        bool warm = run->attempt->plan->warm_pass > 0;
        JobVerify compare = warm ? VERIFY_OFF : (JobVerify) run->attempt->plan->spec->parameters.verify;
        int r;

        if (run->committing)
                return 0;
        report_phase(&run->attempt->report, PHASE_VERIFICATION, "%s",
                        compare ? "Comparing the result with the source" : "Checking the result");
        for (size_t i = 0; i < run->source->n_disks; i++) {
                r = verify_disk(&run->conversion, i, compare);
                if (r < 0)
                        return r;
        }
        return compare ? source_check_unchanged(run->source) : 0;
}
