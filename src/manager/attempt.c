/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "basic/string-util.h"
#include "manager/attempt.h"
#include "spec/job-result.h"

#define PAUSE_MAX_SEC 60u

/* What went wrong, before the policy says what follows. */
typedef struct Cause {
        const char *code; /* for programs */
        char *message; /* for people */
        JobPhase phase;
        bool transient;
        bool stopped; /* from outside: the attempt does not count */
} Cause;

void verdict_done(Verdict *v) {
        v->reason = mfree(v->reason);
        v->result = mfree(v->result);
}

usec_t attempt_pause(unsigned attempt) {
        unsigned shift = attempt > 0 ? attempt - 1 : 0;

        return MIN(shift < 6 ? 1u << shift : PAUSE_MAX_SEC, PAUSE_MAX_SEC) * USEC_PER_SEC;
}

/* systemd.exec(5), "PROCESS EXIT CODES": set-up of the unit that failed before the program ran. */
static const char *set_up_step(int status) {
        switch (status) {
        case 200:
                return "changing to its directory (200/CHDIR)";
        case 203:
                return "running hyper-job: is it installed? (203/EXEC)";
        case 210:
                return "changing its root directory (210/CHROOT)";
        case 218:
                return "giving up capabilities (218/CAPABILITIES)";
        case 225:
                return "setting up its network (225/NETWORK)";
        case 226:
                return "setting up its view of the file system (226/NAMESPACE)";
        case 228:
                return "filtering system calls (228/SECCOMP)";
        case 243:
                return "handing on its secrets (243/CREDENTIALS)";
        default:
                return NULL;
        }
}

/* The end of a process that left no result behind. */
static char *describe_exit(const AttemptFacts *f) {
        const char *step;

        if (f->unit_result && streq(f->unit_result, "oom-kill"))
                return strdup("it used more memory than the job may have");
        if (f->exit_code == CLD_KILLED || f->exit_code == CLD_DUMPED) {
                const char *name = sigabbrev_np(f->exit_status);

                return strprintf("it was killed by signal %d (SIG%s)", f->exit_status, name ? name : "?");
        }
        if (f->exit_code == CLD_EXITED && f->exit_status != 0) {
                step = set_up_step(f->exit_status);
                return step ? strprintf("systemd failed at %s", step)
                            : strprintf("it exited with status %d", f->exit_status);
        }
        if (!f->was_running && f->unit_result && streq(f->unit_result, "exit-code"))
                return strdup("it could not be prepared (hyper-job prepare failed)");
        if (!f->was_running && f->unit_result && streq(f->unit_result, "timeout"))
                return strdup("it did not start in time");
        if (f->unit_result && !streq(f->unit_result, "success"))
                return strprintf("systemd says \"%s\"", f->unit_result);
        return NULL;
}

static int cause_without_result(const AttemptFacts *f, Cause *c) {
        _cleanup_free_ char *how = describe_exit(f);

        c->transient = true;
        if (f->error_message) {
                c->code = "error";
                c->message = strdup(f->error_message);
                if (f->error_phase >= 0)
                        c->phase = f->error_phase;
        } else if (f->start_error) {
                c->code = "start_failed";
                c->message = strprintf("systemd could not start the unit: %s", f->start_error);
        } else if (f->result_unreadable) {
                c->code = "result_unreadable";
                c->message = strdup("the result that the job left cannot be read");
        } else if (how) {
                c->code = "crashed";
                c->message = strprintf("the job ended without a result: %s", how);
        } else {
                c->code = "interrupted";
                c->message = strdup(f->stopped ? "interrupted: its unit was stopped from outside"
                                               : "interrupted: its unit is gone and left no result (the "
                                                 "machine or the unit was stopped)");
        }
        return c->message ? 0 : -ENOMEM;
}

static int cause_from_result(const AttemptFacts *f, Cause *c) {
        const JobResult *r = f->result;

        if (r->phase >= 0 && r->phase < _PHASE_MAX)
                c->phase = r->phase;
        switch (r->outcome) {
        case OUTCOME_COMPLETED: /* … but it did not get its final name */
                if (f->destination_exists) {
                        c->code = "destination_exists";
                        c->message = strdup("there is a file under the destination's name now, and it is "
                                            "not overwritten");
                } else {
                        c->code = "publish_failed";
                        c->transient = true;
                        c->message = strdup(f->error_message ? f->error_message
                                                             : "the finished output could not be given its "
                                                               "final name");
                }
                c->phase = PHASE_FINALIZATION;
                break;

        case OUTCOME_PASS: /* … but the job was to end */
                c->code = "result_unreadable";
                c->message = strdup("the job reports that a pass is complete, and it was to end");
                break;

        case OUTCOME_CANCELLED:
                c->code = "interrupted";
                c->transient = true;
                c->message = strdup(f->stopped ? "interrupted: its unit was stopped from outside"
                                               : "interrupted: it was sent a signal to end");
                break;

        default:
                c->transient = r->outcome == OUTCOME_TRANSIENT;
                c->code = isempty(r->code) ? "error" : r->code;
                c->message = strdup(isempty(r->message) ? "the job does not say why" : r->message);
        }
        return c->message ? 0 : -ENOMEM;
}

static int cause_lost(const AttemptFacts *f, Cause *c) {
        c->code = f->lost_code;
        c->transient = !f->lost_final;
        c->message = strdup(f->lost_message);
        return c->message ? 0 : -ENOMEM;
}

static int cause_from_report(const AttemptFacts *f, Cause *c) {
        c->code = "error";
        c->transient = !f->report_final;
        c->phase = _PHASE_INVALID; /* its own phases are in the report */
        c->message = strdup(f->report_message ? f->report_message : "the worker does not say why");
        return c->message ? 0 : -ENOMEM;
}

static int cause_timeout(const AttemptFacts *f, Cause *c) {
        c->code = "timeout";
        c->message = strprintf(
                        "timed out after %u s%s%s, the limit that execution_policy.timeout_seconds sets; "
                        "'hyperctl retry %s' goes on from there",
                        f->timeout_seconds, c->phase >= 0 ? " in phase " : "",
                        c->phase >= 0 ? job_phase_to_string(c->phase) : "", f->job_id);
        return c->message ? 0 : -ENOMEM;
}

/* Why the unit of an attempt ended. */
static int cause_of_unit(const AttemptFacts *f, Cause *c) {
        int r = f->result ? cause_from_result(f, c) : cause_without_result(f, c);

        /* What the job itself says of it does not matter: it could say so again and again. */
        c->stopped = f->stopped && c->transient;
        return r;
}

static int find_cause(const AttemptFacts *f, Cause *c) {
        bool stopped = !f->result || f->result->outcome == OUTCOME_CANCELLED;

        if (f->lost_code)
                return cause_lost(f, c);
        if (f->report)
                return cause_from_report(f, c);
        /* RuntimeMaxSec= ends a job with SIGTERM, which it cannot tell from any other stop. */
        if (stopped && f->was_running &&
                        (f->unit_result ? streq(f->unit_result, "timeout")
                                        : f->deadline_passed && f->result)) {
                if (f->result && f->result->phase >= 0 && f->result->phase < _PHASE_MAX)
                        c->phase = f->result->phase;
                return cause_timeout(f, c);
        }
        return cause_of_unit(f, c);
}

/* The result of a job that failed: {"outputs", "metrics", "vm", "error"}. */
static int error_json(const AttemptFacts *f, const Cause *c, char **ret) {
        _cleanup_json_ json_t *object = NULL;
        json_t *error = json_pack("{s:s?, s:s, s:s, s:b}", "phase", job_phase_to_string(c->phase), "code",
                        c->code, "message", c->message, "retryable", (int) c->transient);

        if (!error)
                return -ENOMEM;
        object = json_pack("{s:[], s:O?, s:O*, s:o}", "outputs", "metrics",
                        f->result ? f->result->metrics : NULL, "vm", f->result ? f->result->vm : NULL,
                        "error", error);
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

/* The outputs of a domain on another host: the disks are there, and no longer here. NULL when out of
 * memory. */
static json_t *outputs_of(const AttemptFacts *f) {
        json_t *outputs =
                        f->result && f->result->outputs ? json_deep_copy(f->result->outputs) : json_array();
        char *const *disks = f->domain ? f->domain->disks : NULL;

        for (size_t i = 0; i < strv_length(disks) && i < json_array_size(outputs); i++)
                if (json_object_set_new(json_array_get(outputs, i), "path", json_string(disks[i])) < 0) {
                        json_decref(outputs);
                        return NULL;
                }
        return outputs;
}

/* The outputs have their names. @error is taken; NULL: nothing went wrong. */
static char *published_json(const AttemptFacts *f, json_t *error) {
        const JobResult *r = f->result;
        _cleanup_json_ json_t *domain = f->domain ? kvm_outcome_to_json(f->domain) : NULL,
                              *boot = f->boot ? kvm_boot_to_json(f->boot) : NULL, *object = NULL;

        (void) json_object_del(domain, "error"); /* it is told once */
        object = json_pack("{s:o, s:O?, s:O*, s:O*, s:O*, s:O*, s:o}", "outputs", outputs_of(f), "metrics",
                        r ? r->metrics : NULL, "vm", r ? r->vm : NULL, "guest", r ? r->guest : NULL,
                        "domain", domain, "boot", boot, "error", error ? error : json_null());
        return object ? json_dumps(object, JSON_COMPACT) : NULL;
}

static char *describe_domain(const AttemptFacts *f) {
        const char *state = f->domain->running ? "running" : "defined";

        if (!f->needs_boot)
                return strprintf("Completed; the domain %s is %s", f->domain->name, state);
        if (!f->boot)
                return strprintf("Completed; the domain %s is %s, and the proof that it boots was stopped",
                                f->domain->name, state);
        return strprintf("Completed; the domain %s is %s, and %s: %s", f->domain->name, state,
                        f->boot->boots == KVM_BOOTS_YES ? "boots" : "whether it boots is not known",
                        f->boot->message);
}

static int judge_completed(const AttemptFacts *f, Verdict *v) {
        v->state = JOB_COMPLETED;
        v->result = published_json(f, NULL);
        v->reason = f->domain ? describe_domain(f)
                              : strdup("Completed; the output stands under its final name");
        return v->result && v->reason ? 0 : -ENOMEM;
}

/* The outputs have their names; something after that went wrong. Takes @message. */
static int judge_afterwards(const AttemptFacts *f, const char *code, char *message, Verdict *v) {
        if (!message)
                return -ENOMEM;
        v->state = JOB_FAILED;
        v->result = published_json(f,
                        json_pack("{s:s, s:s, s:s, s:b}", "phase", job_phase_to_string(PHASE_FINALIZATION),
                                        "code", code, "message", message, "retryable", false));
        v->reason = strprintf("Failed in phase %s: %s", job_phase_to_string(PHASE_FINALIZATION), message);
        free(message);
        return v->result && v->reason ? 0 : -ENOMEM;
}

/* It stays defined. */
static int judge_unbootable(const AttemptFacts *f, Verdict *v) {
        return judge_afterwards(f, "boot_failed",
                        strprintf("the domain %s is defined, but its guest does not boot: %s",
                                        f->domain->name, f->boot->message),
                        v);
}

/* The disks stay: they are good, and a person can define a domain for them. */
static int judge_undefined(const AttemptFacts *f, Verdict *v) {
        const char *what = f->domain ? f->domain->error : "libvirt did not answer";

        if (f->domain && f->domain->uuid)
                return judge_afterwards(f, "start_failed",
                                strprintf("the domain %s is defined, but could not be started: %s",
                                                f->domain->name, what),
                                v);
        return judge_afterwards(f, "define_failed",
                        strprintf("the disks are complete, but the domain could not be defined: %s", what),
                        v);
}

static int judge_reported(const AttemptFacts *f, Verdict *v) {
        v->state = JOB_COMPLETED;
        v->result = strdup(f->report);
        v->reason = strprintf("Completed by worker %s", f->worker);
        return v->result && v->reason ? 0 : -ENOMEM;
}

static char *describe_cause(const AttemptFacts *f, const Cause *c) {
        if (f->attempt == 0)
                return strprintf(" before it started: %s", c->message);
        if (c->phase >= 0 && !streq(c->code, "timeout"))
                return strprintf(" in phase %s: %s", job_phase_to_string(c->phase), c->message);
        return strprintf(": %s", c->message);
}

/* The one rule of retries. */
static bool may_retry(const AttemptFacts *f, const Cause *c) {
        return c->transient && f->idempotent && (c->stopped || f->attempt <= f->retry_count);
}

static int judge_failed(const AttemptFacts *f, const Cause *c, Verdict *v) {
        _cleanup_free_ char *what = describe_cause(f, c);

        if (!what)
                return -ENOMEM;
        if (may_retry(f, c)) {
                v->state = JOB_RETRYING;
                v->pause = f->at_once ? 0 : attempt_pause(f->attempt);
                v->stopped = c->stopped;
                v->reason = strprintf("Attempt %u failed%s; %s begins in %u s", f->attempt, what,
                                c->stopped ? "it does not count, and the next one" : "the next one",
                                (unsigned) (v->pause / USEC_PER_SEC));
                return v->reason ? 0 : -ENOMEM;
        }

        v->state = JOB_FAILED;
        if (!c->transient)
                v->reason = strprintf("Failed%s", what);
        else if (!f->idempotent)
                v->reason = strprintf("Failed%s; not tried again, since the job is not idempotent", what);
        else
                v->reason = strprintf("Failed%s; no retry is left after %u attempts", what, f->attempt);
        if (!v->reason)
                return -ENOMEM;
        if (!f->report)
                return error_json(f, c, &v->result);
        v->result = strdup(f->report);
        return v->result ? 0 : -ENOMEM;
}

static bool is_pass(const AttemptFacts *f) {
        return f->pass > 0 && !f->cutover && f->result && f->result->outcome == OUTCOME_PASS;
}

static int judge_pass(const AttemptFacts *f, Verdict *v) {
        char span[TIMESPAN_SIZE];

        v->state = JOB_QUEUED;
        v->reason = strprintf("Pass %u is complete after %s", f->pass,
                        format_timespan(span, (usec_t) (f->result->warm.seconds * (double) USEC_PER_SEC)));
        return v->reason ? 0 : -ENOMEM;
}

int attempt_judge(const AttemptFacts *f, Verdict *ret) {
        Cause c = { .phase = f->phase };
        Verdict v = { .state = _JOB_STATE_INVALID };
        int r;

        if (f->published && f->needs_domain && (!f->domain || f->domain->error))
                r = judge_undefined(f, &v);
        else if (f->published && f->domain && f->boot && f->boot->boots == KVM_BOOTS_NO)
                r = judge_unbootable(f, &v);
        else if (f->published)
                r = judge_completed(f, &v);
        else if (f->report && f->report_completed)
                r = judge_reported(f, &v);
        else if (is_pass(f))
                r = judge_pass(f, &v);
        else {
                r = find_cause(f, &c);
                if (r >= 0)
                        r = judge_failed(f, &c, &v);
        }
        free(c.message);
        if (r < 0) {
                verdict_done(&v);
                return r;
        }
        *ret = v;
        return 0;
}
