/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* That what is written is handed to the disk while the copy goes on, in a bounded window. The system call is
 * ours here, so that it can be watched and made to fail. */

#include <fcntl.h>

#include "engine/writeback.h"
#include "unit/lib/engine-util.h"

#define CALLS_MAX 4096

static struct Call {
        int64_t offset, length;
        unsigned flags;
} calls[CALLS_MAX];
static size_t n_calls, fail_at = SIZE_MAX;
static int fail_with;

int sync_file_range(int fd, off_t offset, off_t length, unsigned flags) {
        ck_assert_uint_lt(n_calls, CALLS_MAX);
        calls[n_calls] = (struct Call){ .offset = offset, .length = length, .flags = flags };
        if (n_calls++ >= fail_at) {
                errno = fail_with;
                return -1;
        }
        return 0;
}

static void begin(Writeback *w, uint64_t start) {
        n_calls = 0;
        fail_at = SIZE_MAX;
        writeback_init(w);
        writeback_start(w, 99, start);
}

static bool waits(const struct Call *c) {
        return c->flags & SYNC_FILE_RANGE_WAIT_AFTER;
}

START_TEST(the_disk_gets_each_byte_once_and_soon) {
        Writeback w;
        uint64_t given = 4096, complete = 4096, end = 4096;

        begin(&w, end);
        for (unsigned i = 0; i < 1000; i++) {
                size_t before = n_calls;

                end += 256 * KIB;
                ck_assert_int_eq(writeback_written(&w, end, 256 * KIB), 0);
                for (size_t k = before; k < n_calls; k++) {
                        uint64_t *at = waits(&calls[k]) ? &complete : &given;
                        ck_assert_uint_eq((uint64_t) calls[k].offset, *at);
                        *at += (uint64_t) calls[k].length;
                        ck_assert(calls[k].flags & SYNC_FILE_RANGE_WRITE);
                }
                ck_assert_uint_lt(end - given, WRITEBACK_STEP);
                ck_assert_uint_le(given - complete, WRITEBACK_STEP * WRITEBACK_STEPS);
        }
        ck_assert_uint_gt(complete, 4096);
}
END_TEST

/* A step is what was written, not how far that lies apart: holes cost nothing. */
START_TEST(holes_do_not_count) {
        Writeback w;

        begin(&w, 0);
        for (uint64_t i = 1; i <= 16; i++)
                ck_assert_int_eq(writeback_written(&w, i * GIB, 4096), 0);
        ck_assert_uint_eq(n_calls, 0);
        ck_assert_int_eq(writeback_written(&w, 17 * GIB, WRITEBACK_STEP), 0);
        ck_assert_uint_eq(n_calls, 1);
        ck_assert_int_eq(calls[0].offset, 0);
        ck_assert_uint_eq((uint64_t) calls[0].length, 17 * GIB);
}
END_TEST

START_TEST(a_file_system_without_it_is_left_alone) {
        static const int errors[] = { ENOSYS, EPERM, EINVAL, ESPIPE, EOPNOTSUPP };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                Writeback w;
                begin(&w, 0);
                fail_at = 0;
                fail_with = errors[i];
                ck_assert_int_eq(writeback_written(&w, WRITEBACK_STEP, WRITEBACK_STEP), 0);
                ck_assert_int_eq(writeback_written(&w, 2 * WRITEBACK_STEP, WRITEBACK_STEP), 0);
                ck_assert_uint_eq(n_calls, 1);
        }
}
END_TEST

/* The kernel tells of an error once: here, and then fsync() succeeds. */
START_TEST(an_error_of_the_disk_fails_the_copy) {
        static const int errors[] = { EIO, ENOSPC };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                _cleanup_test_dir_ char *dir = test_dir();
                _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir);
                make_disk(raw, 64 * MIB);
                _cleanup_server_ Server s = SERVE_QEMU(dir, "source", "raw", "--read-only", raw);
                const char *const formats[] = { "raw", "qcow2" };

                for (size_t k = 0; k < ELEMENTSOF(formats); k++) {
                        _cleanup_copy_ TestCopy t = TEST_COPY(part, formats[k], s.socket);
                        n_calls = 0;
                        fail_at = 0;
                        fail_with = errors[i];
                        ck_assert_int_eq(test_copy(&t), -errors[i]);
                        ck_assert_uint_gt(n_calls, 0);
                        ck_assert_ptr_nonnull(strstr(t.error, "writing "));
                        /* The file system says of the lost data that it is there: no checkpoint may speak of
                         * it. */
                        ck_assert_uint_eq(saved_watermark(part), 0);
                        RUN_OK("rm", "-rf", part);
                }
        }
}
END_TEST

TEST_MAIN("engine-writeback", the_disk_gets_each_byte_once_and_soon, holes_do_not_count,
                a_file_system_without_it_is_left_alone, an_error_of_the_disk_fails_the_copy)
