/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyper-guest as a child: orders in, events out, src/guest/README.md. What it says comes from a guest. */

#include "job/attempt.h"
#include "job/child.h"

/* Runs it to its end, and reports its steps. 0 with what it found and changed (new reference), or negative
 * errno after attempt_fail(). -ECANCELED: the attempt was cancelled, and it is dead. @weight: the work that
 * it counts for, as Report.work_total has it. */
int guest_child_run(Attempt *a, json_t *orders, const ParserFiles *files, uint64_t weight, json_t **ret);
