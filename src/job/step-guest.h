/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Looks for what an earlier attempt left: see guest-commit.h. */
int step_guest_resume(Run *run);
/* parameters.fix: changes the guest on the copied images. */
int step_guest(Run *run);
