/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All of hyperctl: reads the command line, runs the verb, returns the exit status. */
int ctl_run(int argc, char **argv);
