/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "hyper-job finish": with all privileges, after the sandboxed half is gone, however it went. Gives a
 * finished image its name, removes the part directory of a cancelled job, keeps the one of a failed job if
 * another attempt can go on from it. May be called again at any time. What the sandboxed half left behind is
 * not trusted. */

#include "job/finish.h"
#include "spec/job-result.h"

#include <inttypes.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/attempt.h"
#include "job/in-place.h"
#include "job/job-owner.h"
#include "job/kvm.h"
#include "job/new-directories.h"
#include "job/part-directory.h"
#include "job/part-lock.h"
#include "job/publish.h"
#include "job/source-guard.h"
#include "job/unit-fields.h"
#include "job/unit-stop.h"
#include "job/vsphere-clean.h"

/* What systemd says of how the unit ended, systemd.exec(5). What it does not say is no success. */
static bool unit_succeeded(void) {
        return streq_ptr(getenv("SERVICE_RESULT"), "success") && streq_ptr(getenv("EXIT_CODE"), "exited") &&
                        streq_ptr(getenv("EXIT_STATUS"), "0");
}

/* The result of this attempt, if it says that the work is complete. */
static int completed_disks(Attempt *a, unsigned *ret) {
        _cleanup_(job_result_freep) JobResult *result = NULL;

        int r = job_result_read(a->directory, &result);
        if (r < 0)
                return r;
        if (result->outcome != OUTCOME_COMPLETED || result->attempt != a->plan->attempt)
                return -ENODATA;
        size_t n = json_array_size(result->outputs);
        if ((n < 1 && job_spec_has_destination(a->plan->spec)) || n > PART_DISKS_MAX)
                return -EBADMSG;
        /* publishing fails must not lose what run had measured */
        json_decref(a->metrics);
        a->metrics = result->metrics ? json_incref(result->metrics) : json_object();
        *ret = layout_published_of_outputs(&a->plan->spec->destination, n);
        return a->metrics ? 0 : -ENOMEM;
}

static int remove_part(Attempt *a, PartDirectory *p) {
        int r = outputs_unpublish(p, a->directory_fd, &a->plan->spec->destination);

        if (r < 0)
                return log_error_errno(r, "Failed to take back the outputs of %s that have their names: %m",
                                a->plan->spec->destination.path);
        r = part_directory_remove(p);
        if (r == -ENOTEMPTY)
                log_warning("The directory %s holds files that are not the job's, and is left there",
                                p->path);
        else if (r < 0)
                return log_error_errno(r, "Failed to remove %s: %m", p->path);
        report_note(&a->report, "The unfinished image was removed");
        return 0;
}

/* From here on the job cannot be cancelled any more; -EALREADY: it was. */
static int claim(Attempt *a) {
        int r = job_mark_claim(a->directory, JOB_MARK_PUBLISHED);

        a->report.phase = PHASE_FINALIZATION;
        return r < 0 && r != -EALREADY
                        ? attempt_fail(a, r, NULL, "Noting that the output is published failed: %s",
                                          strerror(-r))
                        : r;
}

/* The source of a warm migration may be on, and an earlier call was interrupted when images had their names.
 * Returns @error. */
static int take_back_names(Attempt *a, PartDirectory *p, int error) {
        int r = a->plan->warm_pass > 0 ? outputs_unpublish(p, a->directory_fd, &a->plan->spec->destination)
                                       : 0;

        if (r < 0)
                log_error_errno(r, "Failed to take back the outputs of %s that have their names: %m",
                                a->plan->spec->destination.path);
        return error < 0 ? error : r;
}

static int publish(Attempt *a, PartDirectory *p, uid_t uid, unsigned n_disks, SourceGuard *guard) {
        const JobEndpoint *destination = &a->plan->spec->destination;
        _cleanup_free_ char *why = NULL;

        int r = source_guard_check(guard);
        if (r < 0)
                return take_back_names(a, p, r);
        r = claim(a);
        if (r < 0)
                return r == -EALREADY ? remove_part(a, p) : r;
        r = outputs_publish(p, a->directory_fd, uid, destination, n_disks, source_guard_check, guard, &why);
        if (r < 0)
                return why ? attempt_fail(a, r, r == -ENOENT ? "publish_failed" : NULL, "%s", why)
                           : attempt_fail(a, r, r == -ENOENT ? "publish_failed" : NULL,
                                             "Giving the finished image the name %s failed: %s",
                                             destination->path, strerror(-r));
        for (unsigned i = 1; i <= n_disks; i++) {
                _cleanup_free_ char *path = layout_path(destination, i);
                report_note(&a->report, "The %s %s is complete", layout_what(destination, i), strna(path));
        }
        return 0;
}

/* What is behind NBD has no other name to get: being complete is all. */
static int finish_nbd(Attempt *a, bool succeeded) {
        unsigned n_disks;

        if (marker_exists(a->directory_fd, JOB_MARK_CANCELLED) || !succeeded ||
                        completed_disks(a, &n_disks) < 0)
                return 0;
        int r = claim(a);
        if (r < 0)
                return r == -EALREADY ? 0 : r;
        r = job_mark_set(a->directory, JOB_MARK_PUBLISHED);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Noting that the disk is complete failed: %s", strerror(-r));
        if (job_spec_has_destination(a->plan->spec))
                report_note(&a->report, "The destination's disk is complete");
        return 0;
}

/* The directory cannot be locked, or another job took it over after this one's last attempt. What is in it
 * is that one's, so nothing of it is published or removed. */
static int leave_to_others(Attempt *a, const PartDirectory *p, bool succeeded, int error) {
        unsigned n_disks;

        if (marker_exists(a->directory_fd, JOB_MARK_CANCELLED) || !succeeded ||
                        completed_disks(a, &n_disks) < 0)
                return 0;
        if (error == -EBUSY || error == -EUSERS)
                return attempt_fail(a, EBUSY, "destination_busy",
                                "Another job has begun to write the destination %s before this one's image "
                                "got its name",
                                a->plan->spec->destination.path);
        return attempt_fail(
                        a, error, NULL, "Locking the directory %s failed: %s", p->path, strerror(-error));
}

static int finish_file(Attempt *a, bool succeeded, SourceGuard *guard) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_free_ char *why = NULL;
        unsigned n_disks = 0;
        uid_t uid = 0;

        int r = part_directory_open(a->plan->part_dir, &p, &why);
        if (r == -ENOENT && !marker_exists(a->directory_fd, RECORD_PREPARED))
                return 0; /* prepare did not get as far as its directory */
        if (r < 0)
                return why ? attempt_fail(a, r, "destination_refused", "%s", why)
                           : attempt_fail(a, r, NULL,
                                             "Opening the directory of the destination %s failed: %s",
                                             a->plan->spec->destination.path, strerror(-r));
        r = p.fd >= 0 ? part_directory_check_record(p.fd, a->directory_fd, &uid) : 0;
        if (r == -ENOENT) {
                /* prepare was stopped before it could note which directory it had made. What is not empty is
                 * not this job's. */
                part_directory_remove_empty(&p);
                return 0;
        }
        if (r < 0)
                return attempt_fail(a, r, "destination_refused",
                                "The directory %s is not the one that was made for this job", p.path);
        _cleanup_close_ int lock_fd = -EBADF;
        r = p.fd >= 0 ? part_lock(p.fd, a->plan->job_id, 0, &lock_fd) : 0;
        if (r < 0)
                return leave_to_others(a, &p, succeeded, r);
        if (marker_exists(a->directory_fd, JOB_MARK_CANCELLED))
                return remove_part(a, &p);
        r = succeeded ? completed_disks(a, &n_disks) : -ENODATA;
        if (r >= 0)
                r = publish(a, &p, uid, n_disks, guard);
        else {
                r = take_back_names(a, &p, 0);
                part_directory_remove_if_useless(&p);
        }
        /* What is kept for the next attempt is root's meanwhile. */
        int k = p.fd >= 0 ? part_directory_take_back(p.fd) : 0;
        if (k < 0)
                log_warning_errno(k, "Failed to give %s back to root: %m", p.path);
        return r;
}

/* No image got its name, so the directories that were made for it go, if they are empty. Another attempt
 * makes them again. */
static void remove_directories(Attempt *a) {
        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return;
        int r = new_directories_remove(a->plan->part_dir, a->directory_fd);
        if (r < 0)
                log_warning_errno(r, "Failed to remove the directories that were made for %s: %m",
                                a->plan->spec->destination.path);
        /* What it says was in there. */
        if (r > 0 && unlinkat(a->directory_fd, RECORD_PREPARED, 0) < 0 && errno != ENOENT)
                log_warning_errno(errno, "Failed to remove %s/" RECORD_PREPARED ": %m", a->directory);
}

/* Whether the result of a cutover is about to be published. */
static bool needs_guard(Attempt *a, bool succeeded) {
        unsigned n;

        return a->plan->warm_pass > 0 && succeeded && !marker_exists(a->directory_fd, JOB_MARK_CANCELLED) &&
                        completed_disks(a, &n) >= 0;
}

static int finish_output(Attempt *a, bool succeeded) {
        _cleanup_(source_guard_endp) SourceGuard *guard = NULL;
        int r = needs_guard(a, succeeded) ? source_guard_start(a, &guard) : 0;
        int k = finish_file(a, succeeded && r >= 0, guard);

        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                source_guard_published(guard);
        return r < 0 ? r : k;
}

/* The output has its name. An earlier call may have been interrupted before it restored the source. */
static int finish_published(Attempt *a) {
        _cleanup_(source_guard_endp) SourceGuard *guard = NULL;

        if (a->plan->warm_pass == 0 || !marker_exists(a->directory_fd, JOB_MARK_TRACKING))
                return EXIT_SUCCESS;
        if (source_guard_start(a, &guard) >= 0)
                source_guard_published(guard);
        else
                report_note(&a->report,
                                "Changed block tracking of the source stays enabled: %s; to disable it, set "
                                "changeTrackingEnabled of the VM to false",
                                strna(a->message));
        report_sync(&a->report);
        return EXIT_SUCCESS;
}

static int finish_attempt(Attempt *a, bool succeeded) {
        int r;

        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return finish_published(a);
        vsphere_clean(a);
        if (job_spec_is_in_place(a->plan->spec))
                r = in_place_finish(a, succeeded);
        else
                r = a->plan->part_dir ? finish_output(a, succeeded) : finish_nbd(a, succeeded);
        if (a->plan->part_dir && job_spec_has_destination(a->plan->spec))
                remove_directories(a);
        int status = r < 0 ? attempt_end(a, r) : EXIT_SUCCESS;
        report_sync(&a->report);
        return status;
}

static int finish(const char *directory, bool succeeded) {
        _cleanup_attempt_ Attempt *a = NULL;
        int status = attempt_open(directory, &a) < 0 ? JOB_EXIT_FAILED : finish_attempt(a, succeeded);

        if (!a || !kvm_is_destination(a) || kvm_is_remote(a)) /* or "define" follows in this unit */
                unit_fields_forget(directory);
        return status;
}

int verb_finish(const char *directory) {
        bool succeeded = unit_succeeded();

        if (!succeeded)
                unit_stop_note(directory);
        return finish(directory, succeeded);
}

int verb_finish_later(const char *directory) {
        return finish(directory, true);
}
