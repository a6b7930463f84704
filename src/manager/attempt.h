/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How an attempt ended, and what follows from it, whoever carried it out: one set of facts, one retry rule.
 * Pure: facts in, verdict out. */

#include "basic/time-util.h"
#include "spec/job-file.h"
#include "spec/job-result.h"
#include "spec/job-state.h"
#include "spec/kvm-boot.h"
#include "spec/kvm-outcome.h"

/* Everything the manager knows when an attempt is over. What it did not hear is NULL, 0 or invalid: it may
 * have been away when it happened. */
typedef struct AttemptFacts {
        /* of the job: attempt_facts() */
        const char *job_id;
        unsigned attempt; /* this one, from 1; 0: none has begun */
        unsigned retry_count; /* retries that the policy allows */
        bool idempotent;
        bool was_running; /* the job was RUNNING, not only ASSIGNED */
        unsigned timeout_seconds;
        JobPhase phase; /* the last one heard of */
        const char *error_message; /* the last error event */
        JobPhase error_phase;

        /* of a unit of this machine */
        bool published; /* the output has its final name, or needs none */
        bool tracked; /* its source still has the changed block tracking that the job has enabled */
        bool needs_domain; /* a domain is to be defined for the output */
        const KvmOutcome *domain; /* what became of it; NULL: it is not known */
        bool needs_boot; /* the domain is to be started to see whether it boots */
        const KvmBoot *boot; /* what was seen then; NULL: that was stopped */
        unsigned pass; /* of a warm job: the one that was carried out; 0: it is none */
        bool cutover; /* that was the last one */
        bool destination_exists; /* something stands under the final name */
        bool stopped; /* systemd says that its unit was stopped from outside */
        bool deadline_passed; /* timeout_seconds have gone by since it began */
        const JobResult *result; /* result.json of this attempt, or NULL */
        bool result_unreadable; /* there was one that could not be read */
        const char *unit_result; /* "success", "exit-code", "signal", "timeout", "oom-kill", … */
        int exit_code, exit_status; /* as waitid(2) has them */
        const char *start_error; /* what systemd said when it would not start the unit */

        /* of a worker */
        const char *worker; /* its id */
        const char *report; /* the result that it reported, as JSON; NULL: none */
        bool report_completed;
        bool report_final; /* trying again is of no use */
        const char *report_message; /* why it failed */

        /* The attempt was taken away, or did not begin. */
        const char *lost_code; /* for programs; NULL: neither */
        const char *lost_message;
        bool lost_final; /* trying again is of no use */
        bool at_once; /* the next attempt need not wait */
} AttemptFacts;

typedef struct Verdict {
        JobState state; /* COMPLETED, FAILED or RETRYING; QUEUED: a pass of a warm job is complete */
        usec_t pause; /* RETRYING: before the next attempt */
        bool stopped; /* RETRYING: the attempt was stopped from outside, and does not count */
        char *reason;
        char *result; /* JSON {"outputs","metrics","vm","domain","boot","error"}; NULL for RETRYING and
                         QUEUED */
} Verdict;

void verdict_done(Verdict *v);

/* 0 or -ENOMEM. */
int attempt_judge(const AttemptFacts *facts, Verdict *ret);

/* 1 s, 2 s, 4 s … 60 s after the first, second, third … attempt. */
usec_t attempt_pause(unsigned attempt);
