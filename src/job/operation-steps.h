/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The steps of each operation, in their order. */

#include "job/step.h"
#include "spec/job-spec.h"

/* Those of an attempt of a warm migration. */
const Step *warm_steps(void);

/* NULL for what this program does not carry out; the list ends with a step without a name. */
const Step *operation_steps(const JobSpec *spec) _pure_;
