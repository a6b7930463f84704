/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guests that cannot be changed, or only with care: several operating systems, none, encrypted ones, a huge
 * fstab, 200 kernels, no space, a read-only file system, a hibernated Windows. The functions of libguestfs
 * are replaced here; tests/guests/unusual.sh has the same guests with a real one. */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "guest/buffer.h"
#include "guest/cpio.h"
#include "guest/initramfs.h"
#include "guest/inspect.h"
#include "spec/job-fix.h"
#include "unit/lib/test.h"

/* --- libguestfs ------------------------------------------------------------------------------------ */

static struct {
        const char *partitions; /* names with their types, "/dev/sda1=ext4", separated by blanks */
        const char *roots; /* NULL: looking for them fails */
        const char *type; /* of the operating system */
        int mbr_id;
        json_t *files; /* path: content */
        int64_t fstab_size;
        int error; /* of all that is written; 0: none */
        int64_t space;
        int last_errno;
        unsigned inspected, written;
} fake;

static char **words_of(const char *text, const char *end) {
        char **words = text ? new0(char *, 1) : NULL;

        for (const char *w = text; w && *w; w += strspn(w, " ")) {
                ck_assert_int_eq(strv_consume(&words, strndup(w, strcspn(w, end))), 0);
                w += strcspn(w, " ");
        }
        return words;
}

static const char *content_of(const char *path, size_t *ret_size) {
        json_t *file = json_object_get(fake.files, path);

        *ret_size = json_string_length(file);
        return json_string_value(file);
}

static int write_result(void) {
        fake.written++;
        fake.last_errno = fake.error;
        return fake.error ? -1 : 0;
}

const char *guestfs_last_error(guestfs_h *g _unused_) {
        return "it has failed";
}

int guestfs_last_errno(guestfs_h *g _unused_) {
        return fake.last_errno;
}

char **guestfs_list_devices(guestfs_h *g _unused_) {
        return words_of("/dev/sda /dev/sdb", " ");
}

char **guestfs_list_partitions(guestfs_h *g _unused_) {
        return words_of(fake.partitions, "= ");
}

char **guestfs_list_md_devices(guestfs_h *g _unused_) {
        return words_of("", " ");
}

char **guestfs_lvs(guestfs_h *g _unused_) {
        return words_of("", " ");
}

char *guestfs_vfs_type(guestfs_h *g _unused_, const char *device) {
        const char *p = strstr(fake.partitions, device);

        p = p ? p + strlen(device) : "";
        return *p == '=' ? strndup(p + 1, strcspn(p + 1, " ")) : strdup("");
}

char *guestfs_vfs_uuid(guestfs_h *g _unused_, const char *device _unused_) {
        return strdup("11111111-2222-4333-8444-555555555555");
}

char *guestfs_part_to_dev(guestfs_h *g _unused_, const char *partition) {
        return strndup(partition, strlen("/dev/sda"));
}

int guestfs_part_to_partnum(guestfs_h *g _unused_, const char *partition) {
        return partition[strlen("/dev/sda")] - '0';
}

char *guestfs_part_get_parttype(guestfs_h *g _unused_, const char *device _unused_) {
        return strdup("msdos");
}

int guestfs_part_get_mbr_id(guestfs_h *g _unused_, const char *device _unused_, int number _unused_) {
        return fake.mbr_id;
}

char **guestfs_inspect_os(guestfs_h *g _unused_) {
        fake.inspected++;
        return words_of(fake.roots, " ");
}

char *guestfs_inspect_get_type(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup(fake.type);
}

char *guestfs_inspect_get_arch(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup("x86_64");
}

char *guestfs_inspect_get_windows_systemroot(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup("/Windows");
}

char *guestfs_inspect_get_windows_system_hive(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup("/Windows/System32/config/SYSTEM");
}

char *guestfs_inspect_get_windows_software_hive(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup("/Windows/System32/config/SOFTWARE");
}

char *guestfs_inspect_get_windows_current_control_set(guestfs_h *g _unused_, const char *root _unused_) {
        return strdup("ControlSet001");
}

char **guestfs_inspect_get_mountpoints(guestfs_h *g _unused_, const char *root) {
        _cleanup_free_ char *text = strprintf("/ %s", root);

        return words_of(text, " ");
}

char **guestfs_mountpoints(guestfs_h *g _unused_) {
        return words_of("", " ");
}

int guestfs_mount_ro(guestfs_h *g _unused_, const char *device _unused_, const char *directory _unused_) {
        return 0;
}

int guestfs_mount(guestfs_h *g _unused_, const char *device _unused_, const char *directory _unused_) {
        return write_result();
}

int guestfs_umount_all(guestfs_h *g _unused_) {
        return 0;
}

int guestfs_is_file(guestfs_h *g _unused_, const char *path) {
        return json_object_get(fake.files, path) != NULL;
}

int guestfs_is_file_opts(guestfs_h *g, const char *path, ...) {
        return guestfs_is_file(g, path);
}

int guestfs_exists(guestfs_h *g, const char *path) {
        return guestfs_is_file(g, path);
}

int guestfs_is_dir_opts(guestfs_h *g _unused_, const char *path, ...) {
        return streq(path, "/lib/modules");
}

char *guestfs_case_sensitive_path(guestfs_h *g _unused_, const char *path) {
        return strdup(path);
}

int64_t guestfs_filesize(guestfs_h *g _unused_, const char *path) {
        size_t size;

        (void) content_of(path, &size);
        return streq(path, "/etc/fstab") && fake.fstab_size ? fake.fstab_size : (int64_t) size;
}

char *guestfs_pread(guestfs_h *g _unused_, const char *path, int count, int64_t offset, size_t *ret) {
        size_t size;
        const char *data = content_of(path, &size);

        size -= MIN(size, (size_t) offset);
        *ret = MIN(size, (size_t) count);
        char *piece = new0(char, *ret + 1);
        ck_assert_ptr_nonnull(piece);
        memcpy(piece, data + offset, *ret);
        return piece;
}

/* "/lib/modules" */
char **guestfs_ls(guestfs_h *g _unused_, const char *directory) {
        char **names = new0(char *, 1);
        const char *path;
        json_t *file;

        json_object_foreach(fake.files, path, file) {
                const char *rest = startswith(path, directory);
                if (rest && endswith(rest, "/modules.dep"))
                        ck_assert_int_eq(strv_consume(&names, strndup(rest + 1, strcspn(rest + 1, "/"))), 0);
        }
        return names;
}

char **guestfs_glob_expand(guestfs_h *g, const char *pattern) {
        return words_of(guestfs_is_file(g, pattern) ? pattern : "", " ");
}

struct guestfs_statvfs *guestfs_statvfs(guestfs_h *g _unused_, const char *path _unused_) {
        struct guestfs_statvfs *fs = new0(struct guestfs_statvfs, 1);

        ck_assert_ptr_nonnull(fs);
        fs->bsize = 1;
        fs->bavail = fake.space;
        return fs;
}

void guestfs_free_statvfs(struct guestfs_statvfs *fs) {
        free(fs);
}

int guestfs_write(guestfs_h *g _unused_, const char *path _unused_, const char *data _unused_,
                size_t size _unused_) {
        return write_result();
}

int guestfs_write_append(guestfs_h *g _unused_, const char *path _unused_, const char *data _unused_,
                size_t size _unused_) {
        return write_result();
}

/* --- operating systems ----------------------------------------------------------------------------- */

/* A text that warnings have, if it is not NULL. */
static bool warned(const Guest *guest, const char *text) {
        json_t *warning;
        size_t i;

        json_array_foreach(guest->changes.warnings, i, warning) {
                const char *message = json_string_value(json_object_get(warning, "message"));
                if (text && message && strstr(message, text))
                        return true;
        }
        return !text && json_array_size(guest->changes.warnings) == 0;
}

static const struct {
        const char *partitions, *roots, *type;
        const char *wanted;
        unsigned fix;
        const char *code, *text; /* of the error, or NULL and of a warning */
        const char *root;
        int mbr_id;
} systems[] = {
        { "/dev/sda1=ext4", "/dev/sda1", "linux", NULL, FIX_AUTO, NULL, NULL, "/dev/sda1", 0x83 },
        /* two */
        { "/dev/sda1=ext4 /dev/sdb1=xfs", "/dev/sda1 /dev/sdb1", "linux", NULL, FIX_AUTO, "ambiguous_root",
                        "set parameters.root to the file system of one of them, /dev/sda1, /dev/sdb1", NULL,
                        0x83 },
        { "/dev/sda1=ext4 /dev/sdb1=xfs", "/dev/sda1 /dev/sdb1", "linux", "/dev/sdb1", FIX_AUTO, NULL, NULL,
                        "/dev/sdb1", 0x83 },
        { "/dev/sda1=ext4 /dev/sdb1=xfs", "/dev/sda1 /dev/sdb1", "linux", "/dev/sdb2", FIX_AUTO,
                        "ambiguous_root", "correct parameters.root", NULL, 0x83 },
        /* none */
        { "/dev/sda1=ext4", "", "linux", NULL, FIX_AUTO, NULL, "No operating system was found on the disks",
                        NULL, 0x83 },
        { "/dev/sda1=ext4", NULL, "linux", NULL, FIX_AUTO, "guest_inspection_failed",
                        "Looking for an operating system failed", NULL, 0x83 },
        { "/dev/sda1=ext4", "/dev/sda1", "freebsd", NULL, FIX_AUTO, NULL, "is freebsd, which is not changed",
                        "/dev/sda1", 0xa5 },
        /* encrypted */
        { "/dev/sda1=ext4 /dev/sda2=crypto_LUKS", "", "linux", NULL, FIX_AUTO, NULL,
                        "/dev/sda2 is encrypted: set parameters.luks_keys", NULL, 0x83 },
        { "/dev/sda1=ntfs /dev/sda2=BitLocker", "", "windows", NULL, FIX_AUTO, "guest_encrypted",
                        "manage-bde -off", NULL, 7 },
        { "/dev/sda1=ntfs /dev/sda2=BitLocker", "", "windows", NULL, 0, NULL, "manage-bde -off", NULL, 7 },
        /* Windows */
        { "/dev/sda1=ntfs", "", "windows", NULL, FIX_AUTO, "guest_dynamic_disks",
                        "convert them to basic disks", NULL, 0x42 },
        { "/dev/sda1=ntfs", "/dev/sda1", "windows", NULL, FIX_AUTO, "guest_dynamic_disks",
                        "convert them to basic disks", "/dev/sda1", 0x42 },
        { "/dev/sda1=ntfs", "/dev/sda1", "windows", NULL, FIX_AUTO, "guest_hibernated", "shutdown /s /t 0",
                        "/dev/sda1", 7 },
};

/* The file systems are those of @fake. */
static void begin(Guest *guest, Orders *orders, unsigned fix) {
        *orders = (Orders){ .fix = fix };
        *guest = (Guest){ .orders = orders, .filesystems = new0(char *, 1) };
        _cleanup_strv_free_ char **all = words_of(fake.partitions, " ");

        STRV_FOREACH(word, all) {
                char *type = strchr(*word, '=');
                *type++ = 0;
                if (streq(type, "crypto_LUKS") || streq(type, "BitLocker"))
                        continue;
                ck_assert_int_eq(strv_extend(&guest->filesystems, *word), 0);
                ck_assert_int_eq(strv_extend(&guest->filesystems, type), 0);
        }
}

START_TEST(operating_systems_are_found_or_refused) {
        for (size_t i = 0; i < ELEMENTSOF(systems); i++) {
                Orders orders;
                Guest guest;

                fake.partitions = systems[i].partitions;
                fake.roots = systems[i].roots;
                fake.type = systems[i].type;
                fake.mbr_id = systems[i].mbr_id;
                fake.files = json_pack("{s:s, s:s}", "/hiberfil.sys", "HIBR", "/etc/fstab", "");
                fake.written = 0;
                begin(&guest, &orders, systems[i].fix);
                orders.root = (char *) systems[i].wanted;
                int r = inspect_find(&guest);
                ck_assert_msg(streq_ptr(guest.root, systems[i].root), "row %zu: %s", i, strna(guest.root));
                ck_assert_msg(streq_ptr(guest.code, systems[i].code), "row %zu: %s", i, strna(guest.code));
                if (systems[i].code) {
                        ck_assert_int_lt(r, 0);
                        ck_assert_msg(strstr(guest.message, systems[i].text), "row %zu: %s", i,
                                        guest.message);
                        /* Then it was not even mounted for writing. */
                        ck_assert_uint_eq(fake.written, 0);
                } else {
                        ck_assert_msg(r >= 0 && warned(&guest, systems[i].text), "row %zu: %d", i, r);
                }
                guest_done(&guest);
                json_decref(fake.files);
                fake.files = NULL;
        }
}
END_TEST

/* --- files ----------------------------------------------------------------------------------------- */

START_TEST(a_huge_fstab_is_not_parsed) {
        Orders orders;
        Guest guest;

        fake.partitions = "/dev/sda1=ext4 /dev/sdb1=xfs";
        fake.files = json_pack("{s:s}", "/etc/fstab", "");
        fake.fstab_size = 10 << 20;
        fake.inspected = 0;
        begin(&guest, &orders, FIX_AUTO);
        ck_assert_int_eq(inspect_find(&guest), -EFBIG);
        ck_assert_str_eq(guest.code, "guest_inspection_failed");
        ck_assert(strstr(guest.message, "/etc/fstab in the file system /dev/sda1 is larger than 256 KiB"));
        ck_assert_uint_eq(fake.inspected, 0);
        guest_done(&guest);
        json_decref(fake.files);
}
END_TEST

static const struct {
        int error;
        const char *code;
        int expected;
} failures[] = {
        { ENOSPC, "no_space_in_guest", -ENOSPC },
        { EROFS, "guest_read_only", -EROFS },
        { EIO, "guest_write_failed", -EIO },
        { 0, "guest_write_failed", -EIO },
};

START_TEST(what_cannot_be_written_is_an_error) {
        for (size_t i = 0; i < ELEMENTSOF(failures); i++) {
                Orders orders = {};
                Guest guest = { .orders = &orders };

                fake.files = json_pack("{s:s}", "/etc/fstab", "");
                fake.error = failures[i].error ? failures[i].error : EIO;
                fake.last_errno = 0;
                ck_assert_int_eq(guest_write(&guest, "/etc/fstab", "x", 1), failures[i].expected);
                ck_assert_str_eq(guest.code, failures[i].code);
                ck_assert_str_eq(guest.message, "Writing /etc/fstab failed: it has failed");
                guest_done(&guest);
                json_decref(fake.files);
        }
}
END_TEST

START_TEST(a_root_that_is_read_only_is_an_error) {
        Orders orders;
        Guest guest;

        fake.partitions = "/dev/sda1=ext4";
        fake.roots = "/dev/sda1";
        fake.type = "linux";
        fake.mbr_id = 0x83;
        fake.files = json_object();
        fake.error = EROFS;
        begin(&guest, &orders, FIX_AUTO);
        ck_assert_int_eq(inspect_find(&guest), -EROFS);
        ck_assert_str_eq(guest.code, "guest_read_only");
        guest_done(&guest);
        json_decref(fake.files);
}
END_TEST

/* --- kernels --------------------------------------------------------------------------------------- */

static const char dep[] = "kernel/virtio_pci.ko:\nkernel/virtio_blk.ko:\nkernel/virtio_scsi.ko:\n"
                          "kernel/sd_mod.ko:\n";

/* Takes @path. */
static void set_file(char *path, const char *data, size_t size) {
        ck_assert_ptr_nonnull(path);
        ck_assert_int_eq(json_object_set_new(fake.files, path, json_stringn_nocheck(data, size)), 0);
        free(path);
}

/* So many, whose initramfs have no drivers of virtio. */
static void install_kernels(unsigned n) {
        static const char *const drivers[] = { "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod" };
        _cleanup_buffer_ Buffer initramfs = {};

        fake.files = json_object();
        cpio_add(&initramfs, "lib/modules/6.1/kernel/ext4.ko", S_IFREG | 0644, "x", 1);
        cpio_end(&initramfs);
        for (unsigned i = 1; i <= n; i++) {
                set_file(strprintf("/boot/initrd.img-6.1.0-%u-amd64", i), initramfs.data, initramfs.size);
                set_file(strprintf("/lib/modules/6.1.0-%u-amd64/modules.dep", i), dep, strlen(dep));
                for (size_t k = 0; k < ELEMENTSOF(drivers); k++)
                        set_file(strprintf("/lib/modules/6.1.0-%u-amd64/kernel/%s.ko", i, drivers[k]), "x",
                                        1);
        }
}

START_TEST(the_newest_kernels_are_looked_at) {
        Orders orders = {};
        Guest guest = { .orders = &orders, .look = true };

        install_kernels(200);
        ck_assert_int_eq(initramfs_regenerate(&guest, true, false), 0);
        ck_assert_uint_eq(json_array_size(guest.kernels), 32);
        json_t *first = json_array_get(guest.kernels, 0);
        ck_assert_str_eq(json_string_value(json_object_get(first, "version")), "6.1.0-200-amd64");
        ck_assert_uint_eq(json_array_size(json_object_get(first, "missing")), 4);
        ck_assert(warned(&guest, "that of 168 older ones was not"));
        guest_done(&guest);
        json_decref(fake.files);
}
END_TEST

static const struct {
        int64_t space;
        int error;
        const char *code; /* NULL: it is changed */
        unsigned written;
} boots[] = {
        { 1 << 20, 0, NULL, 1 },
        /* It is not begun if there is no room, and it may be used up meanwhile. */
        { 100, 0, "no_space_in_guest", 0 },
        { 0, 0, "no_space_in_guest", 0 },
        { 1 << 20, ENOSPC, "no_space_in_guest", 1 },
        { 1 << 20, EROFS, "guest_read_only", 1 },
        { 1 << 20, EIO, "guest_initramfs_failed", 1 },
};

/* The copy of the old one. */
int guestfs_cp_a(guestfs_h *g _unused_, const char *from _unused_, const char *to _unused_) {
        return 0;
}

START_TEST(a_full_boot_is_an_error) {
        for (size_t i = 0; i < ELEMENTSOF(boots); i++) {
                Orders orders = {};
                Guest guest = { .orders = &orders };

                install_kernels(1);
                fake.space = boots[i].space;
                fake.error = boots[i].error;
                fake.written = 0;
                int r = initramfs_regenerate(&guest, true, false);
                ck_assert_msg(streq_ptr(guest.code, boots[i].code), "row %zu: %s", i, strna(guest.code));
                ck_assert_int_eq(r < 0, boots[i].code != NULL);
                ck_assert_uint_eq(fake.written, boots[i].written);
                ck_assert_uint_eq(json_array_size(guest.changes.changes), boots[i].code ? 0 : 1);
                guest_done(&guest);
                json_decref(fake.files);
        }
}
END_TEST

TEST_MAIN("guest-unusual", operating_systems_are_found_or_refused, a_huge_fstab_is_not_parsed,
                what_cannot_be_written_is_an_error, a_root_that_is_read_only_is_an_error,
                the_newest_kernels_are_looked_at, a_full_boot_is_an_error)
