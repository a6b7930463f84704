/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* /docs and /redoc: pages for people, made by the browser from /openapi.json. The files were installed
 * beside us (pages/README.md says where they are from). */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/http/reply.h"
#include "api/openapi/docs-pages.h"
#include "basic/fd-util.h"
#include "basic/string-util.h"

#define HTML "text/html; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"

/* Scripts are files of ours. Styles are not only: both pages make some of their own. Redoc searches in a
 * worker that it makes, too. */
#define CONTENT_SECURITY_POLICY                                                              \
        "default-src 'none'; script-src 'self'; worker-src blob:; style-src 'self' "         \
        "'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; " \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* What of the directory is served: a name that is not in here is not looked for. */
static const struct {
        const char *name, *content_type;
} files[] = {
        { "docs.js", SCRIPT },
        { "redoc.js", SCRIPT },
        { "redoc.standalone.js", SCRIPT },
        { "swagger-ui-bundle.js", SCRIPT },
        { "swagger-ui.css", STYLE },
};

/* Size and time of a file say whether it is still the same: it is replaced by installing another version. */
#define TAG_SIZE 64
static void make_tag(char buf[static TAG_SIZE], const struct stat *st) {
        (void) snprintf(buf, TAG_SIZE, "\"%" PRIx64 "-%" PRIx64 ".%lx\"", (uint64_t) st->st_size,
                        (uint64_t) st->st_mtim.tv_sec, (unsigned long) st->st_mtim.tv_nsec);
}

static int add_headers(Request *r, const char *tag) {
        static const char *const headers[][2] = {
                { "Cache-Control",
                                "no-cache" }, /* may be kept, if we are asked whether it is still the same */
                { "Content-Security-Policy", CONTENT_SECURITY_POLICY },
                { "X-Content-Type-Options", "nosniff" },
                { "Referrer-Policy", "no-referrer" },
        };
        int k = request_add_header(r, "ETag", tag);

        for (size_t i = 0; i < ELEMENTSOF(headers) && k >= 0; i++)
                k = request_add_header(r, headers[i][0], headers[i][1]);
        return k;
}

static int reply_page(Request *r, const char *name, const char *content_type) {
        _cleanup_free_ char *path = strprintf("%s/%s", api_pages_directory(request_api(r)), name);
        const char *known = request_header(r, "If-None-Match");
        _cleanup_close_ int fd = -EBADF;
        char tag[TAG_SIZE];
        struct stat st;
        int k;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return request_reply_error(r, 404, "This page is not installed: there is no %s.", path);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADF;

        make_tag(tag, &st);
        k = add_headers(r, tag);
        if (k < 0)
                return k;
        /* (A list of several, or a weak one, is not worth the trouble: then it is sent again.) */
        if (streq_ptr(known, tag))
                return request_reply_empty(r, 304);
        return request_reply_file(r, 200, content_type, TAKE_FD(fd), (uint64_t) st.st_size);
}

int docs_get_page(Request *r) {
        return reply_page(r, "docs.html", HTML);
}

int docs_get_redoc(Request *r) {
        return reply_page(r, "redoc.html", HTML);
}

int docs_get_file(Request *r) {
        const char *name = request_param(r, "file");

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (streq(files[i].name, name))
                        return reply_page(r, files[i].name, files[i].content_type);
        return request_reply_error(r, 404, "There is no file %s here.", name);
}

const Reply docs_page_replies[] = {
        { 200, { .type = SCHEMA_STRING, .description = "The page." }, HTML },
        { 304, { .description = "The page has not changed (If-None-Match)." }, .is_empty = true },
        {},
};

const Reply docs_file_replies[] = {
        { 200, { .type = SCHEMA_STRING, .description = "The file." }, "text/*" },
        { 304, { .description = "The file has not changed (If-None-Match)." }, .is_empty = true },
        {},
};
