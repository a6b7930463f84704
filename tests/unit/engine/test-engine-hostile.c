/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* NBD servers that lie or say nothing: an error, or a right result, but never a hang or a crash. */

#include <fcntl.h>
#include <sys/socket.h>

#include "basic/fd-util.h"
#include "unit/lib/fake-nbd.h"

#define DISK (4 * MIB)

static void assert_all_0x55(const char *path) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *data = malloc(DISK);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pread_full(fd, data, DISK, 0), 0);
        ck_assert(data[0] == 0x55 && memcmp(data, data + 1, DISK - 1) == 0);
}

/* What a copy from each kind of server gives. */
static const struct {
        FakeNbd what;
        int result;
} cases[] = {
        { FAKE_HONEST, 0 },
        { FAKE_SIZE_HUGE, -EPROTO },
        { FAKE_EXTENT_EMPTY, -EPROTO },
        { FAKE_EXTENT_LONG, 0 },
        { FAKE_EXTENT_TINY, 0 },
        { FAKE_EXTENT_NONE, -EPROTO },
        { FAKE_EXTENT_MANY, 0 },
        { FAKE_EXTENT_OTHER_CONTEXT, -EPROTO },
        { FAKE_EXTENT_ERROR, 0 }, /* then all is data */
        { FAKE_READ_SHORT, -EPROTO },
        { FAKE_READ_OUTSIDE, -EPROTO },
        { FAKE_READ_ENDLESS, -EPROTO },
        { FAKE_READ_GARBAGE, -EPROTO },
        { FAKE_READ_HANGUP, -ECONNRESET },
        { FAKE_READ_END, -ECONNRESET },
        { FAKE_READ_END_BETWEEN, -ECONNRESET },
        { FAKE_READ_UNASKED, -EPROTO },
};

START_TEST(a_lying_server_gives_an_error_or_a_right_copy) {
        _cleanup_test_dir_ char *dir = test_dir();
        ck_assert_uint_eq(ELEMENTSOF(cases), _FAKE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *part = strprintf("%s/part%zu", dir, i),
                                    *image = strprintf("%s/image", part);
                _cleanup_server_ Server s = serve_fake(dir, "s", cases[i].what, DISK);
                _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", s.socket);

                t.options.stall_timeout = 5 * USEC_PER_SEC;
                int r = test_copy(&t);
                ck_assert_msg(r == cases[i].result, "case %d: %d (%s), not %d", (int) cases[i].what, r,
                                strna(t.error), cases[i].result);
                if (r == 0)
                        assert_all_0x55(image);
        }
}
END_TEST

START_TEST(a_size_that_changes_between_servers_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *part = strprintf("%s/part", dir);
        _cleanup_server_ Server a = serve_fake(dir, "a", FAKE_HONEST, DISK),
                                b = serve_fake(dir, "b", FAKE_HONEST, DISK + 1);
        _cleanup_copy_ TestCopy t = TEST_COPY(part, "raw", a.socket, b.socket);

        ck_assert_int_eq(test_copy(&t), -EPROTO);
}
END_TEST

/* Nobody accepts, so the handshake never comes. */
START_TEST(a_server_that_says_nothing_is_given_up) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/silent.sock", dir), *error = NULL, *cancelled = NULL;
        _cleanup_close_ _unused_ int fd = listen_at(path);
        int pipe_fds[2];
        char *uris[] = { path, NULL };
        NbdOptions o = { .uris = uris, .timeout = 50 * USEC_PER_MSEC, .cancel_fd = -1, .label = "source" };
        Endpoint *e = NULL;

        ck_assert_int_eq(endpoint_nbd_new(&o, &e, &error), -ETIMEDOUT);
        ck_assert_str_eq(error, "connecting to the NBD server of source: Connection timed out");

        ck_assert_int_eq(pipe(pipe_fds), 0);
        close(pipe_fds[1]); /* hung up is readable */
        o.timeout = 0;
        o.cancel_fd = pipe_fds[0];
        ck_assert_int_eq(endpoint_nbd_new(&o, &e, &cancelled), -ECANCELED);
        close(pipe_fds[0]);
}
END_TEST

START_TEST(errors_do_not_quote_the_uri) {
        char *uris[] = { (char *) "nbds+unix://secret-user@/x?socket=/nonexistent/s.sock", NULL };
        const NbdOptions o = { .uris = uris, .cancel_fd = -1, .label = "source" };
        _cleanup_free_ char *error = NULL;
        Endpoint *e = NULL;

        ck_assert_int_lt(endpoint_nbd_new(&o, &e, &error), 0);
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_null(strstr(error, "secret-user"));
}
END_TEST

TEST_MAIN("engine-hostile", a_lying_server_gives_an_error_or_a_right_copy,
                a_size_that_changes_between_servers_is_refused, a_server_that_says_nothing_is_given_up,
                errors_do_not_quote_the_uri)
