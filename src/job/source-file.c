/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/source-file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/rights.h"
#include "basic/safe-open.h"
#include "basic/string-util.h"
#include "image/checksum.h"
#include "job/bound.h"
#include "job/chain.h"
#include "job/device.h"
#include "job/direct.h"
#include "job/identity.h"
#include "job/in-use.h"
#include "job/inspect.h"

#define RECORD_MAX ((size_t) 8192)

static int open_device_with_rights(const char *path, int *ret_fd, struct stat *ret_stat) {
        rights_raise(RIGHTS_READ);
        int r = open_device(path, ret_fd, ret_stat);
        rights_lower();
        return r < 0 ? r : 1;
}

static int open_source_file(Attempt *a, const char *path, int *ret_fd, struct stat *ret_stat) {
        int r = path_is_device(path) ? open_device_with_rights(path, ret_fd, ret_stat) : -ENOTBLK;

        if (r == -ENOTBLK)
                r = open_regular(path, ret_fd, ret_stat);

        if (r > 0)
                a->needs_rights = true;
        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
                return attempt_fail(a, r, "source_missing", "The source file %s is not there", path);
        case -ELOOP:
                return attempt_fail(a, r, "image_refused",
                                "The source file %s is a symbolic link, or behind one, which was not so "
                                "when "
                                "the job was submitted",
                                path);
        case -EISDIR:
        case -ENOTBLK:
                return attempt_fail(a, r, "image_refused",
                                "The source %s is neither a regular file nor a block device", path);
        default:
                return r < 0 ? attempt_fail(a, r, NULL, "Opening the source file %s failed: %s", path,
                                               strerror(-r))
                             : 0;
        }
}

/* Keeps the file if it is that of a disk: the first one, or the next of the further ones. */
static void keep_disk(Source *s, const char *path, int *fd, const struct stat *st) {
        const char *next = job_source_disk(s->spec, s->n_further + 1);

        if (s->fd < 0) {
                s->fd = TAKE_FD(*fd);
                s->st = *st;
        } else if (streq_ptr(path, next))
                s->further_fds[s->n_further++] = TAKE_FD(*fd);
}

/* Of every file. @keep: the first time; later it is the source's identity that must not change. */
static int files_identity(Source *s, bool keep, char **ret) {
        _cleanup_strv_free_ char **parts = NULL;
        Attempt *a = s->attempt;

        STRV_FOREACH(path, a->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                int r = open_source_file(a, *path, &fd, &st);
                if (r >= 0 && keep)
                        r = bound_check(a, *path, &st, "source_changed");
                if (r >= 0)
                        r = identity_add_file(&parts, *path, &st, a->plan->job_id);
                if (r < 0)
                        return r;
                if (keep)
                        keep_disk(s, *path, &fd, &st);
        }
        if (!parts)
                return attempt_fail(a, EINVAL, "failed", "The job's plan names no source file");
        *ret = strv_join(parts, "\n");
        return *ret ? 0 : -ENOMEM;
}

/* Once more, for who came after prepare. Who that is cannot be seen from here. */
static int check_in_use(Source *s) {
        Attempt *a = s->attempt;
        _cleanup_free_ char *text = NULL, *record = NULL;
        int r = 0;

        STRV_FOREACH(path, a->plan->source_files) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                r = open_source_file(a, *path, &fd, &st);
                if (r >= 0)
                        r = in_use_check_locks(*path, fd, &text);
                if (r < 0)
                        break;
        }
        if (r == -EBUSY && a->plan->spec->parameters.in_use != IN_USE_ALLOW)
                return attempt_fail(a, r, "source_in_use",
                                "The source %s (To read it all the same, set parameters.in_use to allow.)",
                                text);
        if (r < 0 && r != -EBUSY)
                return attempt_fail(a, r, NULL, "Asking for the locks of the source %s failed: %s",
                                s->spec->path, strerror(-r));
        if (read_file_at(a->directory_fd, RECORD_IN_USE, RECORD_MAX, &record, NULL) < 0 && r == 0)
                return 0;
        s->in_use = true;
        report_note(&a->report,
                        "The source is read although it is in use: what is written to it meanwhile may be "
                        "in the result "
                        "or not (%s)",
                        record ? record : strempty(text));
        return 0;
}

int source_open_file(Source *s) {
        Attempt *a = s->attempt;

        int r = files_identity(s, true, &s->identity);
        if (r < 0)
                return r;
        if (!streq(a->plan->source_files[0], s->spec->path))
                return attempt_fail(a, EINVAL, "failed",
                                "The first source file of the job's plan is not the source");
        return check_in_use(s);
}

int source_check_files(Source *s) {
        _cleanup_free_ char *now = NULL;

        int r = files_identity(s, false, &now);
        if (r < 0)
                return r;
        if (streq(now, s->identity))
                return 0;
        if (s->in_use) {
                report_note(&s->attempt->report,
                                "The source %s was written to while it was read, as parameters.in_use "
                                "allows",
                                s->spec->path);
                s->changed = true;
                return 0;
        }
        return attempt_fail(s->attempt, ESTALE, "source_changed",
                        "The source %s was changed while it was converted. Make sure that nothing writes to "
                        "it, then "
                        "submit the job again.",
                        s->spec->path);
}

void source_explain_files(Source *s) {
        if (!s->in_use)
                (void) source_check_files(s);
}

/* --- the checksum ---------------------------------------------------------------------------------- */

typedef struct HashProgress {
        Attempt *attempt;
        const char *what;
        uint64_t total;
} HashProgress;

static int hash_progress(void *userdata, uint64_t done) {
        HashProgress *p = userdata;

        report_progress(&p->attempt->report, p->what, done, p->total, 0, false);
        return 0;
}

int source_compare_digest(Source *s, const char *label, const Content *content, const char *algorithm,
                const char *expected) {
        char digest[CHECKSUM_HEX_MAX];
        _cleanup_free_ char *what = strprintf("Verifying the checksum of %s", label);
        HashProgress progress = { .attempt = s->attempt, .what = what, .total = content->size };

        if (!what)
                return -ENOMEM;
        int r = checksum_content(
                        content, algorithm, s->attempt->cancel_fd, hash_progress, &progress, digest);
        if (r < 0)
                return attempt_fail(s->attempt, r, NULL, "Reading %s to verify its checksum failed: %s",
                                label, strerror(-r));
        if (!streq(digest, expected))
                return attempt_fail(s->attempt, EBADMSG, "checksum_mismatch",
                                "The %s checksum of %s is %s, but %s was given: the file is damaged or not "
                                "the "
                                "one that was meant",
                                algorithm, label, digest, expected);
        return 0;
}

/* The digest of one of several files would prove nothing about the others. */
static int check_one_file(Source *s) {
        size_t n = strv_length(s->attempt->plan->source_files);

        if (n <= 1)
                return 0;
        return attempt_fail(s->attempt, EINVAL, "unsupported",
                        "The checksum of %s covers one file, but the image is made of %zu: %s and others. "
                        "Leave it "
                        "out; of an OVF, the manifest is always checked.",
                        s->spec->path, n, s->attempt->plan->source_files[1]);
}

int source_verify_file_checksum(Source *s) {
        _cleanup_content_ Content content = {};
        char expected[CHECKSUM_HEX_MAX];

        if (!s->spec->checksum)
                return 0;
        const char *hex = startswith(s->spec->checksum, "sha256:");
        if (!hex || strlen(hex) != 64)
                return attempt_fail(s->attempt, EINVAL, "unsupported",
                                "The checksum is not of the form sha256:digest");
        int r = check_one_file(s);
        if (r >= 0)
                r = content_add(&content, s->fd, 0, 0, (uint64_t) s->st.st_size);
        if (r < 0)
                return r;
        for (size_t i = 0; i <= 64; i++)
                expected[i] = hex[i] >= 'A' && hex[i] <= 'F' ? (char) (hex[i] - 'A' + 'a') : hex[i];
        r = source_compare_digest(s, s->spec->path, &content, "SHA256", expected);
        if (r >= 0)
                report_note(&s->attempt->report, "The SHA-256 checksum of %s is right", s->spec->path);
        return r;
}

/* --- inspection ------------------------------------------------------------------------------------ */

static int inspect_disk(Source *s, size_t disk) {
        Image *i = &s->disks[disk];
        int fd = s->disk_fds[disk];
        char size[BYTES_SIZE], used[BYTES_SIZE];

        /* What was unpacked has nothing beside it. */
        i->flatten = i->whole && streq(i->path, s->spec->path) &&
                        s->attempt->plan->spec->parameters.chain == CHAIN_FLATTEN;
        int r = image_examine(s->attempt, fd, i);
        if (r >= 0)
                r = chain_examine(s->attempt, fd, i);
        if (r < 0)
                return r;
        report_note(&s->attempt->report, "%s is a %s image with a disk of %s, %s in use", i->label,
                        disk_format_to_string((DiskFormat) i->format), format_bytes(size, i->virtual_size),
                        format_bytes(used, i->actual_size));
        return 0;
}

static int warn_of_capacity(Source *s, size_t disk) {
        uint64_t capacity = s->ova ? s->ova->details[disk].capacity : 0;

        if (capacity == 0 || capacity == s->disks[disk].virtual_size)
                return 0;
        return source_warn(s, disk,
                        "The OVF says that the disk in %s has %" PRIu64 " bytes, but it has %" PRIu64
                        ": what the image says counts",
                        s->disks[disk].label, capacity, s->disks[disk].virtual_size);
}

int source_inspect_images(Source *s) {
        for (size_t i = 0; i < s->n_disks; i++) {
                s->disks[i].in_use = s->in_use;
                s->disks[i].device = i == 0 && S_ISBLK(s->st.st_mode) && s->disks[i].whole;
                int r = inspect_disk(s, i);
                if (r >= 0)
                        r = warn_of_capacity(s, i);
                if (r < 0)
                        return r;
        }
        return s->ova ? 0 : chain_check_all_used(s->attempt, s->disks, s->n_disks);
}

int source_connect_image(Source *s, size_t disk, Connection *ret) {
        int r = direct_connect(s->attempt, &s->disks[disk], s->disk_fds[disk], ret);

        return r != 0 ? MIN(r, 0) : chain_connect(s->attempt, &s->disks[disk], ret);
}
