/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <sys/eventfd.h>

#include "job/complaint.h"
#include "unit/lib/job-front.h"

static const ChildLimits plain = { .unconfined = true, .timeout = 30 * USEC_PER_SEC, .output_max = 65536 };

START_TEST(output_errors_and_status_are_told) {
        const char *const argv[] = { "sh", "-c",
                "echo out; echo first >&2; printf 'bad \\033[31m\\377\\n' >&2; exit 3", NULL };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &plain, -1, &o), 0);
        ck_assert_int_eq(WEXITSTATUS(o.status), 3);
        ck_assert_str_eq(o.output, "out\n");
        ck_assert_str_eq(o.errors, "first\nbad ?[31m?\n");
        _cleanup_free_ char *said = complaint_text(o.errors), *how = child_status_text(o.status);
        ck_assert_str_eq(said, "first; bad ?[31m?");
        ck_assert_str_eq(how, "exited with status 3");
}
END_TEST

START_TEST(the_environment_is_its_own) {
        const char *const argv[] = { "env", NULL };
        _cleanup_child_output_ ChildOutput o = {};

        setenv("HYPER_TEST_SECRET", "leaked", 1);
        ck_assert_int_eq(child_run(argv, &plain, -1, &o), 0);
        ck_assert_ptr_null(strstr(o.output, "leaked"));
        ck_assert_ptr_nonnull(strstr(o.output, "LC_ALL=C"));
}
END_TEST

START_TEST(no_descriptor_is_inherited) {
        const char *const argv[] = { "ls", "/proc/self/fd", NULL };
        _cleanup_child_output_ ChildOutput o = {};
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(child_run(argv, &plain, -1, &o), 0);
        ck_assert_str_eq(o.output, "0\n1\n2\n3\n"); /* 3: what ls reads */
        close(fd);
}
END_TEST

START_TEST(missing_programs_are_told) {
        const char *const argv[] = { "hyper-no-such-program", NULL },
                          *const path[] = { "/no/such/program", NULL };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &plain, -1, &o), -ENOENT);
        ck_assert_int_eq(child_run(path, &plain, -1, &o), -ENOENT);
}
END_TEST

START_TEST(time_is_limited) {
        const char *const argv[] = { "sleep", "60", NULL };
        ChildLimits limits = { .unconfined = true, .timeout = 50 * USEC_PER_MSEC, .output_max = 10 };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &limits, -1, &o), -ETIMEDOUT);
}
END_TEST

START_TEST(cpu_is_limited) {
        const char *const argv[] = { "sh", "-c", "while :; do :; done", NULL };
        ChildLimits limits = {
                .unconfined = true, .timeout = 30 * USEC_PER_SEC, .cpu_seconds = 1, .output_max = 10
        };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &limits, -1, &o), 0);
        ck_assert(WIFSIGNALED(o.status));
}
END_TEST

START_TEST(memory_is_limited) {
        const char *const argv[] = { "sh", "-c", "ulimit -v", NULL };
        ChildLimits limits = { .unconfined = true,
                .timeout = 30 * USEC_PER_SEC,
                .address_space = 256 * MIB,
                .output_max = 100 };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &limits, -1, &o), 0);
        ck_assert_str_eq(o.output, "262144\n");
}
END_TEST

START_TEST(output_is_limited) {
        const char *const argv[] = { "sh", "-c", "while :; do echo more; done", NULL };
        const char *const complaining[] = { "sh", "-c", "yes complaint | head -c 100000 >&2", NULL };
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &plain, -1, &o), -EFBIG);
        ck_assert_int_eq(child_run(complaining, &plain, -1, &o), 0);
        ck_assert_uint_eq(strlen(o.errors), 16 * 1024);
}
END_TEST

START_TEST(a_cancel_kills) {
        const char *const argv[] = { "sleep", "60", NULL };
        _cleanup_close_ int cancel = eventfd(1, EFD_CLOEXEC);
        _cleanup_child_output_ ChildOutput o = {};

        ck_assert_int_eq(child_run(argv, &plain, cancel, &o), -ECANCELED);
}
END_TEST

START_TEST(a_listening_socket_is_handed_over) {
        const char *const argv[] = { "sh", "-c",
                "test $LISTEN_PID -eq $$ && test $LISTEN_FDS = 1 && echo x >&3", NULL };
        int p[2], status;
        char c;
        pid_t pid;

        ck_assert_int_eq(pipe(p), 0);
        ck_assert_int_eq(child_spawn(argv, &plain, p[1], -1, -1, &pid), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(read(p[0], &c, 1), 1);
}
END_TEST

TEST_MAIN("child", output_errors_and_status_are_told, the_environment_is_its_own, no_descriptor_is_inherited,
                missing_programs_are_told, time_is_limited, cpu_is_limited, memory_is_limited,
                output_is_limited, a_cancel_kills, a_listening_socket_is_handed_over)
