/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done with the guest on the disks: parameters.fix of a conversion, and the operations that inspect
 * or fix a guest. */

#include "spec/job-settings.h"

/* Sets s->parameters.fix, and checks the fields that depend on it; @parameters: as given. 0 or -ENOMEM. */
int job_guest_check(JobSpec *s, const json_t *parameters, JsonErrors *errors);
