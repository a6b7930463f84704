/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every unit test shares: a main() around libcheck, and a temporary directory per test. */

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/string-util.h"

static inline int test_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

/* A new directory; NULL on failure. */
static inline char *test_dir_make(void) {
        char *dir = strprintf("%s/hyper-test.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

        return dir && mkdtemp(dir) ? dir : mfree(dir);
}

/* A directory that is gone when the scope ends: _cleanup_test_dir_ char *dir = test_dir(); */
static inline char *test_dir(void) {
        char *dir = test_dir_make();

        ck_assert_ptr_nonnull(dir);
        return dir;
}

static inline void test_dir_freep(char **dir) {
        if (*dir)
                (void) nftw(*dir, test_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(*dir);
}
#define _cleanup_test_dir_ _cleanup_(test_dir_freep)

static inline TCase *test_case(const char *name, unsigned seconds, const TTest *const *tests, size_t n) {
        TCase *tcase = tcase_create(name);

        for (size_t i = 0; i < n; i++)
                tcase_add_test(tcase, tests[i]);
        tcase_set_timeout(tcase, seconds);
        return tcase;
}

/* Runs one case of tests; what main() returns. A test that fails ends without cleaning up, so all
 * directories are made in one, which goes with the last test. Under gdb set CK_FORK=no. */
static inline int test_run(const char *name, TCase *tcase) {
        _cleanup_test_dir_ char *dir = test_dir_make();
        Suite *suite = suite_create(name);
        SRunner *runner;
        int failed;

        /* Tests give up their rights, too. */
        if (!dir || chmod(dir, 0755) < 0 || setenv("TMPDIR", dir, true) < 0)
                return EXIT_FAILURE;
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed > 0;
}

#define TEST_MAIN(name, ...)                                                              \
        int main(void) {                                                                  \
                const TTest *const tests[] = { __VA_ARGS__ };                             \
                                                                                          \
                return test_run((name), test_case((name), 60, tests, ELEMENTSOF(tests))); \
        }
