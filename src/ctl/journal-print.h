/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's log lines, as journalctl shows them. */

#include "ctl/ctl.h"

/* Prints them on stdout: all, or the last --lines=; with @follow goes on until the job has ended. On this
 * machine it reads the journal, for -H it runs "hyperctl logs" there over ssh. Returns an ExitStatus and
 * says what is wrong. */
int journal_print(Ctl *ctl, const char *id, bool follow);

/* The part of it that needs no bus. @directory as in sd_journal_open_directory(3), or NULL for the system's
 * journal. *ret_lines, unless NULL, is how many entries there were. */
int journal_print_directory(Ctl *ctl, const char *directory, const char *id, bool follow, size_t *ret_lines);
