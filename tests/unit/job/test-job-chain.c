/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Images on top of each other become the disk that a guest would see, or are refused. */

#include <endian.h>

#include "unit/lib/job-front.h"

static Plan plan_for(const char *dir, const char *image) {
        return (Plan){ .directory = PATH(dir, "job"),
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
        RUN("rm", "-r", p->destination, p->directory);
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

/* --- differencing disks of Hyper-V ----------------------------------------------------------------- */

#define DISK (8 * MIB)
#define VHD_BLOCK (2 * MIB)

static void put_be32(char *p, uint32_t v) {
        v = htobe32(v);
        memcpy(p, &v, sizeof(v));
}

static void put_be64(char *p, uint64_t v) {
        v = htobe64(v);
        memcpy(p, &v, sizeof(v));
}

static void put_le32(char *p, uint32_t v) {
        v = htole32(v);
        memcpy(p, &v, sizeof(v));
}

static void put_le64(char *p, uint64_t v) {
        v = htole64(v);
        memcpy(p, &v, sizeof(v));
}

static uint32_t get_le32(const char *p) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        return le32toh(v);
}

static uint64_t get_le64(const char *p) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        return le64toh(v);
}

/* ASCII as UTF-16; how many bytes that are. */
static size_t put_utf16(char *p, const char *text, bool big_endian) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++) {
                p[2 * i] = big_endian ? 0 : text[i];
                p[2 * i + 1] = big_endian ? text[i] : 0;
        }
        return 2 * n;
}

/* The complement of the sum of all bytes but its own four. */
static void put_sum(char *data, size_t size, size_t at) {
        uint32_t sum = 0;

        put_be32(data + at, 0);
        for (size_t i = 0; i < size; i++)
                sum += (unsigned char) data[i];
        put_be32(data + at, ~sum);
}

/* A VHD on top of @base, a dynamic one, with @id. Of its second block every third sector was written, of the
 * last one all; the others are the base's. @expected, a raw copy of the base, is changed likewise. */
static void write_differencing_vhd(const char *path, const char *base, const char *name, unsigned char id,
                unsigned char fill, char *expected) {
        size_t size, bat = 2048, first = 4096, block = 512 + VHD_BLOCK;
        _cleanup_free_ char *parent = read_text(base, &size), *file = calloc(1, first + 2 * block + 512);
        char *footer = file + first + 2 * block, *header = file + 512;

        memcpy(footer, parent + size - 512, 512);
        put_be64(footer + 16, 512);
        put_be32(footer + 60, 4);
        memcpy(header, "cxsparse", 8);
        put_be64(header + 8, UINT64_MAX);
        put_be64(header + 16, bat);
        put_be32(header + 24, 0x10000);
        put_be32(header + 28, DISK / VHD_BLOCK);
        put_be32(header + 32, VHD_BLOCK);
        memcpy(header + 40, footer + 68, 16);
        put_utf16(header + 64, name, true);
        memset(footer + 68, id, 16);
        put_sum(header, 1024, 36);
        put_sum(footer, 512, 64);
        memcpy(file, footer, 512);
        memset(file + bat, 0xff, 512);
        put_be32(file + bat + 4, (uint32_t) (first / 512));
        put_be32(file + bat + 12, (uint32_t) ((first + block) / 512));
        for (size_t s = 0; s < VHD_BLOCK / 512; s++) {
                /* What is not marked as written is not the disk's. */
                memset(file + first + 512 + s * 512, fill, 512);
                memset(file + first + block + 512 + s * 512, fill + 1, 512);
                file[first + block + s / 8] = (char) 0xff;
                memset(expected + 3 * VHD_BLOCK + s * 512, fill + 1, 512);
                if (s % 3 != 0)
                        continue;
                file[first + s / 8] |= (char) (0x80 >> s % 8);
                memset(expected + VHD_BLOCK + s * 512, fill, 512);
        }
        write_file(path, file, first + 2 * block + 512);
}

START_TEST(differencing_vhd) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *base = PATH(dir, "base.vhd"), *expected = PATH(dir, "expected");
        char *one = PATH(dir, "one.avhd"), *two = PATH(dir, "two.avhd");
        size_t size;

        make_disk(raw, DISK, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=dynamic,force_size=on", raw,
                        base);
        _cleanup_free_ char *disk = read_text(raw, &size);
        write_differencing_vhd(one, base, "base.vhd", 0x11, 0x55, disk);
        write_differencing_vhd(two, one, "C:\\VMs\\one.avhd", 0x22, 0x77, disk);
        write_file(expected, disk, size);
        Plan p = plan_for(dir, two);
        p.extents[0] = one;
        p.extents[1] = base;
        assert_result(&p, expected);
        p.destination_format = "qcow2";
        assert_converts(&p);
        assert_same_disk(expected, "raw", p.destination, "qcow2");
        RUN("rm", "-r", p.destination, p.directory);

        p.chain = NULL;
        assert_refused(&p, "image_refused", "differencing disk on top of another one");
        p.chain = "flatten";
        write_differencing_vhd(one, base, "base.vhd", 0x33, 0x55, disk);
        assert_refused(&p, "image_refused", "it is on top of an image with the UUID 1111");
}
END_TEST

static const char metadata_guid[] = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
static const char bat_guid[] = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08";
static const char file_guid[] = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
static const char locator_guid[] = "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c";

/* Where a region of a VHDX is. */
static uint64_t region(const char *file, const char *guid) {
        const char *table = file + 192 * 1024;

        for (uint32_t i = 0; i < get_le32(table + 8); i++)
                if (memcmp(table + 16 + 32 * i, guid, 16) == 0)
                        return get_le64(table + 16 + 32 * i + 16);
        ck_abort_msg("there is no such region");
}

static const char *newest_header(const char *file) {
        const char *a = file + 64 * 1024, *b = file + 128 * 1024;

        return get_le64(a + 8) > get_le64(b + 8) ? a : b;
}

/* A parent locator with two keys: the identity and the name. */
static size_t put_locator(char *locator, const char *linkage, const char *name) {
        static const char *const keys[] = { "parent_linkage", "relative_path" };
        const char *const values[] = { linkage, name };
        size_t at = 20 + 2 * 12;

        locator[18] = 2;
        for (size_t k = 0; k < 2; k++) {
                char *entry = locator + 20 + 12 * k;
                size_t n = put_utf16(locator + at, keys[k], false);
                put_le32(entry, (uint32_t) at);
                entry[8] = (char) n;
                at += n;
                n = put_utf16(locator + at, values[k], false);
                put_le32(entry + 4, (uint32_t) at);
                entry[10] = (char) n;
                at += n;
        }
        return at;
}

/* Makes the VHDX @path, whose first block was written, one on top of @base: of that block every third sector
 * is its own. Where nothing was written it is not there. */
static void make_differencing_vhdx(const char *path, const char *base, const char *linkage, uint64_t block) {
        size_t size, base_size;
        _cleanup_free_ char *file = read_text(path, &size), *below = read_text(base, &base_size), *id = NULL;
        const unsigned char *g = (const unsigned char *) newest_header(below) + 32;
        uint64_t metadata = region(file, metadata_guid), bat = region(file, bat_guid);
        uint64_t ratio = (UINT64_C(1) << 23) * 512 / block;
        char *table = file + metadata;

        id = strprintf("{%08X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
                        get_le32((const char *) g), g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12],
                        g[13], g[14], g[15]);
        uint32_t n = (unsigned char) table[10];
        for (uint32_t i = 0; i < n; i++)
                if (memcmp(table + 32 + 32 * i, file_guid, 16) == 0)
                        file[metadata + get_le32(table + 32 + 32 * i + 16) + 4] |= 2;
        char *entry = table + 32 + 32 * n, *locator = file + metadata + 0x20000;
        memcpy(entry, locator_guid, 16);
        put_le32(entry + 16, 0x20000);
        put_le32(entry + 20, (uint32_t) put_locator(locator, linkage ? linkage : id, ".\\base.vhdx"));
        table[10]++;

        for (uint64_t b = 0; b < DISK / block; b++)
                if ((file[bat + 8 * b] & 7) != 6)
                        put_le64(file + bat + 8 * b, 0);
        file[bat] = (char) ((file[bat] & ~7) | 7);
        put_le64(file + bat + 8 * ratio, size | 6);
        write_file(path, file, size);
        _cleanup_free_ char *bitmap = calloc(1, MIB);
        for (size_t s = 0; s < block / 512; s += 3)
                bitmap[s / 8] |= (char) (1 << s % 8);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(pwrite_full(fd, bitmap, MIB, size), 0);
        close(fd);
}

START_TEST(differencing_vhdx) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *raw = PATH(dir, "raw"), *base = PATH(dir, "base.vhdx"), *top = PATH(dir, "top.avhdx");
        char *expected = PATH(dir, "expected");
        size_t size;

        make_disk(raw, DISK, 1);
        RUN("qemu-img", "convert", "-f", "raw", "-O", "vhdx", raw, base);
        RUN("qemu-img", "create", "-q", "-f", "vhdx", "-o", "block_size=1M,subformat=dynamic", top, "8M");
        RUN("qemu-io", "-f", "vhdx", "-c", "write -P 85 0 1M", "-c", "write -P 86 5M 1M", top);
        make_differencing_vhdx(top, base, NULL, MIB);
        _cleanup_free_ char *disk = read_text(raw, &size);
        for (size_t s = 0; s < MIB / 512; s += 3)
                memset(disk + s * 512, 85, 512);
        memset(disk + 5 * MIB, 86, MIB);
        write_file(expected, disk, size);
        Plan p = plan_for(dir, top);
        p.extents[0] = base;
        assert_result(&p, expected);

        p.chain = NULL;
        assert_refused(&p, "image_refused", "differencing disk on top of another one");
        p.chain = "flatten";
        p.extents[0] = NULL;
        assert_refused(&p, "image_refused", "it is on top of \".\\base.vhdx\"");
        /* Cut off. */
        p.extents[0] = base;
        ck_assert_int_eq(truncate(top, (off_t) file_size(top) - 512), 0);
        assert_refused(&p, "image_refused", "cut off");
}
END_TEST

START_TEST(a_vhdx_on_top_of_another_one_than_it_says) {
        _cleanup_test_dir_ char *dir = test_dir();
        char *base = PATH(dir, "base.vhdx"), *top = PATH(dir, "top.avhdx");

        RUN("qemu-img", "create", "-q", "-f", "vhdx", base, "8M");
        RUN("qemu-img", "create", "-q", "-f", "vhdx", "-o", "block_size=1M", top, "8M");
        RUN("qemu-io", "-f", "vhdx", "-c", "write -P 85 0 1M", top);
        make_differencing_vhdx(top, base, "{83ed0ec3-24c8-49a6-a959-5e4bd1288fbb}", MIB);
        Plan p = plan_for(dir, top);
        p.extents[0] = base;
        assert_refused(&p, "image_refused", "it is on top of an image with the {83ed0ec3-24c8");
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
                vmdk_snapshots_of_esx, differencing_vhd, differencing_vhdx,
                a_vhdx_on_top_of_another_one_than_it_says, an_image_in_an_ova_has_no_parent)
