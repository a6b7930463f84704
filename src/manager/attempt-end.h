/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of an attempt, whoever carried it out: an executor says what it knows, attempt.c judges it, and
 * the verdict is recorded here and nowhere else. */

#include "manager/attempt.h"
#include "manager/job.h"

/* What the job itself says of its attempt; the executor adds what it knows. Strings are borrowed from @j. */
AttemptFacts attempt_facts(const Job *j);

/* Records how the attempt ended: COMPLETED, FAILED or RETRYING. A job that is finished is forgotten by its
 * executor. 0, or negative errno if it could not be recorded: nothing has changed then. */
int attempt_end(Job *j, const AttemptFacts *facts);
