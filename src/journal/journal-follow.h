/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Follows the journal for events of jobs and schedules, one follower per daemon, on its sd_event loop.
 * Survives rotation and vacuuming (sd_journal_process(3) INVALIDATE), and a journal that has no matching
 * entry yet. */

#include <systemd/sd-event.h>

#include "journal/job-event.h"
#include "journal/schedule-event.h"

typedef struct JournalFollow JournalFollow;

/* Called for each event in the order of the journal, never before journal_follow_new() has returned. @event
 * belongs to the follower, which must not be freed from within. */
typedef void (*journal_follow_func)(JournalFollow *f, const JobEvent *event, void *userdata);
/* The same for events of schedules. */
typedef void (*journal_follow_schedule_func)(JournalFollow *f, const ScheduleEvent *event, void *userdata);

/* Begins behind @cursor, or at the end of the journal if it is NULL (entries that come from now on). If the
 * entry at @cursor is gone, with the first one that is left behind that place; -EINVAL if it is no cursor.
 * @directory is NULL for the system's journal, or a directory with journal files, for tests. */
int journal_follow_new(sd_event *event, const char *directory, const char *cursor, journal_follow_func func,
                void *userdata, JournalFollow **ret);
JournalFollow *journal_follow_free(JournalFollow *f);
DEFINE_CLEANUP_FUNC(JournalFollow *, journal_follow_free);

/* Has events of schedules told, too, to a function with the same @userdata. */
void journal_follow_schedules(JournalFollow *f, journal_follow_schedule_func func);

/* The journal may have new entries: read it now, and again a few times within 80 ms, because they may not be
 * written yet. Otherwise, entries are seen when systemd-journald signals that the file has changed, four
 * times a second. */
void journal_follow_look(JournalFollow *f);

/* Where it stands: the cursor behind which nothing has been told yet. While nothing has been told, where it
 * began; NULL if the journal was empty then. Good until the next event. */
const char *journal_follow_cursor(JournalFollow *f);
