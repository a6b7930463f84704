/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/encrypted.h"
#include "basic/string-util.h"

static bool is_encrypted(const char *type) {
        return streq(type, "crypto_LUKS") || streq(type, "BitLocker");
}

/* "/dev/sda1" of "/dev/sda" */
static bool is_partition_of(const char *device, const char *disk) {
        const char *rest = startswith(disk, "/dev/sd") ? startswith(device, disk) : NULL;

        return rest && disk[strlen(disk) - 1] > '9' && *rest >= '0' && *rest <= '9';
}

/* A file system, or a disk with partitions, is not encrypted: there is no need to run a program for it. */
static bool is_known(const Guest *guest, const char *device) {
        for (char **f = guest->filesystems; f && f[0] && f[1]; f += 2)
                if (is_partition_of(f[0], device) || (streq(f[0], device) && !streq(f[1], "unknown")))
                        return true;
        return false;
}

static int look_at(Guest *guest, const char *device) {
        _cleanup_free_ char *type = is_known(guest, device) ? NULL : guestfs_vfs_type(guest->g, device);

        if (!type || !is_encrypted(type) || strv_length(guest->encrypted) / 2 >= GUEST_LIST_MAX)
                return 0;
        int r = strv_extend(&guest->encrypted, device);
        return r < 0 ? r : strv_extend(&guest->encrypted, type);
}

static int look_for(Guest *guest) {
        static char **(*const lists[])(guestfs_h * g) = { guestfs_list_devices, guestfs_list_partitions,
                guestfs_lvs, guestfs_list_md_devices };
        int r = 0;

        guest->encrypted = new0(char *, 1);
        if (!guest->encrypted)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(lists) && r >= 0; i++) {
                /* NULL: the appliance has no LVM. */
                _cleanup_guest_list_ char **devices = lists[i](guest->g);

                STRV_FOREACH(device, devices)
                        if (r >= 0)
                                r = look_at(guest, *device);
        }
        return r;
}

int encrypted_devices(Guest *guest, const char *type, char ***ret) {
        _cleanup_strv_free_ char **found = NULL;
        int r = guest->encrypted ? 0 : look_for(guest);

        for (char **e = guest->encrypted; r >= 0 && e && e[0] && e[1]; e += 2)
                if (!type || streq(e[1], type))
                        r = strv_extend(&found, e[0]);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(found);
        return 0;
}
