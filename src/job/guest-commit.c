/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/guest-commit.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "engine/checkpoint.h"
#include "job/complaint.h"
#include "job/output-layout.h"
#include "json/json-parse.h"

#define MARK_MAX ((size_t) 2 * 1024 * 1024)
#define QEMU_IMG_TIMEOUT (3600 * USEC_PER_SEC)

typedef struct Overlay {
        char *directory, *path;
        Image image;
} Overlay;

static void overlay_done(Overlay *o) {
        free(o->directory);
        free(o->path);
        image_done(&o->image);
}

static int overlay_name(const Conversion *c, size_t disk, Overlay *ret) {
        Overlay o = {};
        int r = part_image(c, disk, &o.image);

        if (r < 0)
                return r;
        o.directory = strndup(o.image.path, strlen(o.image.path) - strlen("/" PART_IMAGE_FILE));
        o.path = o.directory ? strprintf("%s/" PART_OVERLAY_FILE, o.directory) : NULL;
        if (!o.path) {
                overlay_done(&o);
                return -ENOMEM;
        }
        *ret = o;
        return 0;
}

static int run_qemu_img(Conversion *c, const char *const argv[], char **write, const char *what) {
        _cleanup_child_output_ ChildOutput o = {};
        const ParserFiles files = { .write = write };
        const ChildLimits limits = { .files = &files, .timeout = QEMU_IMG_TIMEOUT, .output_max = 65536 };
        int r = child_run(argv, &limits, c->attempt->cancel_fd, &o);

        if (r == -ECANCELED)
                return r;
        if (r < 0)
                return attempt_fail(c->attempt, r, r == -ENOENT ? "program_missing" : NULL, "%s failed: %s",
                                what, r == -ENOENT ? "install the package qemu-utils" : strerror(-r));
        if (o.status == 0)
                return 0;
        _cleanup_free_ char *why = complaint_text(o.errors);
        return attempt_fail(c->attempt, EIO, why && strstr(why, strerror(ENOSPC)) ? "no_space" : NULL,
                        "%s failed: %s", what, why ? why : "qemu-img did not say why");
}

/* --- the mark -------------------------------------------------------------------------------------- */

static int read_sizes(Conversion *c, json_t *mark) {
        json_t *sizes = json_object_get(mark, "sizes");

        if (json_array_size(sizes) != c->source->n_disks || c->source->n_disks > PART_DISKS_MAX)
                return -EBADMSG;
        for (size_t i = 0; i < c->source->n_disks; i++)
                c->sizes[i] = (uint64_t) json_integer_value(json_array_get(sizes, i));
        return 0;
}

static int use_mark(Conversion *c, const char *text, size_t size, json_t **ret_guest) {
        _cleanup_json_ json_t *mark = NULL;
        _cleanup_free_ char *why = NULL;
        int r = json_parse_object(text, size, &mark, &why);

        if (r < 0)
                return r;
        if (!streq_ptr(json_string_value(json_object_get(mark, "job_id")), c->attempt->plan->job_id) ||
                        !json_is_object(json_object_get(mark, "guest")))
                return -EBADMSG;
        r = read_sizes(c, mark);
        if (r >= 0)
                *ret_guest = json_incref(json_object_get(mark, "guest"));
        return r;
}

int guest_commit_resume(Conversion *c, json_t **ret_guest) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        *ret_guest = NULL;
        if (c->in_place)
                return 0;
        int r = read_file_at(c->part_fd, PART_COMMIT_FILE, MARK_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = use_mark(c, text, size, ret_guest);
        if (r >= 0 || r == -ENOMEM)
                return r;
        /* The images are not what any checkpoint says. */
        report_note(&c->attempt->report,
                        "What an earlier job left is not used: the guest in it is being changed");
        r = part_directory_empty(c->part_fd);
        return r < 0 ? attempt_fail(c->attempt, r, NULL,
                                       "Removing what an earlier job left in %s failed: %s", c->part_dir,
                                       strerror(-r))
                     : 0;
}

/* What is committed after a power failure must be what hyper-guest wrote. The appliance flushes nothing. */
static int flush_overlays(Conversion *c) {
        for (size_t i = 0; i < c->source->n_disks; i++) {
                _cleanup_(overlay_done) Overlay o = {};
                _cleanup_close_ int file = -EBADF, directory = -EBADF;
                int r = overlay_name(c, i, &o);

                if (r < 0)
                        return r;
                file = open(o.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
                directory = open(o.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (file < 0 || directory < 0 || fsync(file) < 0 || fsync(directory) < 0)
                        return attempt_fail(c->attempt, errno, NULL, "Flushing %s failed: %s", o.path,
                                        strerror(errno));
        }
        return 0;
}

/* From now on no checkpoint is true. */
static int drop_checkpoints(Conversion *c) {
        for (size_t i = 0; i < c->source->n_disks; i++) {
                _cleanup_close_ int fd = -EBADF;
                int r = part_directory_disk(c->part_fd, conversion_place(c, i), false, &fd);

                if (r < 0)
                        return r;
                if (unlinkat(fd, CHECKPOINT_FILE, 0) < 0 && errno != ENOENT)
                        return -errno;
                if (fsync(fd) < 0)
                        return -errno;
        }
        return 0;
}

int guest_commit_begin(Conversion *c, json_t *guest) {
        _cleanup_json_ json_t *mark = NULL, *sizes = json_array();
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < c->source->n_disks; i++)
                if (json_array_append_new(sizes, json_integer((json_int_t) c->sizes[i])) < 0)
                        return -ENOMEM;
        mark = json_pack("{s:s, s:O, s:O}", "job_id", c->attempt->plan->job_id, "sizes", sizes, "guest",
                        guest);
        text = mark ? json_dumps(mark, JSON_COMPACT) : NULL;
        if (!text)
                return -ENOMEM;
        int r = flush_overlays(c);
        if (r < 0)
                return r;
        r = write_file_atomic_at(c->part_fd, PART_COMMIT_FILE, text, strlen(text), 0600);
        if (r >= 0)
                r = drop_checkpoints(c);
        return r < 0 ? attempt_fail(c->attempt, r, NULL, "Writing to %s failed: %s", c->part_dir,
                                       strerror(-r))
                     : 0;
}

/* --- overlays -------------------------------------------------------------------------------------- */

static int make_overlay(Conversion *c, size_t disk, json_t *disks) {
        _cleanup_(overlay_done) Overlay o = {};
        int r = overlay_name(c, disk, &o);

        if (r < 0)
                return r;
        if (unlink(o.path) < 0 && errno != ENOENT)
                return attempt_fail(c->attempt, errno, NULL, "Removing an older %s failed: %s", o.path,
                                strerror(errno));
        const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F",
                disk_format_to_string(c->format), "-b", o.image.path, o.path, NULL };
        char *write[] = { o.directory, NULL };
        r = run_qemu_img(c, argv, write, "Making a file for the changes of the guest");
        if (r < 0)
                return r;
        return json_array_append_new(disks, json_pack("{s:s, s:s}", "path", o.path, "format", "qcow2")) < 0
                        ? -ENOMEM
                        : 0;
}

int guest_overlays_make(Conversion *c, json_t **ret_disks) {
        _cleanup_json_ json_t *disks = json_array();

        for (size_t i = 0; i < c->source->n_disks; i++) {
                int r = disks ? make_overlay(c, i, disks) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        *ret_disks = TAKE_PTR(disks);
        return 0;
}

int guest_overlays_files(const Conversion *c, ParserFiles *files) {
        int r = 0;

        for (size_t i = 0; i < c->source->n_disks && r >= 0; i++) {
                _cleanup_(overlay_done) Overlay o = {};
                r = overlay_name(c, i, &o);
                if (r >= 0)
                        r = strv_extend(&files->write, o.path);
                if (r >= 0)
                        r = strv_extend(&files->read, o.image.path);
        }
        return r;
}

/* What is in the overlay stays in it, so that this can be repeated. */
static int commit_one(Conversion *c, size_t disk) {
        _cleanup_(overlay_done) Overlay o = {};
        int r = overlay_name(c, disk, &o);

        if (r < 0)
                return r;
        const char *const argv[] = { "qemu-img", "commit", "-q", "-d", "-f", "qcow2", o.path, NULL };
        char *write[] = { o.path, o.image.path, NULL };
        r = run_qemu_img(c, argv, write, "Writing the changes of the guest to the image");
        if (r < 0)
                return r;
        _cleanup_close_ int fd = open(o.image.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return fd < 0 || fsync(fd) < 0 ? attempt_fail(c->attempt, errno, NULL, "Flushing %s failed: %s",
                                                         o.image.label, strerror(errno))
                                       : 0;
}

int guest_commit_all(Conversion *c) {
        int r = 0;

        for (size_t i = 0; i < c->source->n_disks && r >= 0; i++)
                r = commit_one(c, i);
        return r;
}
