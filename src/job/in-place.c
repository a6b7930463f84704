/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/in-place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"
#include "image/image.h"
#include "job/child.h"
#include "job/complaint.h"
#include "job/identity.h"
#include "job/in-use.h"
#include "job/job-owner.h"
#include "job/landlock.h"
#include "job/part-lock.h"
#include "spec/job-result.h"
#include "json/json-parse.h"

/* In the job's directory: the state of the source when the attempt began. */
#define RECORD_SOURCE "source-state"
/* A directory there, with a copy of the result: another attempt removes the first one. */
#define RECORD_RESULT "committed"
#define RECORD_MAX ((size_t) 8 * 1024 * 1024)
#define MARK_MAX ((size_t) 4096)
#define COMMIT_TIMEOUT (3500 * USEC_PER_SEC)

/* The files that a commit writes to. They are opened once, so that nobody can put others in their places. */
typedef struct Files {
        char **links; /* "/proc/self/fd/7", of the overlay and all files of the image */
        int *fds;
        size_t n;
} Files;

static void files_done(Files *f) {
        for (size_t i = 0; i < f->n; i++)
                safe_close(f->fds[i]);
        free(f->fds);
        strv_free(f->links);
}

static const char *image_path(const Attempt *a) {
        return a->plan->spec->source.path;
}

/* --- the state of the source ----------------------------------------------------------------------- */

static int source_state(Attempt *a, char **ret) {
        _cleanup_strv_free_ char **lines = NULL;

        STRV_FOREACH(path, a->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                int r = open_regular(*path, &fd, &st);

                if (r >= 0)
                        r = identity_add_file(&lines, *path, &st, a->plan->job_id);
                if (r < 0)
                        return r == -ENOMEM ? r
                                            : attempt_fail(a, r, NULL, "Opening the image %s failed: %s",
                                                              *path, strerror(-r));
        }
        *ret = strv_join(lines, "\n");
        return *ret ? 0 : -ENOMEM;
}

static int note_source_state(Attempt *a) {
        _cleanup_free_ char *text = NULL;
        int r = source_state(a, &text);

        if (r >= 0)
                r = write_file_atomic_at(a->directory_fd, RECORD_SOURCE, text, strlen(text), 0600);
        return r < 0 ? attempt_fail(a, r, NULL, "Noting the state of %s failed: %s", image_path(a),
                                       strerror(-r))
                     : 0;
}

/* Nobody has written to it since prepare. */
static int check_source_state(Attempt *a) {
        _cleanup_free_ char *then = NULL, *now = NULL;
        int r = read_file_at(a->directory_fd, RECORD_SOURCE, RECORD_MAX, &then, NULL);

        if (r >= 0)
                r = source_state(a, &now);
        if (r < 0)
                return r;
        return streq(then, now) ? 0
                                : attempt_fail(a, ESTALE, "source_changed",
                                                  "The image %s was changed while its guest was worked on, "
                                                  "and was left as it is. Make sure that nothing writes to "
                                                  "it, then submit the job again.",
                                                  image_path(a));
}

/* --- the commit ------------------------------------------------------------------------------------ */

static int take_file(Files *f, int fd) {
        if (fd < 0)
                return fd;
        int *fds = realloc(f->fds, (f->n + 1) * sizeof(*fds));
        if (!fds)
                return safe_close(fd), -ENOMEM;
        f->fds = fds;
        f->fds[f->n++] = fd;
        return strv_extendf(&f->links, "/proc/self/fd/%d", fd);
}

/* The header of an overlay is not trusted: it must not name another file. */
static int check_overlay(int fd) {
        char header[104];
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
                return -EPERM;
        int r = pread_full(fd, header, sizeof(header), 0);
        if (r < 0)
                return r;
        /* No incompatible feature (an external data file, …), no encryption. */
        return memcmp(header, "QFI\xfb", 4) == 0 && read_be32(header + 4) == 3 &&
                                        read_be32(header + 32) == 0 && read_be64(header + 72) == 0
                        ? 0
                        : -EBADMSG;
}

static int open_files(Attempt *a, const PartDirectory *p, Files *ret) {
        int r = take_file(ret,
                        openat(p->fd, PART_OVERLAY_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));

        if (r >= 0)
                r = check_overlay(ret->fds[0]);
        if (r < 0)
                return attempt_fail(a, r, "output_damaged",
                                "The changes of the guest in %s cannot be used: %s", p->path, strerror(-r));
        STRV_FOREACH(path, a->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;

                r = open_regular(*path, &fd, &st);
                if (r >= 0)
                        r = take_file(ret, TAKE_FD(fd));
                if (r < 0)
                        return attempt_fail(
                                        a, r, NULL, "Opening the image %s failed: %s", *path, strerror(-r));
        }
        return 0;
}

/* qemu-img refuses an image of a virtual machine, but not one that a server offers for writing. */
static int check_in_use(Attempt *a) {
        _cleanup_free_ char *text = NULL;
        int r = in_use_check(a->plan->source_files, &text);

        if (r == -EBUSY)
                return attempt_fail(a, r, "source_in_use", "The image %s It is left as it is.", text);
        return r < 0 ? attempt_fail(a, r, NULL, "Finding out whether the image %s is in use failed: %s",
                                       image_path(a), strerror(-r))
                     : 0;
}

/* Before the mark: an image that cannot be written is not half written. */
static int check_writable(Attempt *a, const Files *f) {
        for (size_t i = 1; i < f->n; i++) {
                _cleanup_close_ int fd = open(f->links[i], O_WRONLY | O_CLOEXEC);

                if (fd < 0)
                        return attempt_fail(a, errno, NULL,
                                        "Opening the image %s for writing failed: %s. It is left as it is.",
                                        image_path(a), strerror(errno));
        }
        return 0;
}

/* What the image may grow by. */
static int check_space(Attempt *a, const Files *f) {
        struct statvfs fs;
        struct stat st;

        if (fstat(f->fds[0], &st) < 0 || fstatvfs(f->fds[1], &fs) < 0)
                return -errno;
        if ((uint64_t) fs.f_bavail * fs.f_frsize >= (uint64_t) st.st_blocks * 512)
                return 0;
        return attempt_fail(a, ENOSPC, "no_space",
                        "The file system of %s has no space for the changes of the guest: the image is left "
                        "as it is",
                        image_path(a));
}

static json_t *overlay_options(Attempt *a, const PartDirectory *p, int format) {
        const Image image = { .path = (char *) image_path(a), .whole = true, .format = format };
        json_t *backing = image_options(&image);

        return backing ? json_pack("{s:s, s:{s:s, s:s+}, s:o}", "driver", "qcow2", "file", "driver", "file",
                                         "filename", p->path, "/" PART_OVERLAY_FILE, "backing", backing)
                       : NULL;
}

static int run_commit(Attempt *a, const PartDirectory *p, const Files *f, int format) {
        _cleanup_json_ json_t *options = overlay_options(a, p, format);
        char *json = options ? json_dumps(options, JSON_COMPACT) : NULL;
        _cleanup_free_ char *name = json ? strprintf("json:%s", json) : NULL;
        const char *const argv[] = { "qemu-img", "commit", "-q", "-d", name, NULL };
        const ParserFiles files = { .write = f->links };
        const ChildLimits limits = { .files = &files, .timeout = COMMIT_TIMEOUT, .output_max = 65536 };
        _cleanup_child_output_ ChildOutput o = {};

        free(json);
        if (!name)
                return -ENOMEM;
        int r = child_run(argv, &limits, -1, &o);
        if (r < 0)
                return attempt_fail(a, r, r == -ENOENT ? "program_missing" : "commit_failed",
                                "Starting qemu-img to write the changes of the guest to %s failed: %s",
                                image_path(a), strerror(-r));
        if (o.status == 0)
                return 0;
        _cleanup_free_ char *why = complaint_text(o.errors);
        if (why && strstr(why, "Failed to get") && strstr(why, "lock"))
                return attempt_fail(a, EBUSY, "source_in_use",
                                "The image %s is in use by another process, perhaps a running virtual "
                                "machine: %s",
                                image_path(a), why);
        return attempt_fail(a, EIO, why && strstr(why, strerror(ENOSPC)) ? "no_space" : "commit_failed",
                        "Writing the changes of the guest to the image %s failed: %s. The image has only a "
                        "part of them: do not use it before the job has ended well.",
                        image_path(a), why ? why : "qemu-img did not say why");
}

static int commit(Attempt *a, const PartDirectory *p, const Files *f, int format) {
        int r = run_commit(a, p, f, format);

        for (size_t i = 1; i < f->n && r >= 0; i++)
                if (fsync(f->fds[i]) < 0)
                        r = attempt_fail(a, errno, NULL, "Flushing the image %s failed: %s", image_path(a),
                                        strerror(errno));
        return r;
}

/* --- the mark -------------------------------------------------------------------------------------- */

static int write_mark(Attempt *a, const PartDirectory *p, int format, const JobResult *result) {
        _cleanup_free_ char *directory = strprintf("%s/" RECORD_RESULT, a->directory);
        _cleanup_json_ json_t *mark = json_pack("{s:s, s:s}", "job_id", a->plan->job_id, "format",
                        disk_format_to_string((DiskFormat) format));
        char *text = mark ? json_dumps(mark, JSON_COMPACT) : NULL;
        int r = !text || !directory ? -ENOMEM : 0;

        if (r >= 0 && mkdir(directory, 0700) < 0 && errno != EEXIST)
                r = -errno;
        if (r >= 0)
                r = job_result_write(result, directory);
        if (r >= 0)
                r = write_file_atomic_at(p->fd, PART_COMMIT_FILE, text, strlen(text), 0600);
        free(text);
        return r < 0 ? attempt_fail(a, r, NULL, "Noting that the image %s is being changed failed: %s",
                                       image_path(a), strerror(-r))
                     : 0;
}

/* 1, or 0 if there is none. */
static int read_mark(Attempt *a, const PartDirectory *p, int *ret_format, bool *ret_own) {
        _cleanup_free_ char *text = NULL, *why = NULL;
        _cleanup_json_ json_t *mark = NULL;
        int r = p->fd < 0 ? -ENOENT : read_file_at(p->fd, PART_COMMIT_FILE, MARK_MAX, &text, NULL);

        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = json_parse_object(text, strlen(text), &mark, &why);
        if (r >= 0) {
                *ret_own = streq_ptr(json_string_value(json_object_get(mark, "job_id")), a->plan->job_id);
                *ret_format = (int) disk_format_from_string(
                                strempty(json_string_value(json_object_get(mark, "format"))));
                r = *ret_format < 0 ? -EBADMSG : 0;
        }
        return r < 0 ? attempt_fail(a, r, NULL, "Reading %s/" PART_COMMIT_FILE " failed: %s", p->path,
                                       strerror(-r))
                     : 1;
}

bool in_place_is_interrupted(const char *path) {
        _cleanup_free_ char *part = job_part_path(path),
                            *mark = part ? strprintf("%s/" PART_COMMIT_FILE, part) : NULL;

        return mark && faccessat(AT_FDCWD, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Repeats a commit that was begun. */
static int complete(Attempt *a, const PartDirectory *p, int format) {
        _cleanup_(files_done) Files files = {};
        int r = open_files(a, p, &files);

        if (r >= 0)
                r = commit(a, p, &files, format);
        if (r >= 0)
                report_note(&a->report, "The changes of the guest are in the image %s", image_path(a));
        return r;
}

static int end_well(Attempt *a, PartDirectory *p) {
        int r = job_mark_set(a->directory, JOB_MARK_PUBLISHED);

        if (r < 0)
                return attempt_fail(
                                a, r, NULL, "Noting that the image is complete failed: %s", strerror(-r));
        r = part_directory_remove(p);
        if (r < 0)
                log_warning_errno(r, "Failed to remove %s: %m", p->path);
        return 0;
}

/* --- prepare --------------------------------------------------------------------------------------- */

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

int in_place_prepare(Attempt *a, PartDirectory *p) {
        _cleanup_close_ int landlock = landlock_new(false);
        int format = FORMAT_PROBE;
        bool own = false;
        int r = read_mark(a, p, &format, &own);

        if (landlock < 0)
                return attempt_fail(a, EOPNOTSUPP, "unsupported",
                                "The kernel of this machine has no Landlock, without which images are not "
                                "changed in place: give a destination");
        if (r > 0) {
                report_note(&a->report, "Completing the changes that an earlier attempt has begun to write");
                r = complete(a, p, format);
                if (r >= 0 && own)
                        r = restore_result(a);
                if (r >= 0 && own)
                        return end_well(a, p);
                if (r >= 0)
                        r = part_directory_empty(p->fd);
        }
        return r < 0 ? r : note_source_state(a);
}

/* --- finish ---------------------------------------------------------------------------------------- */

/* Of the first output of @result; FORMAT_PROBE: nothing is to be written. */
static int output_format(const JobResult *result) {
        json_t *output = json_array_get(result->outputs, 0);

        return output ? (int) disk_format_from_string(
                                        strempty(json_string_value(json_object_get(output, "format"))))
                      : FORMAT_PROBE;
}

/* What is committed after a power failure must be what hyper-guest wrote. The appliance flushes nothing. */
static int flush_overlay(Attempt *a, const PartDirectory *p, const Files *f) {
        return fsync(f->fds[0]) < 0 || fsync(p->fd) < 0
                        ? attempt_fail(a, errno, NULL, "Flushing the changes of the guest in %s failed: %s",
                                          p->path, strerror(errno))
                        : 0;
}

static int write_changes(Attempt *a, const PartDirectory *p, const JobResult *result) {
        _cleanup_(files_done) Files files = {};
        int format = output_format(result);

        if (format == FORMAT_PROBE)
                return 0;
        int r = open_files(a, p, &files);
        if (r >= 0)
                r = check_source_state(a);
        if (r >= 0)
                r = check_in_use(a);
        if (r >= 0)
                r = check_writable(a, &files);
        if (r >= 0)
                r = check_space(a, &files);
        if (r >= 0)
                r = flush_overlay(a, p, &files);
        if (r >= 0)
                r = write_mark(a, p, format, result);
        if (r < 0)
                return r;
        r = commit(a, p, &files, format);
        /* Nothing is written, and will not be: a virtual machine was started. */
        if (r == -EBUSY && unlinkat(p->fd, PART_COMMIT_FILE, 0) < 0)
                log_warning_errno(errno, "Failed to remove %s/" PART_COMMIT_FILE ": %m", p->path);
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
        int format = FORMAT_PROBE, r;
        bool own = false;

        r = read_mark(a, p, &format, &own);
        if (r > 0)
                r = complete(a, p, format);
        else if (r == 0 && !marker_exists(a->directory_fd, JOB_MARK_CANCELLED) &&
                        read_result(a, succeeded, &result) >= 0)
                return publish(a, p, result);
        else if (r == 0)
                return part_directory_remove(p);
        if (r < 0)
                return r;
        if (!own || marker_exists(a->directory_fd, JOB_MARK_CANCELLED))
                return part_directory_remove(p);
        r = restore_result(a);
        return r < 0 ? r : end_well(a, p);
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
