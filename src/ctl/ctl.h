/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hyperctl: what every verb is given, and how the program exits. */

#include "ctl/arguments.h"
#include "ctl/terminal.h"

/* How hyperctl exits; also in hyperctl(1). Of several jobs the first that did not end well decides. */
typedef enum ExitStatus {
        EXIT_OK = 0,
        EXIT_OTHER = 1, /* anything without a number of its own */
        EXIT_USAGE = 2, /* the command line is not valid */
        EXIT_JOB_FAILED = 3,
        EXIT_JOB_CANCELLED = 4,
        EXIT_NO_SUCH_JOB = 5, /* nor schedule, nor webhook, nor host, nor VM, nor worker, nor key */
        EXIT_REFUSED = 6, /* a wrong spec, a path that may not be used, an id in use, a mistake in a file */
        EXIT_DENIED = 7, /* by polkit or the bus */
        EXIT_UNAVAILABLE = 8, /* no bus, no hyper-managerd, no such host */
} ExitStatus;

/* What every verb is given. */
typedef struct Ctl {
        Arguments args;
        Terminal out, err; /* what stdout and stderr can show */
        bool cancel_on_signal; /* ^C cancels a job that is watched; else it goes on */
        const char *daemon, *action; /* whom the verb talks to, and what polkit calls it; for errors */
} Ctl;
