/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/attempt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/rights.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "job/device.h"
#include "job/failure.h"

Attempt *attempt_free(Attempt *a) {
        if (!a)
                return NULL;
        safe_close(a->directory_fd);
        safe_close(a->cancel_fd);
        if (a->runtime)
                (void) rmdir(a->runtime);
        free(a->runtime);
        job_plan_free(a->plan);
        json_decref(a->outputs);
        json_decref(a->vm);
        json_decref(a->metrics);
        json_decref(a->guest);
        free(a->directory);
        free(a->code);
        free(a->message);
        free(a);
        return NULL;
}

int attempt_open(const char *directory, Attempt **ret) {
        _cleanup_attempt_ Attempt *a = new0(Attempt, 1);
        int r;

        if (!a)
                return log_oom();
        a->directory_fd = a->cancel_fd = -EBADF;
        a->started = now_monotonic();
        a->directory = strdup(directory);
        a->outputs = json_array();
        a->metrics = json_object();
        if (!a->directory || !a->outputs || !a->metrics)
                return log_oom();
        a->directory_fd = open_no_symlinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
        if (a->directory_fd < 0)
                return log_error_errno(
                                a->directory_fd, "Failed to open the job's directory %s: %m", directory);
        r = job_plan_read(directory, &a->plan);
        if (r < 0)
                return log_error_errno(r, "Failed to read %s/job.json: %m", directory);
        report_init(&a->report, a->plan->job_id);
        *ret = TAKE_PTR(a);
        return 0;
}

int attempt_catch_signals(Attempt *a) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        a->cancel_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        /* A server that goes away is an error of a write, not of the process. */
        if (a->cancel_fd < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;
        return 0;
}

bool attempt_is_cancelled(const Attempt *a) {
        struct pollfd p = { .fd = a->cancel_fd, .events = POLLIN };
        return a->cancel_fd >= 0 && poll(&p, 1, 0) > 0;
}

unsigned attempt_parser_rights(const Attempt *a) {
        return a->needs_rights || plan_writes_device(a->plan) ? RIGHTS_READ : 0;
}

int attempt_fail(Attempt *a, int error, const char *code, const char *format, ...) {
        va_list ap;

        if (a->code)
                return -abs(error);
        va_start(ap, format);
        a->message = vstrprintf(format, ap);
        va_end(ap);
        a->code = strdup(code ? code : failure_code_from_errno(error));
        if (!a->message || !a->code)
                return log_oom();
        return -abs(error);
}

static int write_result(Attempt *a, JobOutcome outcome, const char *message) {
        JobResult result = {
                .attempt = a->plan->attempt,
                .outcome = (int) outcome,
                .phase = (int) a->report.phase,
                .message = (char *) message,
                .code = a->code,
                .outputs = a->outputs,
                .vm = a->vm,
                .warm = a->warm,
                .metrics = a->metrics,
                .guest = a->guest,
        };
        int r = job_result_write(&result, a->directory);
        return r < 0 ? log_error_errno(r, "Failed to write %s/result.json: %m", a->directory) : 0;
}

static int exit_status(JobOutcome outcome) {
        switch (outcome) {
        case OUTCOME_COMPLETED:
                return EXIT_SUCCESS;
        case OUTCOME_TRANSIENT:
                return JOB_EXIT_TRANSIENT;
        case OUTCOME_CANCELLED:
                return JOB_EXIT_CANCELLED;
        case OUTCOME_PASS:
                return JOB_EXIT_PASS;
        default:
                return JOB_EXIT_FAILED;
        }
}

static const char *success_text(const JobSpec *spec) {
        return spec->operation == OPERATION_INSPECT ? "The guest was inspected"
                        : spec->parameters.dry_run  ? "The changes were tried, and nothing was written"
                                                    : "The disk image is complete";
}

int attempt_end(Attempt *a, int r) {
        JobOutcome outcome = r == ATTEMPT_PASS ? OUTCOME_PASS : OUTCOME_COMPLETED;

        if (r == -ECANCELED && !attempt_is_cancelled(a))
                r = -EIO;
        if (r < 0) {
                /* Whatever a cancel broke on its way, the cancel is the reason. */
                if (attempt_is_cancelled(a)) {
                        a->code = mfree(a->code);
                        a->message = mfree(a->message);
                        (void) attempt_fail(a, ECANCELED, "cancelled", "The job was stopped");
                }
                (void) attempt_fail(a, r, NULL, "The phase %s failed (%s); the job's log may say more",
                                strna(job_phase_to_string(a->report.phase)), strerror(-r));
                outcome = failure_outcome(strempty(a->code));
                report_error(&a->report, strempty(a->code), strempty(a->message));
        }
        /* No result is read as an attempt that was cut off, which it then was. */
        const char *message = r < 0               ? strempty(a->message)
                        : outcome == OUTCOME_PASS ? "The pass is complete"
                                                  : success_text(a->plan->spec);
        if (write_result(a, outcome, message) < 0)
                return JOB_EXIT_TRANSIENT;
        return exit_status(outcome);
}
