/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What happens to schedules is told in the journal as what happens to jobs is (job-event.h): entries of
 * hyper-managerd with HYPER_SCHEDULE_ID, HYPER_SCHEDULE_EVENT, and HYPER_JOB_ID where a job is concerned.
 * They have no HYPER_EVENT: they are no events of a job. */

#include <systemd/sd-journal.h>

#include "basic/macro.h"

typedef enum ScheduleEventKind {
        SCHEDULE_TRIGGERED, /* its job was submitted */
        SCHEDULE_COMPLETED, /* its job ended well */
        SCHEDULE_FAILED, /* its job failed, was cancelled, or could not be submitted */
        SCHEDULE_SKIPPED, /* nothing was started: the one before goes on */
        _SCHEDULE_EVENT_MAX,
        _SCHEDULE_EVENT_INVALID = -EINVAL,
} ScheduleEventKind;

const char *schedule_event_to_string(ScheduleEventKind k) _pure_;
ScheduleEventKind schedule_event_from_string(const char *s) _pure_;

/* "hyper-schedule-<escaped id>.<type>"; NULL when out of memory. */
char *schedule_unit_name(const char *id, const char *type);
#define SCHEDULE_ID_MAX 106u
/* True for an id whose runs' jobs and units have valid names. */
bool schedule_id_is_valid(const char *id) _pure_;

/* Writes one entry. @job_id may be NULL. 0 or negative errno. */
int schedule_event_send(
                ScheduleEventKind kind, const char *schedule_id, const char *job_id, const char *message);

typedef struct ScheduleEvent {
        ScheduleEventKind kind;
        char *schedule_id;
        char *job_id; /* or NULL */
} ScheduleEvent;
void schedule_event_done(ScheduleEvent *e);

/* Reads the entry that @j stands on. -ENODATA for other entries, -EPERM if it is not the manager's, -EBADMSG
 * if it is malformed. */
int schedule_event_read(sd_journal *j, ScheduleEvent *ret);
