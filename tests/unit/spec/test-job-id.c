/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/wait.h>

#include "spec/job-spec.h"
#include "unit/lib/test.h"

/* What systemd-escape(1) makes of @id. */
static char *systemd_escape(const char *id) {
        char buf[1024];
        int fds[2], status;

        ck_assert_int_eq(pipe(fds), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                dup2(fds[1], STDOUT_FILENO);
                execlp("systemd-escape", "systemd-escape", "--template=hyper-job-@.service", "--", id, NULL);
                _exit(127);
        }
        close(fds[1]);
        ssize_t n = read(fds[0], buf, sizeof(buf) - 1);
        close(fds[0]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_gt(n, 1);
        buf[n - 1] = 0;
        /* "hyper-job-@x.service": a template is the only way to have a whole name escaped as an instance */
        char *at = strchr(buf, '@');
        ck_assert_ptr_nonnull(at);
        memmove(at, at + 1, strlen(at));
        return strdup(buf);
}

START_TEST(ids_are_plain_words) {
        _cleanup_free_ char *longest = malloc(130);
        static const char *const good[] = { "a", "0", "a.b", "a:b", "a_b", "a-b", "Z9..", "a--b",
                "550e8400-e29b-41d4-a716-446655440000" };
        static const char *const bad[] = { "", ".", "..", "-a", "_a", ":a", ".a", "a/b", "a b", "a\n",
                "\xc3\xa4", "a@b", "a\\x2d", "a%n" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert_msg(job_id_is_valid(good[i]), "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!job_id_is_valid(bad[i]), "%s", bad[i]);
        memset(longest, 'a', 129);
        longest[129] = 0;
        ck_assert(!job_id_is_valid(longest));
        longest[128] = 0;
        ck_assert(job_id_is_valid(longest));

        /* The unit's name, where a dash takes four characters, must not become longer than systemd takes. */
        memset(longest + 1, '-', 36);
        ck_assert(job_id_is_valid(longest));
        _cleanup_free_ char *unit = job_unit_name(longest);
        ck_assert_uint_le(strlen(unit), 255);
        longest[37] = '-';
        ck_assert(!job_id_is_valid(longest));
}
END_TEST

START_TEST(made_ids_are_random_uuids) {
        _cleanup_free_ char *a = NULL, *b = NULL;

        ck_assert_int_eq(job_id_make(&a), 0);
        ck_assert_int_eq(job_id_make(&b), 0);
        ck_assert_uint_eq(strlen(a), 36);
        ck_assert_int_eq(a[14], '4');
        ck_assert_ptr_nonnull(strchr("89ab", a[19]));
        ck_assert_str_ne(a, b);
        ck_assert(job_id_is_valid(a));
}
END_TEST

START_TEST(unit_names_are_escaped_as_systemd_does) {
        static const char *const ids[] = { "a", "a-b", "a.b", "a:b_c", "a..",
                "550e8400-e29b-41d4-a716-446655440000", "A--Z", ".a", "a/b", "a b", "x\\y", "\xc3\xa4" };

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                _cleanup_free_ char *unit = job_unit_name(ids[i]), *expected = systemd_escape(ids[i]);

                ck_assert_str_eq(unit, expected);
        }
}
END_TEST

START_TEST(unit_names_lead_back_to_their_ids) {
        static const char *const ids[] = { "a", "a-b.c:d_e", "550e8400-e29b-41d4-a716-446655440000" };
        static const char *const bad[] = { "", "hyper-job-.service", "hyper-job-a", "hyper-job-a.timer",
                "hyper-managerd.service", "hyper-job-a-b.service", "hyper-job-a\\x2.service",
                "hyper-job-a\\x2D.service", "hyper-job-\\x61.service", "hyper-job-a\\x00.service",
                "hyper-job-.service.service" };
        char *id = NULL;

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                _cleanup_free_ char *unit = job_unit_name(ids[i]), *back = NULL;

                ck_assert_int_eq(job_id_from_unit_name(unit, &back), 0);
                ck_assert_str_eq(back, ids[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(job_id_from_unit_name(bad[i], &id) == -EINVAL, "%s", bad[i]);
        ck_assert_ptr_null(id);
}
END_TEST

START_TEST(directory_names_stay_in_their_directory) {
        static const char *const ids[] = { ".", "..", "../x", "/", "." };

        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                _cleanup_free_ char *name = job_escape_id(ids[i]);

                ck_assert_str_ne(name, ".");
                ck_assert_str_ne(name, "..");
                ck_assert_ptr_null(strchr(name, '/'));
        }
}
END_TEST

TEST_MAIN("job-id", ids_are_plain_words, made_ids_are_random_uuids, unit_names_are_escaped_as_systemd_does,
                unit_names_lead_back_to_their_ids, directory_names_stay_in_their_directory)
