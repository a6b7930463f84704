/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* qemu-img as an inspector, in a child with limits. */

#include <inttypes.h>
#include <sys/wait.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/image-header.h"
#include "image/image-info.h"
#include "image/image-vmdk.h"
#include "image/refusal.h"
#include "job/complaint.h"
#include "job/image-files.h"
#include "job/image-log.h"
#include "job/inspect.h"

/* What qemu-img check exits with, qemu-img(1). */
#define CHECK_LEAKS 3
#define CHECK_NOT_SUPPORTED 63

static int run_qemu_img(Attempt *a, const Image *i, const char *verb, ChildOutput *ret) {
        _cleanup_free_ char *name = image_options_text(i);
        const char *const argv[] = { "qemu-img", verb, "--output=json", name, NULL };
        _cleanup_parser_files_ ParserFiles files = {};
        ChildLimits limits = image_limits(i->length);

        if (!name)
                return -ENOMEM;
        int r = image_files(i, false, attempt_parser_rights(a), &files);
        if (r < 0)
                return r;
        limits.files = &files;
        r = child_run(argv, &limits, a->cancel_fd, ret);
        switch (r) {
        case 0:
                return 0;
        case -ECANCELED:
                return r;
        case -ENOENT:
                return attempt_fail(a, r, "program_missing",
                                "qemu-img was not found: install the package qemu-utils");
        case -ETIMEDOUT:
                return attempt_fail(a, r, "image_refused",
                                "The image %s was refused: \"qemu-img %s\" was not done with it in %u "
                                "minutes",
                                i->label, verb, (unsigned) (limits.timeout / USEC_PER_SEC / 60));
        case -EFBIG:
                return attempt_fail(a, r, "image_refused",
                                "The image %s was refused: \"qemu-img %s\" reports too much about it",
                                i->label, verb);
        default:
                return attempt_fail(a, r, NULL, "Running \"qemu-img %s\" on %s failed: %s", verb, i->label,
                                strerror(-r));
        }
}

static int info_failed(Attempt *a, const Image *i, const ChildOutput *o) {
        _cleanup_free_ char *why = complaint_text(o->errors), *how = child_status_text(o->status);

        if (strstr(o->errors, "Failed to get") && strstr(o->errors, "lock"))
                return attempt_fail(a, EBUSY, "source_in_use",
                                "%s is in use by another process, perhaps a running virtual machine: %s",
                                i->label, strempty(why));
        /* qemu does not always say more than that. */
        bool bare = why && (endswith(why, strerror(EINVAL)) || endswith(why, strerror(ENOTSUP)));
        return attempt_fail(a, EBADMSG, "image_refused", "The image %s was refused: qemu-img %s%s%s%s",
                        i->label, strempty(how), why ? ": " : "", strempty(why),
                        bare ? ". Its header is damaged, or of a kind that is not supported." : "");
}

int image_refused(Attempt *a, const char *label, int error, const char *why) {
        if (error == -EBADMSG || error == -EOPNOTSUPP)
                return attempt_fail(a, error, "image_refused", "The image %s was refused: %s", label,
                                strna(why));
        if (error == -EMEDIUMTYPE)
                return attempt_fail(a, error, "format_mismatch", "The image %s was refused: %s", label,
                                strna(why));
        if (error == -ENOENT && why)
                return attempt_fail(a, error, "source_missing", "%s", why);
        return attempt_fail(a, error, NULL, "Inspecting the image %s failed: %s", label, strerror(-error));
}

/* qemu takes these for whole disks, or not at all: nothing but our own reader opens them. */
static int inspect_differencing(Attempt *a, Image *i) {
        char size[BYTES_SIZE], max[BYTES_SIZE];

        if (i->expected_size == 0 || i->expected_size > IMAGE_SIZE_MAX)
                return attempt_fail(a, EBADMSG, "image_refused",
                                "The image %s was refused: it claims a disk of %s, 1 to %s are supported",
                                i->label, format_bytes(size, i->expected_size),
                                format_bytes(max, IMAGE_SIZE_MAX));
        i->virtual_size = i->expected_size;
        i->actual_size = i->length;
        return 0;
}

int image_examine(Attempt *a, int fd, Image *i) {
        _cleanup_free_ char *why = NULL;

        int r = image_check_header(fd, i, a->plan->source_files, &why);
        if (r >= 0)
                r = image_check_map(fd, i, a->cancel_fd, &why);
        if (r == -ECANCELED)
                return r;
        if (r < 0)
                return image_refused(a, i->label, r, why);
        r = image_write_descriptor(i, a->runtime);
        if (r < 0)
                return attempt_fail(a, r, NULL, "Writing a descriptor for %s failed: %s", i->label,
                                strerror(-r));
        if (i->differencing)
                return inspect_differencing(a, i);
        r = image_replay_log(a, i);
        return r < 0 ? r : image_inspect(a, i);
}

int image_inspect(Attempt *a, Image *i) {
        _cleanup_child_output_ ChildOutput o = {};
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_free_ char *why = NULL;

        int r = run_qemu_img(a, i, "info", &o);
        if (r < 0)
                return r;
        if (o.status != 0)
                return info_failed(a, i, &o);
        report_lines(&a->report, "qemu-img", o.errors);
        r = image_info_from_json(o.output, o.size, &info);
        if (r < 0)
                return attempt_fail(a, r, "image_refused",
                                "The image %s was refused: the report of qemu-img about it is malformed",
                                i->label);
        r = image_info_check(i, &info, &why);
        if (r == -EBADMSG)
                return attempt_fail(
                                a, r, "image_refused", "The image %s was refused: %s", i->label, strna(why));
        if (r < 0)
                return attempt_fail(
                                a, r, NULL, "Inspecting the image %s failed: %s", i->label, strerror(-r));
        i->virtual_size = i->cut_size > 0 ? i->cut_size : info.virtual_size;
        /* For a member of an OVA qemu-img speaks of the whole archive. */
        i->actual_size = i->whole ? info.actual_size : i->length;
        if (info.n_snapshots > 0)
                report_note(&a->report,
                                "%s holds %zu snapshot%s, which %s not converted: only its current "
                                "state is",
                                i->label, info.n_snapshots, info.n_snapshots == 1 ? "" : "s",
                                info.n_snapshots == 1 ? "is" : "are");
        if (info.dirty)
                report_note(&a->report, "%s was not closed properly by its last user", i->label);
        return image_check(a, i, "image_damaged");
}

int image_check(Attempt *a, const Image *i, const char *code) {
        _cleanup_child_output_ ChildOutput o = {};

        if (i->format == FORMAT_RAW)
                return 0;
        int r = run_qemu_img(a, i, "check", &o);
        if (r < 0)
                return r;
        if (WIFEXITED(o.status)) {
                if (WEXITSTATUS(o.status) == 0 || WEXITSTATUS(o.status) == CHECK_NOT_SUPPORTED)
                        return 0;
                if (WEXITSTATUS(o.status) == CHECK_LEAKS) {
                        report_note(&a->report, "%s has clusters that nothing refers to; that is harmless",
                                        i->label);
                        return 0;
                }
        }
        report_lines(&a->report, "qemu-img", o.errors);
        _cleanup_free_ char *why = complaint_text(o.errors);
        _cleanup_free_ char *how = child_status_text(o.status);
        return attempt_fail(a, EBADMSG, code, "The image %s is damaged or cut off: qemu-img check %s%s%s",
                        i->label, strempty(how), why ? ": " : "", strempty(why));
}
