/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/kernel-default.h"
#include "basic/string-util.h"
#include "guest/boot-default.h"
#include "guest/kernel.h"

#define SECTOR 512
#define ENTRIES_MAX 256u

/* NULL if it cannot be read. */
static char *read_text(Guest *guest, const char *path) {
        char *text = NULL;

        return guest_read(guest, path, GUEST_FILE_MAX, &text, NULL) < 0 ? NULL : text;
}

/* --- the configurations of boot loaders -------------------------------------------------------------- */

static int read_grub2(Guest *guest, const char *config, char **ret) {
        static const char *const environments[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv" };
        _cleanup_free_ char *env = NULL;

        for (size_t i = 0; i < ELEMENTSOF(environments) && !env; i++)
                env = read_text(guest, environments[i]);
        return boot_default_grub2(config, env, ret);
}

static int read_legacy(Guest *guest, const char *config, char **ret) {
        return boot_default_legacy(config, ret);
}

static int read_extlinux(Guest *guest, const char *config, char **ret) {
        return boot_default_extlinux(config, ret);
}

static const struct {
        const char *path;
        int (*read)(Guest *guest, const char *config, char **ret);
} loaders[] = {
        { "/boot/grub2/grub.cfg", read_grub2 },
        { "/boot/grub/grub.cfg", read_grub2 },
        { "/boot/grub/menu.lst", read_legacy },
        { "/boot/grub/grub.conf", read_legacy },
        { "/boot/extlinux/extlinux.conf", read_extlinux },
        { "/boot/extlinux.conf", read_extlinux },
        { "/boot/syslinux/syslinux.cfg", read_extlinux },
};

static int list_entries(Guest *guest, const char *directory, char ***ret_names, char ***ret_texts) {
        _cleanup_guest_list_ char **all =
                        guest_is_directory(guest, directory) ? guestfs_ls(guest->g, directory) : NULL;
        int r = 0;

        kernel_versions_sort(all);
        for (size_t i = 0; all && all[i] && i < ENTRIES_MAX && r >= 0; i++) {
                _cleanup_free_ char *path = strprintf("%s/%s", directory, all[i]);
                _cleanup_free_ char *text =
                                path && endswith(all[i], ".conf") ? read_text(guest, path) : NULL;

                if (!path)
                        return -ENOMEM;
                if (!text)
                        continue;
                r = strv_extend(ret_names, all[i]);
                if (r >= 0)
                        r = strv_extend(ret_texts, text);
        }
        return r;
}

/* Entries are files; what is the default is in the file of systemd-boot, or that of GRUB. */
static int read_entries(Guest *guest, char **ret) {
        static const char *const places[] = { "/boot", "/efi", "/boot/efi" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *directory = strprintf("%s/loader/entries", places[i]),
                                    *path = strprintf("%s/loader/loader.conf", places[i]), *wanted = NULL;
                _cleanup_strv_free_ char **names = NULL, **texts = NULL;
                int r = directory && path ? list_entries(guest, directory, &names, &texts) : -ENOMEM;

                if (r < 0)
                        return r;
                if (!names)
                        continue;
                _cleanup_free_ char *config = read_text(guest, path),
                                    *env = read_text(guest, "/boot/grub2/grubenv");
                r = config ? boot_default_loader(config, &wanted) : 0;
                if (r == 0)
                        r = boot_default_saved(env, &wanted);
                return r < 0 ? r : boot_default_entry(names, texts, wanted, ret);
        }
        return 0;
}

/* What starts by default: paths of its initramfs. */
static int find_paths(Guest *guest, char **ret) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(loaders) && r == 0; i++) {
                _cleanup_free_ char *config = read_text(guest, loaders[i].path);
                if (config)
                        r = loaders[i].read(guest, config, ret);
        }
        return r == 0 ? read_entries(guest, ret) : r;
}

int kernel_default_mark(Guest *guest) {
        _cleanup_free_ char *paths = NULL;
        bool known = false;
        json_t *kernel;
        size_t i;
        int r = json_array_size(guest->kernels) > 0 ? find_paths(guest, &paths) : 0;

        if (r < 0)
                return r;
        json_array_foreach(guest->kernels, i, kernel) {
                const char *initramfs = json_string_value(json_object_get(kernel, "initramfs"));
                bool is = paths && !known && initramfs && boot_default_is(paths, initramfs);
                known = known || is;
                if (json_object_set_new(kernel, "default", json_boolean(is)) < 0)
                        return -ENOMEM;
        }
        json_array_foreach(guest->kernels, i, kernel)
                if (!known && json_object_set_new(kernel, "default", json_null()) < 0)
                        return -ENOMEM;
        return 0;
}

/* --- the disk ---------------------------------------------------------------------------------------- */

int boot_disk_find(Guest *guest, char *const *disks, int esp_disk) {
        if (esp_disk >= 0)
                return esp_disk;
        for (int i = 0; disks && disks[i]; i++) {
                size_t size = 0;
                _cleanup_free_ char *sector = guestfs_pread_device(guest->g, disks[i], SECTOR, 0, &size);
                if (sector && size == SECTOR && boot_sector_starts(sector))
                        return i;
        }
        return -1;
}
