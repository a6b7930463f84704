/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows-boot.h"

#include "basic/string-util.h"

#define STEP "boot_repair"
#define LOADER "/EFI/Microsoft/Boot/bootmgfw.efi"
#define FALLBACK "/EFI/BOOT/BOOTX64.EFI"

/* The ESP is mounted. */
static int add_fallback(Guest *guest) {
        if (!guest_is_file(guest, LOADER) || guest_is_file(guest, FALLBACK))
                return 0;
        if (guestfs_mkdir_p(guest->g, "/EFI/BOOT") < 0 || guestfs_cp(guest->g, LOADER, FALLBACK) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Copying the boot loader of Windows");
        return changes_add(&guest->changes, STEP, FALLBACK, NULL, LOADER);
}

/* NVRAM, which names the boot loader, is not migrated. */
int windows_boot_repair(Guest *guest) {
        int r = 0;

        guest_progress(STEP, 90);
        if (guestfs_umount_all(guest->g) < 0)
                return guest_fail_last(guest, "guest_write_failed", "Unmounting the guest's file systems");
        for (char **f = guest->filesystems; f[0] && f[1] && r >= 0; f += 2) {
                if (!streq(f[1], "vfat"))
                        continue;
                if (guestfs_mount(guest->g, f[0], "/") < 0) {
                        r = guest_warn_last(guest, STEP, "Mounting a file system of the firmware");
                        continue;
                }
                r = add_fallback(guest);
                if (guestfs_umount_all(guest->g) < 0 && r >= 0)
                        r = guest_fail_last(guest, "guest_write_failed", "Unmounting a file system");
        }
        return r;
}
