/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is in an initramfs, what it lacks, and what is appended. */

#include <archive.h>
#include <archive_entry.h>

#include "guest/cpio.h"
#include "guest/driver-list.h"
#include "guest/initramfs-list.h"
#include "guest/kernel.h"
#include "guest/module-set.h"
#include "guest/orders.h"
#include "guest/roots.h"
#include "spec/job-fix.h"
#include "spec/job-parameters.h"
#include "unit/lib/test.h"

static void add_plain(Buffer *b, const char *path) {
        Buffer one = {};

        cpio_add(&one, "usr", S_IFDIR | 0755, NULL, 0);
        cpio_add(&one, path, S_IFREG | 0644, "data", 4);
        cpio_end(&one);
        buffer_add(b, one.data, one.size);
        buffer_done(&one);
}

/* Compressed by libarchive, which is what reads it; the formats' magic numbers are not ours. */
static void add_compressed(Buffer *b, const char *filter, const char *path) {
        struct archive *a = archive_write_new();
        struct archive_entry *e = archive_entry_new();
        char out[16384];
        size_t used = 0;

        ck_assert_int_eq(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_set_format_cpio_newc(a), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_open_memory(a, out, sizeof(out), &used), ARCHIVE_OK);
        archive_entry_set_pathname(e, path);
        archive_entry_set_mode(e, S_IFREG | 0644);
        archive_entry_set_size(e, 4);
        ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
        ck_assert_int_eq(archive_write_data(a, "data", 4), 4);
        ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
        archive_entry_free(e);
        archive_write_free(a);
        buffer_add(b, out, used);
}

static void pad(Buffer *b) {
        buffer_add_zeroes(b, (4 - b->size % 4) % 4);
}

static void check_list(Buffer *b, const char *modules, const char *directory, bool complete) {
        _cleanup_initramfs_list_ InitramfsList l = {};

        ck_assert_int_eq(initramfs_list_read(b->data, b->size, &l), 0);
        _cleanup_free_ char *all = strv_join(l.modules, " ");
        ck_assert_str_eq(all, modules);
        ck_assert(streq_ptr(l.directory, directory));
        ck_assert_int_eq(l.complete, complete);
}

START_TEST(archives_of_all_kinds_are_listed) {
        static const char *const filters[] = { "gzip", "bzip2", "xz", "lzma", "zstd", "lz4" };

        for (size_t i = 0; i < ELEMENTSOF(filters); i++) {
                _cleanup_buffer_ Buffer b = {};
                add_plain(&b, "kernel/x86/microcode/GenuineIntel.bin");
                add_compressed(&b, filters[i], "usr/lib/modules/6.1/kernel/drivers/scsi/sd_mod.ko");
                pad(&b);
                add_plain(&b, "usr/lib/modules/6.1/kernel/drivers/block/virtio-blk.ko.xz");
                check_list(&b, "sd_mod virtio_blk", "usr/lib/modules", true);
        }
}
END_TEST

START_TEST(other_directories_are_no_modules) {
        _cleanup_buffer_ Buffer b = {};

        add_plain(&b, "lib/modules/6.1/kernel/a.ko.zst");
        add_plain(&b, "./lib/modules/6.1/kernel/b.ko");
        add_plain(&b, "lib/modules/6.1/modules.dep");
        add_plain(&b, "lib/modulesx/6.1/kernel/c.ko");
        add_plain(&b, "home/lib/modules/d.ko");
        add_plain(&b, "lib/modules/6.1/e.kop");
        check_list(&b, "a b", "lib/modules", true);
}
END_TEST

START_TEST(damage_is_seen) {
        _cleanup_buffer_ Buffer a = {}, b = {}, c = {};

        buffer_add_text(&a, "this is no archive");
        check_list(&a, "", NULL, false);
        add_plain(&b, "lib/modules/6.1/kernel/a.ko");
        b.size = 300;
        check_list(&b, "a", "lib/modules", false);
        add_compressed(&c, "xz", "lib/modules/6.1/kernel/a.ko");
        c.size /= 2;
        _cleanup_initramfs_list_ InitramfsList l = {};
        ck_assert_int_eq(initramfs_list_read(c.data, c.size, &l), 0);
        ck_assert(!l.complete);
        check_list(&(Buffer){}, "", NULL, true);
}
END_TEST

START_TEST(what_is_written_is_read) {
        _cleanup_buffer_ Buffer b = {};
        size_t offset = 0;
        CpioEntry e;

        cpio_add(&b, "a/b", S_IFREG | 0600, "12345", 5);
        cpio_end(&b);
        ck_assert_uint_eq(b.size % 512, 0);
        ck_assert_int_eq(cpio_next(b.data, b.size, &offset, &e), 1);
        ck_assert_str_eq(e.name, "a/b");
        ck_assert_uint_eq(e.size, 5);
        ck_assert_uint_eq(e.mode, S_IFREG | 0600);
        ck_assert_int_eq(memcmp(e.data, "12345", 5), 0);
        ck_assert_int_eq(cpio_next(b.data, b.size, &offset, &e), 0);
        ck_assert_int_eq(cpio_next(b.data, b.size, &offset, &e), -EBADMSG);
}
END_TEST

static const char dep[] = "kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko "
                          "kernel/drivers/virtio/virtio.ko\n"
                          "kernel/drivers/virtio/virtio_ring.ko:\n"
                          "kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko\n"
                          "kernel/drivers/scsi/sd_mod.ko:\n";

static void check_set(const char *deps, const char *builtin, char **present, const char *missing,
                const char *unavailable, const char *files) {
        _cleanup_module_set_ ModuleSet s = {};

        ck_assert_int_eq(module_set_find(deps, builtin, present, disk_drivers, &s), 0);
        _cleanup_free_ char *a = strv_join(s.missing, " "), *b = strv_join(s.unavailable, " "),
                            *c = strv_join(s.files, " ");
        ck_assert_str_eq(a, missing);
        ck_assert_str_eq(b, unavailable);
        ck_assert_str_eq(c, files);
}

START_TEST(missing_drivers_come_with_what_they_need) {
        char *sd[] = { (char *) "sd_mod", NULL },
             *all[] = { (char *) "sd_mod", (char *) "virtio_pci", (char *) "virtio_blk",
                     (char *) "virtio_scsi", NULL };

        check_set(dep, "kernel/drivers/scsi/virtio_scsi.ko\n", sd, "virtio_pci virtio_blk", "",
                        "kernel/drivers/virtio/virtio_pci.ko kernel/drivers/virtio/virtio_ring.ko "
                        "kernel/drivers/virtio/virtio.ko kernel/drivers/block/virtio_blk.ko.xz");
        check_set(dep, "", all, "", "", "");
        check_set("", "", NULL, "", "virtio_pci virtio_blk virtio_scsi sd_mod", "");
        /* A hostile guest names a file outside. */
        check_set("kernel/virtio_blk.ko: ../../../etc/shadow /etc/passwd\n",
                        "k/virtio_pci.ko\nk/virtio_scsi.ko\nk/sd_mod.ko\n", NULL, "virtio_blk", "",
                        "kernel/virtio_blk.ko");
}
END_TEST

static int parse_orders(const char *text, Orders *orders) {
        _cleanup_(json_errors_done) JsonErrors errors = {};

        return orders_parse(text, strlen(text), orders, &errors);
}

START_TEST(orders_are_checked) {
        static const char *const wrong[] = { "", "[]", "{}",
                "{\"disks\": [], \"operations\": \"auto\", \"appliance\": \"/a\", \"runtime\": \"/r\"}",
                "{\"disks\": [{\"path\": \"/d\"}], \"operations\": \"auto\", \"appliance\": \"/a\", \"runtime\": "
                "\"/r\"}",
                "{\"disks\": [{\"path\": \"/d\", \"format\": \"raw\"}], \"operations\": [\"convert\"], "
                "\"appliance\": \"/a\", \"runtime\": \"/r\"}",
                "{\"disks\": [{\"path\": \"/d\", \"format\": \"raw\"}], \"operations\": \"auto\", \"appliance\": "
                "\"/a\", \"runtime\": \"/r\", \"color\": 1}" };
        _cleanup_orders_ Orders o = {};

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_int_eq(parse_orders(wrong[i], &o), -EBADMSG);
        ck_assert_int_eq(
                        parse_orders("{\"disks\": [{\"path\": \"/d\", \"format\": \"raw\"}], \"operations\": "
                                     "[\"fs_repair\"], \"appliance\": \"/a\", \"runtime\": \"/r\", \"root\": "
                                     "null}",
                                        &o),
                        0);
        ck_assert_uint_eq(o.fix, 1u << OPERATION_FS_REPAIR);
        ck_assert_ptr_null(o.root);
        orders_done(&o);
        ck_assert_int_eq(
                        parse_orders("{\"disks\": [{\"path\": \"/d\", \"format\": \"raw\"}], \"operations\": "
                                     "\"auto\", \"appliance\": \"/a\", \"runtime\": \"/r\", \"native\": true, "
                                     "\"relabel\": \"firstboot\", \"memory\": 4096}",
                                        &o),
                        0);
        ck_assert(o.native);
        ck_assert_int_eq(o.relabel, RELABEL_FIRSTBOOT);
        ck_assert_uint_eq(o.memory, 4096);
}
END_TEST

/* 200 kernels: the newest one is the first that gets its drivers. */
START_TEST(kernels_are_sorted_newest_first) {
        char **versions = NULL;

        for (unsigned i = 1; i <= 200; i++)
                ck_assert_int_eq(strv_extendf(&versions, "5.14.0-%u.%u.1.el9_2.x86_64", i % 100 + 8, i), 0);
        ck_assert_int_eq(strv_extend(&versions, "6.1.0-9-amd64"), 0);
        ck_assert_int_eq(strv_extend(&versions, "6.1.0-57-amd64"), 0);
        kernel_versions_sort(versions);
        ck_assert_str_eq(versions[0], "6.1.0-57-amd64");
        ck_assert_str_eq(versions[1], "6.1.0-9-amd64");
        ck_assert_str_eq(versions[2], "5.14.0-107.199.1.el9_2.x86_64");
        ck_assert_str_eq(versions[201], "5.14.0-8.100.1.el9_2.x86_64");
        strv_free(versions);
}
END_TEST

START_TEST(copies_of_configuration_are_seen) {
        _cleanup_buffer_ Buffer b = {};
        _cleanup_initramfs_list_ InitramfsList l = {};

        add_plain(&b, "etc/crypttab");
        add_plain(&b, "./etc/mdadm/mdadm.conf");
        add_plain(&b, "etc/crypttab.old");
        ck_assert_int_eq(initramfs_list_read(b.data, b.size, &l), 0);
        for (size_t i = 0; i < INITRAMFS_FILES_MAX; i++)
                ck_assert_int_eq(l.has[i],
                                streq(initramfs_files[i], "/etc/crypttab") ||
                                                streq(initramfs_files[i], "/etc/mdadm/mdadm.conf"));
}
END_TEST

START_TEST(snapshots_are_no_operating_systems) {
        static const char *const texts[][4] = {
                { "/dev/sda1", "/dev/sdb1", NULL },
                { "btrfsvol:/dev/sda2/@/.snapshots/1/snapshot", "/dev/sda2", NULL },
                { "btrfsvol:/dev/sda2/timeshift-btrfs/snapshots/x/@", "btrfsvol:/dev/sda2/@", NULL },
                { "btrfsvol:/dev/sda2/@/.snapshots/1/snapshot", "btrfsvol:/dev/sda2/@/.snapshots/2/snapshot",
                                NULL },
                { NULL },
        };
        static const struct {
                size_t n;
                const char *first;
        } expected[] = { { 2, "/dev/sda1" }, { 1, "/dev/sda2" }, { 1, "btrfsvol:/dev/sda2/@" },
                { 2, "btrfsvol:/dev/sda2/@/.snapshots/1/snapshot" }, { 0, NULL } };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char *roots[4] = {};
                memcpy(roots, texts[i], sizeof(roots));
                ck_assert_uint_eq(roots_order(roots), expected[i].n);
                ck_assert(streq_ptr(roots[0], expected[i].first));
        }
}
END_TEST

TEST_MAIN("guest-initramfs", archives_of_all_kinds_are_listed, other_directories_are_no_modules,
                damage_is_seen, what_is_written_is_read, missing_drivers_come_with_what_they_need,
                orders_are_checked, kernels_are_sorted_newest_first, copies_of_configuration_are_seen,
                snapshots_are_no_operating_systems)
