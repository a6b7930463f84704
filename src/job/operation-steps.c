/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/operation-steps.h"
#include "job/step-alone.h"
#include "job/step-convert.h"
#include "job/step-finalize.h"
#include "job/step-guest.h"
#include "job/step-initialize.h"
#include "job/step-inspect.h"
#include "job/step-package.h"
#include "job/step-verify.h"
#include "job/step-warm.h"

static const Step convert_steps[] = {
        { "initialize", step_initialize },
        { "inspect", step_inspect },
        { "guest-resume", step_guest_resume },
        { "convert", step_convert },
        { "verify", step_verify },
        { "guest", step_guest },
        { "package", step_package },
        { "finalize", step_finalize },
        {},
};

/* Of a warm migration, which has more than one attempt that succeeds. */
static const Step warm[] = {
        { "initialize", step_initialize },
        { "inspect", step_inspect },
        { "guest-resume", step_guest_resume },
        { "warm", step_warm },
        { "verify", step_verify },
        { "guest", step_guest },
        { "warm-end", step_warm_end },
        { "finalize", step_finalize },
        {},
};

const Step *warm_steps(void) {
        return warm;
}

/* The guest of the source itself is inspected or changed. */
static const Step alone_steps[] = {
        { "initialize", step_initialize },
        { "inspect", step_inspect },
        { "check", step_alone_check },
        { "guest", step_alone_guest },
        { "finalize", step_alone_finalize },
        {},
};

/* With a destination, each operation is a conversion whose guest is changed. */
const Step *operation_steps(const JobSpec *spec) {
        if (!job_operation_is_built_in(spec->operation))
                return NULL;
        return job_spec_has_destination(spec) ? convert_steps : alone_steps;
}
