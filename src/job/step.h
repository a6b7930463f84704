/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A step of an operation: one function in a file step-*.c. It notes failures in the attempt and returns
 * negative errno; 0 goes on with the next step; ATTEMPT_PASS ends the attempt. */

#include "job/convert.h"

/* What the steps of a run share. */
typedef struct Run {
        Attempt *attempt; /* not owned */
        Source *source;
        Conversion conversion;
        int part_fd, lock_fd;
        char *checkpoint_dir;
        bool committing; /* an earlier attempt has copied and fixed all, see guest-commit.h */
} Run;

typedef struct Step {
        const char *name; /* NULL ends a list of steps */
        int (*run)(Run *run);
} Step;
