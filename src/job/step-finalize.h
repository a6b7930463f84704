/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Describes what came out. */
int step_finalize(Run *run);
