/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The maps of images: whole ones are read, those that lack a byte that they map are refused.
 *
 * check: all */

#include <endian.h>
#include <unistd.h>

#include "image/map.h"
#include "spec/job-result.h"
#include "unit/lib/job-front.h"

static int walk(const char *path, DiskFormat format, Map *ret, char **ret_error) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        MapFile file = { .fd = fd, .length = file_size(path), .cancel_fd = -1 };

        return map_walk(format, &file, ret, ret_error);
}

#define ODD (9 * MIB + 1536)
#define FILLED_UP UINT32_MAX /* qemu-img makes the file longer than what it writes to it */

static const struct {
        const char *qemu, *option, *compress;
        DiskFormat format;
        unsigned tail; /* bytes at the end that may be missing, as the disk does not need them */
} cases[] = {
        { "qcow2", "compat=1.1", NULL, FORMAT_QCOW2, 65536 - 1536 },
        { "qcow2", "compat=0.10", NULL, FORMAT_QCOW2, 65536 - 1536 },
        { "qcow2", "cluster_size=512", NULL, FORMAT_QCOW2, 0 },
        { "qcow2", "cluster_size=2M", NULL, FORMAT_QCOW2, 2 * MIB - MIB - 1536 },
        { "qcow2", "extended_l2=on,cluster_size=128k", NULL, FORMAT_QCOW2, 4096 - 1536 },
        { "vmdk", "subformat=monolithicSparse", NULL, FORMAT_VMDK, 65536 - 1536 },
        { "vmdk", "subformat=streamOptimized", NULL, FORMAT_VMDK, FILLED_UP },
        { "vdi", NULL, NULL, FORMAT_VDI, MIB - 1536 },
        { "vhdx", NULL, NULL, FORMAT_VHDX, 7 * MIB - 1536 },
        { "parallels", NULL, NULL, FORMAT_PARALLELS, MIB - 1536 },
        { "vpc", "force_size=on", NULL, FORMAT_VHD, 0 },
        { "vpc", "subformat=fixed,force_size=on", NULL, FORMAT_VHD, 0 },
        { "qcow2", "compression_type=zlib", "-c", FORMAT_QCOW2, 512 },
        { "qcow2", "compression_type=zstd", "-c", FORMAT_QCOW2, 512 },
};

/* A disk whose end is data, so that the end of the image is too. */
static void make_image(const char *dir, int k, const char *image) {
        char *raw = PATH(dir, "disk.raw");

        make_disk(raw, ODD, 5);
        if (cases[k].compress)
                RUN("qemu-img", "convert", "-c", "-f", "raw", "-O", cases[k].qemu, "-o", cases[k].option,
                                raw, image);
        else if (cases[k].option)
                RUN("qemu-img", "convert", "-f", "raw", "-O", cases[k].qemu, "-o", cases[k].option, raw,
                                image);
        else
                RUN("qemu-img", "convert", "-f", "raw", "-O", cases[k].qemu, raw, image);
}

static uint64_t spare(const char *image, int k) {
        _cleanup_free_ char *why = NULL;
        Map map = {};

        if (cases[k].tail != FILLED_UP)
                return cases[k].tail;
        ck_assert_int_eq(walk(image, cases[k].format, &map, &why), 0);
        return file_size(image) - map.end;
}

START_TEST(whole_images_are_read) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        _cleanup_free_ char *why = NULL;
        Map map = {};

        make_image(dir, _i, image);
        int r = walk(image, cases[_i].format, &map, &why);
        ck_assert_msg(r == 0, "%s: %s", strerror(-r), strna(why));
        ck_assert_uint_eq(map.virtual_size, ODD);
        ck_assert_uint_eq(map.length, file_size(image));
        ck_assert_uint_le(map.end, file_size(image));
}
END_TEST

START_TEST(images_that_are_cut_off_are_refused) {
        const uint64_t cuts[] = { 1, 2, 511, 512, 513, 4096, 65535, 65536, 65537, MIB, 3 * MIB };
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");

        make_image(dir, _i, image);
        uint64_t size = file_size(image), tail = spare(image, _i);
        for (size_t k = ELEMENTSOF(cuts); k-- > 0;) {
                _cleanup_free_ char *why = NULL;
                Map map = {};
                uint64_t cut = tail + cuts[k];
                if (cut >= size)
                        continue;
                make_image(dir, _i, image);
                ck_assert_int_eq(truncate(image, (off_t) (size - cut)), 0);
                int r = walk(image, cases[_i].format, &map, &why);
                /* A dynamic VHD with a footer of 511 bytes is as old as the format. */
                if (cases[_i].format == FORMAT_VHD && cut == 1)
                        continue;
                ck_assert_msg(r == -EBADMSG, "cut by %ju bytes: %s", (uintmax_t) cut, strerror(-r));
                ck_assert_msg(strstr(why, "cut off"), "%s", why);
        }
}
END_TEST

START_TEST(what_the_disk_does_not_need_may_be_missing) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        _cleanup_free_ char *why = NULL;
        Map map = {};

        if (cases[_i].compress)
                return;
        make_image(dir, _i, image);
        ck_assert_int_eq(truncate(image, (off_t) (file_size(image) - spare(image, _i))), 0);
        int r = walk(image, cases[_i].format, &map, &why);
        ck_assert_msg(r == 0, "%s: %s", strerror(-r), strna(why));
}
END_TEST

START_TEST(bytes_that_are_missing_are_counted) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        _cleanup_free_ char *why = NULL;
        Map map = {};

        make_image(dir, 0, image);
        ck_assert_int_eq(truncate(image, (off_t) (file_size(image) - cases[0].tail - 77)), 0);
        ck_assert_int_eq(walk(image, FORMAT_QCOW2, &map, &why), -EBADMSG);
        ck_assert_str_eq(why, "it is cut off: 77 bytes are missing at its end");
}
END_TEST

START_TEST(padding_at_the_end_is_ignored) {
        static const uint64_t paddings[] = { 1, 511, 512, 4096, 65536 + 7, 5 * MIB };
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image"), *out = PATH(dir, "out.qcow2");

        make_image(dir, 6, image);
        uint64_t size = file_size(image);
        /* qemu-img writes no footer: its directory is at the begin, and padding is of no interest. */
        for (size_t k = 0; k < ELEMENTSOF(paddings); k++) {
                Plan p = { .directory = PATH(dir, "job%zu", k),
                        .source = image,
                        .destination = out,
                        .destination_format = "qcow2",
                        .verify = true };
                ck_assert_int_eq(truncate(image, (off_t) (size + paddings[k])), 0);
                assert_converts(&p);
                assert_same_disk(PATH(dir, "disk.raw"), "raw", out, "qcow2");
                ck_assert_int_eq(unlink(out), 0);
        }
}
END_TEST

/* The program, not only its part. */
START_TEST(a_job_refuses_what_is_cut_off) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        Plan p = { .directory = PATH(dir, "job"),
                .source = image,
                .destination = PATH(dir, "out.qcow2"),
                .destination_format = "qcow2" };

        make_image(dir, _i, image);
        ck_assert_int_eq(truncate(image, (off_t) (file_size(image) - spare(image, _i) - 2)), 0);
        p.source_format = disk_format_to_string(cases[_i].format);
        if (cases[_i].format == FORMAT_VHD) /* without its footer it looks like nothing */
                p.source_format = NULL;
        int status = attempt(&p);
        _cleanup_(job_result_freep) JobResult *result = read_result(p.directory);
        if (cases[_i].format != FORMAT_VHD || strstr(strna(cases[_i].option), "fixed") == NULL)
                ck_assert_msg(status == JOB_EXIT_FAILED && strstr(strna(result->message), "cut off"),
                                "status %d: %s", status, strna(result->message));
}
END_TEST

static void write_be64(int fd, uint64_t value, uint64_t at) {
        value = htobe64(value);
        ck_assert_int_eq(pwrite_full(fd, &value, sizeof(value), at), 0);
}

START_TEST(places_behind_the_end_of_any_file_are_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        uint64_t l1;

        make_image(dir, 0, image);
        _cleanup_close_ int fd = open(image, O_RDWR | O_CLOEXEC);
        ck_assert_int_eq(pread_full(fd, &l1, sizeof(l1), 40), 0);
        static const uint64_t places[] = { UINT64_C(0x00fffffffffffe00), UINT64_C(1) << 40 };
        for (size_t k = 0; k < ELEMENTSOF(places); k++) {
                _cleanup_free_ char *why = NULL;
                Map map = {};
                write_be64(fd, places[k], be64toh(l1));
                ck_assert_int_eq(walk(image, FORMAT_QCOW2, &map, &why), -EBADMSG);
                ck_assert_msg(strstr(why, "cut off"), "%s", why);
        }
        write_be64(fd, UINT64_MAX, 40);
        _cleanup_free_ char *why = NULL;
        Map map = {};
        ck_assert_int_eq(walk(image, FORMAT_QCOW2, &map, &why), -EBADMSG);
        ck_assert_msg(strstr(why, "damaged"), "%s", why);
}
END_TEST

/* qemu would read the extra data as the disk. */
START_TEST(a_vdi_with_extra_data_before_its_blocks_is_refused) {
        static const char extra[4] = { 0, 1, 0, 0 };
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.vdi");
        _cleanup_free_ char *why = NULL;
        _cleanup_close_ int fd = -EBADF;
        Map map = {};

        make_disk(raw, ODD, 5);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vdi", raw, image);
        fd = open(image, O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, extra, sizeof(extra), 0x17c), sizeof(extra));
        ck_assert_int_eq(walk(image, FORMAT_VDI, &map, &why), -EBADMSG);
        ck_assert_msg(strstr(why, "extra data"), "%s", why);
}
END_TEST

/* qemu does not look at the markers: it would read one grain for the other. */
START_TEST(a_stream_whose_table_names_another_grain_is_refused) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.vmdk");
        _cleanup_free_ char *why = NULL;
        _cleanup_close_ int fd = -EBADF;
        uint32_t directory, table[512];
        uint64_t at;
        size_t first = 0, second;
        Map map = {};

        make_disk(raw, ODD, 5);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, image);
        fd = open(image, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pread_full(fd, &at, sizeof(at), 56), 0);
        if (at == UINT64_MAX) /* then the footer has it */
                ck_assert_int_eq(pread_full(fd, &at, sizeof(at), file_size(image) - 1024 + 56), 0);
        ck_assert_int_eq(pread_full(fd, &directory, sizeof(directory), le64toh(at) * 512), 0);
        at = UINT64_C(512) * le32toh(directory);
        ck_assert_int_eq(pread_full(fd, table, sizeof(table), at), 0);
        while (table[first] == 0)
                ck_assert_uint_lt(++first, ELEMENTSOF(table) - 1);
        second = first + 1;
        while (table[second] == 0)
                ck_assert_uint_lt(++second, ELEMENTSOF(table));
        ck_assert_int_eq(pwrite(fd, &table[second], sizeof(uint32_t),
                                         (off_t) (at + first * sizeof(uint32_t))),
                        sizeof(uint32_t));
        ck_assert_int_eq(walk(image, FORMAT_VMDK, &map, &why), -EBADMSG);
        ck_assert_msg(strstr(why, "another grain"), "%s", why);
}
END_TEST

START_TEST(a_walk_can_be_cancelled) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "image");
        _cleanup_free_ char *why = NULL;
        Map map = {};
        int p[2];

        make_image(dir, 0, image);
        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        close(p[1]); /* the end of the pipe is readable */
        _cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);
        MapFile file = { .fd = fd, .length = file_size(image), .cancel_fd = p[0] };
        ck_assert_int_eq(map_walk(FORMAT_QCOW2, &file, &map, &why), -ECANCELED);
        close(p[0]);
}
END_TEST

/* "Virtual Hard Disk Image Format Specification": the checksum is the complement of the bytes' sum. */
static void set_creator(const char *image, uint64_t at, const char *creator) {
        _cleanup_close_ int fd = open(image, O_RDWR | O_CLOEXEC);
        unsigned char footer[512];
        uint32_t sum = 0;

        ck_assert_int_eq(pread_full(fd, footer, sizeof(footer), at), 0);
        memcpy(footer + 28, creator, 4);
        memset(footer + 64, 0, 4);
        for (size_t i = 0; i < sizeof(footer); i++)
                sum += footer[i];
        sum = htobe32(~sum);
        memcpy(footer + 64, &sum, 4);
        ck_assert_int_eq(pwrite_full(fd, footer, sizeof(footer), at), 0);
}

START_TEST(a_vhd_has_its_size_whoever_made_it) {
        static const char *const creators[] = { "win ", "wa\0\0", "vbox", "d2v ", "tap\0", "CTXS", "vpc ",
                "vs  ", "qemu", "sw  ", "Xyz1" };
        static const char *const options[] = { "subformat=fixed,force_size=on", "force_size=on" };
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "disk.vhd");

        make_disk(raw, ODD, 5);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", options[_i], raw, image);
        for (size_t k = 0; k < ELEMENTSOF(creators); k++) {
                Plan p = { .directory = PATH(dir, "job%zu", k),
                        .source = image,
                        .destination = PATH(dir, "out%zu", k),
                        .destination_format = "raw",
                        .verify = true };
                set_creator(image, file_size(image) - 512, creators[k]);
                if (_i == 1)
                        set_creator(image, 0, creators[k]);
                assert_converts(&p);
                ck_assert_msg(file_size(p.destination) == ODD, "%s: %ju bytes", creators[k],
                                (uintmax_t) file_size(p.destination));
                assert_same_disk(raw, "raw", p.destination, "raw");
        }
}
END_TEST

#define LOOP(test) tcase_add_loop_test(tcase, test, 0, (int) ELEMENTSOF(cases))

int main(void) {
        TCase *tcase = test_case("map", 120, NULL, 0);

        LOOP(whole_images_are_read);
        LOOP(images_that_are_cut_off_are_refused);
        LOOP(what_the_disk_does_not_need_may_be_missing);
        LOOP(a_job_refuses_what_is_cut_off);
        tcase_add_loop_test(tcase, a_vhd_has_its_size_whoever_made_it, 0, 2);
        tcase_add_test(tcase, bytes_that_are_missing_are_counted);
        tcase_add_test(tcase, padding_at_the_end_is_ignored);
        tcase_add_test(tcase, places_behind_the_end_of_any_file_are_refused);
        tcase_add_test(tcase, a_vdi_with_extra_data_before_its_blocks_is_refused);
        tcase_add_test(tcase, a_stream_whose_table_names_another_grain_is_refused);
        tcase_add_test(tcase, a_walk_can_be_cancelled);
        return test_run("map", tcase);
}
