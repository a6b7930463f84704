/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/encrypted.h"
#include "basic/string-util.h"
#include "guest/devices.h"

static bool is_encrypted(const char *type) {
        return streq(type, "crypto_LUKS") || streq(type, "BitLocker");
}

/* A file system, or a disk with partitions, is not encrypted: there is no need to run a program for it. */
static bool is_known(const Guest *guest, const char *device) {
        for (char **f = guest->filesystems; f && f[0] && f[1]; f += 2)
                if (device_is_partition_of(f[0], device) || (streq(f[0], device) && !streq(f[1], "unknown")))
                        return true;
        return false;
}

static int look_at(Guest *guest, const char *device) {
        const char *type = is_known(guest, device) ? NULL : guest_type(guest, device);

        if (!type || !is_encrypted(type) || strv_length(guest->encrypted) / 2 >= GUEST_LIST_MAX)
                return 0;
        int r = strv_extend(&guest->encrypted, device);
        return r < 0 ? r : strv_extend(&guest->encrypted, type);
}

static int look_for(Guest *guest) {
        static char *const *(*const lists[])(
                        Guest * guest) = { guest_disks, guest_partitions, guest_volumes, guest_arrays };
        int r = 0;

        guest->encrypted = new0(char *, 1);
        if (!guest->encrypted)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(lists) && r >= 0; i++) {
                char *const *devices = lists[i](guest);

                /* Otherwise, the appliance has no LVM. */
                if (!devices && lists[i] != guest_volumes)
                        return guest_fail_last(guest, "guest_inspection_failed", "Listing the disks");
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
