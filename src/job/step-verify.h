/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Checks the result, and compares it with the source if that was asked for. */
int step_verify(Run *run);
