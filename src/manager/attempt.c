/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "basic/string-util.h"
#include "manager/attempt.h"

#define PAUSE_MAX_SEC 60u

/* What went wrong, before the policy says what follows. */
typedef struct Cause {
        const char *code; /* for programs */
        char *message; /* for people */
        JobPhase phase;
        bool transient;
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
                c->message = strdup("the job left a result that makes no sense");
        } else if (how) {
                c->code = "crashed";
                c->message = strprintf("the job ended without a result: %s", how);
        } else {
                c->code = "interrupted";
                c->message = strdup("interrupted: its unit is gone and left no result (the machine or the "
                                    "unit was stopped)");
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

        case OUTCOME_CANCELLED:
                c->code = "interrupted";
                c->transient = true;
                c->message = strdup("interrupted: its unit was stopped from outside");
                break;

        default:
                c->transient = r->outcome == OUTCOME_TRANSIENT;
                c->code = isempty(r->code) ? "error" : r->code;
                c->message = strdup(isempty(r->message) ? "the job does not say why" : r->message);
        }
        return c->message ? 0 : -ENOMEM;
}

static int find_cause(const AttemptFacts *f, Cause *c) {
        bool stopped = !f->result || f->result->outcome == OUTCOME_CANCELLED;

        /* RuntimeMaxSec= ends a job with SIGTERM, which it cannot tell from any other stop. */
        if (stopped && f->was_running &&
                        (f->unit_result ? streq(f->unit_result, "timeout")
                                        : f->deadline_passed && f->result)) {
                if (f->result && f->result->phase >= 0 && f->result->phase < _PHASE_MAX)
                        c->phase = f->result->phase;
                c->code = "timeout";
                c->message = strprintf("timed out after %u s%s%s", f->timeout_seconds,
                                c->phase >= 0 ? " in phase " : "",
                                c->phase >= 0 ? job_phase_to_string(c->phase) : "");
                return c->message ? 0 : -ENOMEM;
        }
        return f->result ? cause_from_result(f, c) : cause_without_result(f, c);
}

/* @retryable: "retryable" is in it, as far as that is known. */
static int error_json(JobPhase phase, const char *code, const char *message, const bool *retryable,
                json_t *metrics, char **ret) {
        _cleanup_json_ json_t *object = NULL;
        json_t *error = json_pack("{s:s?, s:s, s:s}", "phase", job_phase_to_string(phase), "code", code,
                        "message", message);

        if (!error)
                return -ENOMEM;
        if (retryable && json_object_set_new(error, "retryable", json_boolean(*retryable)) < 0) {
                json_decref(error);
                return -ENOMEM;
        }
        object = json_pack("{s:[], s:O?, s:o}", "outputs", "metrics", metrics, "error", error);
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int attempt_error_json(JobPhase phase, const char *code, const char *message, json_t *metrics, char **ret) {
        return error_json(phase, code, message, NULL, metrics, ret);
}

static int judge_completed(const AttemptFacts *f, Verdict *v) {
        _cleanup_json_ json_t *object = NULL;
        json_t *outputs = f->result && f->result->outputs ? json_incref(f->result->outputs) : json_array();

        object = json_pack("{s:o, s:O?, s:n}", "outputs", outputs, "metrics",
                        f->result ? f->result->metrics : NULL, "error");
        v->state = JOB_COMPLETED;
        v->result = object ? json_dumps(object, JSON_COMPACT) : NULL;
        v->reason = strdup("Completed; the output stands under its final name");
        return v->result && v->reason ? 0 : -ENOMEM;
}

static int judge_failed(const AttemptFacts *f, const Cause *c, Verdict *v) {
        _cleanup_free_ char *what = NULL;

        if (c->phase >= 0 && !streq(c->code, "timeout"))
                what = strprintf(" in phase %s: %s", job_phase_to_string(c->phase), c->message);
        else
                what = strprintf(": %s", c->message);
        if (!what)
                return -ENOMEM;

        if (c->transient && f->idempotent && f->attempt <= f->retry_count) {
                v->state = JOB_RETRYING;
                v->pause = attempt_pause(f->attempt);
                v->reason = strprintf("Attempt %u failed%s; the next one begins in %u s", f->attempt, what,
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
        return error_json(c->phase, c->code, c->message, &c->transient,
                        f->result ? f->result->metrics : NULL, &v->result);
}

int attempt_judge(const AttemptFacts *f, Verdict *ret) {
        Cause c = { .phase = f->phase };
        Verdict v = { .state = _JOB_STATE_INVALID };
        int r;

        if (f->published)
                r = judge_completed(f, &v);
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
