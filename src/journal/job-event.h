/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Job events are journal entries, and nothing else is the source of truth for them. This is the one place
 * that knows the fields: it writes them (from the job and from the manager) and reads them (in every
 * follower). */

#include <jansson.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "basic/time-util.h"
#include "spec/job-state.h"

/* One id per kind, each with a text in the journal catalog (units/hyper.catalog). */
#define MESSAGE_JOB_STATE                                                         \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        11) /* the manager: a state changed */
#define MESSAGE_JOB_PHASE                                                         \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        12) /* the job: a phase began */
#define MESSAGE_JOB_PROGRESS                                                      \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        13) /* the job: bytes moved */
#define MESSAGE_JOB_NOTE                                                          \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        14) /* something worth knowing */
#define MESSAGE_JOB_ERROR                                                         \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        15) /* the job: why the attempt fails */
/* Those of a warm job. */
#define MESSAGE_WARM_PREPARED                                                     \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        31) /* the job: the virtual machine can be copied in passes */
#define MESSAGE_PRECOPY_STARTED                                                   \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        32) /* the job: a pass began */
#define MESSAGE_PRECOPY_FINISHED                                                  \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        33) /* the job: a pass is complete */
#define MESSAGE_WARM_WAITING                                                      \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        34) /* the manager: when the next pass begins */
#define MESSAGE_CUTOVER_STARTED                                                   \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        35) /* the job: the last pass began */
#define MESSAGE_GUEST_DOWN                                                        \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        36) /* the job: the virtual machine is off */
#define MESSAGE_CUTOVER_FINISHED                                                  \
        SD_ID128_MAKE(7c, 2f, 1b, 60, 9e, 3d, 4a, 53, 8a, 14, 51, 0d, 7a, 67, 0b, \
                        37) /* the job: the copy is complete */

typedef enum EventKind {
        EVENT_STATE, /* HYPER_EVENT=state */
        EVENT_PHASE, /* phase */
        EVENT_PROGRESS, /* progress */
        EVENT_NOTE, /* note */
        EVENT_ERROR, /* error */
        EVENT_WARM_PREPARED, /* warm_prepared; the details of this and the following ones: hyper-job(8) */
        EVENT_PRECOPY_STARTED, /* precopy_started */
        EVENT_PRECOPY_FINISHED, /* precopy_finished */
        EVENT_WARM_WAITING, /* warm_waiting */
        EVENT_CUTOVER_STARTED, /* cutover_started */
        EVENT_GUEST_DOWN, /* guest_down */
        EVENT_CUTOVER_FINISHED, /* cutover_finished */
        _EVENT_KIND_MAX,
        _EVENT_KIND_INVALID = -EINVAL,
} EventKind;

const char *event_kind_to_string(EventKind k) _pure_;
EventKind event_kind_from_string(const char *s) _pure_;

typedef struct JobEvent {
        EventKind kind;
        char *job_id;
        char *message;
        JobState state; /* EVENT_STATE, else _JOB_STATE_INVALID */
        JobPhase phase; /* or _PHASE_INVALID */
        double percent; /* 0 to 100, or negative: not known */
        uint64_t bytes_done, bytes_total; /* both 0: not known */
        uint64_t rate; /* bytes per second, 0: not known */
        json_t *details; /* object or NULL */
        char *submitter; /* EVENT_STATE of a new job: who has submitted it (write only), or NULL */
        uint64_t change; /* EVENT_STATE: the change's place in the order of all (write only), 0: none */
        usec_t realtime; /* when the entry was written (read only) */
        char *cursor; /* the journal's cursor (read only) */
} JobEvent;

#define JOB_EVENT_INIT(k)                                                                        \
        (JobEvent) {                                                                             \
                .kind = (k), .state = _JOB_STATE_INVALID, .phase = _PHASE_INVALID, .percent = -1 \
        }

JobEvent *job_event_free(JobEvent *e);
DEFINE_CLEANUP_FUNC(JobEvent *, job_event_free);

/* Sends one entry to the journal (sd_journal_sendv(3)). Strings are taken as they are; control characters in
 * @e->message are the journal's business. 0, -EINVAL without a job id or kind, -E2BIG when the details are
 * too large, or what sd_journal_sendv() says. */
int job_event_send(const JobEvent *e);

/* The same for several, in few datagrams (journal-batch.h). *ret_sent is how many were sent, the first ones;
 * on failure, too. */
int job_events_send(const JobEvent *events, size_t n, size_t *ret_sent);

/* The fields of an entry, without "NAME=". data is NULL for a field that is not there; sizes are as
 * found. */
typedef enum EventField {
        FIELD_UNIT, /* _SYSTEMD_UNIT, which only journald writes */
        FIELD_JOB_ID, /* HYPER_JOB_ID; the others in this way too */
        FIELD_EVENT,
        FIELD_STATE,
        FIELD_PHASE,
        FIELD_PERCENT,
        FIELD_BYTES_DONE,
        FIELD_BYTES_TOTAL,
        FIELD_RATE,
        FIELD_DETAILS,
        FIELD_MESSAGE,
        _EVENT_FIELD_MAX,
} EventField;

typedef struct EventFieldValue {
        const char *data;
        size_t size;
} EventFieldValue;

/* What is taken of a message; the rest is left out. Larger details are refused, in writing and in
 * reading. */
#define EVENT_MESSAGE_MAX ((size_t) 64 * 1024)
#define EVENT_DETAILS_MAX ((size_t) 64 * 1024)

/* The decoder of job_event_read(), which has the errors: fields in, event out. */
int job_event_decode(const EventFieldValue fields[static _EVENT_FIELD_MAX], JobEvent **ret);

/* Reads the entry that @j stands on. Only an entry whose _SYSTEMD_UNIT is hyper-managerd.service or the unit
 * of the very job it names is believed, and a state only from the manager: -EPERM otherwise; -ENODATA for an
 * entry that is no job event, -EBADMSG for one with malformed fields. *ret belongs to the
 * caller. */
int job_event_read(sd_journal *j, JobEvent **ret);

/* Restricts @j to entries that may be trusted ones about one job (_SYSTEMD_UNIT=hyper-job-<id>.service, or
 * _SYSTEMD_UNIT=hyper-managerd.service with HYPER_JOB_ID=<id>), or (NULL) about all jobs
 * (_SYSTEMD_SLICE=hyper-jobs.slice, or the manager's). job_event_read() decides about each. */
int job_event_add_matches(sd_journal *j, const char *job_id);
