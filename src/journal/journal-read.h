/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal already has: past events and log lines. */

#include "journal/job-event.h"

/* Reads past events of one job, in order: those behind @cursor (NULL: from the first), not older than @since
 * (0: all),
 * @limit at most (0: all). For replays and lists; the live part comes from the follower. An unknown @cursor
 * (rotated away, or not a cursor) is -EINVAL. *ret and its events belong to the caller. */
int journal_read_events(const char *directory, const char *job_id, const char *cursor, usec_t since,
                size_t limit, JobEvent ***ret, size_t *ret_n);
/* Reads the past events of a job that are not progress, which are few, in order, behind @since (0: all). As
 * above. */
int journal_read_log_events(
                const char *directory, const char *job_id, usec_t since, JobEvent ***ret, size_t *ret_n);
/* Reads the event at @cursor, of whatever job. -EINVAL: there is no such entry, or it is no event. */
int journal_read_event(const char *directory, const char *cursor, JobEvent **ret);
JobEvent **job_events_free(JobEvent **events, size_t n);

/* Reads a job's log as journalctl -u would show it: all lines of its unit and the manager's about it, also
 * what qemu-nbd printed, and the service manager's about the unit; the last @tail lines (0: all, at most
 * 10000), with *ret_total the number there are. Lines are "2026-01-31T10:00:00Z message", at most 8 KiB each
 * and 16 MiB in all (the oldest are left out). The caller frees with strv_free(). */
int journal_read_log(const char *directory, const char *job_id, size_t tail, char ***ret, size_t *ret_total);
