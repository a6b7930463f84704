/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal already has: past events. */

#include "journal/job-event.h"

/* Reads past events of one job, in order: those behind @cursor (NULL: from the first), not older than @since
 * (0: all),
 * @limit at most (0: all). For replays and lists; the live part comes from the follower. An unknown @cursor
 * (rotated away, or not a cursor) is -EINVAL. *ret and its events belong to the caller. */
int journal_read_events(const char *directory, const char *job_id, const char *cursor, usec_t since,
                size_t limit, JobEvent ***ret, size_t *ret_n);
/* The same in steps, each of which reads the next @limit ones at most; none: there are no more. */
typedef struct JournalReading JournalReading;
int journal_reading_new(const char *directory, const char *job_id, usec_t since, JournalReading **ret);
int journal_reading_step(JournalReading *g, size_t limit, JobEvent ***ret, size_t *ret_n);
JournalReading *journal_reading_free(JournalReading *g);
DEFINE_CLEANUP_FUNC(JournalReading *, journal_reading_free);

/* Reads the past events of a job that are not progress, which are few, in order, behind @since (0: all). As
 * above. */
int journal_read_log_events(
                const char *directory, const char *job_id, usec_t since, JobEvent ***ret, size_t *ret_n);
/* Reads a page of them: @limit at most behind @cursor (NULL: from the first one), without those of progress
 * unless @progress. As journal_read_events(). */
int journal_read_page(const char *directory, const char *job_id, const char *cursor, bool progress,
                size_t limit, JobEvent ***ret, size_t *ret_n);

/* Reads the event at @cursor, of whatever job. -EINVAL: there is no such entry, or it is no event. */
int journal_read_event(const char *directory, const char *cursor, JobEvent **ret);
JobEvent **job_events_free(JobEvent **events, size_t n);
