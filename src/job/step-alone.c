/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/step-alone.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/string-util.h"
#include "image/image-writable.h"
#include "job/complaint.h"
#include "job/source-kind.h"
#include "job/step-guest.h"

#define SECTOR 512u
#define CREATE_TIMEOUT (60 * USEC_PER_SEC)

/* The servers of the disks, and the overlays on them. */
typedef struct Stack {
        ServerGroup *servers[PART_DISKS_MAX];
        size_t n;
        json_t *disks; /* as the orders of hyper-guest have them */
        ParserFiles files;
} Stack;

static void stack_done(Stack *s) {
        for (size_t i = 0; i < s->n; i++)
                server_group_free(s->servers[i]);
        json_decref(s->disks);
        parser_files_done(&s->files);
}

static int refuse(Run *run, const Image *image, const char *why) {
        return attempt_fail(run->attempt, EOPNOTSUPP, "unsupported",
                        "The image %s is not changed in place: %s. Give a destination, and the guest of a "
                        "copy is changed.",
                        image->label, why);
}

static int check_disk(Run *run, size_t disk) {
        const Image *image = &run->source->disks[disk];
        _cleanup_free_ char *why = NULL;

        if (!image->whole || !streq_ptr(image->path, job_source_disk(run->source->spec, disk)))
                return refuse(run, image, "it is an archive or a package");
        int r = image_check_writable(run->source->disk_fds[disk], image->format, &why);
        if (r == -EROFS)
                return refuse(run, image, why);
        if (r < 0)
                return attempt_fail(
                                run->attempt, r, NULL, "Reading %s failed: %s", image->label, strerror(-r));
        if (image->parent)
                return refuse(run, image, "it depends on another image");
        if (image->has_log)
                return refuse(run, image, "it was not closed properly");
        if (image->virtual_size % SECTOR != 0)
                return refuse(run, image, "its size is no multiple of 512 bytes");
        return 0;
}

int step_alone_check(Run *run) {
        const JobSpec *spec = run->attempt->plan->spec;
        Source *s = run->source;
        int r = 0;

        for (size_t i = 0; i < s->n_disks; i++)
                if (s->disks[i].differencing)
                        return refuse(run, &s->disks[i], "it is a differencing image");
        for (size_t i = 0; i < s->n_disks && r >= 0; i++)
                if (job_spec_is_in_place(spec) && !spec->parameters.dry_run)
                        r = check_disk(run, i);
        return r;
}

/* --- the overlays ---------------------------------------------------------------------------------- */

static int create_overlay(
                Run *run, const char *directory, const char *path, const char *socket, uint64_t size) {
        _cleanup_free_ char *backing = strprintf("nbd+unix:///?socket=%s", socket),
                            *bytes = strprintf("%" PRIu64, size), *why = NULL;
        const char *const argv[] = { "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b",
                backing, path, bytes, NULL };
        char *write[] = { (char *) directory, NULL };
        const ParserFiles files = { .write = write };
        const ChildLimits limits = { .files = &files, .timeout = CREATE_TIMEOUT, .output_max = 65536 };
        _cleanup_child_output_ ChildOutput o = {};

        if (!backing || !bytes)
                return -ENOMEM;
        int r = child_run(argv, &limits, run->attempt->cancel_fd, &o);
        if (r == -ECANCELED)
                return r;
        if (r >= 0 && o.status == 0)
                return 0;
        why = r < 0 ? NULL : complaint_text(o.errors);
        return attempt_fail(run->attempt, r < 0 ? r : EIO, r == -ENOENT ? "program_missing" : NULL,
                        "Making a file for the changes of the guest failed: %s",
                        why ? why : strerror(r < 0 ? -r : EIO));
}

/* The place of disk @disk, where an earlier attempt may have left an overlay. */
static int open_place(Run *run, size_t disk, char **ret_directory, char **ret_path) {
        unsigned place = (unsigned) disk + 1;
        _cleanup_close_ int fd = -EBADF;
        int r = part_directory_disk(run->part_fd, place, true, &fd);

        if (r >= 0 && unlinkat(fd, PART_OVERLAY_FILE, 0) < 0 && errno != ENOENT)
                r = -errno;
        if (r < 0)
                return attempt_fail(run->attempt, r, NULL, "Using the directory %s failed: %s",
                                run->conversion.part_dir, strerror(-r));
        *ret_directory = place == 1 ? strdup(run->conversion.part_dir)
                                    : strprintf("%s/disk%u", run->conversion.part_dir, place);
        *ret_path = *ret_directory ? strprintf("%s/" PART_OVERLAY_FILE, *ret_directory) : NULL;
        return *ret_path ? 0 : -ENOMEM;
}

static int add_disk(Run *run, size_t disk, Stack *s) {
        _cleanup_free_ char *directory = NULL, *path = NULL;
        const Image *image = &run->source->disks[disk];
        int r = open_place(run, disk, &directory, &path);

        if (r >= 0)
                r = serve_image(run->attempt, image, &s->servers[disk]);
        if (r < 0)
                return r;
        s->n = disk + 1;
        const char *socket = server_group_sockets(s->servers[disk])[0];
        r = create_overlay(run, directory, path, socket, image->virtual_size);
        if (r >= 0)
                r = strv_extend(&s->files.write, path);
        if (r >= 0)
                r = strv_extend(&s->files.read, socket);
        if (r < 0)
                return r;
        run->conversion.sizes[disk] = image->virtual_size;
        return json_array_append_new(s->disks, json_pack("{s:s, s:s}", "path", path, "format", "qcow2")) < 0
                        ? -ENOMEM
                        : 0;
}

/* What finish commits must be on stable storage before the result is. */
static int sync_overlay(Run *run, size_t disk) {
        _cleanup_close_ int directory = -EBADF, fd = -EBADF;
        int r = part_directory_disk(run->part_fd, (unsigned) disk + 1, false, &directory);

        if (r >= 0) {
                fd = openat(directory, PART_OVERLAY_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                r = fd < 0 || fsync(fd) < 0 || fsync(directory) < 0 || fsync(run->part_fd) < 0 ? -errno : 0;
        }
        return r < 0 ? attempt_fail(run->attempt, r, NULL,
                                       "Flushing the changes of the guest in %s failed: %s",
                                       run->conversion.part_dir, strerror(-r))
                     : 0;
}

static int add_output(Run *run, size_t disk) {
        const Image *i = &run->source->disks[disk];
        struct stat st;

        if (fstat(run->source->disk_fds[disk], &st) < 0)
                return -errno;
        return json_array_append_new(run->attempt->outputs,
                               json_pack("{s:s, s:s, s:I, s:I}", "path", i->path, "format",
                                               disk_format_to_string((DiskFormat) i->format), "virtual_size",
                                               (json_int_t) i->virtual_size, "actual_size",
                                               (json_int_t) st.st_blocks * 512)) < 0
                        ? -ENOMEM
                        : 0;
}

/* --- the steps ------------------------------------------------------------------------------------- */

static const char *what_is_done(const JobSpec *spec) {
        return spec->operation == OPERATION_INSPECT ? "The guest was inspected"
                        : spec->parameters.dry_run  ? "Nothing was written; the guest would be fixed"
                                                    : "The guest was fixed";
}

int step_alone_guest(Run *run) {
        const JobSpec *spec = run->attempt->plan->spec;
        _cleanup_(stack_done) Stack stack = { .disks = json_array() };
        uint64_t total = 0;
        int r = stack.disks ? 0 : -ENOMEM;

        report_phase(&run->attempt->report, PHASE_GUEST, "%s",
                        spec->operation == OPERATION_INSPECT ? "Inspecting the guest" : "Fixing the guest");
        for (size_t i = 0; i < run->source->n_disks && r >= 0; i++) {
                r = add_disk(run, i, &stack);
                total += run->source->disks[i].virtual_size;
        }
        if (r >= 0)
                r = guest_run(run, stack.disks, &stack.files,
                                conversion_guest_work(&run->conversion, total));
        if (r < 0)
                return r;
        guest_report_changes(run, what_is_done(spec));
        return source_check_unchanged(run->source);
}

/* A journal of XFS that was replayed is not listed. Without other changes, only times differ. */
static bool writes_image(const Run *run) {
        const JobSpec *spec = run->attempt->plan->spec;

        return job_spec_is_in_place(spec) && !spec->parameters.dry_run &&
                        (spec->parameters.fix & 1u << OPERATION_FS_REPAIR ||
                                        json_array_size(json_object_get(run->attempt->guest, "changes")) >
                                                        0);
}

int step_alone_finalize(Run *run) {
        int r = 0;

        report_complete(&run->attempt->report);
        report_phase(&run->attempt->report, PHASE_FINALIZATION, "Finishing");
        for (size_t i = 0; i < run->source->n_disks && r >= 0 && writes_image(run); i++) {
                r = sync_overlay(run, i);
                if (r >= 0)
                        r = add_output(run, i);
        }
        return r;
}
