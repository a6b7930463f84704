/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pages of the worker API and of the v1 API over HTTP, with the files that ship: each is there, says what
 * it is, and is sent once. That a browser makes a page of them is a system test. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "api/v1/v1-routes.h"
#include "api/worker/worker-routes.h"
#include "basic/fd-util.h"
#include "unit/lib/api-test.h"
#include "unit/lib/test.h"

static char *pages_directory(void) {
        const char *srcdir = getenv("srcdir");

        return strprintf("%s/src/api/openapi/pages", srcdir ? srcdir : ".");
}

static void assert_header(const TestReply *r, const char *name, const char *wanted) {
        _cleanup_free_ char *value = test_header(r, name);

        ck_assert_msg(streq_ptr(value, wanted), "%s is %s, not %s", name, strna(value), strna(wanted));
}

#define ASK(s, reply, method, path, more)                                                              \
        test_request((s), (reply), "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", \
                        method, path, more)

static const struct {
        const char *path, *file, *content_type;
} pages[] = {
        { "/docs", "docs.html", "text/html; charset=utf-8" },
        { "/docs/docs.js", "docs.js", "text/javascript; charset=utf-8" },
        { "/docs/swagger-ui-bundle.js", "swagger-ui-bundle.js", "text/javascript; charset=utf-8" },
        { "/docs/swagger-ui.css", "swagger-ui.css", "text/css; charset=utf-8" },
        { "/redoc", "redoc.html", "text/html; charset=utf-8" },
        { "/docs/redoc.js", "redoc.js", "text/javascript; charset=utf-8" },
        { "/docs/redoc.standalone.js", "redoc.standalone.js", "text/javascript; charset=utf-8" },
};

#define CONFIG(pages)                                                                             \
        {                                                                                         \
                .database = "/nonexistent/hyper.db", .bus_address = "unix:path=/nonexistent/bus", \
                .pages_directory = (pages)                                                        \
        }

START_TEST(each_file_is_served_as_what_it_is) {
        _cleanup_free_ char *directory = pages_directory();
        const ApiConfig config = CONFIG(directory);
        TestServer s;

        test_server_start(&s, AF_INET, &worker_dialect, &config);
        for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directory, pages[i].file), *content = NULL,
                                    *policy = NULL;
                _cleanup_reply_ TestReply r = {};
                size_t size;

                ck_assert_int_eq(read_file_at(AT_FDCWD, path, 16 * 1024 * 1024, &content, &size), 0);
                ASK(&s, &r, "GET", pages[i].path, "");
                ck_assert_uint_eq(r.status, 200);
                ck_assert_uint_eq(r.body_size, size);
                ck_assert(memcmp(r.body, content, size) == 0);
                assert_header(&r, "Content-Type", pages[i].content_type);
                assert_header(&r, "Cache-Control", "no-cache");
                assert_header(&r, "X-Content-Type-Options", "nosniff");
                policy = test_header(&r, "Content-Security-Policy");
                ck_assert_ptr_nonnull(strstr(policy, "script-src 'self';"));
        }
        ck_assert_int_eq(test_server_stop(&s), 0);
}
END_TEST

START_TEST(the_v1_api_has_them_below_its_prefix) {
        static const char *const paths[] = { "/api/v1/docs", "/api/v1/docs/docs.js",
                "/api/v1/docs/swagger-ui.css", "/docs", "/docs/swagger-ui-bundle.js" };
        _cleanup_free_ char *directory = pages_directory();
        const ApiConfig config = CONFIG(directory);
        TestServer s;

        test_server_start(&s, AF_INET, &v1_dialect, &config);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_reply_ TestReply r = {};

                ASK(&s, &r, "GET", paths[i], "");
                ck_assert_msg(r.status == 200, "%s: %u", paths[i], r.status);
        }
        ck_assert_int_eq(test_server_stop(&s), 0);
}
END_TEST

START_TEST(pages_name_files_that_are_served) {
        static const char *const names[] = { "docs.html", "redoc.html" };
        _cleanup_free_ char *directory = pages_directory();
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directory, names[i]), *text = NULL;

                ck_assert_int_eq(read_file_at(AT_FDCWD, path, 65536, &text, NULL), 0);
                ck_assert_msg(!strstr(text, "<script>"), "%s has a script in it", names[i]);
                ck_assert_msg(!strstr(text, "//"), "%s names another host", names[i]);
                /* The v1 API is below /api/v1. */
                ck_assert_msg(!strstr(text, "\"/"), "%s has an absolute path", names[i]);
                for (const char *p = strstr(text, "\"docs/"); p; p = strstr(p + 1, "\"docs/"), n++) {
                        _cleanup_free_ char *name = strprintf("/%.*s", (int) strcspn(p + 1, "\""), p + 1);
                        bool known = false;

                        for (size_t j = 0; j < ELEMENTSOF(pages); j++)
                                known = known || streq(pages[j].path, name);
                        ck_assert_msg(known, "%s is in %s, and is not served", name, names[i]);
                }
        }
        ck_assert_uint_eq(n, 5);
}
END_TEST

START_TEST(a_file_is_sent_once_until_it_is_another) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *file = strprintf("%s/docs.html", dir);
        const ApiConfig config = CONFIG(dir);
        TestServer s;

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, file, "one", 3, 0644), 0);
        test_server_start(&s, AF_INET, &worker_dialect, &config);

        _cleanup_reply_ TestReply first = {}, again = {}, head = {}, changed = {};
        ASK(&s, &first, "GET", "/docs", "");
        ck_assert_uint_eq(first.status, 200);
        _cleanup_free_ char *tag = test_header(&first, "ETag"), *condition = NULL;
        ck_assert_ptr_nonnull(tag);
        condition = strprintf("If-None-Match: %s\r\n", tag);

        ASK(&s, &again, "GET", "/docs", condition);
        ck_assert_uint_eq(again.status, 304);
        ck_assert_uint_eq(again.body_size, 0);
        assert_header(&again, "ETag", tag);

        ck_assert_int_eq(write_file_atomic_at(AT_FDCWD, file, "another", 7, 0644), 0);
        ASK(&s, &changed, "GET", "/docs", condition);
        ck_assert_uint_eq(changed.status, 200);
        ck_assert_uint_eq(changed.body_size, 7);

        int fd = test_connect(&s);
        test_send(fd, "HEAD /docs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        test_read_reply_full(fd, true, &head);
        close(fd);
        ck_assert_uint_eq(head.status, 200);
        assert_header(&head, "Content-Length", "7");
        ck_assert_int_eq(test_server_stop(&s), 0);
}
END_TEST

START_TEST(nothing_else_of_the_directory_is_served) {
        static const char *const others[] = { "/docs/README.md", "/docs/docs.html", "/docs/..",
                "/docs/%2e%2e%2fworker.h", "/docs/..%2f..%2fworker%2fworker.h", "/docs/redoc.LICENSE",
                "/docs/x/docs.js" };
        _cleanup_free_ char *directory = pages_directory();
        const ApiConfig config = CONFIG(directory);
        TestServer s;

        test_server_start(&s, AF_INET, &worker_dialect, &config);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                _cleanup_reply_ TestReply r = {};

                ASK(&s, &r, "GET", others[i], "");
                ck_assert_msg(r.status == 404 || r.status == 400, "%s: %u", others[i], r.status);
        }
        ck_assert_int_eq(test_server_stop(&s), 0);
}
END_TEST

START_TEST(pages_that_are_not_installed_are_told_as_such) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *directory = strprintf("%s/redoc.html", dir);
        const ApiConfig config = CONFIG(dir);
        _cleanup_reply_ TestReply missing = {}, odd = {};
        TestServer s;

        ck_assert_int_eq(mkdir(directory, 0755), 0);
        test_server_start(&s, AF_INET, &worker_dialect, &config);
        ASK(&s, &missing, "GET", "/docs", "");
        ck_assert_uint_eq(missing.status, 404);
        ck_assert_ptr_nonnull(strstr(missing.body, "not installed"));
        assert_header(&missing, "Cache-Control", "no-store");
        ASK(&s, &odd, "GET", "/redoc", "");
        ck_assert_uint_eq(odd.status, 500);
        ck_assert_int_eq(test_server_stop(&s), 0);
}
END_TEST

TEST_MAIN("docs-pages", each_file_is_served_as_what_it_is, the_v1_api_has_them_below_its_prefix,
                pages_name_files_that_are_served, a_file_is_sent_once_until_it_is_another,
                nothing_else_of_the_directory_is_served, pages_that_are_not_installed_are_told_as_such)
