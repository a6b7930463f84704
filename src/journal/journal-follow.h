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

/* Reads past events of one job, in order: those behind @cursor (NULL: from the first), not older than @since
 * (0: all),
 * @limit at most (0: all). For replays and lists; the live part comes from the follower. An unknown @cursor
 * (rotated away, or not a cursor) is -EINVAL. *ret and its events belong to the caller. */
int journal_read_events(const char *directory, const char *job_id, const char *cursor, usec_t since,
                size_t limit, JobEvent ***ret, size_t *ret_n);
/* Reads the event at @cursor, of whatever job. -EINVAL: there is no such entry, or it is no event. */
int journal_read_event(const char *directory, const char *cursor, JobEvent **ret);
JobEvent **job_events_free(JobEvent **events, size_t n);

/* Reads a job's log as journalctl -u would show it: all lines of its unit and the manager's about it, also
 * what qemu-nbd printed, and the service manager's about the unit; the last @tail lines (0: all, at most
 * 10000), with *ret_total the number there are. Lines are "2026-01-31T10:00:00Z message", at most 8 KiB each
 * and 16 MiB in all (the oldest are left out). The caller frees with strv_free(). */
int journal_read_log(const char *directory, const char *job_id, size_t tail, char ***ret, size_t *ret_total);
