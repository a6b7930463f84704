/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/job-state.h"

#include <strings.h>

#include "basic/string-util.h"

static const char *const state_names[_JOB_STATE_MAX] = {
        [JOB_CREATED] = "CREATED",
        [JOB_VALIDATED] = "VALIDATED",
        [JOB_QUEUED] = "QUEUED",
        [JOB_ASSIGNED] = "ASSIGNED",
        [JOB_RUNNING] = "RUNNING",
        [JOB_RETRYING] = "RETRYING",
        [JOB_COMPLETED] = "COMPLETED",
        [JOB_FAILED] = "FAILED",
        [JOB_CANCELLED] = "CANCELLED",
};

static const char *const phase_names[_PHASE_MAX] = {
        [PHASE_INITIALIZATION] = "initialization",
        [PHASE_EXTRACTION] = "extraction",
        [PHASE_INSPECTION] = "inspection",
        [PHASE_CONVERSION] = "conversion",
        [PHASE_VERIFICATION] = "verification",
        [PHASE_GUEST] = "guest",
        [PHASE_FINALIZATION] = "finalization",
};

#define TO(state) (1u << (state))

/* For each state, what it may become. */
static const unsigned transitions[_JOB_STATE_MAX] = {
        /* FAILED: the check against the real world did not pass after all. */
        [JOB_CREATED] = TO(JOB_VALIDATED) | TO(JOB_FAILED) | TO(JOB_CANCELLED),
        [JOB_VALIDATED] = TO(JOB_QUEUED) | TO(JOB_FAILED) | TO(JOB_CANCELLED),
        [JOB_QUEUED] = TO(JOB_ASSIGNED) | TO(JOB_FAILED) | TO(JOB_CANCELLED),
        /* QUEUED: it cannot be started just now; RETRYING: the attempt ended before it was seen
                   running. */
        [JOB_ASSIGNED] = TO(JOB_RUNNING) | TO(JOB_QUEUED) | TO(JOB_RETRYING) | TO(JOB_FAILED) |
                        TO(JOB_CANCELLED),
        /* QUEUED: a pass of a warm job is complete, and the next one is due at a time. */
        [JOB_RUNNING] = TO(JOB_COMPLETED) | TO(JOB_QUEUED) | TO(JOB_RETRYING) | TO(JOB_FAILED) |
                        TO(JOB_CANCELLED),
        [JOB_RETRYING] = TO(JOB_QUEUED) | TO(JOB_FAILED) | TO(JOB_CANCELLED),
        /* Somebody has asked for it: RetryJob. */
        [JOB_FAILED] = TO(JOB_QUEUED),
};

static int find_name(const char *const *names, int n, const char *s) {
        for (int i = 0; s && i < n; i++)
                if (streq(names[i], s))
                        return i;
        return -EINVAL;
}

const char *job_state_to_string(JobState s) {
        return s >= 0 && s < _JOB_STATE_MAX ? state_names[s] : NULL;
}

JobState job_state_from_string(const char *s) {
        for (JobState state = 0; s && state < _JOB_STATE_MAX; state++)
                if (strcasecmp(state_names[state], s) == 0)
                        return state;
        return _JOB_STATE_INVALID;
}

bool job_state_is_terminal(JobState s) {
        return s == JOB_COMPLETED || s == JOB_FAILED || s == JOB_CANCELLED;
}

const char *job_state_to_status(JobState s) {
        switch (s) {
        case JOB_RUNNING:
                return "running";
        case JOB_COMPLETED:
                return "completed";
        case JOB_FAILED:
                return "failed";
        case JOB_CANCELLED:
                return "cancelled";
        default:
                return "pending";
        }
}

bool job_state_may_become(JobState from, JobState to) {
        if (from < 0 || from >= _JOB_STATE_MAX || to < 0 || to >= _JOB_STATE_MAX)
                return false;
        return transitions[from] & TO(to);
}

const char *job_phase_to_string(JobPhase p) {
        return p >= 0 && p < _PHASE_MAX ? phase_names[p] : NULL;
}

JobPhase job_phase_from_string(const char *s) {
        return find_name(phase_names, _PHASE_MAX, s);
}
