/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/unpack.h"
#include "image/refusal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd-util.h"
#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/image.h"
#include "job/complaint.h"
#include "job/helper.h"

/* What is left free for the others on the file system. */
#define SPACE_RESERVE (UINT64_C(16) << 20)
#define RECORD_MAX ((size_t) 64 * 1024)
/* Dictionaries of xz and zstd may take more than a gigabyte. */
#define EXTRACT_MEMORY (UINT64_C(3) << 30)

void unpacked_done(Unpacked *u) {
        safe_close(u->fd);
        free(u->path);
        free(u->member);
        *u = UNPACKED_INIT;
}

static char *name_of(const Unpack *u, const char *suffix) {
        return strprintf("%s%s", u->name, suffix);
}

/* --- the record ------------------------------------------------------------------------------------ */

/* "SIZE MEMBER\nIDENTITY" */
static int write_record(const Unpack *u, const Unpacked *done) {
        _cleanup_free_ char *name = name_of(u, ".identity"),
                            *text = strprintf("%" PRIu64 " %s\n%s", done->size, strempty(done->member),
                                            u->identity);

        if (!name || !text)
                return -ENOMEM;
        return write_file_atomic_at(u->dir_fd, name, text, strlen(text), 0600);
}

static int read_record(const Unpack *u, Unpacked *ret) {
        _cleanup_free_ char *name = name_of(u, ".identity"), *text = NULL;

        if (!name)
                return -ENOMEM;
        int r = read_file_at(u->dir_fd, name, RECORD_MAX, &text, NULL);
        if (r < 0)
                return r;
        char *newline = strchr(text, '\n'), *blank = strchr(text, ' ');
        if (!newline || !blank || blank > newline || !streq(newline + 1, u->identity))
                return -ESTALE;
        *blank = *newline = 0;
        if (parse_uint64(text, &ret->size) < 0)
                return -EBADMSG;
        if (blank[1] && !(ret->member = strdup(blank + 1)))
                return -ENOMEM;
        return 0;
}

/* What an earlier attempt unpacked completely. */
static int reuse(const Unpack *u, Unpacked *ret) {
        _cleanup_(unpacked_done) Unpacked old = UNPACKED_INIT;
        struct stat st;

        int r = read_record(u, &old);
        if (r < 0)
                return r;
        old.fd = openat(u->dir_fd, u->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (old.fd < 0 || fstat(old.fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (uint64_t) st.st_size != old.size)
                return -ESTALE;
        old.path = strprintf("%s/%s", u->dir, u->name);
        if (!old.path)
                return -ENOMEM;
        report_note(&u->attempt->report, "%s was unpacked by an earlier attempt", u->label);
        *ret = old;
        old = UNPACKED_INIT;
        return 0;
}

/* --- the file -------------------------------------------------------------------------------------- */

/* An empty file under the name that says that it is not complete. */
static int begin(const Unpack *u) {
        static const char *const suffixes[] = { ".identity", "", ".new" };
        _cleanup_free_ char *name = NULL;

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                free(name);
                name = name_of(u, suffixes[i]);
                if (!name)
                        return -ENOMEM;
                if (unlinkat(u->dir_fd, name, 0) < 0 && errno != ENOENT)
                        return -errno;
        }
        int fd = openat(u->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

static int complete(const Unpack *u, Unpacked *done) {
        _cleanup_free_ char *new = name_of(u, ".new");
        struct stat st;

        done->path = strprintf("%s/%s", u->dir, u->name);
        if (!new || !done->path)
                return -ENOMEM;
        if (fstat(done->fd, &st) < 0 || fsync(done->fd) < 0 ||
                        renameat(u->dir_fd, new, u->dir_fd, u->name) < 0 || fsync(u->dir_fd) < 0)
                return -errno;
        done->size = (uint64_t) st.st_size;
        return write_record(u, done);
}

static int fail(const Unpack *u, int error) {
        if (error == -ECANCELED)
                return error;
        if (error == -ENOSPC || error == -EDQUOT)
                return attempt_fail(u->attempt, error, NULL,
                                "The file system of the destination cannot hold what is unpacked from %s: "
                                "make room "
                                "there, or unpack it elsewhere and give the image",
                                u->label);
        return attempt_fail(u->attempt, error, NULL, "Unpacking %s failed: %s", u->label, strerror(-error));
}

typedef struct Watch {
        const Unpack *unpack;
        int in, out;
        uint64_t start, length;
        char *what;
} Watch;

static int check_room(int fd) {
        struct statvfs fs;
        struct stat st;

        if (fstatvfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return -errno;
        if ((uint64_t) st.st_size > IMAGE_SIZE_MAX)
                return -EFBIG;
        return (uint64_t) fs.f_bavail * fs.f_frsize < SPACE_RESERVE ? -ENOSPC : 0;
}

/* The child reads by the position that its descriptor shares with ours. */
static int watch_child(void *userdata) {
        Watch *w = userdata;
        off_t at = lseek(w->in, 0, SEEK_CUR);
        uint64_t done = at > (off_t) w->start ? MIN((uint64_t) at - w->start, w->length) : 0;

        report_progress(&w->unpack->attempt->report, w->what, done, w->length, 0, false);
        return check_room(w->out);
}

static int watch_copy(void *userdata, uint64_t done) {
        Watch *w = userdata;

        report_progress(&w->unpack->attempt->report, w->what, done, w->length, 0, false);
        return check_room(w->out);
}

static int extraction_failed(const Unpack *u, int status, const char *errors) {
        _cleanup_free_ char *how = child_status_text(status), *why = complaint_text(errors);

        if (WIFEXITED(status) && WEXITSTATUS(status) == EXTRACT_NO_SPACE)
                return fail(u, -ENOSPC);
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXTRACT_IO_ERROR)
                return fail(u, -EIO);
        return attempt_fail(u->attempt, EBADMSG, "image_refused", "The image %s was refused: %s", u->label,
                        WIFEXITED(status) && why ? why : strna(how));
}

static int extract(const Unpack *u, ArchiveKind kind, Watch *w, Unpacked *done) {
        static const ChildLimits limits = { .address_space = EXTRACT_MEMORY };
        _cleanup_free_ char *offset = strprintf("%" PRIu64, w->start),
                            *length = strprintf("%" PRIu64, w->length),
                            *max = strprintf("%" PRIu64, IMAGE_SIZE_MAX), *errors = NULL;
        const char *const argv[] = { "extract", archive_kind_to_string(kind), offset, length, max, NULL };
        int status = 0;

        if (!offset || !length || !max)
                return -ENOMEM;
        int r = helper_run(argv, &limits, w->in, w->out, u->attempt->cancel_fd, watch_child, w, &status,
                        &errors);
        if (r == -EFBIG)
                return attempt_fail(u->attempt, r, "image_refused",
                                "The image %s was refused: what is in it has more bytes than any disk",
                                u->label);
        if (r < 0)
                return fail(u, r);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return extraction_failed(u, status, errors);
        const char *member = startswith(errors, "the image is ");
        if (member && !(done->member = strndup(member, strcspn(member, "\n"))))
                return -ENOMEM;
        return 0;
}

int unpack_archive(
                const Unpack *u, ArchiveKind kind, int fd, uint64_t offset, uint64_t length, Unpacked *ret) {
        _cleanup_(unpacked_done) Unpacked done = UNPACKED_INIT;
        char size[BYTES_SIZE];

        if (reuse(u, ret) >= 0)
                return 0;
        _cleanup_free_ char *what = strprintf("Unpacking %s", u->label);
        if (!what)
                return -ENOMEM;
        report_phase(&u->attempt->report, PHASE_EXTRACTION, "Unpacking %s (%s)", u->label,
                        archive_kind_to_string(kind));
        done.fd = begin(u);
        if (done.fd < 0)
                return fail(u, done.fd);
        Watch w = { .unpack = u, .in = fd, .out = done.fd, .start = offset, .length = length, .what = what };
        int r = extract(u, kind, &w, &done);
        if (r < 0)
                return r;
        r = complete(u, &done);
        if (r < 0)
                return fail(u, r);
        report_note(&u->attempt->report, "%s%s%s was unpacked: %s", u->label, done.member ? ": " : "",
                        strempty(done.member), format_bytes(size, done.size));
        *ret = done;
        done = UNPACKED_INIT;
        return 0;
}

int unpack_content(const Unpack *u, const Content *content, Unpacked *ret) {
        _cleanup_(unpacked_done) Unpacked done = UNPACKED_INIT;

        if (reuse(u, ret) >= 0)
                return 0;
        _cleanup_free_ char *what = strprintf("Putting %s together", u->label);
        if (!what)
                return -ENOMEM;
        report_phase(&u->attempt->report, PHASE_EXTRACTION, "Putting %s together", u->label);
        done.fd = begin(u);
        if (done.fd < 0)
                return fail(u, done.fd);
        Watch w = { .unpack = u, .out = done.fd, .length = content->size, .what = what };
        int r = content->size > IMAGE_SIZE_MAX
                        ? -EFBIG
                        : content_copy(content, done.fd, u->attempt->cancel_fd, watch_copy, &w);
        if (r >= 0)
                r = complete(u, &done);
        if (r < 0)
                return fail(u, r);
        *ret = done;
        done = UNPACKED_INIT;
        return 0;
}
