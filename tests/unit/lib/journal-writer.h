/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes a journal of its own for a test, entry by entry, with the trusted fields that only journald writes
 * elsewhere: systemd-journal-remote(8) reads them from us. */

#include <sys/types.h>

#include "basic/time-util.h"

typedef struct JournalWriter {
        pid_t pid;
        int fd; /* to its stdin */
        usec_t realtime; /* of the next entry */
} JournalWriter;

/* False if systemd-journal-remote is not installed: such tests are left out. */
bool journal_writer_available(void);

/* Begins the file @directory/test.journal. */
void journal_writer_start(JournalWriter *w, const char *directory);
void journal_writer_stop(JournalWriter *w);

/* One entry; @fields is a list that ends with NULL: "_SYSTEMD_UNIT=x", … */
void journal_write(JournalWriter *w, const char *const *fields);

/* Events of a job as the job and the manager write them; @unit NULL: the right one. */
void journal_write_progress(JournalWriter *w, const char *job_id, const char *unit, const char *message);
void journal_write_state(JournalWriter *w, const char *job_id, const char *state, const char *reason);
