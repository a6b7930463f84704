/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/http/file-reply.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/http/range.h"
#include "api/http/reply.h"
#include "api/http/request-state.h"
#include "basic/fd-util.h"
#include "basic/log.h"
#include "basic/string-util.h"

#define BLOCK_SIZE ((size_t) 128 * 1024)
#define ETAG_SIZE 72

typedef struct FilePart {
        int fd;
        uint64_t offset;
        struct stat st; /* at the beginning */
} FilePart;

static void file_part_free(void *userdata) {
        FilePart *p = userdata;

        safe_close(p->fd);
        free(p);
}

static bool has_changed(const struct stat *a, const struct stat *b) {
        return a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
                        a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static ssize_t read_part(void *userdata, uint64_t position, char *buf, size_t max) {
        FilePart *p = userdata;
        struct stat st;
        ssize_t n = pread(p->fd, buf, max, (off_t) (p->offset + position));

        if (n <= 0 || fstat(p->fd, &st) < 0 || has_changed(&st, &p->st)) {
                log_info("A file that is being downloaded was changed, or cannot be read: the connection is "
                         "closed.");
                return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        return n;
}

static usec_t modified_at(const struct stat *st) {
        return st->st_mtim.tv_sec < 0 ? 0
                                      : (usec_t) st->st_mtim.tv_sec * USEC_PER_SEC +
                                        (usec_t) st->st_mtim.tv_nsec / NSEC_PER_USEC;
}

static bool date_is_before(const char *date, const struct stat *st) {
        usec_t t;

        return parse_http_date(date, &t) >= 0 && modified_at(st) >= t + USEC_PER_SEC;
}

/* The preconditions in the order of RFC 9110, 13.2.2: 0, or the status that is to be replied. */
static unsigned check_conditions(Request *r, const char *etag, const struct stat *st) {
        const char *match = request_header(r, MHD_HTTP_HEADER_IF_MATCH),
                   *none = request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH),
                   *since = request_header(r, MHD_HTTP_HEADER_IF_MODIFIED_SINCE),
                   *unmodified = request_header(r, MHD_HTTP_HEADER_IF_UNMODIFIED_SINCE);
        usec_t t;

        if (match ? !etag_list_contains(match, etag, false) : unmodified && date_is_before(unmodified, st))
                return MHD_HTTP_PRECONDITION_FAILED;
        if (none)
                return etag_list_contains(none, etag, true) ? MHD_HTTP_NOT_MODIFIED : 0;
        if (since && parse_http_date(since, &t) >= 0 && !date_is_before(since, st))
                return MHD_HTTP_NOT_MODIFIED;
        return 0;
}

/* If-Range: the part only if the file is the one that the client has a part of. A date has a resolution of a
 * second, so it is no strong validator of a file that may change within one. */
static bool range_applies(Request *r, const char *etag) {
        const char *condition = request_header(r, MHD_HTTP_HEADER_IF_RANGE);

        return !r->is_head && (!condition || streq(condition, etag));
}

static int add_range_header(Request *r, RangeKind kind, uint64_t offset, uint64_t length, uint64_t size) {
        char text[96];

        if (kind == RANGE_PART)
                (void) snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset,
                                offset + length - 1, size);
        else
                (void) snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
        return request_add_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

static int add_file_headers(Request *r, const char *etag, const struct stat *st, const char *name) {
        _cleanup_free_ char *disposition = attachment_header(name);
        char date[HTTP_DATE_SIZE];
        int k = disposition ? request_add_header(r, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition)
                            : -ENOMEM;

        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
        if (k >= 0)
                k = request_add_header(r, MHD_HTTP_HEADER_ETAG, etag);
        if (k >= 0)
                k = request_add_header(
                                r, MHD_HTTP_HEADER_LAST_MODIFIED, format_http_date(date, modified_at(st)));
        return k;
}

static int reply_part(Request *r, unsigned status, int fd, const struct stat *st, uint64_t offset,
                uint64_t length) {
        struct MHD_Response *response;
        FilePart *p = new0(FilePart, 1);

        if (!p) {
                safe_close(fd);
                return -ENOMEM;
        }
        *p = (FilePart){ .fd = fd, .offset = offset, .st = *st };
        response = MHD_create_response_from_callback(length, BLOCK_SIZE, read_part, p, file_part_free);
        if (!response) {
                file_part_free(p);
                return -ENOMEM;
        }
        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream") !=
                        MHD_YES) {
                MHD_destroy_response(response); /* which frees it */
                return -ENOMEM;
        }
        request_answer(r, status, response);
        return 0;
}

int request_reply_download(Request *r, int owned_fd, const char *name) {
        _cleanup_close_ int fd = owned_fd;
        char etag[ETAG_SIZE];
        uint64_t offset, length;
        struct stat st;
        int k;

        if (!r->connection) /* the client has disconnected */
                return 0;
        if (fstat(fd, &st) < 0)
                return -errno;
        (void) snprintf(etag, sizeof(etag), "\"%jx-%jx-%jx.%lx\"", (uintmax_t) st.st_ino,
                        (uintmax_t) st.st_size, (uintmax_t) st.st_mtim.tv_sec,
                        (unsigned long) st.st_mtim.tv_nsec);
        k = add_file_headers(r, etag, &st, name);
        if (k < 0)
                return k;
        unsigned status = check_conditions(r, etag, &st);
        if (status == MHD_HTTP_NOT_MODIFIED)
                return request_reply_empty(r, status);
        if (status > 0)
                return request_reply_error(r, status, "The file is not the one that If-Match names.");

        uint64_t size = (uint64_t) st.st_size;
        RangeKind kind = range_decode(
                        range_applies(r, etag) ? request_header(r, MHD_HTTP_HEADER_RANGE) : NULL, size,
                        &offset, &length);
        if (kind != RANGE_WHOLE)
                k = add_range_header(r, kind, offset, length, size);
        if (k < 0)
                return k;
        if (kind == RANGE_UNSATISFIABLE)
                return request_reply_error(r, MHD_HTTP_RANGE_NOT_SATISFIABLE,
                                "The file has %" PRIu64 " bytes, and none in this range.", size);
        return reply_part(r, kind == RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, TAKE_FD(fd), &st,
                        offset, length);
}
