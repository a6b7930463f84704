/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images on top of each other become the disk that a guest would see, or are refused. */

#include <endian.h>

#include "job-front.h"

static Plan plan_for(const char *dir, const char *image) {
        return (Plan){ .folder = PATH(dir, "job"),
                .source = image,
                .destination = PATH(dir, "result"),
                .destination_format = "raw",
                .verify = true,
                .chain = "flatten" };
}

static void assert_result(const Plan *p, const char *expected) {
        assert_converts(p);
        ck_assert_uint_eq(file_size(expected), file_size(p->destination));
        RUN("cmp", expected, p->destination);
        RUN("rm", "-r", p->destination, p->folder);
}

/* An image on top of @base, which a guest has written to. */
static char *overlay(const char *dir, const char *name, const char *format, const char *base,
                const char *base_format, const char *write) {
        char *path = PATH(dir, "%s", name);

        RUN("qemu-img", "create", "-q", "-f", format, "-b", base, "-F", base_format, path);
        RUN("qemu-io", "-f", format, "-c", write, path);
        return path;
}

START_TEST(qcow2_with_backing_files) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *base = PATH(dir, "base"), *expected = PATH(dir, "expected");

        make_disk(base, 8 * MIB, 1);
        char *one = overlay(dir, "one", "qcow2", "base", "raw", "write -P 7 1M 192k");
        char *two = overlay(dir, "two", "qcow2", one, "qcow2", "write -z 1100k 1M");
        RUN("qemu-img", "convert", "-f", "qcow2", "-O", "raw", two, expected);
        Plan p = plan_for(dir, two);
        p.extents[0] = one;
        p.extents[1] = base;
        assert_result(&p, expected);

        p.chain = NULL;
        assert_refused(&p, "image_refused", "set parameters.chain to \"flatten\"");
        p.chain = "flatten";
        p.extents[1] = NULL;
        assert_refused(&p, "image_refused",
                        "it is on top of \"base\", which is not one of the files of the job");
        /* What the header says of a parent is not what qemu opens. */
        p.extents[1] = base;
        p.extents[2] = PATH(dir, "expected");
        assert_refused(&p, "image_refused", "was a part of it when the job began");
        RUN("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", two, one);
        p.extents[1] = p.extents[2] = NULL;
        assert_refused(&p, "image_refused", "on top of itself");
}
END_TEST

START_TEST(qcow2_on_a_split_vmdk) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *base = PATH(dir, "base.vmdk"), *expected = PATH(dir, "expected");

        make_disk(raw, 8 * MIB, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", raw,
                        base);
        char *top = overlay(dir, "top", "qcow2", "base.vmdk", "vmdk", "write -P 9 3M 100k");
        RUN("qemu-img", "convert", "-f", "qcow2", "-O", "raw", top, expected);
        Plan p = plan_for(dir, top);
        p.extents[0] = base;
        p.extents[1] = PATH(dir, "base-s001.vmdk");
        assert_result(&p, expected);
}
END_TEST

START_TEST(vmdk_snapshots_of_workstation) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *base = PATH(dir, "base.vmdk"), *expected = PATH(dir, "expected");

        make_disk(raw, 8 * MIB, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat", raw, base);
        char *one = overlay(dir, "one.vmdk", "vmdk", "base.vmdk", "vmdk", "write -P 7 1M 192k");
        char *two = overlay(dir, "two.vmdk", "vmdk", "one.vmdk", "vmdk", "write -P 8 1100k 64k");
        RUN("qemu-img", "convert", "-f", "vmdk", "-O", "raw", two, expected);
        Plan p = plan_for(dir, two);
        p.extents[0] = one;
        p.extents[1] = base;
        p.extents[2] = PATH(dir, "base-flat.vmdk");
        assert_result(&p, expected);
}
END_TEST

/* A delta of ESX ("COWD"): one table of 4096 grains of a sector, of which the first are there. */
static void write_delta(const char *path, uint32_t sectors, unsigned char fill, uint32_t changed) {
        _cleanup_free_ char *file = calloc(1, (size_t) (5 + 32 + changed) * 512);
        const uint32_t header[] = { htole32(1), htole32(3), htole32(sectors), htole32(1), htole32(4),
                htole32(1), htole32(5 + 32 + changed) };
        uint32_t *table = (uint32_t *) (void *) (file + 5 * 512), at = htole32(5);

        ck_assert_uint_le(sectors, 4096);
        memcpy(file, "COWD", 4);
        memcpy(file + 4, header, sizeof(header));
        memcpy(file + 4 * 512, &at, 4);
        for (uint32_t k = 0; k < changed; k++)
                table[k] = htole32(5 + 32 + k);
        memset(file + (5 + 32) * 512, fill, (size_t) changed * 512);
        write_file(path, file, (size_t) (5 + 32 + changed) * 512);
}

static void write_snapshot(const char *path, const char *cid, const char *parent, const char *extent) {
        _cleanup_free_ char *text =
                        strprintf("# Disk DescriptorFile\nversion=1\nCID=%s\nparentCID=%s\n"
                                  "parentFileNameHint=\"base.vmdk\"\nRW 2048 VMFSSPARSE \"%s\"\n",
                                        cid, parent, extent);
        write_text(path, text);
}

START_TEST(vmdk_snapshots_of_esx) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *flat = PATH(dir, "base-flat.vmdk"), *base = PATH(dir, "base.vmdk");
        char *top = PATH(dir, "vm-000001.vmdk"), *expected = PATH(dir, "expected");
        char change[3 * 512];

        make_disk(flat, MIB, 1);
        write_text(base,
                        "# Disk DescriptorFile\nversion=1\nCID=0000000a\nparentCID=ffffffff\n"
                        "RW 2048 VMFS \"base-flat.vmdk\"\n");
        write_delta(PATH(dir, "delta.vmdk"), 2048, 0x55, 3);
        write_snapshot(top, "0000000b", "0000000a", "delta.vmdk");
        RUN("cp", flat, expected);
        memset(change, 0x55, sizeof(change));
        int fd = open(expected, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite_full(fd, change, sizeof(change), 0), 0);
        close(fd);
        Plan p = plan_for(dir, top);
        p.extents[0] = PATH(dir, "delta.vmdk");
        p.extents[1] = base;
        p.extents[2] = flat;
        assert_result(&p, expected);

        write_snapshot(top, "0000000b", "00000bad", "delta.vmdk");
        assert_refused(&p, "image_refused", "it is on top of an image with the CID 00000bad, but");
}
END_TEST

START_TEST(an_image_in_an_ova_has_no_parent) {
        _cleanup_test_dir_ char *dir = test_dir();
        _cleanup_(tar_builder_done) TarBuilder t = {};
        _cleanup_free_ char *ovf = make_ovf((const char *const[]){ "top.vmdk" }, 1);

        RUN("qemu-img", "create", "-q", "-f", "vmdk", PATH(dir, "base.vmdk"), "8M");
        overlay(dir, "top.vmdk", "vmdk", "base.vmdk", "vmdk", "write -P 7 1M 192k");
        tar_add_text(&t, "a.ovf", ovf);
        tar_add_file(&t, "top.vmdk", PATH(dir, "top.vmdk"));
        tar_end(&t);
        write_file(PATH(dir, "a.ova"), t.data, t.size);
        Plan p = plan_for(dir, PATH(dir, "a.ova"));
        assert_refused(&p, "image_refused", "snapshot on top of another disk");
}
END_TEST

TEST_MAIN("job-chain", qcow2_with_backing_files, qcow2_on_a_split_vmdk, vmdk_snapshots_of_workstation,
                vmdk_snapshots_of_esx, an_image_in_an_ova_has_no_parent)
