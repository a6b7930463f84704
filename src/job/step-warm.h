/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* A pass of a warm migration, or the cutover. ATTEMPT_PASS if another pass follows. */
int step_warm(Run *run);

/* The end of a cutover, once the result is complete. */
int step_warm_end(Run *run);
