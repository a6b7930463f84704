/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/in-place.h"

#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/in-place-commit.h"
#include "job/in-place-mark.h"
#include "job/job-owner.h"
#include "job/landlock.h"
#include "job/part-lock.h"
#include "spec/job-result.h"

/* In the job's directory: a directory with a copy of the result, since another attempt removes the first
 * one. */
#define RECORD_RESULT "committed"

static const char *image_path(const Attempt *a) {
        return a->plan->spec->source.path;
}

/* All is written: the note says so until the job is complete. Without it, a crash in between would only have
 * the commit repeated. */
static void end_commit(Attempt *a, const PartDirectory *p, const InPlaceMark *mark) {
        InPlaceMark done = *mark;
        int r;

        done.done = true;
        r = in_place_mark_write(a, p, &done);
        if (r < 0)
                log_warning_errno(r, "Failed to note in %s that all changes are written: %m", p->path);
}

/* Repeats a commit that was begun. */
static int complete(Attempt *a, const PartDirectory *p, const InPlaceMark *mark) {
        _cleanup_in_place_disks_ InPlaceDisks disks = {};
        bool begun;
        int r;

        if (mark->done)
                return 0;
        r = in_place_disks_open(a, p, mark->n_disks, &disks);
        if (r >= 0)
                r = in_place_commit(a, &disks, mark->formats, &begun);
        if (r < 0)
                return r;
        report_note(&a->report, "The changes of the guest are in the image %s", image_path(a));
        if (mark->own)
                end_commit(a, p, mark);
        return 0;
}

static int end_well(Attempt *a, PartDirectory *p) {
        int r = job_mark_set(a->directory, JOB_MARK_PUBLISHED);

        if (r < 0)
                return attempt_fail(
                                a, r, NULL, "Noting that the image is complete failed: %s", strerror(-r));
        in_place_mark_remove(a, p);
        r = part_directory_remove(p);
        if (r < 0)
                log_warning_errno(r, "Failed to remove %s: %m", p->path);
        return 0;
}

/* --- the result ------------------------------------------------------------------------------------ */

static int keep_result(Attempt *a, const JobResult *result) {
        _cleanup_free_ char *directory = strprintf("%s/" RECORD_RESULT, a->directory);
        int r = directory ? 0 : -ENOMEM;

        if (r >= 0 && mkdir(directory, 0700) < 0 && errno != EEXIST)
                r = -errno;
        if (r >= 0)
                r = job_result_write(result, directory);
        return r < 0 ? attempt_fail(a, r, NULL, "Noting that the image %s is being changed failed: %s",
                                       image_path(a), strerror(-r))
                     : 0;
}

/* This job had written all its changes: its result counts again. */
static int restore_result(Attempt *a) {
        _cleanup_free_ char *directory = strprintf("%s/" RECORD_RESULT, a->directory);
        _cleanup_(job_result_freep) JobResult *result = NULL;
        int r = directory ? job_result_read(directory, &result) : -ENOMEM;

        if (r >= 0) {
                result->attempt = a->plan->attempt;
                r = job_result_write(result, a->directory);
        }
        return r < 0 ? attempt_fail(a, r, NULL, "Noting that the image is complete failed: %s", strerror(-r))
                     : 0;
}

/* --- prepare --------------------------------------------------------------------------------------- */

/* Completes the commit of an earlier attempt, or of another job. 1 if it was this job's, which is complete
 * then. */
static int resume(Attempt *a, PartDirectory *p) {
        InPlaceMark mark;
        int r = in_place_mark_read(a, p, &mark);

        if (r < 0 || mark.n_disks == 0)
                return r;
        report_note(&a->report, "Completing the changes that an earlier attempt has begun to write");
        r = complete(a, p, &mark);
        if (r >= 0 && !mark.own) {
                in_place_mark_remove(a, p);
                return part_directory_empty(p->fd);
        }
        if (r >= 0)
                r = restore_result(a);
        if (r >= 0)
                r = end_well(a, p);
        return r < 0 ? r : 1;
}

int in_place_prepare(Attempt *a, PartDirectory *p) {
        _cleanup_close_ int landlock = landlock_new(false);
        int r;

        if (landlock < 0)
                return attempt_fail(a, EOPNOTSUPP, "unsupported",
                                "The kernel of this machine has no Landlock, without which images are not "
                                "changed in place: give a destination");
        r = resume(a, p);
        if (r != 0)
                return MIN(r, 0);
        r = in_place_mark_check_further(a);
        return r < 0 ? r : in_place_note_state(a);
}

/* --- finish ---------------------------------------------------------------------------------------- */

/* What run says of the images. No outputs: nothing is to be written. */
static int read_formats(Attempt *a, const JobResult *result, InPlaceMark *ret) {
        json_t *output;
        size_t i;

        *ret = (InPlaceMark){ .own = true };
        json_array_foreach(result->outputs, i, output) {
                const char *format = json_string_value(json_object_get(output, "format"));

                if (ret->n_disks >= PART_DISKS_MAX)
                        break;
                ret->formats[ret->n_disks++] = (int) disk_format_from_string(strempty(format));
        }
        bool bad = ret->n_disks > 0 && ret->n_disks != 1 + strv_length(a->plan->spec->source.further_disks);
        for (i = 0; i < ret->n_disks; i++)
                bad = bad || ret->formats[i] < 0;
        return bad ? attempt_fail(a, EBADMSG, "failed", "The result of the job does not list its disks") : 0;
}

static int write_changes(Attempt *a, const PartDirectory *p, const JobResult *result) {
        _cleanup_in_place_disks_ InPlaceDisks disks = {};
        InPlaceMark mark;
        bool begun;
        int r = read_formats(a, result, &mark);

        if (r < 0 || mark.n_disks == 0)
                return r;
        r = in_place_disks_open(a, p, mark.n_disks, &disks);
        if (r >= 0)
                r = in_place_disks_check(a, p, &disks);
        if (r >= 0)
                r = in_place_mark_check_further(a);
        if (r >= 0)
                r = keep_result(a, result);
        if (r < 0)
                return r;
        r = in_place_mark_write(a, p, &mark);
        if (r < 0) {
                in_place_mark_remove(a, p);
                return attempt_fail(a, r, NULL, "Noting that the image %s is being changed failed: %s",
                                image_path(a), strerror(-r));
        }
        r = in_place_commit(a, &disks, mark.formats, &begun);
        /* A virtual machine was started. */
        if (r == -EBUSY && !begun)
                in_place_mark_remove(a, p);
        if (r >= 0)
                end_commit(a, p, &mark);
        return r;
}

/* 0 with *ret; -ENODATA: this attempt has not ended well. */
static int read_result(Attempt *a, bool succeeded, JobResult **ret) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        int r = succeeded ? job_result_read(a->directory, &result) : -ENODATA;

        if (r < 0)
                return -ENODATA;
        if (result->outcome != OUTCOME_COMPLETED || result->attempt != a->plan->attempt)
                return -ENODATA;
        *ret = TAKE_PTR(result);
        return 0;
}

static int publish(Attempt *a, PartDirectory *p, const JobResult *result) {
        int r = job_mark_claim(a->directory, JOB_MARK_PUBLISHED);

        a->report.phase = PHASE_FINALIZATION;
        if (r == -EALREADY) /* it is cancelled */
                return part_directory_remove(p);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Noting that the image is changed failed: %s", strerror(-r));
        /* A failure must not lose them. */
        json_decref(a->metrics);
        a->metrics = result->metrics ? json_incref(result->metrics) : json_object();
        r = write_changes(a, p, result);
        if (r >= 0)
                return end_well(a, p);
        if (!marker_exists(p->fd, PART_COMMIT_FILE))
                (void) part_directory_remove(p);
        return r;
}

static int finish_in(Attempt *a, PartDirectory *p, bool succeeded) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        bool cancelled = marker_exists(a->directory_fd, JOB_MARK_CANCELLED);
        InPlaceMark mark;
        int r = in_place_mark_read(a, p, &mark);

        if (r < 0)
                return r;
        if (mark.n_disks == 0 && !cancelled && read_result(a, succeeded, &result) >= 0)
                return publish(a, p, result);
        r = mark.n_disks > 0 ? complete(a, p, &mark) : 0;
        if (r < 0)
                return r;
        if (mark.n_disks > 0 && mark.own && !cancelled) {
                r = restore_result(a);
                return r < 0 ? r : end_well(a, p);
        }
        in_place_mark_remove(a, p);
        return part_directory_remove(p);
}

int in_place_finish(Attempt *a, bool succeeded) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        _cleanup_close_ int lock_fd = -EBADF;
        _cleanup_free_ char *why = NULL;
        int r = part_directory_open(a->plan->part_dir, &p, &why);

        if (r < 0 || p.fd < 0)
                return r == -ENOENT || r >= 0
                                ? 0
                                : attempt_fail(a, r, "destination_refused", "Opening %s failed: %s",
                                                  a->plan->part_dir, why ? why : strerror(-r));
        r = part_directory_check_record(p.fd, a->directory_fd, NULL);
        if (r == -ENOENT) /* prepare did not get as far: it is not this job's */
                return 0;
        if (r >= 0)
                r = part_lock(p.fd, a->plan->job_id, 0, &lock_fd);
        if (r == -EBUSY || r == -EUSERS)
                return 0; /* another job works there */
        if (r < 0)
                return attempt_fail(a, r, "destination_refused",
                                "The directory %s is not the one that was made for this job", p.path);
        r = finish_in(a, &p, succeeded);
        int k = p.fd >= 0 ? part_directory_take_back(p.fd) : 0;
        if (k < 0)
                log_warning_errno(k, "Failed to give %s back to root: %m", p.path);
        return r;
}
