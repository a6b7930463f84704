/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "hyper-job run": everything that touches bytes from outside, inside the unit's sandbox. One step after
 * the other; a step that fails ends the attempt. */

#include "job/run.h"
#include "spec/job-result.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/rights.h"
#include "basic/string-util.h"
#include "job/operation-steps.h"
#include "job/part-directory.h"
#include "job/source-kind.h"

static void run_done(Run *r) {
        source_free(r->source);
        safe_close(r->lock_fd);
        safe_close(r->part_fd);
        free(r->checkpoint_dir);
}

static void add_metrics(Run *run) {
        const Conversion *c = &run->conversion;
        double seconds = (double) (now_monotonic() - run->attempt->started) / (double) USEC_PER_SEC;
        json_t *m = json_pack("{s:I, s:I, s:I, s:I, s:f}", "bytes_read", (json_int_t) c->bytes_read,
                        "bytes_written", (json_int_t) c->bytes_written, "bytes_zero",
                        (json_int_t) c->bytes_zero, "bytes_resumed", (json_int_t) c->resumed_from,
                        "duration_seconds", seconds);

        if (m && run->source && source_add_metrics(run->source, m) < 0)
                log_warning("Without memory, the result has no metrics of the source");
        if (m) {
                json_decref(run->attempt->metrics);
                run->attempt->metrics = m;
        }
}

/* A result that is known to be wrong must not be gone on from. */
static void drop_wrong_result(Run *run) {
        static const char *const wrong[] = { "verification_failed", "source_changed", "vsphere_changed",
                "checksum_mismatch" };

        for (size_t i = 0; i < ELEMENTSOF(wrong) && run->part_fd >= 0; i++)
                if (streq_ptr(run->attempt->code, wrong[i])) {
                        int r = part_directory_empty(run->part_fd);
                        if (r < 0)
                                log_warning_errno(r, "Failed to empty %s: %m", run->conversion.part_dir);
                }
}

/* An earlier attempt got as far as the final name, but not as far as telling the manager. */
static int repeat_result(Attempt *a) {
        JobResult *old = NULL;

        report_note(&a->report, "An earlier attempt was finished already");
        if (job_result_read(a->directory, &old) >= 0) {
                json_decref(a->outputs);
                json_decref(a->metrics);
                a->outputs = old->outputs ? json_incref(old->outputs) : json_array();
                a->vm = old->vm ? json_incref(old->vm) : NULL;
                a->metrics = old->metrics ? json_incref(old->metrics) : json_object();
                a->guest = old->guest ? json_incref(old->guest) : NULL;
        }
        job_result_free(old);
        a->report.phase = PHASE_FINALIZATION;
        return attempt_end(a, 0);
}

static int run_steps(Run *run) {
        Attempt *a = run->attempt;
        int operation = a->plan->spec->operation;
        const Step *steps = a->plan->warm_pass > 0 ? warm_steps() : operation_steps(a->plan->spec);

        if (!steps)
                return attempt_fail(a, EOPNOTSUPP, "unsupported", "The operation %s is not built in",
                                strna(job_operation_to_string((JobOperation) operation)));
        for (const Step *step = steps; step->name; step++) {
                int r = step->run(run);
                if (r != 0)
                        return r;
                if (attempt_is_cancelled(a))
                        return -ECANCELED;
        }
        return 0;
}

int verb_run(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;
        int r;

        /* Its parsers have the same user: they must not get at its memory and descriptors in /proc. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return log_error_errno(errno, "Failed to hide from other processes: %m"), JOB_EXIT_TRANSIENT;
        r = rights_init();
        if (r < 0)
                return log_error_errno(r, "Failed to give up rights: %m"), JOB_EXIT_TRANSIENT;
        r = attempt_open(directory, &a);
        if (r < 0)
                return JOB_EXIT_FAILED;
        r = attempt_catch_signals(a);
        if (r < 0)
                return log_error_errno(r, "Failed to set up signals: %m"), JOB_EXIT_TRANSIENT;
        umask(077);
        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return repeat_result(a);

        _cleanup_(run_done) Run run = { .attempt = a, .part_fd = -EBADF, .lock_fd = -EBADF };
        r = run_steps(&run);
        add_metrics(&run);
        if (r < 0)
                drop_wrong_result(&run);
        return attempt_end(a, r);
}
