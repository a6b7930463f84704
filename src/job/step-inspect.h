/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Finds out what the source is, and refuses what is not safe or not whole. */
int step_inspect(Run *run);
