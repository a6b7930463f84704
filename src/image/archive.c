/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "image/archive-member.h"
#include "image/gunzip.h"
#include "image/sparse-writer.h"

#define INPUT_FD 3
#define BUFFER ((size_t) 256 * 1024)

/* --- libarchive's way to the bytes ----------------------------------------------------------------- */

typedef struct Input {
        int fd;
        uint64_t start, length, at;
        int error;
        char buffer[BUFFER];
} Input;

static la_ssize_t input_read(struct archive *a, void *userdata, const void **ret) {
        Input *in = userdata;
        size_t n = (size_t) MIN((uint64_t) BUFFER, in->length - in->at);
        ssize_t k;

        if (n == 0)
                return 0;
        /* By the descriptor's own position: whoever started us sees in it how far we are. */
        if (lseek(in->fd, (off_t) (in->start + in->at), SEEK_SET) < 0 ||
                        (k = read(in->fd, in->buffer, n)) < 0) {
                in->error = errno;
                archive_set_error(a, errno, "%s", strerror(errno));
                return ARCHIVE_FATAL;
        }
        in->at += (uint64_t) k;
        *ret = in->buffer;
        return k;
}

static la_int64_t input_skip(_unused_ struct archive *a, void *userdata, la_int64_t request) {
        Input *in = userdata;
        la_int64_t n = request < 0 ? 0 : (la_int64_t) MIN((uint64_t) request, in->length - in->at);

        in->at += (uint64_t) n;
        return n;
}

static la_int64_t input_seek(_unused_ struct archive *a, void *userdata, la_int64_t offset, int whence) {
        Input *in = userdata;
        int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t) in->at : (int64_t) in->length;

        if (offset < -base || (uint64_t) (base + offset) > in->length)
                return ARCHIVE_FATAL;
        in->at = (uint64_t) (base + offset);
        return (la_int64_t) in->at;
}

static struct archive *archive_close_free(struct archive *a) {
        if (a)
                (void) archive_read_free(a);
        return NULL;
}

static void archive_freep(struct archive **a) {
        (void) archive_close_free(*a);
}

/* Nothing is tried but what the first bytes promised. */
static int enable(struct archive *a, ArchiveKind kind) {
        switch (kind) {
        case ARCHIVE_XZ:
                return archive_read_support_filter_xz(a) | archive_read_support_format_raw(a);
        case ARCHIVE_BZIP2:
                return archive_read_support_filter_bzip2(a) | archive_read_support_format_raw(a);
        case ARCHIVE_ZSTD:
                return archive_read_support_filter_zstd(a) | archive_read_support_format_raw(a);
        case ARCHIVE_ZIP:
                return archive_read_support_format_zip(a);
        case ARCHIVE_7Z:
                return archive_read_support_format_7zip(a);
        default:
                return ARCHIVE_FATAL;
        }
}

#define archive_error(ret, ...)                  \
        ({                                       \
                *(ret) = strprintf(__VA_ARGS__); \
                *(ret) ? -EBADMSG : -ENOMEM;     \
        })

static int library_error(struct archive *a, const Input *in, char **ret_error) {
        const char *why = archive_error_string(a);

        if (in->error > 0)
                return -in->error;
        return archive_error(ret_error, "it is damaged or cut off: %s",
                        why ? why : "libarchive does not say why");
}

static int open_archive(ArchiveKind kind, Input *in, struct archive **ret, char **ret_error) {
        struct archive *a = archive_read_new();

        if (!a)
                return -ENOMEM;
        in->at = 0;
        if (enable(a, kind) != ARCHIVE_OK) {
                (void) archive_close_free(a);
                return archive_error(
                                ret_error, "libarchive cannot read %s here", archive_kind_to_string(kind));
        }
        archive_read_set_read_callback(a, input_read);
        archive_read_set_skip_callback(a, input_skip);
        archive_read_set_seek_callback(a, input_seek);
        archive_read_set_callback_data(a, in);
        if (archive_read_open1(a) != ARCHIVE_OK) {
                int r = library_error(a, in, ret_error);
                (void) archive_close_free(a);
                return r;
        }
        *ret = a;
        return 0;
}

/* --- which member ---------------------------------------------------------------------------------- */

static char *entry_name(struct archive_entry *entry) {
        const char *name = archive_entry_pathname_utf8(entry);

        if (!name)
                name = archive_entry_pathname(entry);
        return strdup(name ? name : "(a name that cannot be read)");
}

/* The first bytes say what it is; a member that cannot be read gives none. */
static size_t entry_head(struct archive *a, char *head, size_t size) {
        la_ssize_t n = archive_read_data(a, head, size);

        return n > 0 ? (size_t) n : 0;
}

/* Every member, before one is taken: an archive of several images is none of ours. */
static int list_members(ArchiveKind kind, Input *in, MemberList *members, char **ret_error) {
        _cleanup_(archive_freep) struct archive *a = NULL;
        struct archive_entry *entry;
        int r = open_archive(kind, in, &a, ret_error), k;

        if (r < 0)
                return r;
        while ((k = archive_read_next_header(a, &entry)) == ARCHIVE_OK || k == ARCHIVE_WARN) {
                char head[MEMBER_HEAD];
                _cleanup_free_ char *name = entry_name(entry);

                if (!name)
                        return -ENOMEM;
                if (archive_entry_is_encrypted(entry))
                        return archive_error(ret_error, "%s in it is encrypted", name);
                bool regular = archive_entry_filetype(entry) == AE_IFREG ||
                                archive_entry_filetype(entry) == 0;
                size_t n = regular && !member_is_clutter(name) ? entry_head(a, head, sizeof(head)) : 0;
                r = member_list_add(members, name, regular, head, n);
                if (r == -E2BIG)
                        return archive_error(ret_error, "it has more than %u files in it", MEMBERS_MAX);
                if (r < 0)
                        return r;
        }
        return k == ARCHIVE_EOF ? 0 : library_error(a, in, ret_error);
}

/* --- its bytes ------------------------------------------------------------------------------------- */

static int too_large(uint64_t max, char **ret_error) {
        return archive_error(ret_error, "the image in it has more than %" PRIu64 " bytes", max);
}

static int write_error(int error, uint64_t max, char **ret_error) {
        return error == -EFBIG ? too_large(max, ret_error) : error;
}

static int copy_member(struct archive *a, const Input *in, struct archive_entry *entry, int out,
                uint64_t max, char **ret_error) {
        SparseWriter w = { .fd = out, .max = max };
        const void *data;
        size_t n;
        la_int64_t at;
        int k, r;

        while ((k = archive_read_data_block(a, &data, &n, &at)) == ARCHIVE_OK) {
                r = sparse_write(&w, data, n, (uint64_t) at);
                if (r < 0)
                        return write_error(r, max, ret_error);
        }
        /* A warning is a wrong checksum here. */
        if (k != ARCHIVE_EOF)
                return library_error(a, in, ret_error);
        if (archive_entry_size_is_set(entry) && (uint64_t) archive_entry_size(entry) != w.size)
                return archive_error(ret_error,
                                "it is damaged: the image in it has %" PRIu64 " bytes, not the %" PRIi64
                                " that it says",
                                w.size, (int64_t) archive_entry_size(entry));
        return sparse_finish(&w);
}

/* Only to its end is it known to be whole: a checksum may come last. */
static int extract_member(
                ArchiveKind kind, Input *in, size_t member, int out, uint64_t max, char **ret_error) {
        _cleanup_(archive_freep) struct archive *a = NULL;
        struct archive_entry *entry;
        int r = open_archive(kind, in, &a, ret_error), k;

        if (r < 0)
                return r;
        for (size_t i = 0; (k = archive_read_next_header(a, &entry)) == ARCHIVE_OK || k == ARCHIVE_WARN; i++)
                if (i == member)
                        return copy_member(a, in, entry, out, max, ret_error);
        return library_error(a, in, ret_error);
}

static int extract_container(ArchiveKind kind, Input *in, int out, uint64_t max, char **ret_error) {
        _cleanup_(member_list_done) MemberList members = {};
        size_t member;

        int r = list_members(kind, in, &members, ret_error);
        if (r >= 0)
                r = member_list_choose(&members, &member, ret_error);
        if (r >= 0)
                r = extract_member(kind, in, member, out, max, ret_error);
        if (r >= 0)
                fprintf(stderr, "the image is %s\n", members.members[member].name);
        return r;
}

int archive_extract(ArchiveKind kind, int in, uint64_t offset, uint64_t length, int out, uint64_t max,
                char **ret_error) {
        if (kind == ARCHIVE_GZIP) {
                SparseWriter w = { .fd = out, .max = max };
                int r = gunzip(in, offset, length, &w, ret_error);
                return r >= 0 ? sparse_finish(&w) : write_error(r, max, ret_error);
        }
        _cleanup_free_ Input *input = new0(Input, 1);
        if (!input)
                return -ENOMEM;
        *input = (Input){ .fd = in, .start = offset, .length = length };
        if (kind == ARCHIVE_ZIP || kind == ARCHIVE_7Z)
                return extract_container(kind, input, out, max, ret_error);
        return extract_member(kind, input, 0, out, max, ret_error);
}

int verb_extract(int argc, char *argv[]) {
        _cleanup_free_ char *why = NULL;
        uint64_t offset, length, max;
        ArchiveKind kind = argc == 4 ? archive_kind_from_string(argv[0]) : _ARCHIVE_INVALID;

        if (kind < 0 || parse_uint64(argv[1], &offset) < 0 || parse_uint64(argv[2], &length) < 0 ||
                        parse_uint64(argv[3], &max) < 0) {
                fprintf(stderr, "KIND OFFSET LENGTH MAX must be given\n");
                return EXTRACT_REFUSED;
        }
        int r = archive_extract(kind, INPUT_FD, offset, length, STDOUT_FILENO, max, &why);
        if (r >= 0)
                return 0;
        fprintf(stderr, "%s\n", why ? why : strerror(-r));
        return r == -ENOSPC || r == -EDQUOT ? EXTRACT_NO_SPACE
                        : r == -EIO         ? EXTRACT_IO_ERROR
                                            : EXTRACT_REFUSED;
}
