/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every unit test shares: a main() around libcheck, and a temporary folder per test. */

#include <check.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/string-util.h"

static inline int test_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

/* A folder that is gone when the scope ends: _cleanup_test_dir_ char *dir = test_dir(); */
static inline char *test_dir(void) {
        char *dir = strprintf("%s/hyper-test.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");

        ck_assert_ptr_nonnull(dir);
        ck_assert_ptr_nonnull(mkdtemp(dir));
        return dir;
}

static inline void test_dir_freep(char **dir) {
        if (*dir)
                (void) nftw(*dir, test_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(*dir);
}
#define _cleanup_test_dir_ _cleanup_(test_dir_freep)

/* Runs one case of tests. Under valgrind and gdb set CK_FORK=no. */
#define TEST_MAIN(name, ...)                                   \
        int main(void) {                                       \
                const TTest *const tests[] = { __VA_ARGS__ };  \
                Suite *suite = suite_create(name);             \
                TCase *tcase = tcase_create(name);             \
                for (size_t i = 0; i < ELEMENTSOF(tests); i++) \
                        tcase_add_test(tcase, tests[i]);       \
                tcase_set_timeout(tcase, 60);                  \
                suite_add_tcase(suite, tcase);                 \
                SRunner *runner = srunner_create(suite);       \
                srunner_run_all(runner, CK_ENV);               \
                int failed = srunner_ntests_failed(runner);    \
                srunner_free(runner);                          \
                return failed > 0;                             \
        }
