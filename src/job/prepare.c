/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "hyper-job prepare": with all privileges, before the sandbox is made. Makes the directories above the
 * destination that do not exist, and the part directory beside it, so that it can be bound into the unit's
 * mount namespace. */

#include "job/prepare.h"
#include "spec/job-result.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "job/attempt.h"
#include "job/in-place-mark.h"
#include "job/in-place.h"
#include "job/in-use.h"
#include "job/job-owner.h"
#include "job/kvm.h"
#include "job/new-directories.h"
#include "job/part-directory.h"
#include "job/part-lock.h"
#include "job/publish.h"
#include "job/rename.h"

#define DIRECTORY_TRIES 8u

static int parent_fail(Attempt *a, int r) {
        const char *path = job_plan_target(a->plan);

        if (r == -ELOOP)
                return attempt_fail(a, r, "destination_refused",
                                "A directory above the destination %s has become a symbolic link", path);
        return attempt_fail(a, r, r == -ENOENT || r == -ENOTDIR ? "destination_refused" : NULL,
                        "Opening the directory of the destination %s failed: %s", path, strerror(-r));
}

/* The final name must be free. It is looked at again when the image is given the name. */
static int check_name_free(Attempt *a, const PartDirectory *p) {
        const char *path = job_plan_target(a->plan);
        struct stat st;

        if (fstatat(p->parent_fd, strrchr(path, '/') + 1, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                return attempt_fail(a, EEXIST, "destination_exists",
                                "The destination %s exists already, and is not replaced: remove it or "
                                "choose "
                                "another name",
                                path);
        return errno == ENOENT ? 0
                               : attempt_fail(a, errno, "destination_refused",
                                                 "Looking for the destination %s failed: %s", path,
                                                 strerror(errno));
}

/* hyper-job run takes the lock for good; this is to say so before anything was read. */
static int check_lock(Attempt *a, const PartDirectory *p) {
        _cleanup_close_ int fd = -EBADF;
        int r = p->fd >= 0 ? part_lock(p->fd, a->plan->job_id, 0, &fd) : 0;

        if (r == -EBUSY)
                return part_lock_fail(a, p->fd);
        /* What another job left there, this one takes over. */
        return r < 0 && r != -EUSERS ? attempt_fail(a, r, NULL, "Locking the directory %s failed: %s",
                                                       p->path, strerror(-r))
                                     : 0;
}

/* The source may be on by now: the cutover comes first, which is short if it is not. */
static int take_back_names(Attempt *a, PartDirectory *p) {
        int r = outputs_unpublish(p, a->directory_fd, &a->plan->spec->destination);

        return r < 0 ? attempt_fail(a, r, NULL, "Taking back the names of the images of %s failed: %s",
                                       a->plan->spec->destination.path, strerror(-r))
                     : 0;
}

/* A crash may have come between the last image's new name and the note of it. */
static int finish_publishing(Attempt *a, PartDirectory *p) {
        _cleanup_(job_result_freep) JobResult *result = NULL;
        _cleanup_free_ char *why = NULL;
        _cleanup_close_ int lock_fd = -EBADF;
        uid_t uid = 0;

        /* (It may be gone: only the note that all was done is missing then.) */
        if (p->fd >= 0 && part_directory_check_record(p->fd, a->directory_fd, &uid) < 0)
                return 0;
        if (a->plan->warm_pass > 0)
                return take_back_names(a, p);
        int r = job_result_read(a->directory, &result);
        if (r < 0 || result->outcome != OUTCOME_COMPLETED || !json_is_array(result->outputs))
                return 0;
        r = p->fd >= 0 ? part_lock(p->fd, a->plan->job_id, 0, &lock_fd) : 0;
        if (r < 0)
                return part_lock_fail(a, p->fd);
        const JobEndpoint *destination = &a->plan->spec->destination;
        r = outputs_publish(p, a->directory_fd, uid, destination,
                        layout_published_of_outputs(destination, json_array_size(result->outputs)), NULL,
                        NULL, &why);
        if (r < 0)
                return attempt_fail(a, r, r == -EEXIST ? "destination_exists" : NULL,
                                "Giving the finished image its name failed: %s", why ? why : strerror(-r));
        return 0;
}

/* Here, and not in the sandbox, because only here it can be seen who has the source open, and what lies
 * beside it. */
static int check_source(Attempt *a) {
        const JobSpec *spec = a->plan->spec;
        _cleanup_free_ char *text = NULL;

        if (!job_spec_is_in_place(spec) && spec->source.type == ENDPOINT_FILE &&
                        in_place_is_interrupted(spec->source.path))
                return attempt_fail(a, EBUSY, "source_in_use",
                                "The changes of the guest of %s are not completely written: repeat the job "
                                "that writes them first",
                                spec->source.path);
        int r = endpoint_needs(&spec->source, ENDPOINT_NEEDS_FILES)
                        ? in_use_check(a->plan->source_files, &text)
                        : 0;
        if (r == -EBUSY && spec->parameters.in_use == IN_USE_ALLOW)
                r = write_file_atomic_at(a->directory_fd, RECORD_IN_USE, text, strlen(text), 0644);
        else if (r == -EBUSY)
                return attempt_fail(a, r, "source_in_use", "The source %s%s", text,
                                job_spec_is_in_place(spec)
                                                ? ""
                                                : " (To read it all the same, set parameters.in_use to "
                                                  "allow.)");
        else if (r >= 0 && unlinkat(a->directory_fd, RECORD_IN_USE, 0) < 0 && errno != ENOENT)
                r = -errno;
        return r < 0 ? attempt_fail(a, r, NULL, "Finding out whether the source %s is in use failed: %s",
                                       strna(spec->source.path), strerror(-r))
                     : 0;
}

/* In seconds, and not after hours when the image is to get its name. */
static int check_file_system(Attempt *a, PartDirectory *p) {
        _cleanup_free_ char *why = NULL;

        int r = probe_file_system(p->fd, &why);
        if (r >= 0)
                return 0;
        (void) unlinkat(p->parent_fd, p->name, AT_REMOVEDIR); /* unless something is in it */
        return attempt_fail(a, r, r == -ENOSPC || r == -EDQUOT ? "no_space" : "destination_refused",
                        "The directory of the destination %s cannot be used: %s", job_plan_target(a->plan),
                        why ? why : strerror(-r));
}

/* Two jobs with one destination: the first that works in the directory has it. */
static int check_free(Attempt *a, const PartDirectory *p, uid_t uid) {
        gid_t group;
        int r = part_directory_group(p->fd, &group);

        if (r < 0 || group == 0 || group == uid)
                return r < 0 ? r : 0;
        r = job_user_is_alive(group);
        if (r > 0)
                return attempt_fail(a, EBUSY, NULL,
                                "Another job is writing the destination %s: wait until it is finished, or "
                                "cancel it",
                                job_plan_target(a->plan));
        return r;
}

static int directory_fail(Attempt *a, int r, const char *directory) {
        switch (r) {
        case -ENOENT: /* removed by somebody else just now */
        case -ENOMEM:
                return r;
        case -ELOOP:
        case -ENOTDIR:
                return parent_fail(a, r);
        case -ESTALE:
                return attempt_fail(a, r, "destination_refused",
                                "The directory %s, or one above it, is another one than a moment ago, when "
                                "the job was checked",
                                directory);
        case -EPERM:
                return attempt_fail(a, r, "destination_refused",
                                "A directory above the destination %s was made by another user since the "
                                "job was checked",
                                job_plan_target(a->plan));
        default:
                return attempt_fail(
                                a, r, NULL, "Making the directory %s failed: %s", directory, strerror(-r));
        }
}

/* Where an earlier attempt had a directory, none is made: what the job has written may be in a file system
 * that is not mounted now. */
static int check_earlier(Attempt *a, const char *directory) {
        struct stat st;

        if (marker_exists(a->directory_fd, RECORD_PREPARED) && lstat(directory, &st) < 0)
                return parent_fail(a, -errno);
        return 0;
}

/* Makes the directory of the destination if it does not exist. It must be below one that was checked when the
 * attempt began, or be that one: somebody may have put another one in its place. */
static int open_directory(Attempt *a, PartDirectory *p) {
        const char *path = a->plan->part_dir, *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = strndup(path, slash == path ? 1 : slash - path), *why = NULL;
        struct stat made, st;
        int r;

        if (!directory)
                return -ENOMEM;
        r = check_earlier(a, directory);
        if (r < 0)
                return r;
        if (a->plan->bound) {
                r = new_directories_make(directory, a->plan->bound, a->directory_fd, &made);
                if (r < 0)
                        return directory_fail(a, r, directory);
        }
        r = part_directory_open(path, p, &why);
        if (r < 0)
                return why                     ? attempt_fail(a, r, "destination_refused", "%s", why)
                                : r == -ENOENT ? r
                                               : parent_fail(a, r);
        if (!a->plan->bound)
                return 0;
        if (fstat(p->parent_fd, &st) < 0)
                return -errno;
        return st.st_dev == made.st_dev && st.st_ino == made.st_ino ? 0
                                                                    : directory_fail(a, -ESTALE, directory);
}

static int make_part_directory(Attempt *a, PartDirectory *p, uid_t uid) {
        int r = part_directory_make(p);

        if (r == -ENOENT) /* the directory above was removed just now */
                return r;
        if (r >= 0)
                r = check_free(a, p, uid);
        if (r >= 0)
                r = check_file_system(a, p);
        if (r >= 0)
                r = part_directory_give(p->fd, uid);
        if (r >= 0)
                r = part_directory_record(p, a->directory_fd, uid);
        if (r >= 0 && job_spec_has_destination(a->plan->spec))
                r = part_directory_record_taken(p, a->directory_fd, &a->plan->spec->destination);
        if (r == -EPERM && !a->code)
                return attempt_fail(a, r, "destination_refused",
                                "The directory %s cannot be given to the job's user: the file system of the "
                                "destination has "
                                "no owners of files, or does not let root change them (an NFS export "
                                "without "
                                "no_root_squash, for example)",
                                a->plan->part_dir);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Making the directory %s failed: %s", a->plan->part_dir,
                                strerror(-r));
        return 0;
}

static int try_destination(Attempt *a, uid_t uid) {
        _cleanup_part_directory_ PartDirectory p = PART_DIRECTORY_INIT;
        int r;

        r = open_directory(a, &p);
        if (r < 0)
                return r;
        if (marker_exists(a->directory_fd, RECORD_PUBLISHING)) {
                r = finish_publishing(a, &p);
                if (r < 0 || marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                        return r;
        }
        /* Until this attempt has a directory, finish has none to tidy up. */
        if (unlinkat(a->directory_fd, RECORD_PREPARED, 0) < 0 && errno != ENOENT)
                return -errno;
        r = job_spec_is_in_place(a->plan->spec) ? 0 : check_name_free(a, &p);
        if (r >= 0)
                r = check_lock(a, &p);
        if (r >= 0 && job_spec_is_in_place(a->plan->spec))
                r = in_place_prepare(a, &p);
        if (r < 0 || marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return r;
        return make_part_directory(a, &p, uid);
}

/* Another job that ends may remove a directory that it has made and that this one needs, too: then it is made
 * again. */
static int prepare_destination(Attempt *a, uid_t uid) {
        if (!a->plan->part_dir) /* a server, or a block device */
                return 0;
        for (unsigned n = 0; n < DIRECTORY_TRIES; n++) {
                int r = try_destination(a, uid);

                if (r != -ENOENT || a->code)
                        return r;
        }
        return parent_fail(a, -ENOENT);
}

static int prepare(Attempt *a) {
        uid_t uid = 0;
        int r = a->plan->user ? job_user_lookup(a->plan->user, &uid) : 0;

        if (r < 0)
                return attempt_fail(a, r, "failed", "Asking systemd for the job's user %s failed: %s",
                                a->plan->user, strerror(-r));
        r = results_directory_give(a->directory_fd, uid);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Making the directory for the results in %s failed: %s",
                                a->directory, strerror(-r));
        return prepare_destination(a, uid);
}

int verb_prepare(const char *directory) {
        _cleanup_attempt_ Attempt *a = NULL;

        int r = attempt_open(directory, &a);
        if (r < 0)
                return JOB_EXIT_FAILED;
        if (marker_exists(a->directory_fd, JOB_MARK_PUBLISHED))
                return EXIT_SUCCESS;
        /* What is complete needs no source any more. */
        r = marker_exists(a->directory_fd, RECORD_PUBLISHING) ? 0 : check_source(a);
        if (r >= 0 && !marker_exists(a->directory_fd, RECORD_PUBLISHING))
                r = kvm_prepare(a);
        if (r >= 0)
                r = prepare(a);
        if (r < 0) {
                int status = attempt_end(a, r);
                report_sync(&a->report);
                return status;
        }
        /* The last attempt's result is none of this one's, and must not be taken for it. */
        if (!marker_exists(a->directory_fd, JOB_MARK_PUBLISHED) &&
                        unlinkat(a->directory_fd, JOB_RESULTS_DIRECTORY "/result.json", 0) < 0 &&
                        errno != ENOENT)
                return log_error_errno(errno, "Failed to remove the last result in %s: %m", directory),
                       JOB_EXIT_TRANSIENT;
        return EXIT_SUCCESS;
}
