/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/device.h"
#include "job/job.h"
#include "job/rights.h"
#include "job/safe-open.h"

/* --- the table of failures ---------------------------------------------------------------------------- */

/* Can trying again help? */
static const struct {
        const char *code;
        JobOutcome outcome;
        int errors[7]; /* those that mean it when nothing better is known; 0 ends */
} failures[] = {
        /* The source */
        { "source_missing", OUTCOME_TRANSIENT, { ENOENT, ENOTDIR } },
        { "source_in_use", OUTCOME_TRANSIENT, {} },
        { "source_changed", OUTCOME_FAILED, {} },
        { "checksum_mismatch", OUTCOME_FAILED, {} },
        { "format_mismatch", OUTCOME_FAILED, {} },
        { "image_refused", OUTCOME_FAILED, {} },
        { "image_damaged", OUTCOME_FAILED, { EBADMSG } },
        /* The destination */
        { "destination_exists", OUTCOME_FAILED, { EEXIST } },
        { "destination_refused", OUTCOME_FAILED, { EROFS, ELOOP, EMLINK, ESTALE } },
        { "destination_busy", OUTCOME_TRANSIENT, { EBUSY } },
        { "output_damaged", OUTCOME_TRANSIENT, {} }, /* the next attempt begins anew */
        { "no_space", OUTCOME_TRANSIENT, { ENOSPC, EDQUOT } },
        { "verification_failed", OUTCOME_FAILED, {} },
        { "publish_failed", OUTCOME_TRANSIENT, {} },
        /* On the way */
        { "connection_failed", OUTCOME_TRANSIENT,
                        { ECONNRESET, EPIPE, ESHUTDOWN, ENOTCONN, ECONNREFUSED, EHOSTUNREACH,
                                        ENETUNREACH } },
        { "timed_out", OUTCOME_TRANSIENT, { ETIMEDOUT } },
        { "io_error", OUTCOME_TRANSIENT, { EIO } },
        { "server_died", OUTCOME_TRANSIENT, {} },
        { "out_of_memory", OUTCOME_TRANSIENT, { ENOMEM, EMFILE, ENFILE, EAGAIN } },
        { "permission_denied", OUTCOME_FAILED, { EACCES, EPERM } },
        { "unsupported", OUTCOME_FAILED, { EOPNOTSUPP, EPROTO, EFBIG, EINVAL, ENOSYS } },
        { "program_missing", OUTCOME_FAILED, {} },
        { "cancelled", OUTCOME_CANCELLED, { ECANCELED } },
        { "failed", OUTCOME_FAILED, {} },
};

JobOutcome failure_outcome(const char *code) {
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                if (streq(failures[i].code, code))
                        return failures[i].outcome;
        return OUTCOME_FAILED;
}

const char *failure_code_from_errno(int error) {
        error = abs(error);
        for (size_t i = 0; i < ELEMENTSOF(failures); i++)
                for (size_t k = 0; k < ELEMENTSOF(failures[i].errors) && failures[i].errors[k] > 0; k++)
                        if (failures[i].errors[k] == error)
                                return failures[i].code;
        return "failed";
}

/* --- the job ------------------------------------------------------------------------------------------ */

Job *job_free(Job *j) {
        if (!j)
                return NULL;
        safe_close(j->folder_fd);
        safe_close(j->cancel_fd);
        if (j->runtime)
                (void) rmdir(j->runtime);
        free(j->runtime);
        job_plan_free(j->plan);
        json_decref(j->outputs);
        json_decref(j->metrics);
        free(j->folder);
        free(j->code);
        free(j->message);
        free(j);
        return NULL;
}

int job_open(const char *folder, Job **ret) {
        _cleanup_job_ Job *j = new0(Job, 1);
        int r;

        if (!j)
                return log_oom();
        j->folder_fd = j->cancel_fd = -EBADF;
        j->started = now_monotonic();
        j->folder = strdup(folder);
        j->outputs = json_array();
        j->metrics = json_object();
        if (!j->folder || !j->outputs || !j->metrics)
                return log_oom();
        j->folder_fd = open_no_symlinks(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
        if (j->folder_fd < 0)
                return log_error_errno(j->folder_fd, "Failed to open the job's folder %s: %m", folder);
        r = job_plan_read(folder, &j->plan);
        if (r < 0)
                return log_error_errno(r, "Failed to read %s/job.json: %m", folder);
        report_init(&j->report, j->plan->job_id);
        *ret = TAKE_PTR(j);
        return 0;
}

int job_catch_signals(Job *j) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        j->cancel_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        /* A server that goes away is an error of a write, not of the process. */
        if (j->cancel_fd < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;
        return 0;
}

bool job_is_cancelled(const Job *j) {
        struct pollfd p = { .fd = j->cancel_fd, .events = POLLIN };
        return j->cancel_fd >= 0 && poll(&p, 1, 0) > 0;
}

unsigned job_parser_rights(const Job *j) {
        return j->needs_rights || plan_writes_device(j->plan) ? RIGHTS_READ : 0;
}

int job_fail(Job *j, int error, const char *code, const char *format, ...) {
        va_list ap;

        if (j->code)
                return -abs(error);
        va_start(ap, format);
        j->message = vstrprintf(format, ap);
        va_end(ap);
        j->code = strdup(code ? code : failure_code_from_errno(error));
        if (!j->message || !j->code)
                return log_oom();
        return -abs(error);
}

static int write_result(Job *j, JobOutcome outcome, const char *message) {
        JobResult result = {
                .attempt = j->plan->attempt,
                .outcome = (int) outcome,
                .phase = (int) j->report.phase,
                .message = (char *) message,
                .code = j->code,
                .outputs = j->outputs,
                .metrics = j->metrics,
        };
        int r = job_result_write(&result, j->folder);
        return r < 0 ? log_error_errno(r, "Failed to write %s/result.json: %m", j->folder) : 0;
}

static int exit_status(JobOutcome outcome) {
        switch (outcome) {
        case OUTCOME_COMPLETED:
                return EXIT_SUCCESS;
        case OUTCOME_TRANSIENT:
                return JOB_EXIT_TRANSIENT;
        case OUTCOME_CANCELLED:
                return JOB_EXIT_CANCELLED;
        default:
                return JOB_EXIT_FAILED;
        }
}

int job_end(Job *j, int r) {
        JobOutcome outcome = OUTCOME_COMPLETED;

        if (r == -ECANCELED && !job_is_cancelled(j))
                r = -EIO;
        if (r < 0) {
                /* Whatever a cancel broke on its way, the cancel is the reason. */
                if (job_is_cancelled(j)) {
                        j->code = mfree(j->code);
                        j->message = mfree(j->message);
                        (void) job_fail(j, ECANCELED, "cancelled", "The job was stopped");
                }
                (void) job_fail(j, r, NULL, "The phase %s failed (%s); the job's log may say more",
                                strna(job_phase_to_string(j->report.phase)), strerror(-r));
                outcome = failure_outcome(strempty(j->code));
                report_error(&j->report, strempty(j->code), strempty(j->message));
        }
        /* No result is read as an attempt that was cut off, which it then was. */
        if (write_result(j, outcome, r < 0 ? strempty(j->message) : "The disk image is complete") < 0)
                return JOB_EXIT_TRANSIENT;
        return exit_status(outcome);
}
