/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/boot-repair.h"
#include "basic/string-util.h"
#include "guest/kernel-line.h"

#define STEP "boot_repair"

static int edit_kernel_lines(
                const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return kernel_line_rewrite(step, file, text, &guest->names, &guest->changes, ret);
}

static int edit_grubenv(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return grubenv_rewrite(step, file, text, &guest->names, &guest->changes, ret);
}

static int edit_default_grub(
                const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return default_grub_rewrite(step, file, text, &guest->changes, ret);
}

static const struct {
        const char *pattern;
        guest_editor editor;
} edits[] = {
        { "/boot/grub/grub.cfg", edit_kernel_lines },
        { "/boot/grub2/grub.cfg", edit_kernel_lines },
        { "/boot/grub/grubenv", edit_grubenv },
        { "/boot/grub2/grubenv", edit_grubenv },
        { "/boot/efi/EFI/*/grubenv", edit_grubenv },
        { "/boot/efi/EFI/*/grub.cfg", edit_kernel_lines },
        { "/boot/efi/EFI/*/grub.conf", edit_kernel_lines },
        { "/boot/grub/menu.lst", edit_kernel_lines },
        { "/boot/grub/grub.conf", edit_kernel_lines },
        { "/boot/loader/entries/*.conf", edit_kernel_lines },
        { "/boot/efi/loader/entries/*.conf", edit_kernel_lines },
        { "/efi/loader/entries/*.conf", edit_kernel_lines },
        { "/boot/extlinux.conf", edit_kernel_lines },
        { "/boot/extlinux/*.c*f*", edit_kernel_lines },
        { "/boot/syslinux/*.cfg", edit_kernel_lines },
        { "/etc/default/extlinux", edit_kernel_lines },
        { "/etc/default/grub", edit_kernel_lines },
        { "/etc/default/grub.d/*.cfg", edit_kernel_lines },
        { "/etc/kernel/cmdline", edit_kernel_lines },
        { "/etc/cmdline.d/*.conf", edit_kernel_lines },
        { "/etc/dracut.conf", edit_kernel_lines },
        { "/etc/dracut.conf.d/*.conf", edit_kernel_lines },
        { "/etc/sysconfig/bootloader", edit_kernel_lines },
        { "/etc/initramfs-tools/conf.d/*", edit_kernel_lines },
        { "/etc/default/grub", edit_default_grub },
};

/* GRUB asks the firmware for disks by the names that it had when it was installed. */
static int move_device_map(Guest *guest) {
        static const char *const maps[] = { "/boot/grub/device.map", "/boot/grub2/device.map" };

        for (size_t i = 0; i < ELEMENTSOF(maps); i++) {
                _cleanup_free_ char *to = strprintf("%s.before-hyper", maps[i]);
                if (!to)
                        return -ENOMEM;
                if (!guest_is_file(guest, maps[i]))
                        continue;
                int r = guest_rename(guest, maps[i], to, "Renaming device.map");
                if (r >= 0)
                        r = changes_add(&guest->changes, STEP, maps[i], NULL, to);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- UEFI ------------------------------------------------------------------------------------------ */

/* The loaders of a distribution, the first one is taken; with it go the programs that it loads from its own
 * directory. */
static const char *const loaders[] = { "shimx64.efi", "grubx64.efi", "systemd-bootx64.efi" };
static const char *const companions[] = { "grubx64.efi", "mmx64.efi", "grub.cfg" };

static int copy_loader(Guest *guest, const char *from, const char *to) {
        if (!guest_is_file(guest, from))
                return 0;
        int r = guest_copy(guest, from, to, "Copying a boot loader");
        if (r >= 0)
                r = changes_add(&guest->changes, STEP, to, NULL, from);
        return r < 0 ? r : 1;
}

/* @directory ends with a slash, as glob_expand marks it. */
static int copy_from(Guest *guest, const char *esp, const char *directory, const char *loader) {
        _cleanup_free_ char *target = strprintf("%s/EFI/BOOT", esp),
                            *from = strprintf("%s%s", directory, loader),
                            *to = strprintf("%s/EFI/BOOT/BOOTX64.EFI", esp);

        if (!target || !from || !to)
                return -ENOMEM;
        if (!guest_is_file(guest, from))
                return 0;
        int made = guest_make_directory(guest, target);
        if (made < 0)
                return made;
        for (size_t i = 0; i < ELEMENTSOF(companions); i++) {
                _cleanup_free_ char *a = strprintf("%s%s", directory, companions[i]),
                                    *b = strprintf("%s/%s", target, companions[i]);
                int r = a && b ? copy_loader(guest, a, b) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return copy_loader(guest, from, to);
}

static int add_fallback(Guest *guest, const char *esp) {
        _cleanup_free_ char *pattern = strprintf("%s/EFI/*", esp),
                            *known = strprintf("%s/EFI/[Bb][Oo][Oo][Tt]/[Bb][Oo][Oo][Tt][Xx]64.[Ee][Ff][Ii]",
                                            esp);

        if (!pattern || !known)
                return -ENOMEM;
        _cleanup_guest_list_ char **there = guestfs_glob_expand(guest->g, known);
        _cleanup_guest_list_ char **directories = guestfs_glob_expand(guest->g, pattern);
        if (strv_length(there) > 0 || strv_length(directories) == 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(loaders); i++)
                STRV_FOREACH(d, directories) {
                        int r = strlen(*d) < GUEST_TEXT_MAX ? copy_from(guest, esp, *d, loaders[i]) : 0;
                        if (r != 0)
                                return MIN(r, 0);
                }
        return changes_warn(&guest->changes, STEP,
                        "No boot loader was found in %s/EFI: the firmware may find nothing to start", esp);
}

int boot_repair(Guest *guest) {
        static const char *const esps[] = { "/boot/efi", "/efi", "/boot" };
        int r = 0;

        guest_progress(STEP, 70);
        for (size_t i = 0; i < ELEMENTSOF(edits) && r >= 0; i++)
                r = guest_edit(guest, STEP, edits[i].pattern, edits[i].editor);
        if (r >= 0)
                r = move_device_map(guest);
        for (size_t i = 0; i < ELEMENTSOF(esps) && r >= 0; i++)
                r = add_fallback(guest, esps[i]);
        return r;
}
