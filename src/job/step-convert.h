/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/step.h"

/* Copies each disk. */
int step_convert(Run *run);
