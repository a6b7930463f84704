/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Opens what the job has: the part directory, the source; gives up the rights that are not needed. */
int step_initialize(Run *run);
