/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/operation-steps.h"
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

/* An operation has a row here if, and only if, its row in spec/operation.c says that it is built in. */
static const Step *const steps[_OPERATION_MAX] = {
        [OPERATION_CONVERT] = convert_steps,
};

const Step *operation_steps(int operation) {
        return operation >= 0 && operation < _OPERATION_MAX ? steps[operation] : NULL;
}
