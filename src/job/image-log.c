/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "basic/string-util.h"
#include "job/complaint.h"
#include "job/image-files.h"
#include "job/image-log.h"

#define SECTOR 512u

static int run_qemu_img(Attempt *a, const Image *i, const char *const argv[]) {
        _cleanup_parser_files_ ParserFiles files = {};
        ChildLimits limits = image_limits(i->length);
        _cleanup_child_output_ ChildOutput o = {};

        int r = image_files(i, false, attempt_parser_rights(a), &files);
        if (r >= 0)
                r = strv_extend(&files.write, a->runtime);
        if (r < 0)
                return r;
        limits.files = &files;
        r = child_run(argv, &limits, a->cancel_fd, &o);
        if (r == -ECANCELED)
                return r;
        if (r == -ENOENT)
                return attempt_fail(a, r, "program_missing",
                                "qemu-img was not found: install the package qemu-utils");
        if (r < 0)
                return attempt_fail(
                                a, r, NULL, "Replaying the log of %s failed: %s", i->label, strerror(-r));
        if (o.status == 0)
                return 0;
        _cleanup_free_ char *why = complaint_text(o.errors), *how = child_status_text(o.status);
        return attempt_fail(a, EBADMSG, "image_refused",
                        "The image %s was refused: it has a log, which cannot be replayed, as it is damaged "
                        "or cut off: "
                        "qemu-img %s%s%s",
                        i->label, strempty(how), why ? ": " : "", strempty(why));
}

static int create_overlay(Attempt *a, Image *i) {
        _cleanup_free_ char *path = strprintf("%s/log-%" PRIx64 ".qcow2", a->runtime, i->offset);
        _cleanup_free_ char *size = strprintf("%" PRIu64, i->length);

        if (!path || !size)
                return -ENOMEM;
        int r = strv_extend(&i->written, path);
        if (r < 0)
                return r;
        const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL };
        r = run_qemu_img(a, i, argv);
        if (r >= 0)
                i->overlay = TAKE_PTR(path);
        return r;
}

int image_replay_log(Attempt *a, Image *i) {
        if (!i->has_log)
                return 0;
        if (i->length % SECTOR != 0)
                return attempt_fail(a, EBADMSG, "image_refused",
                                "The image %s was refused: it is cut off: %ju bytes are no whole sectors",
                                i->label, (uintmax_t) i->length);
        int r = create_overlay(a, i);
        if (r < 0)
                return r;
        _cleanup_free_ char *name = image_options_text(i);
        if (!name)
                return -ENOMEM;
        const char *const argv[] = { "qemu-img", "check", "-q", "-r", "all", name, NULL };
        r = run_qemu_img(a, i, argv);
        if (r >= 0)
                report_note(&a->report,
                                "%s was not closed properly by its last user: its log is replayed, in a "
                                "copy of "
                                "what it changes",
                                i->label);
        return r;
}
