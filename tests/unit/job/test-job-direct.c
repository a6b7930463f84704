/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files that are read without a server, and that change, or are replaced by something else, while they are
 * read; and headers that lie about them. The result is right to the byte, or there is none. */

#include <endian.h>
#include <sys/sysmacros.h>

#include "unit/lib/job-front.h"

#define SIZE (UINT64_C(24) * MIB + 512)
#define SECTORS "49153"

static Plan plan_for(const char *dir, const char *source, const char *format) {
        return (Plan){ .directory = PATH(dir, "job"),
                .source = source,
                .source_format = format,
                .destination = PATH(dir, "result"),
                .destination_format = "raw" };
}

/* --- files that are swapped ------------------------------------------------------------------------ */

/* Like editors and "ln -f", in one step: at no time is there nothing at the path. */
static void exchange(const char *other, const char *path) {
        ck_assert_int_eq(renameat2(AT_FDCWD, other, AT_FDCWD, path, RENAME_EXCHANGE), 0);
}

static const char *beside(const char *path) {
        return test_keep(strprintf("%s.other", path));
}

static void by_fifo(const char *path) {
        ck_assert_int_eq(mkfifo(beside(path), 0600), 0);
        exchange(beside(path), path);
}

static void by_device(const char *path) {
        if (mknod(beside(path), S_IFCHR | 0600, makedev(1, 5)) < 0) /* /dev/zero */
                ck_assert_int_eq(symlink("/dev/zero", beside(path)), 0);
        exchange(beside(path), path);
}

static void by_symlink(const char *path) {
        ck_assert_int_eq(symlink(beside(path), beside(path)), 0);
        exchange(beside(path), path);
}

static void by_directory(const char *path) {
        ck_assert_int_eq(mkdir(beside(path), 0700), 0);
        exchange(beside(path), path);
}

static void by_another(const char *path) {
        make_disk(beside(path), file_size(path), 99);
        exchange(beside(path), path);
}

static void by_nothing(const char *path) {
        ck_assert_int_eq(unlink(path), 0);
}

static void cut_off(const char *path) {
        ck_assert_int_eq(truncate(path, (off_t) file_size(path) - 512), 0);
}

static void emptied(const char *path) {
        ck_assert_int_eq(truncate(path, 0), 0);
}

static void appended(const char *path) {
        ck_assert_int_eq(truncate(path, (off_t) file_size(path) + 512), 0);
}

static void written_to(const char *path) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite_full(fd, "something else", 14, 12 * MIB), 0);
        close(fd);
}

static void (*const swaps[])(const char *path) = { by_fifo, by_device, by_symlink, by_directory, by_another,
        by_nothing, cut_off, emptied, appended, written_to };

/* A source of each kind, and the file of it that is swapped. */
typedef enum Kind { KIND_RAW, KIND_FLAT, KIND_VHD, _KIND_MAX } Kind;

static Plan make_source(const char *dir, Kind kind, const char *raw, char **ret_swapped) {
        char *image = PATH(dir, "source");
        Plan p = plan_for(dir, image, kind == KIND_RAW ? "raw" : NULL);

        *ret_swapped = image;
        switch (kind) {
        case KIND_FLAT:
                *ret_swapped = PATH(dir, "flat");
                RUN("cp", "--sparse=always", raw, *ret_swapped);
                write_text(image,
                                "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                                "createType=\"monolithicFlat\"\nRW " SECTORS " FLAT \"flat\" 0\n");
                p.extents[0] = *ret_swapped;
                break;
        case KIND_VHD:
                RUN("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on",
                                raw, image);
                break;
        default:
                RUN("cp", "--sparse=always", raw, image);
        }
        return p;
}

/* Runs the job, and swaps the file when it has been inspected: the exit status. */
static int run_and_swap(const Plan *p, void (*swap)(const char *path), const char *path) {
        static const ChildLimits limits = { .unconfined = true };
        const char *const argv[] = { "./hyper-job", "run", p->directory, NULL };
        char line[4096];
        int err[2], status;
        bool done = false;
        pid_t pid;

        write_plan(p);
        ck_assert_int_eq(hyper_job("prepare", p->directory), 0);
        ck_assert_int_eq(pipe(err), 0);
        ck_assert_int_eq(child_spawn(argv, &limits, -1, -1, err[1], &pid), 0);
        close(err[1]);
        FILE *f = fdopen(err[0], "r");
        while (fgets(line, sizeof(line), f))
                if (!done && strstr(line, "image with a disk of")) {
                        swap(path);
                        done = true;
                }
        fclose(f);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status), "status 0x%x", status);
        ck_assert(done);
        ck_assert_int_eq(hyper_job("finish-later", p->directory), 0);
        return WEXITSTATUS(status);
}

START_TEST(what_is_swapped_while_it_is_read_is_missed) {
        for (Kind k = 0; k < _KIND_MAX; k++) {
                _cleanup_test_dir_ char *dir = test_dir();
                char *raw = PATH(dir, "raw"), *swapped;

                make_disk(raw, SIZE, 7);
                Plan p = make_source(dir, k, raw, &swapped);
                int status = run_and_swap(&p, swaps[_i], swapped);
                /* The copy may have been complete before. */
                if (status == 0) {
                        assert_same_disk(raw, "raw", p.destination, "raw");
                        continue;
                }
                ck_assert(!file_exists(p.destination));
                _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
                /* One that is not there may come back. */
                ck_assert_msg(r->outcome == (swaps[_i] == by_nothing ? OUTCOME_TRANSIENT : OUTCOME_FAILED),
                                "%s: %s", strna(r->code), strna(r->message));
                ck_assert_ptr_nonnull(r->message);
        }
}
END_TEST

/* --- a fixed VHD whose footer lies ----------------------------------------------------------------- */

static void set_be32(unsigned char *p, uint32_t value) {
        value = htobe32(value);
        memcpy(p, &value, sizeof(value));
}

/* The size that the footer gives. */
static void add_size(unsigned char *footer, int64_t more) {
        uint64_t size;

        memcpy(&size, footer + 48, sizeof(size));
        size = htobe64(be64toh(size) + (uint64_t) more);
        memcpy(footer + 48, &size, sizeof(size));
}

static void set_sum(unsigned char *footer) {
        uint32_t sum = 0;

        memset(footer + 64, 0, 4);
        for (unsigned i = 0; i < 512; i++)
                sum += footer[i];
        set_be32(footer + 64, ~sum);
}

static const struct {
        const char *creator; /* NULL: qemu's; "vpc " has the size in cylinders, heads and sectors */
        int64_t more; /* the size that the footer gives, against that of the data */
        uint32_t geometry; /* 0: as it is */
        uint32_t type;
        size_t cut; /* from the end of the file */
} footers[] = {
        { NULL, 512, 0, 2, 0 },
        { NULL, -512, 0, 2, 0 },
        { NULL, 1, 0, 2, 0 },
        { NULL, -1, 0, 2, 0 },
        { NULL, INT64_MAX / 2, 0, 2, 0 },
        { NULL, -(int64_t) SIZE, 0, 2, 0 },
        { "vpc ", 0, 0, 2, 0 },
        { "vpc ", 0, 0xffff10ff, 2, 0 },
        { "vpc ", 0, 0x00010101, 2, 0 },
        { "xxxx", 0, 0xffff10ff, 2, 0 },
        { NULL, 0, 0, 3, 0 },
        { NULL, 0, 0, 4, 0 },
        { NULL, 0, 0, 5, 0 },
        { NULL, 0, 0, 2, 1 },
        { NULL, 0, 0, 2, 2 },
        { NULL, 0, 0, 2, 511 },
        { NULL, 0, 0, 2, 512 },
};

/* The first bytes of the disk are those of @raw, and what there is behind them is zero. */
static void assert_begins_like(const char *result, const char *raw) {
        size_t n, m;
        _cleanup_free_ char *a = read_text(result, &n), *b = read_text(raw, &m);

        ck_assert_uint_gt(n, 0);
        ck_assert_int_eq(memcmp(a, b, MIN(n, m)), 0);
        for (size_t i = m; i < n; i++)
                ck_assert_int_eq(a[i], 0);
}

START_TEST(a_fixed_vhd_that_lies_is_refused_or_right) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *swapped;
        unsigned char footer[512];

        make_disk(raw, SIZE, 7);
        Plan p = make_source(dir, KIND_VHD, raw, &swapped);
        uint64_t at = file_size(p.source) - sizeof(footer);
        int fd = open(p.source, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(pread_full(fd, footer, sizeof(footer), at), 0);
        if (footers[_i].creator)
                memcpy(footer + 28, footers[_i].creator, 4);
        add_size(footer, footers[_i].more);
        if (footers[_i].geometry != 0)
                set_be32(footer + 56, footers[_i].geometry);
        set_be32(footer + 60, footers[_i].type);
        set_sum(footer);
        ck_assert_int_eq(pwrite_full(fd, footer, sizeof(footer), at), 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) (at + sizeof(footer) - footers[_i].cut)), 0);
        close(fd);
        if (attempt(&p) == 0)
                assert_begins_like(p.destination, raw);
        else
                ck_assert(!file_exists(p.destination));
}
END_TEST

/* --- flat extents ---------------------------------------------------------------------------------- */

static const struct {
        const char *lines;
        uint64_t from[3], length[3]; /* what the disk is made of, in sectors of the file */
} flats[] = {
        /* The same sectors twice, in part */
        { "RW 100 FLAT \"flat\" 0\nRW 100 FLAT \"flat\" 50\nRW 7 FLAT \"flat\" 49146\n", { 0, 50, 49146 },
                        { 100, 100, 7 } },
        /* Backwards, with odd lengths */
        { "RW 1 FLAT \"flat\" 49152\nRW 30001 FLAT \"flat\" 19151\nRW 19151 FLAT \"flat\" 0\n",
                        { 49152, 19151, 0 }, { 1, 30001, 19151 } },
        /* One sector of a large file */
        { "RW 1 FLAT \"flat\" 30000\n", { 30000 }, { 1 } },
};

START_TEST(flat_extents_may_lie_anywhere) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *expected = PATH(dir, "expected"), *swapped;
        _cleanup_free_ char *text = strprintf("# Disk DescriptorFile\nversion=1\nCID=12345678\n"
                                              "parentCID=ffffffff\ncreateType=\"custom\"\n%s",
                        flats[_i].lines);
        uint64_t to = 0;

        make_disk(raw, SIZE, 7);
        Plan p = make_source(dir, KIND_FLAT, raw, &swapped);
        write_text(p.source, text);
        _cleanup_free_ char *data = read_text(raw, NULL);
        int fd = open(expected, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        for (size_t k = 0; k < 3; to += flats[_i].length[k++] * 512)
                ck_assert_int_eq(pwrite_full(fd, data + flats[_i].from[k] * 512, flats[_i].length[k] * 512,
                                                 to),
                                0);
        close(fd);
        p.verify = true;
        assert_converts(&p);
        ck_assert_uint_eq(file_size(p.destination), to);
        RUN("cmp", expected, p.destination);
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        TCase *tcase = test_case("job-direct", 120, NULL, 0);

        LOOP(what_is_swapped_while_it_is_read_is_missed, ELEMENTSOF(swaps));
        LOOP(a_fixed_vhd_that_lies_is_refused_or_right, ELEMENTSOF(footers));
        LOOP(flat_extents_may_lie_anywhere, ELEMENTSOF(flats));
        return test_run("job-direct", tcase);
}
