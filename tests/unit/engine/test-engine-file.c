/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Disks that are read from files without a server: what is read, what is a hole, and what happens when a
 * file does not hold what it did. The calls that let the kernel copy are ours here, so that they can be
 * watched and refused.
 *
 * check: all */

#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd-util.h"
#include "engine/endpoint-file.h"
#include "unit/lib/engine-util.h"

static enum { KERNEL_COPIES, KERNEL_SHARES, KERNEL_REFUSES } kernel;
static unsigned n_clones, n_copies;

/* As file systems that share blocks do it: whole blocks only. */
int ioctl(int fd, unsigned long request, ...) {
        char buf[4096];
        va_list ap;

        va_start(ap, request);
        const struct file_clone_range *r = va_arg(ap, const struct file_clone_range *);
        va_end(ap);
        if (request != FICLONERANGE)
                return (int) syscall(SYS_ioctl, fd, request, r);
        n_clones++;
        if (kernel != KERNEL_SHARES) {
                errno = EOPNOTSUPP;
                return -1;
        }
        ck_assert_uint_eq(r->src_offset % 4096, 0);
        ck_assert_uint_eq(r->dest_offset % 4096, 0);
        ck_assert_uint_eq(r->src_length % 4096, 0);
        for (uint64_t at = 0; at < r->src_length; at += sizeof(buf)) {
                if (pread_full((int) r->src_fd, buf, sizeof(buf), r->src_offset + at) < 0) {
                        errno = EINVAL;
                        return -1;
                }
                ck_assert_int_eq(pwrite_full(fd, buf, sizeof(buf), r->dest_offset + at), 0);
        }
        return 0;
}

static off_t cut_behind; /* 0: the source is left alone; else its length when it has been copied so far */

/* Every other call copies less than it was asked for. */
ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t length, unsigned flags) {
        if (cut_behind > 0 && *in_at >= cut_behind)
                ck_assert_int_eq(ftruncate(in, cut_behind), 0);
        if (kernel == KERNEL_REFUSES) {
                errno = EXDEV;
                return -1;
        }
        size_t n = n_copies++ % 2 == 0 || length < 100 ? length : length / 2;
        return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

static Endpoint *open_ranges(const FileRange *ranges, size_t n) {
        Endpoint *e = NULL;

        ck_assert_int_eq(endpoint_file_new(ranges, n, "source", &e), 0);
        return e;
}

static int open_disk(const char *path, uint64_t *ret_size) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        *ret_size = (uint64_t) st.st_size;
        return fd;
}

/* Copies @source, which is freed, into the part directory; what copy_run() gave. */
static int copy_from(Endpoint *source, const char *part, const char *format, const CopyOptions *options,
                char **ret_error) {
        _cleanup_endpoint_ Endpoint *s = source, *d = NULL;
        _cleanup_(part_closep) Part *p = NULL;
        const CheckpointIdentity id = { .source = "a source", .size = s->size, .destination = format };
        uint64_t watermark = 0;

        (void) mkdir(part, 0700);
        _cleanup_close_ int dir_fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(part_open(dir_fd, &id, PART_OWN_IMAGE, &p, ret_error), 0);
        ck_assert_int_eq(part_open_endpoint(p, format, COMPRESSION_NONE, "destination", &d, &watermark,
                                         ret_error),
                        0);
        return copy_run(s, d, p, watermark, options, NULL, ret_error);
}

static const CopyOptions plain_options = { .cancel_fd = -1 };

static void assert_copies(const FileRange *ranges, size_t n, const char *part, const char *raw) {
        _cleanup_free_ char *image = strprintf("%s/image", part);

        for (kernel = KERNEL_COPIES; kernel <= KERNEL_REFUSES; kernel++) {
                _cleanup_free_ char *error = NULL;
                n_clones = n_copies = 0;
                ck_assert_msg(copy_from(open_ranges(ranges, n), part, "raw", &plain_options, &error) == 0,
                                "%s", strna(error));
                assert_same_file(raw, image);
                RUN_OK("rm", "-rf", part);
        }
        _cleanup_free_ char *error = NULL;
        ck_assert_msg(copy_from(open_ranges(ranges, n), part, "qcow2", &plain_options, &error) == 0, "%s",
                        strna(error));
        assert_good_qcow2(image, raw);
        RUN_OK("rm", "-rf", part);
}

START_TEST(raw_files_of_every_size_are_copied) {
        static const uint64_t sizes[] = { 1, 511, 512, 4095, 4096, 65535, 65537, MIB, 3 * MIB + 12345,
                20 * MIB };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir);

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                uint64_t size;
                make_disk(raw, sizes[i]);
                _cleanup_close_ int fd = open_disk(raw, &size);
                const FileRange range = { .fd = fd, .length = size };
                assert_copies(&range, 1, part, raw);
        }
}
END_TEST

/* As the extents of a VMDK: of any length, out of order in their files, with zeroes in no file between
 * them. */
START_TEST(a_disk_in_pieces_is_put_together) {
        static const uint64_t lengths[] = { 512, 65536, 1536, 3 * MIB + 512, 512, 200 * 512, 2 * MIB };
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *disk = strprintf("%s/disk", dir), *raw = strprintf("%s/raw", dir),
                            *part = strprintf("%s/part", dir), *buf = malloc(4 * MIB);
        FileRange ranges[ELEMENTSOF(lengths)];
        uint64_t size, from = 8 * MIB, to = 0;

        make_disk(disk, 8 * MIB);
        _cleanup_close_ int fd = open_disk(disk, &size);
        _cleanup_close_ int out = open(raw, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                from -= lengths[i];
                ranges[i] = (FileRange){ .fd = i % 3 == 1 ? -1 : fd, .offset = from, .length = lengths[i] };
                if (i % 3 != 1) {
                        ck_assert_int_eq(pread_full(fd, buf, lengths[i], from), 0);
                        ck_assert_int_eq(pwrite_full(out, buf, lengths[i], to), 0);
                }
                to += lengths[i];
        }
        ck_assert_int_eq(ftruncate(out, (off_t) to), 0);
        assert_copies(ranges, ELEMENTSOF(ranges), part, raw);
}
END_TEST

START_TEST(holes_are_neither_read_nor_written) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir),
                            *image = strprintf("%s/part/image", dir), *error = NULL;
        _cleanup_close_ int fd = open(raw, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        static const char zeroes[2 * MIB];
        struct stat st;

        ck_assert_int_eq(ftruncate(fd, (off_t) TIB), 0);
        ck_assert_int_eq(pwrite_full(fd, "a", 1, GIB), 0);
        ck_assert_int_eq(pwrite_full(fd, "b", 1, TIB - 1), 0);
        ck_assert_int_eq(pwrite_full(fd, zeroes, sizeof(zeroes), 2 * GIB), 0);
        const FileRange range = { .fd = fd, .length = TIB };
        Endpoint *e = open_ranges(&range, 1);
        /* Nothing waits for the next report. */
        CopyOptions options = plain_options;
        options.progress_interval = USEC_PER_HOUR;
        ck_assert_int_eq(copy_from(e, part, "raw", &options, &error), 0);
        ck_assert_int_eq(stat(image, &st), 0);
        ck_assert_uint_eq((uint64_t) st.st_size, TIB);
        /* Zeroes that were written become holes, too. */
        ck_assert_int_le(st.st_blocks * 512, 64 * (int64_t) KIB);
        assert_same_raw(raw, image);
}
END_TEST

START_TEST(blocks_are_shared_where_that_works) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir),
                            *error = NULL;
        uint64_t size;

        make_disk(raw, 8 * MIB);
        _cleanup_close_ int fd = open_disk(raw, &size);
        const FileRange range = { .fd = fd, .length = size };
        kernel = KERNEL_SHARES;
        n_clones = n_copies = 0;
        ck_assert_int_eq(copy_from(open_ranges(&range, 1), part, "raw", &plain_options, &error), 0);
        ck_assert_uint_gt(n_clones, 1);
        ck_assert_uint_eq(n_copies, 0);
        RUN_OK("rm", "-rf", part);
        /* And not asked for again where it does not. */
        kernel = KERNEL_COPIES;
        n_clones = 0;
        ck_assert_int_eq(copy_from(open_ranges(&range, 1), part, "raw", &plain_options, &error), 0);
        ck_assert_uint_eq(n_clones, 1);
        ck_assert_uint_gt(n_copies, 0);
}
END_TEST

/* Cuts the file off when the copy has come so far. */
typedef struct Cut {
        const char *path;
        uint64_t size;
        bool done;
} Cut;

static int cut_on_progress(const CopyProgress *p, void *userdata) {
        Cut *c = userdata;

        if (!c->done)
                ck_assert_int_eq(truncate(c->path, (off_t) c->size), 0);
        c->done = true;
        return 0;
}

static void assert_shrinking_fails(const char *format, bool hole) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir),
                            *error = NULL;
        uint64_t size;

        make_disk(raw, 16 * MIB);
        if (hole)
                ck_assert_int_eq(truncate(raw, (off_t) (64 * MIB)), 0);
        _cleanup_close_ int fd = open_disk(raw, &size);
        const FileRange range = { .fd = fd, .length = size };
        Cut cut = { .path = raw, .size = size - (hole ? 1 : 4096) };
        const CopyOptions o = { .cancel_fd = -1, .progress = cut_on_progress, .userdata = &cut };
        ck_assert_int_eq(copy_from(open_ranges(&range, 1), part, format, &o, &error), -EIO);
        ck_assert(cut.done);
        ck_assert_ptr_nonnull(strstr(error, "reading "));
        ck_assert_ptr_nonnull(strstr(error, "source"));
}

START_TEST(a_file_that_becomes_shorter_is_an_error) {
        static const char *const formats[] = { "raw", "qcow2" };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                for (kernel = KERNEL_COPIES; kernel <= KERNEL_REFUSES; kernel++)
                        assert_shrinking_fails(formats[i], false);
                assert_shrinking_fails(formats[i], true);
        }
}
END_TEST

START_TEST(what_was_copied_before_an_error_counts) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *raw = strprintf("%s/raw", dir), *part = strprintf("%s/part", dir),
                            *image = strprintf("%s/part/image", dir), *error = NULL, *again = NULL;

        make_disk(raw, 64 * MIB);
        _cleanup_close_ int fd = open(raw, O_RDWR | O_CLOEXEC);
        const FileRange ranges[] = { { .fd = fd, .length = 16 * MIB },
                { .fd = fd, .offset = 20 * MIB, .length = 44 * MIB } };
        kernel = KERNEL_COPIES;
        cut_behind = 40 * MIB;
        ck_assert_int_eq(copy_from(open_ranges(ranges, 2), part, "raw", &plain_options, &error), -EIO);
        ck_assert_uint_ge(saved_watermark(part), 32 * MIB);
        cut_behind = 0;
        make_disk(raw, 64 * MIB);
        ck_assert_int_eq(copy_from(open_ranges(ranges, 2), part, "raw", &plain_options, &again), 0);
        _cleanup_free_ char *a = malloc(44 * MIB), *b = malloc(44 * MIB);
        _cleanup_close_ int out = open(image, O_RDONLY | O_CLOEXEC);
        for (uint64_t i = 0, at = 0; i < 2; at += ranges[i++].length) {
                ck_assert_int_eq(pread_full(fd, a, ranges[i].length, ranges[i].offset), 0);
                ck_assert_int_eq(pread_full(out, b, ranges[i].length, at), 0);
                ck_assert_int_eq(memcmp(a, b, ranges[i].length), 0);
        }
}
END_TEST

TEST_MAIN("engine-file", raw_files_of_every_size_are_copied, a_disk_in_pieces_is_put_together,
                holes_are_neither_read_nor_written, blocks_are_shared_where_that_works,
                a_file_that_becomes_shorter_is_an_error, what_was_copied_before_an_error_counts)
