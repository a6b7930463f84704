/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an attempt ended, and what follows from it. Pure: facts in, verdict out. */

#include "basic/time-util.h"
#include "spec/job-file.h"
#include "spec/job-state.h"

/* Everything the manager knows once a job's unit is gone. What was not heard is NULL, 0 or invalid: the
 * manager may have been away when it happened. */
typedef struct AttemptFacts {
        unsigned attempt; /* this one, from 1 */
        unsigned retry_count; /* retries the policy allows */
        bool idempotent;
        bool was_running; /* the job was RUNNING, not only ASSIGNED */
        bool published; /* the output has its final name, or needs none */
        bool destination_exists; /* something stands under the final name */
        bool deadline_passed; /* timeout_seconds have gone by since it began */
        unsigned timeout_seconds;
        const JobResult *result; /* result.json of this attempt, or NULL */
        bool result_unreadable; /* there was one that made no sense */
        const char *unit_result; /* "success", "exit-code", "signal", "timeout", "oom-kill", … */
        int exit_code, exit_status; /* as waitid(2) has them */
        JobPhase phase; /* the last one heard of */
        const char *error_message; /* the last error event */
        JobPhase error_phase;
        const char *start_error; /* what systemd said when it would not start the unit */
} AttemptFacts;

typedef struct Verdict {
        JobState state; /* COMPLETED, FAILED or RETRYING */
        usec_t pause; /* RETRYING: before the next attempt */
        char *reason;
        char *result; /* JSON {"outputs","metrics","error"}; NULL for RETRYING */
} Verdict;

void verdict_done(Verdict *v);

/* 0 or -ENOMEM. */
int attempt_judge(const AttemptFacts *facts, Verdict *ret);

/* The result of a job that failed: {"outputs":[],"metrics":@metrics,"error":{…}}. The caller frees *ret. 0
 * or -ENOMEM. */
int attempt_error_json(JobPhase phase, const char *code, const char *message, json_t *metrics, char **ret);

/* 1 s, 2 s, 4 s … 60 s after the first, second, third … attempt. */
usec_t attempt_pause(unsigned attempt);
