/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The states of a job, and the one table that says which change is allowed. */

#include "basic/macro.h"

typedef enum JobState {
        JOB_CREATED, /* accepted, nothing checked yet */
        JOB_VALIDATED, /* the spec can be carried out here */
        JOB_QUEUED, /* waits for a slot, or for a worker */
        JOB_ASSIGNED, /* a slot or a worker is taken, the unit is being started */
        JOB_RUNNING, /* the unit runs */
        JOB_RETRYING, /* an attempt failed, the next one is due at a time */
        JOB_COMPLETED,
        JOB_FAILED,
        JOB_CANCELLED,
        _JOB_STATE_MAX,
        _JOB_STATE_INVALID = -EINVAL,
} JobState;

/* "CREATED", … as they are stored, logged (HYPER_STATE=) and shown on the bus. */
const char *job_state_to_string(JobState s) _pure_;
JobState job_state_from_string(const char *s) _pure_;

/* COMPLETED, FAILED, CANCELLED: nothing happens any more by itself. A FAILED job is QUEUED again only on
 * request. */
bool job_state_is_terminal(JobState s) _pure_;

/* The word of HyperSDK's clients and of webhooks: pending, running, completed, failed, cancelled. */
const char *job_state_to_status(JobState s) _pure_;

/* True if a job may go from @from to @to. */
bool job_state_may_become(JobState from, JobState to) _pure_;

/* The phases of a running job, in their order. */
typedef enum JobPhase {
        PHASE_INITIALIZATION,
        PHASE_EXTRACTION, /* only of what cannot be read in place */
        PHASE_INSPECTION,
        PHASE_CONVERSION,
        PHASE_VERIFICATION,
        PHASE_GUEST, /* only if the guest is fixed */
        PHASE_FINALIZATION,
        _PHASE_MAX,
        _PHASE_INVALID = -EINVAL,
} JobPhase;

const char *job_phase_to_string(JobPhase p) _pure_;
JobPhase job_phase_from_string(const char *s) _pure_;
