/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* VMDKs in several files: the disk is what the descriptor says, in whatever form its lines are written, or
 * it is refused by name.
 *
 * check: all */

#include <endian.h>

#include "unit/lib/job-front.h"

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"custom\"\n"
#define PART (UINT64_C(128) * 1024)

static void append(const char *to, const char *from) {
        size_t size;
        _cleanup_free_ char *data = read_text(from, &size);
        uint64_t at = file_exists(to) ? file_size(to) : 0;
        int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_int_eq(pwrite_full(fd, data, size, at), 0);
        close(fd);
}

/* The parts that descriptors are made of: a and b are raw, c is what the sparse extent "c" holds. */
static void make_parts(const char *dir) {
        static const char *const names[] = { "a", "b", "c.raw" };

        for (unsigned k = 0; k < ELEMENTSOF(names); k++)
                make_disk(PATH(dir, "%s", names[k]), PART, k + 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", PATH(dir, "c.raw"), PATH(dir, "c"));
        ck_assert_int_eq(truncate(PATH(dir, "c.raw"), PART), 0);
        write_text(PATH(dir, "z"), "");
        ck_assert_int_eq(truncate(PATH(dir, "z"), PART), 0);
}

static Plan plan_for(const char *dir, const char *image) {
        return (Plan){ .directory = PATH(dir, "job"),
                .source = image,
                .destination = PATH(dir, "result"),
                .destination_format = "raw" };
}

static void assert_same_file(const char *a, const char *b) {
        ck_assert_uint_eq(file_size(a), file_size(b));
        RUN("cmp", a, b);
}

/* --- lines ----------------------------------------------------------------------------------------- */

static const struct {
        const char *text;
        const char *parts; /* a letter for each part of the disk; z: zeroes */
} lines[] = {
        { HEAD "\n\n \nRW 256 FLAT \"a\" 0\n", "a" }, /* a blank line before an extent */
        { HEAD "RDONLY 256 FLAT \"a\" 0\nRW 256 FLAT \"b\" 0\n", "ab" },
        { HEAD "RW 256 FLAT \"b\" 0\nRDONLY 256 FLAT \"a\" 0\n", "ba" },
        { HEAD "rw 256 flat \"a\" 0\nRW 256 FLAT \"b\" 0\n", "ab" },
        { HEAD "RW 256 FLAT \"a\" 0\nRW 256 ZERO\nRW 256 FLAT \"b\" 0\n", "azb" },
        { HEAD "RW 256 ZERO\nRW 256 FLAT \"b\" 0\nRDONLY 256 ZERO\n", "zbz" },
        { HEAD "RW 256 VMFS \"a\"\nRW 256 VMFS \"b\" 0\n", "ab" },
        { HEAD "RW 256 FLAT \"a\" 0\nRW 256 FLAT \"a\" 0\n", "aa" },
        { HEAD "RW 256 SPARSE \"c\"\nRW 256 FLAT \"a\" 0\nRW 256 ZERO\n", "caz" },
        { HEAD "RDONLY 256 SPARSE \"c\"\nRW 256 SPARSE \"c\"", "cc" }, /* no end of line at the end */
        { HEAD "\tRW\t256\tFLAT\t\"a\"\t0\t\n# RW 256 FLAT \"b\" 0\n", "a" },
        { "#DISK descriptor file\r\nversion=1\r\n\r\nRW 256 FLAT \"a\" 0\r\n", "a" },
        { "\xef\xbb\xbf" HEAD "RW 256 FLAT \"a\" 0\n", "a" },
        { "# a comment\n" HEAD "RW 128 FLAT \"a\" 0\nRW 128 FLAT \"a\" 128\n", "a" },
};

START_TEST(the_disk_is_what_the_descriptor_says) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "disk.vmdk"), *expected = PATH(dir, "expected");

        make_parts(dir);
        write_text(image, lines[_i].text);
        for (const char *p = lines[_i].parts; *p; p++)
                append(expected, PATH(dir, *p == 'c' ? "c.raw" : "%c", *p));
        Plan p = plan_for(dir, image);
        for (size_t k = 0, n = 0; k < 3; k++)
                if (strchr(lines[_i].parts, "abc"[k]))
                        p.extents[n++] = PATH(dir, "%c", "abc"[k]);
        p.verify = true;
        assert_converts(&p);
        assert_same_file(expected, p.destination);
}
END_TEST

START_TEST(names_are_in_the_encoding_of_the_descriptor) {
        _cleanup_test_dir_ char *top = test_dir();
        /* qemu reads no name with quotes, and none of more than 511 bytes. */
        char *dir = PATH(top, "it's \"quoted\", n\xc3\xa4mlich"),
             *part = PATH(dir,
                             "K\xc3\xbc"
                             "che.vmdk");
        char *image = PATH(dir, "disk.vmdk");

        ck_assert_int_eq(mkdir(dir, 0700), 0);
        make_disk(part, PART, 1);
        write_text(image,
                        "# Disk DescriptorFile\r\nversion=1\r\nencoding=\"windows-1252\"\r\n"
                        "RW 256 FLAT \"K\xfc"
                        "che.vmdk\" 0\r\n");
        Plan p = plan_for(top, image);
        p.extents[0] = part;
        assert_converts(&p);
        assert_same_file(part, p.destination);
}
END_TEST

/* qemu reads the rest of the last grain of the first extent where the second one begins. */
START_TEST(an_extent_that_ends_within_a_grain_is_the_last) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "disk.vmdk"), *raw = PATH(dir, "odd.raw"), *part = PATH(dir, "odd");

        make_disk(raw, UINT64_C(1003) * 512, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", raw, part);
        write_text(image, HEAD "RW 1003 SPARSE \"odd\"\n");
        Plan p = plan_for(dir, image);
        p.extents[0] = part;
        assert_converts(&p);
        assert_same_file(raw, p.destination);
        write_text(image, HEAD "RW 1003 SPARSE \"odd\"\nRW 1003 SPARSE \"odd\"\n");
        p.directory = PATH(dir, "job2");
        p.destination = PATH(dir, "result2");
        assert_refused(&p, "image_refused", "no whole number of grains");
}
END_TEST

START_TEST(a_thousand_extents) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = malloc(64 + 1000 * 32), *expected = NULL;
        char *p = stpcpy(text, "version=1\n");
        char *image = PATH(dir, "disk.vmdk"), *part = PATH(dir, "a");

        make_disk(part, PART, 1);
        for (unsigned k = 0; k < 1000; k++)
                p += sprintf(p, k % 2 == 0 ? "RW 1 FLAT \"a\" %u\n" : "RW 1 ZERO\n", k / 2 % 256);
        write_text(image, text);
        Plan plan = plan_for(dir, image);
        plan.extents[0] = part;
        assert_converts(&plan);
        size_t size, expected_size;
        _cleanup_free_ char *result = read_text(plan.destination, &size);
        expected = read_text(part, &expected_size);
        ck_assert_uint_eq(size, 1000 * 512);
        for (size_t k = 0; k < 1000; k += 2)
                ck_assert_int_eq(memcmp(result + k * 512, expected + k / 2 % 256 * 512, 512), 0);
}
END_TEST

/* --- sizes ----------------------------------------------------------------------------------------- */

START_TEST(a_sparse_file_that_was_rounded_up_ends_with_the_disk) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "disk.vmdk"), *expected = PATH(dir, "expected");

        make_parts(dir);
        write_text(image, HEAD "RW 256 FLAT \"a\" 0\nRW 201 SPARSE \"c\"\n");
        append(expected, PATH(dir, "a"));
        ck_assert_int_eq(truncate(PATH(dir, "c.raw"), 201 * 512), 0);
        append(expected, PATH(dir, "c.raw"));
        Plan p = plan_for(dir, image);
        p.extents[0] = PATH(dir, "a");
        p.extents[1] = PATH(dir, "c");
        p.verify = true;
        assert_converts(&p);
        assert_same_file(expected, p.destination);
}
END_TEST

static const struct {
        const char *extents, *refusal;
} wrong[] = {
        { "RW 200 SPARSE \"c\"\nRW 256 FLAT \"a\" 0\n",
                        "c: its header gives it 256 sectors, but the descriptor 200" },
        { "RW 300 SPARSE \"c\"\n", "c: its header gives it 256 sectors, but the descriptor 300" },
        { "RW 257 FLAT \"a\" 0\n", "a: it is cut off: it has 131072 bytes, 512 are missing" },
        { "RW 256 FLAT \"a\" 1\n", "a: it is cut off: it has 131072 bytes, 512 are missing" },
        { "RW 256 SPARSE \"a\"\n", "a: it is not the sparse extent that it was said to be" },
        { "RW 256 SESPARSE \"a\"\n", "a: it is not the SESPARSE extent that it was said to be" },
        { "NOACCESS 256 FLAT \"a\" 0\n", "the extent is NOACCESS" },
        { "RW 256 VMFSTHIN \"a\"\n", "VMFSTHIN" },
        { "RW 256 VMFSRDM \"a\"\n", "VMFSRDM" },
        { "RW 256 VMFSRAW \"a\"\n", "VMFSRAW" },
        { "RW 256 FLAT \"a\" 0\nencryptionKeys=\"vmware:key\"\n", "encrypted" },
        { "RW 256 FLAT \"a\" 0\nencoding=\"utf-16\"\n", "utf-16" },
        { "# nothing\n", "names no extent" },
};

START_TEST(a_descriptor_that_cannot_be_right_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = strprintf(HEAD "%s", wrong[_i].extents);
        char *image = PATH(dir, "disk.vmdk");

        make_parts(dir);
        write_text(image, text);
        Plan p = plan_for(dir, image);
        p.extents[0] = PATH(dir, "a");
        p.extents[1] = PATH(dir, "c");
        assert_refused(&p, "image_refused", wrong[_i].refusal);
}
END_TEST

/* --- one file with a descriptor inside ------------------------------------------------------------- */

/* Replaces the descriptor inside a monolithic sparse image that qemu-img made. */
static void set_embedded(const char *image, const char *text) {
        _cleanup_free_ char *sectors = calloc(20, 512);
        int fd = open(image, O_WRONLY | O_CLOEXEC);

        strcpy(sectors, text);
        ck_assert_int_eq(pwrite_full(fd, sectors, (size_t) 20 * 512, 512), 0);
        close(fd);
}

static const struct {
        const char *text, *refusal;
} embedded[] = {
        { HEAD "RW 256 SPARSE \"old name.vmdk\"\n", NULL },
        { HEAD "RW 256 SPARSE \"c\"\nRW 256 SPARSE \"second.vmdk\"\n", "names 2 extents" },
        { HEAD "RW 128 SPARSE \"c\"\n", "speaks of 128 sectors, but the header of 256" },
        { HEAD "RW 256 FLAT \"c\" 0\n", "another kind than SPARSE" },
        { HEAD, "names 0 extents" },
        { HEAD "RW 256 SPARSE \"c\"\nddb.iofilters=\"vmwarevmcrypt\"\n", "encrypted" },
        { "nonsense", "is not one" },
        { "", "use the descriptor that names all of them as the source" },
};

START_TEST(a_descriptor_inside_must_agree_with_the_header) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "c");

        make_parts(dir);
        set_embedded(image, embedded[_i].text);
        Plan p = plan_for(dir, image);
        if (embedded[_i].refusal) {
                assert_refused(&p, "image_refused", embedded[_i].refusal);
                return;
        }
        assert_converts(&p);
        assert_same_file(PATH(dir, "c.raw"), p.destination);
}
END_TEST

START_TEST(an_extent_alone_is_no_disk) {
        _cleanup_test_dir_ char *dir = test_dir();
        static const char cowd[512] = "COWD\1";

        RUN("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse",
                        PATH(dir, "a.vmdk"), "8M");
        Plan p = plan_for(dir, PATH(dir, "a-s001.vmdk"));
        assert_refused(&p, "image_refused", "it is one extent of a disk in several files");
        write_file(PATH(dir, "delta.vmdk"), cowd, sizeof(cowd));
        p.source = PATH(dir, "delta.vmdk");
        assert_refused(&p, "image_refused", "it is the data file of a snapshot");
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        const TTest *const tests[] = { names_are_in_the_encoding_of_the_descriptor, a_thousand_extents,
                an_extent_that_ends_within_a_grain_is_the_last,
                a_sparse_file_that_was_rounded_up_ends_with_the_disk, an_extent_alone_is_no_disk };
        TCase *tcase = test_case("job-vmdk", 120, tests, ELEMENTSOF(tests));

        LOOP(the_disk_is_what_the_descriptor_says, ELEMENTSOF(lines));
        LOOP(a_descriptor_that_cannot_be_right_is_refused, ELEMENTSOF(wrong));
        LOOP(a_descriptor_inside_must_agree_with_the_header, ELEMENTSOF(embedded));
        return test_run("job-vmdk", tcase);
}
