/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of an attempt, whoever carried it out: an executor says what it knows, attempt.c judges it, and
 * the verdict is recorded here and nowhere else. */

#include "manager/attempt.h"
#include "manager/job.h"

/* What the job itself says of its attempt; the executor adds what it knows. Strings are borrowed from @j. */
AttemptFacts attempt_facts(const Job *j);

/* From the loop, once, when the end is durable; negative errno: it could not be recorded, and nothing has
 * changed. A job that is finished is forgotten by its executor, from here. */
typedef void (*attempt_done)(Job *j, int r, void *userdata);

/* Records how the attempt ended: COMPLETED, FAILED or RETRYING, in a group with what others record. 0: @done
 * is called; negative errno: it is not. */
int attempt_end(Job *j, const AttemptFacts *facts, attempt_done done, void *userdata);
