/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/esp.h"

#include <strings.h>

#include "basic/string-util.h"
#include "guest/devices.h"

#define STEP "inspect"
#define TYPE "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"

bool esp_is(Guest *guest, const char *disk, int number) {
        _cleanup_free_ char *type = guestfs_part_get_gpt_type(guest->g, disk, number);

        return type && strcasecmp(type, TYPE) == 0;
}

static bool partition_is_esp(Guest *guest, const char *partition) {
        _cleanup_free_ char *disk = guestfs_part_to_dev(guest->g, partition);

        if (!disk || !streq_ptr(guest_label(guest, disk), "gpt"))
                return false;
        int number = guestfs_part_to_partnum(guest->g, partition);
        return number > 0 && esp_is(guest, disk, number);
}

static bool has_gpt(Guest *guest) {
        char *const *disks = guest_disks(guest);

        STRV_FOREACH(disk, disks)
                if (streq_ptr(guest_label(guest, *disk), "gpt"))
                        return true;
        return false;
}

static int list_esps(Guest *guest, char ***ret) {
        char *const *all = has_gpt(guest) ? guest_partitions(guest) : NULL;
        _cleanup_strv_free_ char **esps = NULL;

        STRV_FOREACH(partition, all)
                if (partition_is_esp(guest, *partition) && strv_extend(&esps, *partition) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(esps);
        return 0;
}

/* @mounts: device, directory, device, … */
static bool is_mounted(char *const *mounts, char *const *devices) {
        for (; mounts[0] && mounts[1]; mounts += 2)
                if (strv_contains(devices, mounts[0]))
                        return true;
        return false;
}

static bool is_mount_point(char *const *mounts, const char *directory) {
        for (; mounts[0] && mounts[1]; mounts += 2)
                if (streq(mounts[1], directory))
                        return true;
        return false;
}

/* The directory must be empty: otherwise its files are used, or it is mounted elsewhere. */
static const char *find_directory(Guest *guest, char *const *mounts) {
        static const char *const directories[] = { "/efi", "/boot/efi", "/boot" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                if (!guest_is_directory(guest, directories[i]) || is_mount_point(mounts, directories[i]))
                        continue;
                _cleanup_guest_list_ char **files = guestfs_ls(guest->g, directories[i]);
                if (files && strv_length(files) == 0)
                        return directories[i];
        }
        return NULL;
}

int esp_mount(Guest *guest, bool read_only) {
        _cleanup_guest_list_ char **mounts = guestfs_mountpoints(guest->g);
        _cleanup_strv_free_ char **esps = NULL;
        int r = mounts ? list_esps(guest, &esps) : 0;

        if (r < 0 || !esps || is_mounted(mounts, esps))
                return r;
        const char *directory = strv_length(esps) == 1 ? find_directory(guest, mounts) : NULL;
        if (!directory)
                return changes_warn(&guest->changes, STEP,
                                "The EFI system partition %s is not in fstab, and was not changed: its boot "
                                "loader may not start",
                                esps[0]);
        int k = read_only ? guestfs_mount_ro(guest->g, esps[0], directory)
                          : guestfs_mount(guest->g, esps[0], directory);
        return k < 0 ? guest_warn_last(guest, STEP, "Mounting the EFI system partition") : 0;
}
