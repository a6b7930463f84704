/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images that want more than to be converted, and damaged ones. Each is refused with a reason, and nothing
 * is left behind. */

#include <endian.h>

#include "spec/job-result.h"
#include "unit/lib/job-front.h"

static Plan plan_for(const char *dir, const char *source) {
        return (Plan){ .directory = PATH(dir, "job"),
                .source = source,
                .destination = PATH(dir, "result"),
                .destination_format = "raw" };
}

static void refuse_image(const char *dir, const char *source, const char *text) {
        Plan p = plan_for(dir, source);

        assert_refused(&p, "image_refused", text);
}

/* --- qcow2 ----------------------------------------------------------------------------------------- */

START_TEST(qcow2_with_a_backing_file) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *base = PATH(dir, "base.qcow2"), *image = PATH(dir, "a.qcow2");

        RUN("qemu-img", "create", "-q", "-f", "qcow2", base, "8M");
        RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", image);
        refuse_image(dir, image, "backing file");
        RUN("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", image);
        refuse_image(dir, image, "backing file");
}
END_TEST

START_TEST(qcow2_with_a_data_file) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.qcow2");
        _cleanup_free_ char *option = strprintf("data_file=%s/data", dir);

        RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", option, image, "8M");
        refuse_image(dir, image, "data file");
}
END_TEST

START_TEST(qcow2_that_is_encrypted) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.qcow2");
        uint32_t method = htobe32(2);

        RUN("qemu-img", "create", "-q", "-f", "qcow2", image, "8M");
        int fd = open(image, O_WRONLY);
        ck_assert_int_eq(pwrite_full(fd, &method, sizeof(method), 32), 0);
        close(fd);
        refuse_image(dir, image, "encrypted");
}
END_TEST

START_TEST(qcow2_of_an_absurd_size) {
        static const uint64_t sizes[] = { UINT64_C(1) << 62, UINT64_C(65) << 40, UINT64_MAX };
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.qcow2");

        RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", image, "8M");
        uint64_t size = htobe64(sizes[_i]);
        int fd = open(image, O_WRONLY);
        ck_assert_int_eq(pwrite_full(fd, &size, sizeof(size), 24), 0);
        close(fd);
        refuse_image(dir, image, "was refused");
}
END_TEST

START_TEST(a_sparse_raw_file_of_an_absurd_size) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.raw");

        write_text(image, "x");
        if (truncate(image, (off_t) (UINT64_C(65) << 40)) < 0) {
                ck_assert_int_eq(errno, EFBIG); /* not on this file system */
                return;
        }
        refuse_image(dir, image, "64.0 TiB");
}
END_TEST

/* --- vmdk ------------------------------------------------------------------------------------------ */

static char *descriptor(const char *extent) {
        char *text = strprintf("# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                               "createType=\"monolithicFlat\"\n%s\n",
                        extent);
        ck_assert_ptr_nonnull(text);
        return text;
}

START_TEST(vmdk_that_names_other_files) {
        static const char *const extents[] = {
                "RW 2 FLAT \"/etc/passwd\" 0",
                "RW 2 FLAT \"../secret\" 0",
                "RW 2 FLAT \"sub/secret\" 0",
                "RW 2 FLAT \"nbd://127.0.0.1/\" 0",
                "RW 2 FLAT \"json:{}\" 0",
                "RW 2 FLAT \"fat:secret\" 0",
                "RW 2 FLAT \"secret\" 0\nRW 2 FLAT \"/etc/passwd\" 0",
                "RW 2 SPARSE \"/etc/passwd\"",
                "RW 2 VMFS \"/etc/passwd\"",
                "RW 2 FLAT \"..\" 0",
        };
        _cleanup_test_dir_ char *dir = test_dir(), *inner = strprintf("%s/inner", dir);
        _cleanup_free_ char *text = descriptor(extents[_i]);
        char *image = PATH(inner, "a.vmdk");

        ck_assert_int_eq(mkdir(inner, 0700), 0);
        write_text(PATH(dir, "secret"), "secret");
        write_text(PATH(inner, "secret"), "secret");
        write_text(image, text);
        Plan p = plan_for(dir, image);
        p.extents[0] = PATH(inner, "secret");
        assert_refused(&p, "image_refused", "was refused");
}
END_TEST

START_TEST(vmdk_whose_extent_is_a_symlink) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = descriptor("RW 2 FLAT \"flat.vmdk\" 0");
        char *image = PATH(dir, "a.vmdk"), *flat = PATH(dir, "flat.vmdk");

        write_text(image, text);
        ck_assert_int_eq(symlink("/etc/passwd", flat), 0);
        /* Not listed as one of its files, as the manager would leave it. */
        refuse_image(dir, image, "no plain file");
        ck_assert_int_eq(unlink(flat), 0);
        ck_assert_int_eq(mkfifo(flat, 0600), 0);
        refuse_image(dir, image, "no plain file");
}
END_TEST

START_TEST(vmdk_whose_extent_became_a_symlink_after_submission) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = descriptor("RW 2 FLAT \"flat.vmdk\" 0");
        char *image = PATH(dir, "a.vmdk"), *flat = PATH(dir, "flat.vmdk");

        write_text(image, text);
        ck_assert_int_eq(symlink("/etc/passwd", flat), 0);
        Plan p = plan_for(dir, image);
        p.extents[0] = flat;
        assert_refused(&p, "image_refused", "symbolic link");
}
END_TEST

START_TEST(vmdk_whose_extent_was_not_submitted) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = descriptor("RW 2 FLAT \"other.raw\" 0");
        char *image = PATH(dir, "a.vmdk");

        write_text(image, text);
        make_disk(PATH(dir, "other.raw"), MIB, 1);
        refuse_image(dir, image, "was not part of it");
}
END_TEST

START_TEST(vmdk_with_a_parent) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *base = PATH(dir, "base.vmdk"), *image = PATH(dir, "a.vmdk");

        RUN("qemu-img", "create", "-q", "-f", "vmdk", base, "8M");
        RUN("qemu-img", "create", "-q", "-f", "vmdk", "-b", base, "-F", "vmdk", image);
        refuse_image(dir, image, "snapshot on top of another disk");
}
END_TEST

/* A sparse header without a capacity makes qemu follow the descriptor inside the file. */
static void write_hollow_vmdk(const char *path, const char *extent) {
        _cleanup_free_ char *file = calloc(1, 21 * 512), *text = descriptor(extent);
        uint32_t version = htole32(1), flags = htole32(3);
        uint64_t grain = htole64(128), at = htole64(1), n = htole64(20);

        memcpy(file, "KDMV", 4);
        memcpy(file + 4, &version, 4);
        memcpy(file + 8, &flags, 4);
        memcpy(file + 20, &grain, 8);
        memcpy(file + 28, &at, 8);
        memcpy(file + 36, &n, 8);
        strcpy(file + 512, text);
        write_file(path, file, 21 * 512);
}

START_TEST(vmdk_with_a_hollow_header) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.vmdk");

        write_hollow_vmdk(image, "RW 2 FLAT \"/etc/passwd\" 0");
        refuse_image(dir, image, "capacity of 0");
}
END_TEST

START_TEST(vmdk_with_a_hollow_extent) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_free_ char *text = descriptor("RW 2 SPARSE \"s001.vmdk\"");
        char *image = PATH(dir, "a.vmdk");

        write_text(image, text);
        write_hollow_vmdk(PATH(dir, "s001.vmdk"), "RW 2 FLAT \"/etc/passwd\" 0");
        Plan p = plan_for(dir, image);
        p.extents[0] = PATH(dir, "s001.vmdk");
        assert_refused(&p, "image_refused", "s001.vmdk: its header claims a capacity of 0");
}
END_TEST

START_TEST(vmdk_inside_an_ova_with_a_hollow_header) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_free_ char *ovf = make_ovf((const char *const[]){ "a.vmdk" }, 1);

        write_hollow_vmdk(PATH(dir, "a.vmdk"), "RW 2 FLAT \"/etc/passwd\" 0");
        tar_add_text(&t, "a.ovf", ovf);
        tar_add_file(&t, "a.vmdk", PATH(dir, "a.vmdk"));
        tar_end(&t);
        write_file(PATH(dir, "a.ova"), t.data, t.size);
        refuse_image(dir, PATH(dir, "a.ova"), "capacity of 0");
}
END_TEST

/* --- damaged --------------------------------------------------------------------------------------- */

static const struct {
        const char *format, *option, *cut; /* the file that is cut, NULL: the image */
} damaged[] = {
        { "vmdk", "subformat=monolithicSparse", NULL },
        { "vmdk", "subformat=streamOptimized", NULL },
        { "vmdk", "subformat=monolithicFlat", "a-flat.vmdk" },
        { "vmdk", "subformat=twoGbMaxExtentSparse", "a-s001.vmdk" },
        { "qcow2", "compat=1.1", NULL },
        { "vdi", "static=off", NULL },
        { "vpc", "subformat=dynamic", NULL },
        { "vhdx", "subformat=dynamic", NULL },
};

START_TEST(an_image_that_is_cut_off) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "disk.raw"), *image = PATH(dir, "a.%s", damaged[_i].format);
        char *cut = damaged[_i].cut ? PATH(dir, "%s", damaged[_i].cut) : image;

        make_disk(raw, 16 * MIB, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", damaged[_i].format, "-o", damaged[_i].option, raw,
                        image);
        ck_assert_int_eq(truncate(cut, (off_t) (file_size(cut) * 2 / 3)), 0);
        Plan p = plan_for(dir, image);
        p.extents[0] = damaged[_i].cut ? cut : NULL;
        p.source_format = streq(damaged[_i].format, "vpc") ? "vhd" : damaged[_i].format;
        ck_assert_int_eq(attempt(&p), JOB_EXIT_FAILED);
        _cleanup_(job_result_freep) JobResult *r = read_result(p.directory);
        ck_assert_msg(streq(r->code, "image_refused") || streq(r->code, "image_damaged"), "%s", r->code);
        ck_assert_int_eq(r->phase, PHASE_INSPECTION);
        ck_assert(!file_exists(p.destination));
}
END_TEST

START_TEST(vhd_that_is_a_differencing_disk) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *image = PATH(dir, "a.vhd");
        uint32_t type = htobe32(4);

        RUN("qemu-img", "create", "-q", "-f", "vpc", image, "8M");
        int fd = open(image, O_WRONLY);
        ck_assert_int_eq(pwrite_full(fd, &type, sizeof(type), file_size(image) - 512 + 60), 0);
        close(fd);
        refuse_image(dir, image, "differencing");
}
END_TEST

START_TEST(an_empty_file) {
        _cleanup_test_dir_ char *dir = test_dir();

        write_text(PATH(dir, "empty"), "");
        refuse_image(dir, PATH(dir, "empty"), "is empty");
}
END_TEST

START_TEST(a_source_that_is_no_file) {
        _cleanup_test_dir_ char *dir = test_dir();

        make_disk(PATH(dir, "disk"), MIB, 1);
        ck_assert_int_eq(symlink("disk", PATH(dir, "link")), 0);
        refuse_image(dir, PATH(dir, "link"), "symbolic link");
        refuse_image(dir, dir, "neither a regular file nor a block device");
        refuse_image(dir, "/dev/zero", "neither a regular file nor a block device");
}
END_TEST

/* --- OVA ------------------------------------------------------------------------------------------- */

static void refuse_ova(TarBuilder *t, const char *text) {
        _cleanup_test_dir_ char *dir = test_dir();

        tar_end(t);
        write_file(PATH(dir, "a.ova"), t->data, t->size);
        tar_builder_done(t);
        refuse_image(dir, PATH(dir, "a.ova"), text);
}

START_TEST(ova_that_reaches_outside) {
        _cleanup_free_ char *up = make_ovf((const char *const[]){ "../../etc/passwd" }, 1);
        _cleanup_free_ char *absolute = make_ovf((const char *const[]){ "/etc/passwd" }, 1);
        _cleanup_free_ char *net = make_ovf((const char *const[]){ "http://127.0.0.1/a.vmdk" }, 1);
        _cleanup_free_ char *plain = make_ovf((const char *const[]){ "a.vmdk" }, 1);
        const char *const ovfs[] = { up, absolute, net };

        for (size_t i = 0; i < ELEMENTSOF(ovfs); i++) {
                TarBuilder t = {};
                tar_add_text(&t, "a.ovf", ovfs[i]);
                refuse_ova(&t, ovfs[i] == net ? "which is on another machine" : "which it does not hold");
        }
        TarBuilder t = {};
        tar_add_text(&t, "a.ovf", up);
        tar_add_text(&t, "../../etc/passwd", "x");
        refuse_ova(&t, "not a plain relative path");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", plain);
        char *h = tar_header(&t, "a.vmdk", '2', 0);
        strcpy(h + 157, "/etc/passwd");
        tar_sum(h);
        refuse_ova(&t, "symbolic link");
}
END_TEST

START_TEST(ova_without_what_it_needs) {
        _cleanup_free_ char *none = make_ovf(NULL, 0);
        _cleanup_free_ char *gz = make_ovf((const char *const[]){ "a.vmdk.gz" }, 1);
        _cleanup_free_ char *plain = make_ovf((const char *const[]){ "a.vmdk" }, 1);
        TarBuilder t = {};

        tar_add_text(&t, "readme", "nothing here");
        refuse_ova(&t, "a tar archive without an .ovf file");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", none);
        refuse_ova(&t, "names no disk");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", gz);
        tar_add_text(&t, "a.vmdk.gz", "\x1f\x8b");
        refuse_ova(&t, "no disk image that is known");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", gz);
        tar_add_text(&t, "a.vmdk.gz", "\x1f\x8b\x08");
        refuse_ova(&t, "cut off");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>");
        refuse_ova(&t, "DOCTYPE");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", plain);
        tar_add_text(&t, "b.ovf", plain);
        refuse_ova(&t, "more than one");
        t = (TarBuilder){};
        _cleanup_free_ char *text = descriptor("RW 2 FLAT \"flat.vmdk\" 0");
        tar_add_text(&t, "a.ovf", plain);
        tar_add_text(&t, "a.vmdk", text);
        refuse_ova(&t, "several files");
        t = (TarBuilder){};
        tar_add_text(&t, "a.ovf", plain);
        tar_header(&t, "a.vmdk", '0', UINT64_C(1) << 40);
        refuse_ova(&t, "the file ends");
}
END_TEST

#define LOOP(test, n) tcase_add_loop_test(tcase, test, 0, (int) (n))

int main(void) {
        const TTest *const tests[] = { qcow2_with_a_backing_file, qcow2_with_a_data_file,
                qcow2_that_is_encrypted, a_sparse_raw_file_of_an_absurd_size, vmdk_whose_extent_is_a_symlink,
                vmdk_whose_extent_became_a_symlink_after_submission, vmdk_whose_extent_was_not_submitted,
                vmdk_with_a_parent, vmdk_with_a_hollow_header, vmdk_with_a_hollow_extent,
                vmdk_inside_an_ova_with_a_hollow_header, vhd_that_is_a_differencing_disk, an_empty_file,
                a_source_that_is_no_file, ova_that_reaches_outside, ova_without_what_it_needs };
        TCase *tcase = test_case("hostile", 120, tests, ELEMENTSOF(tests));

        LOOP(qcow2_of_an_absurd_size, 3);
        LOOP(vmdk_that_names_other_files, 10);
        LOOP(an_image_that_is_cut_off, ELEMENTSOF(damaged));
        return test_run("hostile", tcase);
}
