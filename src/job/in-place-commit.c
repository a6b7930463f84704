/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/in-place-commit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/byte-order.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/image.h"
#include "job/child.h"
#include "job/complaint.h"
#include "job/identity.h"
#include "job/in-use.h"

/* In the job's directory: the state of the source when the attempt began. */
#define RECORD_SOURCE "source-state"
#define RECORD_MAX ((size_t) 8 * 1024 * 1024)
#define COMMIT_TIMEOUT (3500 * USEC_PER_SEC)

void in_place_disks_done(InPlaceDisks *d) {
        for (size_t i = 0; i < d->n; i++) {
                for (size_t k = 0; k < d->files[i].n; k++)
                        safe_close(d->files[i].fds[k]);
                free(d->files[i].fds);
                free(d->files[i].overlay);
                strv_free(d->files[i].links);
        }
        *d = (InPlaceDisks){};
}

static const char *image_path(const Attempt *a, size_t disk) {
        return job_source_disk(&a->plan->spec->source, disk);
}

/* --- the files ------------------------------------------------------------------------------------- */

/* Takes @fd. */
static int take_file(InPlaceFiles *f, int fd) {
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

static int open_overlay(const PartDirectory *p, size_t disk, InPlaceFiles *f) {
        _cleanup_close_ int directory = -EBADF;
        int r = part_directory_disk(p->fd, (unsigned) disk + 1, false, &directory);

        if (r < 0)
                return r;
        f->overlay = disk == 0 ? strprintf("%s/" PART_OVERLAY_FILE, p->path)
                               : strprintf("%s/disk%zu/" PART_OVERLAY_FILE, p->path, disk + 1);
        if (!f->overlay)
                return -ENOMEM;
        int fd = openat(directory, PART_OVERLAY_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = take_file(f, fd);
        return r < 0 ? r : check_overlay(fd);
}

static int open_disk(Attempt *a, const PartDirectory *p, size_t disk, InPlaceFiles *f) {
        size_t n;
        char *const *paths = job_plan_disk_files(a->plan, disk, &n);
        int r = open_overlay(p, disk, f);

        if (r < 0)
                return attempt_fail(a, r, "output_damaged",
                                "The changes of the guest in %s cannot be used: %s", p->path, strerror(-r));
        for (size_t i = 0; i < n; i++) {
                int fd = -EBADF;
                struct stat st;

                r = open_regular(paths[i], &fd, &st);
                if (r >= 0)
                        r = take_file(f, fd);
                if (r < 0)
                        return attempt_fail(a, r, NULL, "Opening the image %s failed: %s", paths[i],
                                        strerror(-r));
        }
        return n > 0 ? 0
                     : attempt_fail(a, EINVAL, "failed", "The job's plan has no files of disk %zu",
                                       disk + 1);
}

int in_place_disks_open(Attempt *a, const PartDirectory *p, size_t n, InPlaceDisks *ret) {
        _cleanup_in_place_disks_ InPlaceDisks d = {};
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = open_disk(a, p, i, &d.files[d.n++]);
        if (r < 0)
                return r;
        *ret = d;
        d = (InPlaceDisks){};
        return 0;
}

/* --- the state of the source ----------------------------------------------------------------------- */

int in_place_note_state(Attempt *a) {
        _cleanup_strv_free_ char **lines = NULL;
        _cleanup_free_ char *text = NULL;
        int r = 0;

        STRV_FOREACH(path, a->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;

                r = open_regular(*path, &fd, &st);
                if (r >= 0)
                        r = identity_add_file(&lines, *path, &st, a->plan->job_id);
                if (r < 0)
                        return attempt_fail(
                                        a, r, NULL, "Opening the image %s failed: %s", *path, strerror(-r));
        }
        text = strv_join(lines, "\n");
        r = text ? write_file_atomic_at(a->directory_fd, RECORD_SOURCE, text, strlen(text), 0600) : -ENOMEM;
        return r < 0 ? attempt_fail(a, r, NULL, "Noting the state of %s failed: %s", image_path(a, 0),
                                       strerror(-r))
                     : 0;
}

/* Of the files that are open. */
static int add_state(Attempt *a, size_t disk, const InPlaceFiles *f, char ***lines) {
        size_t n;
        char *const *paths = job_plan_disk_files(a->plan, disk, &n);

        for (size_t i = 0; i < n; i++) {
                struct stat st;

                if (fstat(f->fds[i + 1], &st) < 0)
                        return -errno;
                int r = identity_add_file(lines, paths[i], &st, a->plan->job_id);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Nobody has written to it since prepare. */
static int check_state(Attempt *a, const InPlaceDisks *d) {
        _cleanup_free_ char *then = NULL, *now = NULL;
        _cleanup_strv_free_ char **lines = NULL;
        int r = read_file_at(a->directory_fd, RECORD_SOURCE, RECORD_MAX, &then, NULL);

        for (size_t i = 0; i < d->n && r >= 0; i++)
                r = add_state(a, i, &d->files[i], &lines);
        if (r >= 0 && !(now = strv_join(lines, "\n")))
                r = -ENOMEM;
        if (r < 0)
                return r;
        return streq(then, now)
                        ? 0
                        : attempt_fail(a, ESTALE, "source_changed",
                                          "The image %s%s was changed while its guest was worked on, "
                                          "and was left as it is. Make sure that nothing writes to "
                                          "it, then submit the job again.",
                                          image_path(a, 0),
                                          d->n > 1 ? ", or one of the further disks," : "");
}

/* --- before the commit ----------------------------------------------------------------------------- */

/* qemu-img refuses an image of a virtual machine, but not one that a server offers for writing. */
static int check_in_use(Attempt *a) {
        _cleanup_free_ char *text = NULL;
        int r = in_use_check(a->plan->source_files, &text);

        if (r == -EBUSY)
                return attempt_fail(a, r, "source_in_use", "The image %s It is left as it is.", text);
        return r < 0 ? attempt_fail(a, r, NULL, "Finding out whether the image %s is in use failed: %s",
                                       image_path(a, 0), strerror(-r))
                     : 0;
}

/* An image that cannot be written is not half written. */
static int check_writable(Attempt *a, size_t disk, const InPlaceFiles *f) {
        for (size_t i = 1; i < f->n; i++) {
                _cleanup_close_ int fd = open(f->links[i], O_WRONLY | O_CLOEXEC);

                if (fd < 0)
                        return attempt_fail(a, errno, NULL,
                                        "Opening the image %s for writing failed: %s. It is left as it is.",
                                        image_path(a, disk), strerror(errno));
        }
        return 0;
}

/* What the image may grow by, with all others on its file system. */
static int check_space(Attempt *a, size_t disk, const InPlaceDisks *d) {
        struct stat image, other, overlay;
        struct statvfs fs;
        uint64_t needed = 0;

        if (fstat(d->files[disk].fds[1], &image) < 0 || fstatvfs(d->files[disk].fds[1], &fs) < 0)
                return -errno;
        for (size_t i = 0; i < d->n; i++) {
                if (fstat(d->files[i].fds[1], &other) < 0 || fstat(d->files[i].fds[0], &overlay) < 0)
                        return -errno;
                if (other.st_dev == image.st_dev)
                        needed += (uint64_t) overlay.st_blocks * 512;
        }
        if ((uint64_t) fs.f_bavail * fs.f_frsize >= needed)
                return 0;
        return attempt_fail(a, ENOSPC, "no_space",
                        "The file system of %s has no space for the changes of the guest: the image is left "
                        "as it is",
                        image_path(a, disk));
}

/* What is committed after a power failure must be what hyper-guest wrote. The appliance flushes nothing. */
static int flush_overlay(Attempt *a, const PartDirectory *p, size_t disk, const InPlaceFiles *f) {
        _cleanup_close_ int directory = -EBADF;
        int r = part_directory_disk(p->fd, (unsigned) disk + 1, false, &directory);

        if (r >= 0 && (fsync(f->fds[0]) < 0 || fsync(directory) < 0 || fsync(p->fd) < 0))
                r = -errno;
        return r < 0 ? attempt_fail(a, r, NULL, "Flushing the changes of the guest in %s failed: %s",
                                       p->path, strerror(-r))
                     : 0;
}

int in_place_disks_check(Attempt *a, const PartDirectory *p, const InPlaceDisks *d) {
        int r = check_state(a, d);

        if (r >= 0)
                r = check_in_use(a);
        for (size_t i = 0; i < d->n && r >= 0; i++) {
                r = check_writable(a, i, &d->files[i]);
                if (r >= 0)
                        r = check_space(a, i, d);
                if (r >= 0)
                        r = flush_overlay(a, p, i, &d->files[i]);
        }
        return r;
}

/* --- the commit ------------------------------------------------------------------------------------ */

static json_t *overlay_options(const char *image_name, const InPlaceFiles *f, int format) {
        const Image image = { .path = (char *) image_name, .whole = true, .format = format };
        json_t *backing = image_options(&image);

        return backing ? json_pack("{s:s, s:{s:s, s:s}, s:o}", "driver", "qcow2", "file", "driver", "file",
                                         "filename", f->overlay, "backing", backing)
                       : NULL;
}

static int run_commit(Attempt *a, const char *image, const InPlaceFiles *f, int format) {
        _cleanup_json_ json_t *options = overlay_options(image, f, format);
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
                                image, strerror(-r));
        if (o.status == 0)
                return 0;
        _cleanup_free_ char *why = complaint_text(o.errors);
        if (why && strstr(why, "Failed to get") && strstr(why, "lock"))
                return attempt_fail(a, EBUSY, "source_in_use",
                                "The image %s is in use by another process, perhaps a running virtual "
                                "machine: %s",
                                image, why);
        return attempt_fail(a, EIO, why && strstr(why, strerror(ENOSPC)) ? "no_space" : "commit_failed",
                        "Writing the changes of the guest to the image %s failed: %s. The image has only a "
                        "part of them: do not use it before the job has ended well.",
                        image, why ? why : "qemu-img did not say why");
}

int in_place_commit(Attempt *a, const InPlaceDisks *d, const int *formats, bool *ret_begun) {
        int r = 0;

        *ret_begun = false;
        for (size_t i = 0; i < d->n && r >= 0; i++) {
                const InPlaceFiles *f = &d->files[i];

                r = run_commit(a, image_path(a, i), f, formats[i]);
                *ret_begun = *ret_begun || r != -EBUSY; /* then qemu-img has no lock */
                for (size_t k = 1; k < f->n && r >= 0; k++)
                        if (fsync(f->fds[k]) < 0)
                                r = attempt_fail(a, errno, NULL, "Flushing the image %s failed: %s",
                                                image_path(a, i), strerror(errno));
        }
        return r;
}
