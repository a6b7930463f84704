/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/eventfd.h>

#include "basic/fd-util.h"
#include "engine/compare.h"
#include "engine/endpoint-file.h"
#include "unit/lib/engine-util.h"

typedef struct Pair {
        char *dir, *a, *b;
        Server servers[2];
} Pair;

static void pair_init(Pair *p, uint64_t a_size, uint64_t b_size) {
        *p = (Pair){ .dir = test_dir() };
        p->a = strprintf("%s/a.raw", p->dir);
        p->b = strprintf("%s/b.raw", p->dir);
        make_disk(p->a, a_size);
        RUN_OK("cp", "--sparse=always", p->a, p->b);
        ck_assert_int_eq(truncate(p->b, (off_t) b_size), 0);
}

static void pair_done(Pair *p) {
        for (unsigned i = 0; i < 2; i++)
                server_done(&p->servers[i]);
        free(p->a);
        free(p->b);
        test_dir_freep(&p->dir);
}
#define _cleanup_pair_ _cleanup_(pair_done)

static void put_byte(const char *path, uint64_t offset, char value) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);

        ck_assert_int_eq(pwrite_full(fd, &value, 1, offset), 0);
}

/* The second server knows of no holes. */
static int compare(Pair *p, const CopyOptions *options, uint64_t *ret_offset, char **ret_error) {
        for (unsigned i = 0; i < 2; i++)
                server_done(&p->servers[i]);
        p->servers[0] = SERVE_NBDKIT(p->dir, "a", "-r", "file", p->a);
        p->servers[1] = SERVE_NBDKIT(p->dir, "b", "-r", "--filter=noextents", "file", p->b);
        _cleanup_endpoint_ Endpoint *a = open_nbd(p->servers[0].socket, 0, "a"),
                                    *b = open_nbd(p->servers[1].socket, 0, "b");
        const CopyOptions defaults = { .cancel_fd = -1 };

        return compare_run(a, b, options ? options : &defaults, ret_offset, ret_error);
}

START_TEST(equal_disks_are_equal) {
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        uint64_t offset;

        pair_init(&p, 8 * MIB + 513, 8 * MIB + 513);
        ck_assert_int_eq(compare(&p, NULL, &offset, &error), 1);
}
END_TEST

START_TEST(empty_disks_are_equal) {
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        uint64_t offset;

        pair_init(&p, 0, 0);
        ck_assert_int_eq(compare(&p, NULL, &offset, &error), 1);
}
END_TEST

static Endpoint *open_sparse(const char *path, uint64_t size) {
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const FileRange range = { .fd = fd, .length = size };
        Endpoint *e;

        ck_assert_int_eq(ftruncate(fd, (off_t) size), 0);
        ck_assert_int_eq(endpoint_file_new(&range, 1, path, &e), 0);
        return e;
}

/* Nothing waits for the next report. */
START_TEST(a_disk_of_holes_is_compared_at_once) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path_a = strprintf("%s/a", dir), *path_b = strprintf("%s/b", dir),
                            *error = NULL;
        _cleanup_endpoint_ Endpoint *a = open_sparse(path_a, TIB), *b = open_sparse(path_b, TIB);
        const CopyOptions options = { .cancel_fd = -1, .progress_interval = USEC_PER_HOUR };
        uint64_t offset;

        ck_assert_int_eq(compare_run(a, b, &options, &offset, &error), 1);
        put_byte(path_b, 1000 * GIB, 'x');
        ck_assert_int_eq(compare_run(a, b, &options, &offset, &error), 0);
        ck_assert_uint_eq(offset, 1000 * GIB);
}
END_TEST

START_TEST(the_first_difference_is_told) {
        /* In data, in a hole, at borders, at both ends. */
        const uint64_t offsets[] = { 8 * MIB - 1, 5 * MIB + 3, 7 * 128 * KIB + 77, 65536, 65535, 0 };
        _cleanup_pair_ Pair p;

        pair_init(&p, 8 * MIB, 8 * MIB);
        for (size_t i = 0; i < ELEMENTSOF(offsets); i++) {
                _cleanup_free_ char *error = NULL;
                uint64_t offset = UINT64_MAX;
                _cleanup_close_ int fd = open(p.b, O_RDONLY | O_CLOEXEC);
                char old;

                ck_assert_int_eq(pread_full(fd, &old, 1, offsets[i]), 0);
                put_byte(p.b, offsets[i], (char) ~old);
                ck_assert_int_eq(compare(&p, NULL, &offset, &error), 0);
                ck_assert_uint_eq(offset, offsets[i]);
        }
}
END_TEST

START_TEST(what_is_longer_must_end_in_zeroes) {
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        uint64_t offset = 0;

        pair_init(&p, MIB + 513, 3 * MIB);
        ck_assert_int_eq(compare(&p, NULL, &offset, &error), 1);
        put_byte(p.b, 2 * MIB + 1, 1);
        ck_assert_int_eq(compare(&p, NULL, &offset, &error), 0);
        ck_assert_uint_eq(offset, 2 * MIB + 1);
        put_byte(p.b, MIB + 513, 1);
        ck_assert_int_eq(compare(&p, NULL, &offset, &error), 0);
        ck_assert_uint_eq(offset, MIB + 513);
}
END_TEST

typedef struct Seen {
        uint64_t position, total;
        int cancel_fd;
} Seen;

static int note(const CopyProgress *c, void *userdata) {
        Seen *seen = userdata;

        ck_assert_uint_ge(c->position, seen->position);
        seen->position = c->position;
        seen->total = c->total;
        return 0;
}

static int cancel(const CopyProgress *c, void *userdata) {
        Seen *seen = userdata;

        return eventfd_write(seen->cancel_fd, 1) < 0 ? -errno : 0;
}

START_TEST(progress_is_told) {
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        Seen seen = {};
        const CopyOptions o = {
                .cancel_fd = -1, .progress = note, .userdata = &seen, .progress_interval = 1
        };
        uint64_t offset;

        pair_init(&p, 4 * MIB, 4 * MIB);
        ck_assert_int_eq(compare(&p, &o, &offset, &error), 1);
        ck_assert_uint_eq(seen.position, 4 * MIB);
        ck_assert_uint_eq(seen.total, 4 * MIB);
}
END_TEST

/* --- depth ----------------------------------------------------------------------------------------- */

#define BLOCK (64 * KIB)

/* A server that calls everything zero, and holds what @path does. */
static Server serve_liar(const char *dir, const char *path, uint64_t size) {
        _cleanup_free_ char *get_size = strprintf("get_size=echo %" PRIu64, size),
                            *extents = strprintf("extents=echo 0 %" PRIu64 " hole,zero", size),
                            *pread = strprintf(
                                            "pread=dd if=%s skip=$4 count=$3 iflag=count_bytes,skip_bytes",
                                            path);

        return SERVE_NBDKIT(dir, "liar", "-r", "eval", get_size, "can_extents=exit 0", extents, pread);
}

static int compare_with_liar(const char *byte_at_path, uint64_t size, CompareDepth zeroes,
                CompareReport *report, uint64_t *ret_offset) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *empty = strprintf("%s/empty.raw", dir), *error = NULL;
        _cleanup_close_ int fd = open(empty, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        const CompareMode mode = { .data = COMPARE_ALL, .zeroes = zeroes };
        const CopyOptions options = { .cancel_fd = -1 };

        ck_assert_int_eq(ftruncate(fd, (off_t) size), 0);
        _cleanup_server_ Server liar = serve_liar(dir, byte_at_path, size);
        _cleanup_server_ Server honest = SERVE_NBDKIT(dir, "honest", "-r", "file", empty);
        _cleanup_endpoint_ Endpoint *a = open_nbd(liar.socket, 0, "a"), *b = open_nbd(honest.socket, 0, "b");
        int r = compare_disks(a, b, &options, &mode, report, ret_offset, &error);
        ck_assert_msg(r >= 0, "%s", strna(error));
        return r;
}

/* What the first disk calls zero and is not: a sample finds it where it looks, and only there. */
START_TEST(what_is_called_zero_is_read_as_deep_as_asked) {
        static const struct {
                uint64_t block;
                int expected[3]; /* ALL, SAMPLE, TRUST */
        } cases[] = { { 0, { 0, 0, 1 } }, { 1, { 0, 1, 1 } }, { 64, { 0, 0, 1 } }, { 65, { 0, 1, 1 } },
                { 159, { 0, 0, 1 } } };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *path = strprintf("%s/disk.raw", dir);
        uint64_t size = 160 * BLOCK;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (CompareDepth depth = COMPARE_ALL; depth <= COMPARE_TRUST; depth++) {
                        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                        CompareReport report = {};
                        uint64_t offset = UINT64_MAX, at = cases[i].block * BLOCK + 77;

                        ck_assert_int_eq(ftruncate(fd, (off_t) size), 0);
                        put_byte(path, at, 1);
                        int r = compare_with_liar(path, size, depth, &report, &offset);
                        ck_assert_msg(r == cases[i].expected[depth], "block %" PRIu64 ", depth %d: %d",
                                        cases[i].block, (int) depth, r);
                        if (r == 0) {
                                ck_assert_uint_eq(offset, at);
                                continue;
                        }
                        ck_assert_uint_eq(report.data, 0);
                        ck_assert_uint_eq(report.zeroes + report.skipped, size);
                        ck_assert_uint_eq(report.zeroes, depth == COMPARE_SAMPLE ? 4 * BLOCK : 0);
                }
}
END_TEST

/* Only the part that was copied so far, and of its data a sample. */
START_TEST(a_part_can_be_sampled) {
        const CompareMode mode = { .data = COMPARE_SAMPLE, .zeroes = COMPARE_SAMPLE, .end = 4 * MIB };
        const CopyOptions options = { .cancel_fd = -1 };
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        uint64_t offset = 0;

        pair_init(&p, 8 * MIB, 8 * MIB);
        put_byte(p.b, 4 * MIB + 1, 77);
        for (unsigned i = 0; i < 2; i++) {
                p.servers[0] = SERVE_NBDKIT(p.dir, "a", "-r", "file", p.a);
                p.servers[1] = SERVE_NBDKIT(p.dir, "b", "-r", "--filter=noextents", "file", p.b);
                _cleanup_endpoint_ Endpoint *a = open_nbd(p.servers[0].socket, 0, "a"),
                                            *b = open_nbd(p.servers[1].socket, 0, "b");
                ck_assert_int_eq(
                                compare_disks(a, b, &options, &mode, NULL, &offset, &error), i == 0 ? 1 : 0);
                for (unsigned k = 0; k < 2; k++)
                        server_done(&p.servers[k]);
                put_byte(p.b, 4 * MIB - 1, 77);
        }
        ck_assert_uint_eq(offset, 4 * MIB - 1);
}
END_TEST

START_TEST(a_comparison_can_be_cancelled) {
        _cleanup_pair_ Pair p;
        _cleanup_free_ char *error = NULL;
        Seen seen = { .cancel_fd = eventfd(0, EFD_CLOEXEC) };
        const CopyOptions o = { .cancel_fd = seen.cancel_fd, .progress = cancel, .userdata = &seen };
        uint64_t offset;

        pair_init(&p, 4 * MIB, 4 * MIB);
        ck_assert_int_eq(compare(&p, &o, &offset, &error), -ECANCELED);
        close(seen.cancel_fd);
}
END_TEST

START_TEST(a_read_error_is_no_difference) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *error = NULL;
        _cleanup_server_ Server good = SERVE_NBDKIT(dir, "a", "pattern", "4M"),
                                bad = SERVE_NBDKIT(dir, "b", "--filter=error", "pattern", "4M",
                                                "error-pread=EIO", "error-pread-rate=100%");
        _cleanup_endpoint_ Endpoint *a = open_nbd(good.socket, 0, "the source"),
                                    *b = open_nbd(bad.socket, 0, "the copy");
        const CopyOptions o = { .cancel_fd = -1 };
        uint64_t offset;

        ck_assert_int_eq(compare_run(a, b, &o, &offset, &error), -EIO);
        ck_assert_ptr_nonnull(strstr(error, "of the copy: Input/output error"));
}
END_TEST

TEST_MAIN("engine-compare", equal_disks_are_equal, empty_disks_are_equal,
                a_disk_of_holes_is_compared_at_once, the_first_difference_is_told,
                what_is_longer_must_end_in_zeroes, progress_is_told,
                what_is_called_zero_is_read_as_deep_as_asked, a_part_can_be_sampled,
                a_comparison_can_be_cancelled, a_read_error_is_no_difference)
