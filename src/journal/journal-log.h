/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job's log as journalctl -u would show it, read in steps: all lines of its unit and the manager's about
 * it, also what qemu-nbd printed, and the service manager's about the unit. Lines are "2026-01-31T10:00:00Z
 * message", at most 8 KiB each and 16 MiB in all (the oldest are left out). */

#include <stddef.h>

#include "basic/macro.h"

typedef struct JournalLog JournalLog;

/* Reads nothing yet. @tail: so many of the last lines are kept (0: all, at most 10000). */
int journal_log_open(const char *directory, const char *job_id, size_t tail, JournalLog **ret);
JournalLog *journal_log_free(JournalLog *l);
DEFINE_CLEANUP_FUNC(JournalLog *, journal_log_free);

/* Reads at most @entries, which take about 5 to 20 microseconds each. 1: there are more, 0: that was all. */
int journal_log_step(JournalLog *l, size_t entries);

/* After the last step: the lines, oldest first, and how many there are in the journal. */
char *const *journal_log_lines(const JournalLog *l);
size_t journal_log_total(const JournalLog *l);
