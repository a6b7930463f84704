/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of failures: their codes, and whether trying again can help. */

#include "spec/job-file.h"
#include "spec/job-result.h"

JobOutcome failure_outcome(const char *code);
const char *failure_code_from_errno(int error);
