/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/inspect.h"

#include <inttypes.h>

#include "basic/string-util.h"
#include "guest/config-size.h"
#include "guest/device-table.h"
#include "guest/devices.h"
#include "guest/encrypted.h"
#include "guest/esp.h"
#include "guest/kernel-default.h"
#include "guest/lvm-repair.h"
#include "guest/roots.h"
#include "guest/windows.h"

#define STEP "inspect"

/* Takes @s, which may be NULL. */
static json_t *text_consume(char *s) {
        json_t *v = guest_text(s);

        free(s);
        return v;
}

/* --- the operating system -------------------------------------------------------------------------- */

static bool is_uuid(const char *s) {
        return !isempty(s) && strspn(s, "0123456789abcdefABCDEF-") == strlen(s);
}

static int name_device(Guest *guest, const char *device, const char *type) {
        const char *uuid = guest_uuid(guest, device);
        _cleanup_free_ char *stable = NULL;

        if (!uuid || !is_uuid(uuid))
                return 0;
        stable = strprintf("UUID=%s", uuid);
        if (!stable)
                return -ENOMEM;
        return streq(type, "btrfs") ? device_names_add_member(&guest->names, device, stable)
                                    : device_names_add(&guest->names, device, stable);
}

/* What has no UUID, such as swap that is encrypted with a random key, has that of its partition. */
static int name_partition(Guest *guest, const char *device) {
        _cleanup_guest_list_ char **fields = guestfs_blkid(guest->g, device);

        for (char **f = fields; f && f[0] && f[1]; f += 2) {
                if (!streq(f[0], "PART_ENTRY_UUID") || !is_uuid(f[1]))
                        continue;
                _cleanup_free_ char *stable = strprintf("PARTUUID=%s", f[1]);
                return stable ? device_names_add(&guest->names, device, stable) : -ENOMEM;
        }
        return 0;
}

static int name_filesystems(Guest *guest) {
        char *const *disks = guest_disks(guest);
        _cleanup_strv_free_ char **encrypted = NULL;
        int r = 0;

        guest->names.one_disk = strv_length(disks) == 1;
        for (char **f = guest->filesystems; f[0] && f[1] && r >= 0; f += 2)
                if (startswith(f[0], "/dev/sd"))
                        r = streq(f[1], "unknown") ? name_partition(guest, f[0])
                                                   : name_device(guest, f[0], f[1]);
        if (r >= 0)
                r = encrypted_devices(guest, "crypto_LUKS", &encrypted);
        STRV_FOREACH(device, encrypted)
                if (r >= 0 && startswith(*device, "/dev/sd"))
                        r = name_device(guest, *device, "crypto_LUKS");
        return r;
}

/* The devices that are encrypted. NULL when out of memory. */
static json_t *describe_encrypted(Guest *guest) {
        _cleanup_strv_free_ char **devices = NULL;
        _cleanup_json_ json_t *list = json_array();

        if (!list || encrypted_devices(guest, NULL, &devices) < 0)
                return NULL;
        STRV_FOREACH(device, devices)
                if (json_array_append_new(list, guest_text(*device)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static int warn_no_root(Guest *guest) {
        _cleanup_json_ json_t *encrypted = describe_encrypted(guest);

        return json_array_size(encrypted) > 0
                        ? changes_warn(&guest->changes, STEP,
                                          "No operating system was found, and %s is encrypted: set "
                                          "parameters.luks_keys to its key if it is LUKS",
                                          json_string_value(json_array_get(encrypted, 0)))
                        : changes_warn(&guest->changes, STEP, "No operating system was found on the disks");
}

static int choose_root(Guest *guest, char **roots) {
        const char *wanted = guest->orders->root;
        size_t n = roots_order(roots);

        if (n == 0)
                return warn_no_root(guest);
        if (!wanted && n > 1) {
                _cleanup_free_ char *list = strv_join(roots, ", ");
                return guest_fail(guest, EINVAL, "ambiguous_root",
                                "The disks hold %zu operating systems: set parameters.root to the file "
                                "system of one of them, %s",
                                n, strna(list));
        }
        if (wanted && !strv_contains(roots, wanted)) {
                _cleanup_free_ char *list = strv_join(roots, ", ");
                return guest_fail(guest, EINVAL, "ambiguous_root",
                                "There is no operating system on %s, but on %s: correct parameters.root",
                                wanted, strna(list));
        }
        guest->root = strdup(wanted ? wanted : roots[0]);
        return guest->root ? 0 : -ENOMEM;
}

/* The shortest mount point first. */
static int compare_mounts(const void *a, const void *b) {
        const char *const *x = a, *const *y = b;

        return (int) strlen(x[0]) - (int) strlen(y[0]);
}

static int mount_root(Guest *guest, bool read_only) {
        _cleanup_guest_list_ char **mounts = guestfs_inspect_get_mountpoints(guest->g, guest->root);

        if (!mounts)
                return guest_fail_last(guest, "guest_inspection_failed", "Reading the guest's mount points");
        qsort(mounts, strv_length(mounts) / 2, 2 * sizeof(char *), compare_mounts);
        for (char **m = mounts; m[0] && m[1]; m += 2) {
                /* fstab may have the name of an encrypted device, which is another one here. */
                const char *device = streq(m[0], "/") ? guest->root : m[1];
                int k = read_only ? guestfs_mount_ro(guest->g, device, m[0])
                                  : guestfs_mount(guest->g, device, m[0]);
                if (k >= 0)
                        continue;
                _cleanup_free_ char *what = strprintf("Mounting %s on %s", device, m[0]);
                if (!what)
                        return -ENOMEM;
                if (streq(m[0], "/") || streq(m[0], "/boot"))
                        return guest_fail_last(guest, "guest_file_system_damaged", what);
                int r = guest_warn_last(guest, STEP, what);
                if (r < 0)
                        return r;
        }
        guest->mounted = true;
        return 0;
}

/* It is looked at before it is changed. 0 if it can be, 1 if it cannot. */
static int find_windows(Guest *guest) {
        int r = windows_check_disks(guest, true);

        if (r >= 0)
                r = mount_root(guest, true);
        if (r >= 0)
                r = windows_inspect(guest);
        if (guest->mounted && guestfs_umount_all(guest->g) < 0 && r >= 0)
                r = guest_fail_last(guest, "guest_inspection_failed", "Unmounting the guest's file systems");
        guest->mounted = false;
        return r;
}

/* 0 if it is known, 1 if not, and the reason is a warning. */
static int check_type(Guest *guest) {
        _cleanup_free_ char *type = guestfs_inspect_get_type(guest->g, guest->root);
        int r = 0;

        if (streq_ptr(type, "linux"))
                return 0;
        if (streq_ptr(type, "windows"))
                return find_windows(guest);
        r = changes_warn(&guest->changes, STEP,
                        "The operating system is %s, which is not changed: only Linux and Windows are",
                        type ? type : "unknown");
        return r < 0 ? r : 1;
}

/* See device_names_note(). */
static int note_names(Guest *guest) {
        static const struct {
                const char *path;
                unsigned field;
        } tables[] = { { "/etc/fstab", 0 }, { "/etc/crypttab", 1 } };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                _cleanup_free_ char *text = NULL;
                if (guest_read(guest, tables[i].path, GUEST_FILE_MAX, &text, NULL) >= 0)
                        device_table_note(tables[i].field, text, &guest->names);
        }
        if ((guest->names.kinds & (guest->names.kinds - 1)) != 0)
                r = changes_warn(&guest->changes, STEP,
                                "The guest has disks of several kinds, such as SCSI and NVMe, and names them "
                                "by their order: which ones are meant is not known");
        return r;
}

int inspect_find(Guest *guest) {
        guest_progress(STEP, 45);
        int r = config_size_check(guest);
        if (r < 0)
                return r;
        _cleanup_guest_list_ char **roots = guestfs_inspect_os(guest->g);
        if (!roots)
                return guest_fail_last(guest, "guest_inspection_failed", "Looking for an operating system");
        if (!*roots)
                r = windows_check_disks(guest, false);
        if (r >= 0)
                r = name_filesystems(guest);
        if (r >= 0)
                r = choose_root(guest, roots);
        if (r < 0 || !guest->root)
                return r;
        bool read_only = guest->orders->fix == 0;
        r = check_type(guest);
        if (r != 0)
                return MIN(r, 0);
        r = mount_root(guest, read_only);
        if (r >= 0 && !guest->windows)
                r = note_names(guest);
        /* Windows has no fstab, and its loader is not changed. */
        return r < 0 || guest->windows ? r : esp_mount(guest, read_only);
}

/* --- the result ------------------------------------------------------------------------------------ */

static json_t *describe_os(Guest *guest) {
        guestfs_h *g = guest->g;
        const char *root = guest->root;

        if (!root)
                return json_null();
        _cleanup_free_ char *version = strprintf("%d.%d", guestfs_inspect_get_major_version(g, root),
                        guestfs_inspect_get_minor_version(g, root));
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type",
                        text_consume(guestfs_inspect_get_type(g, root)), "distro",
                        text_consume(guestfs_inspect_get_distro(g, root)), "version", guest_text(version),
                        "name", text_consume(guestfs_inspect_get_product_name(g, root)), "arch",
                        text_consume(guestfs_inspect_get_arch(g, root)), "hostname",
                        text_consume(guestfs_inspect_get_hostname(g, root)), "osinfo",
                        text_consume(guestfs_inspect_get_osinfo(g, root)));
}

/* Bytes that are free, of a file system that is mounted. */
static json_t *describe_free(Guest *guest, const char *mount) {
        struct guestfs_statvfs *fs = guest->mounted && mount ? guestfs_statvfs(guest->g, mount) : NULL;
        json_t *v = fs ? json_integer((json_int_t) (fs->bavail * fs->bsize)) : json_null();

        if (fs)
                guestfs_free_statvfs(fs);
        return v;
}

static json_t *describe_filesystem(Guest *guest, const char *device, const char *type, const char *mount) {
        json_t *clean = json_object_get(guest->clean, device);

        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:O?}", "device", guest_text(device), "type",
                        guest_text(type), "mountpoint", guest_text(mount), "uuid",
                        guest_text(guest_uuid(guest, device)), "free", describe_free(guest, mount), "clean",
                        clean);
}

static json_t *describe_filesystems(Guest *guest) {
        _cleanup_guest_list_ char **mounts =
                        guest->root ? guestfs_inspect_get_mountpoints(guest->g, guest->root) : NULL;
        json_t *list = json_array();

        for (char **f = guest->filesystems; list && f[0] && f[1] && json_array_size(list) < GUEST_LIST_MAX;
                        f += 2) {
                const char *mount = NULL;
                for (char **m = mounts; m && m[0] && m[1]; m += 2)
                        if (streq(m[1], f[0]))
                                mount = m[0];
                if (json_array_append_new(list, describe_filesystem(guest, f[0], f[1], mount)) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static json_t *describe_partitions(Guest *guest, const char *device, bool gpt, bool *esp) {
        struct guestfs_partition_list *parts = guestfs_part_list(guest->g, device);
        json_t *list = json_array();

        for (uint32_t i = 0; list && parts && i < parts->len && i < GUEST_LIST_MAX; i++) {
                const struct guestfs_partition *p = &parts->val[i];
                *esp = *esp || (gpt && esp_is(guest, device, p->part_num));
                if (json_array_append_new(list,
                                    json_pack("{s:i, s:I}", "number", (int) p->part_num, "size",
                                                    (json_int_t) p->part_size)) < 0) {
                        json_decref(list);
                        list = NULL;
                }
        }
        if (parts)
                guestfs_free_partition_list(parts);
        return list;
}

/* *ret_esp: the first one with an EFI system partition, or -1. */
static json_t *describe_disks(Guest *guest, char *const *devices, int *ret_esp) {
        json_t *list = json_array();

        STRV_FOREACH(d, devices) {
                const char *label = guest_label(guest, *d);
                bool gpt = streq_ptr(label, "gpt"), esp = false;
                json_t *disk = json_pack("{s:I, s:I, s:o, s:o}", "index", (json_int_t) (d - devices), "size",
                                (json_int_t) guestfs_blockdev_getsize64(guest->g, *d), "label",
                                guest_text(label), "partitions", describe_partitions(guest, *d, gpt, &esp));

                if (esp && *ret_esp < 0)
                        *ret_esp = (int) (d - devices);
                if (json_array_append_new(list, disk) < 0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

/* The group @name in @groups, made if it is not there. */
static json_t *find_group(json_t *groups, const char *name, bool devices_file) {
        json_t *group;
        size_t i;

        json_array_foreach(groups, i, group)
                if (streq_ptr(json_string_value(json_object_get(group, "vg")), name))
                        return group;
        group = json_pack("{s:o, s:[], s:b}", "vg", guest_text(name), "lvs", "devices_file",
                        (int) devices_file);
        return json_array_append_new(groups, group) < 0 ? NULL : group;
}

/* "/dev/vg0/root" */
static json_t *describe_volumes(Guest *guest) {
        char *const *lvs = guest_volumes(guest);
        bool devices_file = guest->mounted && guest_is_file(guest, LVM_DEVICES_FILE);
        json_t *list = json_array();

        for (size_t i = 0; list && lvs && lvs[i] && i < GUEST_LIST_MAX; i++) {
                const char *rest = startswith(lvs[i], "/dev/"), *slash = rest ? strchr(rest, '/') : NULL;
                _cleanup_free_ char *name = slash ? strndup(rest, (size_t) (slash - rest)) : NULL;
                json_t *group = name ? find_group(list, name, devices_file) : NULL;

                if (slash &&
                                (!group ||
                                                json_array_append_new(json_object_get(group, "lvs"),
                                                                guest_text(slash + 1)) < 0)) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

json_t *inspect_describe(Guest *guest) {
        char *const *devices = guest_disks(guest);
        int esp = -1;
        json_t *disks = describe_disks(guest, devices, &esp);
        int boot = boot_disk_find(guest, devices, esp);

        return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "os", describe_os(guest),
                        "firmware", esp >= 0 ? "efi" : "bios", "root", guest_text(guest->root), "boot_disk",
                        boot >= 0 ? json_integer(boot) : json_null(), "disks", disks, "filesystems",
                        describe_filesystems(guest), "encrypted", describe_encrypted(guest), "lvm",
                        describe_volumes(guest), "kernels",
                        guest->kernels ? json_incref(guest->kernels) : json_array(), "accelerator",
                        guest->kvm ? "kvm" : "tcg");
}
