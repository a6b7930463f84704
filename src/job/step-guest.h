/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "job/parser-sandbox.h"
#include "job/step.h"

/* Looks for what an earlier attempt left: see guest-commit.h. */
int step_guest_resume(Run *run);
/* parameters.fix: changes the guest on the copied images. */
int step_guest(Run *run);

/* Runs hyper-guest on @disks, which @files contains; what is needed besides is added to it. @weight: as
 * guest_child_run() has it. The result is in run->attempt->guest. */
int guest_run(Run *run, json_t *disks, ParserFiles *files, uint64_t weight);
/* Notes in the log how much was changed. */
void guest_report_changes(Run *run, const char *what);
