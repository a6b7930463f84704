/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files that are read and written without a server, on a kernel that fails in every way it may: calls that do
 * less than was asked for, or nothing, or fail. The copy is right to the byte, or it is an error that names
 * the side which has failed. */

#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd-util.h"
#include "engine/endpoint-file.h"
#include "unit/lib/engine-util.h"

#define SIZE (12 * MIB + 12345)

/* --- the kernel ------------------------------------------------------------------------------------ */

typedef enum Call { CALL_READ, CALL_WRITE, CALL_COPY, CALL_CLONE, CALL_SEEK, _CALL_MAX } Call;

/* What happens to those of a kind that reach behind @from. */
typedef struct Fault {
        int error; /* 0: none; negative: it succeeds, but with so many bytes at most */
        off_t from;
} Fault;

static Fault faults[_CALL_MAX];
static atomic_uint n_calls[_CALL_MAX];
static atomic_uint n_interrupts; /* so many reads and writes are interrupted first */

/* 0: to be done, with @length bytes at most; -1: errno is set. */
static int meet(Call call, off_t at, size_t *length) {
        const Fault *f = &faults[call];

        n_calls[call]++;
        if (call == CALL_READ || call == CALL_WRITE) {
                unsigned n = n_interrupts;
                while (n > 0) /* other threads take theirs */
                        if (atomic_compare_exchange_weak(&n_interrupts, &n, n - 1)) {
                                errno = EINTR;
                                return -1;
                        }
        }
        if (f->error < 0)
                *length = MIN(*length, (size_t) -f->error);
        if (f->error <= 0 || at + (off_t) *length <= f->from)
                return 0;
        if (at < f->from && call != CALL_CLONE) { /* as far as it goes */
                *length = (size_t) (f->from - at);
                return 0;
        }
        errno = f->error;
        return -1;
}

static int source_fd = -1, destination_fd = -1;

static bool is_file_of(int fd, int known) {
        struct stat a, b;

        return known >= 0 && fstat(fd, &a) >= 0 && fstat(known, &b) >= 0 && a.st_ino == b.st_ino &&
                        a.st_dev == b.st_dev;
}

ssize_t pread(int fd, void *buf, size_t size, off_t at) {
        if (is_file_of(fd, source_fd) && meet(CALL_READ, at, &size) < 0)
                return -1;
        return syscall(SYS_pread64, fd, buf, size, at);
}

ssize_t pwrite(int fd, const void *buf, size_t size, off_t at) {
        if (is_file_of(fd, destination_fd) && meet(CALL_WRITE, at, &size) < 0)
                return -1;
        return syscall(SYS_pwrite64, fd, buf, size, at);
}

ssize_t copy_file_range(int in, off_t *in_at, int out, off_t *out_at, size_t size, unsigned flags) {
        if (meet(CALL_COPY, *out_at, &size) < 0)
                return -1;
        return size == 0 ? 0 : syscall(SYS_copy_file_range, in, in_at, out, out_at, size, flags);
}

off_t lseek(int fd, off_t at, int whence) {
        size_t one = 1;

        if ((whence == SEEK_DATA || whence == SEEK_HOLE) && meet(CALL_SEEK, at, &one) < 0)
                return -1;
        return syscall(SYS_lseek, fd, at, whence);
}

int ioctl(int fd, unsigned long request, ...) {
        va_list ap;
        va_start(ap, request);
        void *argument = va_arg(ap, void *);
        va_end(ap);
        const struct file_clone_range *r = argument;
        size_t size;

        if (request != FICLONERANGE)
                return (int) syscall(SYS_ioctl, fd, request, argument);
        size = r->src_length;
        if (meet(CALL_CLONE, (off_t) r->dest_offset, &size) < 0)
                return -1;
        for (uint64_t at = 0; at < r->src_length; at += KIB) {
                char buf[KIB];
                ck_assert_int_eq(syscall(SYS_pread64, (int) r->src_fd, buf, KIB, r->src_offset + at), KIB);
                ck_assert_int_eq(syscall(SYS_pwrite64, fd, buf, KIB, r->dest_offset + at), KIB);
        }
        return 0;
}

/* --- a copy ---------------------------------------------------------------------------------------- */

typedef struct Bench {
        char *dir, *raw, *part, *image;
        char *error; /* of the last copy */
        uint64_t begun; /* where it began */
} Bench;

static void bench_init(Bench *b) {
        *b = (Bench){ .dir = test_dir() };
        b->raw = strprintf("%s/raw", b->dir);
        b->part = strprintf("%s/part", b->dir);
        b->image = strprintf("%s/image", b->part);
        memset(faults, 0, sizeof(faults));
        make_disk(b->raw, SIZE);
        source_fd = open(b->raw, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(source_fd, 0);
}

static void bench_done(Bench *b) {
        memset(faults, 0, sizeof(faults));
        source_fd = safe_close(source_fd);
        destination_fd = safe_close(destination_fd);
        RUN_OK("rm", "-rf", b->dir);
        free(b->dir);
        free(b->raw);
        free(b->part);
        free(b->image);
        free(b->error);
}
#define _cleanup_bench_ _cleanup_(bench_done)

static int copy_with(Bench *b, const char *format, const CopyOptions *options) {
        _cleanup_endpoint_ Endpoint *s = NULL, *d = NULL;
        _cleanup_(part_closep) Part *p = NULL;
        const FileRange range = { .fd = source_fd, .length = SIZE };
        const CheckpointIdentity id = { .source = "a source", .size = SIZE, .destination = format };

        b->error = mfree(b->error);
        ck_assert_int_eq(endpoint_file_new(&range, 1, "source", &s), 0);
        (void) mkdir(b->part, 0700);
        _cleanup_close_ int dir_fd = open(b->part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(part_open(dir_fd, &id, PART_OWN_IMAGE, &p, &b->error), 0);
        ck_assert_int_eq(part_open_endpoint(p, format, COMPRESSION_NONE, "destination", &d, &b->begun,
                                         &b->error),
                        0);
        safe_close(destination_fd);
        destination_fd = open(b->image, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(destination_fd, 0);
        return copy_run(s, d, p, b->begun, options, NULL, &b->error);
}

static int copy(Bench *b, const char *format) {
        return copy_with(b, format, &(CopyOptions){ .cancel_fd = -1 });
}

static void assert_right(const Bench *b, const char *format) {
        memset(faults, 0, sizeof(faults));
        if (streq(format, "raw"))
                assert_same_file(b->raw, b->image);
        else
                assert_good_qcow2(b->image, b->raw);
}

static const char *const formats[] = { "raw", "qcow2" };

/* --- what does not matter -------------------------------------------------------------------------- */

static const struct {
        Call call;
        int error;
        off_t from;
} harmless[] = {
        { CALL_READ, -1000, 0 }, /* bytes at a time */
        { CALL_WRITE, -1000, 0 },
        { CALL_COPY, -1000, 0 },
        { CALL_COPY, EIO, 0 },
        { CALL_COPY, EXDEV, 0 },
        { CALL_COPY, EINVAL, 3 * MIB + 100 },
        { CALL_COPY, ETXTBSY, 65536 },
        { CALL_COPY, EPERM, 4096 },
        { CALL_COPY, ENOSPC, 5 * MIB }, /* writing tells whether there is no space */
        { CALL_CLONE, EOPNOTSUPP, 0 },
        { CALL_CLONE, ENOSPC, 4 * MIB },
        { CALL_CLONE, EIO, 4 * MIB },
        { CALL_CLONE, EPERM, 8 * MIB },
        { CALL_SEEK, EINVAL, 0 },
        { CALL_SEEK, EIO, 3 * MIB },
        { CALL_SEEK, EOPNOTSUPP, 0 },
};

START_TEST(what_does_not_work_is_done_in_another_way) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_bench_ Bench b;

                bench_init(&b);
                if (harmless[_i].call != CALL_CLONE)
                        faults[CALL_CLONE].error = EOPNOTSUPP;
                faults[harmless[_i].call] = (Fault){ harmless[_i].error, harmless[_i].from };
                n_interrupts = 100;
                ck_assert_msg(copy(&b, formats[i]) == 0, "%s", strna(b.error));
                ck_assert_uint_eq(n_interrupts, 0);
                assert_right(&b, formats[i]);
        }
}
END_TEST

/* --- what does ------------------------------------------------------------------------------------- */

static const struct {
        Call call;
        int error;
        off_t from;
        bool copies; /* the kernel does */
        int result;
        const char *text;
} fatal[] = {
        { CALL_READ, EIO, 0, true, -EIO, "of source: Input/output error" },
        { CALL_READ, EIO, 7 * MIB + 512, true, -EIO, "of source: Input/output error" },
        { CALL_READ, EIO, 7 * MIB + 512, false, -EIO, "of source: Input/output error" },
        { CALL_READ, EIO, SIZE - 1, false, -EIO, "of source: Input/output error" },
        { CALL_READ, EBADMSG, 7 * MIB, true, -EIO, "of source: " }, /* a checksum of the file system */
        { CALL_READ, EUCLEAN, 7 * MIB, false, -EIO, "of source: " },
        { CALL_WRITE, ENOSPC, 7 * MIB + 4096, false, -ENOSPC, "destination: No space left on device" },
        { CALL_WRITE, EDQUOT, 7 * MIB, false, -EDQUOT, "destination: Disk quota exceeded" },
        { CALL_WRITE, EIO, 7 * MIB, false, -EIO, "destination: Input/output error" },
        { CALL_WRITE, EFBIG, 7 * MIB, false, -EFBIG, "destination: File too large" },
};

START_TEST(what_cannot_be_done_is_an_error_that_says_where) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_bench_ Bench b;

                bench_init(&b);
                faults[CALL_CLONE].error = EOPNOTSUPP;
                if (!fatal[_i].copies)
                        faults[CALL_COPY].error = EXDEV;
                faults[fatal[_i].call] = (Fault){ fatal[_i].error, fatal[_i].from };
                ck_assert_int_eq(copy(&b, formats[i]), fatal[_i].result);
                ck_assert_msg(strstr(strna(b.error), fatal[_i].text), "%s", strna(b.error));
                /* What was copied counts, and is right when the rest is. */
                faults[fatal[_i].call].error = 0;
                ck_assert_msg(copy(&b, formats[i]) == 0, "%s", strna(b.error));
                if (fatal[_i].call == CALL_READ)
                        ck_assert_uint_le(b.begun, (uint64_t) fatal[_i].from);
                assert_right(&b, formats[i]);
        }
}
END_TEST

/* The kernel, which copies, and the writing that follows find the disk full at the same place. */
START_TEST(a_disk_that_is_full_for_the_kernel_is_full) {
        _cleanup_bench_ Bench b;

        bench_init(&b);
        faults[CALL_CLONE] = (Fault){ ENOSPC, 2 * MIB };
        faults[CALL_COPY] = (Fault){ ENOSPC, 6 * MIB };
        faults[CALL_WRITE] = (Fault){ ENOSPC, 6 * MIB };
        ck_assert_int_eq(copy(&b, "raw"), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(b.error, "destination: No space left on device"));
        memset(faults, 0, sizeof(faults));
        ck_assert_int_eq(copy(&b, "raw"), 0);
        ck_assert_uint_le(b.begun, 6 * MIB);
        assert_right(&b, "raw");
}
END_TEST

/* --- files that change ----------------------------------------------------------------------------- */

static int append_on_progress(const CopyProgress *p, void *userdata) {
        char garbage[4096];

        fill_random(garbage, sizeof(garbage), p->position);
        return pwrite_full(source_fd, garbage, sizeof(garbage), SIZE + p->position);
}

/* The disk is what it was when it was opened. */
START_TEST(what_is_appended_is_not_read) {
        const CopyOptions o = { .cancel_fd = -1, .progress = append_on_progress, .progress_interval = 1 };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_bench_ Bench b;

                bench_init(&b);
                ck_assert_int_eq(copy_with(&b, formats[i], &o), 0);
                ck_assert_int_eq(ftruncate(source_fd, SIZE), 0);
                assert_right(&b, formats[i]);
        }
}
END_TEST

/* Cut off to nothing, to within a block, and to a hole at its end. */
static const off_t lengths[] = { 0, 1, 6 * MIB + 1, SIZE - 1 };

static int cut_on_progress(const CopyProgress *p, void *userdata) {
        const off_t *length = userdata;

        return ftruncate(source_fd, *length) < 0 ? -errno : 0;
}

START_TEST(what_is_cut_off_is_missed) {
        off_t length = lengths[_i];
        const CopyOptions o = { .cancel_fd = -1, .progress = cut_on_progress, .userdata = &length };

        for (unsigned k = 0; k < 2 * ELEMENTSOF(formats); k++) {
                _cleanup_bench_ Bench b;

                bench_init(&b);
                if (k < ELEMENTSOF(formats))
                        faults[CALL_CLONE].error = EOPNOTSUPP;
                ck_assert_int_eq(copy_with(&b, formats[k % ELEMENTSOF(formats)], &o), -EIO);
                ck_assert_ptr_nonnull(strstr(b.error, "source"));
        }
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        const TTest *const tests[] = { a_disk_that_is_full_for_the_kernel_is_full,
                what_is_appended_is_not_read };
        TCase *tcase = test_case("engine-faults", 120, tests, ELEMENTSOF(tests));

        LOOP(what_does_not_work_is_done_in_another_way, ELEMENTSOF(harmless));
        LOOP(what_cannot_be_done_is_an_error_that_says_where, ELEMENTSOF(fatal));
        LOOP(what_is_cut_off_is_missed, ELEMENTSOF(lengths));
        return test_run("engine-faults", tcase);
}
