/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/luks.h"
#include "basic/string-util.h"

#define STEP "inspect"

/* The name that Fedora and its relatives give to the opened device, too. */
static char *mapping_name(Guest *guest, const char *device) {
        _cleanup_free_ char *uuid = guestfs_vfs_uuid(guest->g, device);

        if (isempty(uuid) || strspn(uuid, "0123456789abcdefABCDEF-") != strlen(uuid))
                return strprintf("luks-%s", strrchr(device, '/') ? strrchr(device, '/') + 1 : device);
        return strprintf("luks-%s", uuid);
}

/* 1: it is open. 0: no key fits. */
static int unlock_device(Guest *guest, const char *device) {
        _cleanup_free_ char *name = mapping_name(guest, device);
        json_t *key;
        size_t i;

        if (!name)
                return -ENOMEM;
        json_array_foreach(guest->orders->luks_keys, i, key)
                if (guestfs_cryptsetup_open(guest->g, device, json_string_value(key), name, -1) >= 0)
                        return 1;
        return 0;
}

int luks_unlock(Guest *guest) {
        _cleanup_guest_list_ char **all = NULL;
        bool opened = false;

        if (json_array_size(guest->orders->luks_keys) == 0)
                return 0;
        all = guestfs_list_filesystems(guest->g);
        if (!all)
                return guest_fail_last(guest, "guest_inspection_failed", "Listing the file systems");
        for (char **f = all; f[0] && f[1]; f += 2) {
                if (!streq(f[1], "crypto_LUKS"))
                        continue;
                int r = unlock_device(guest, f[0]);
                if (r == 0)
                        r = changes_warn(&guest->changes, STEP,
                                        "The encrypted device %s is not opened by any key of "
                                        "parameters.luks_keys",
                                        f[0]);
                else if (r > 0)
                        opened = true;
                if (r < 0)
                        return r;
        }
        if (opened && guestfs_lvm_scan(guest->g, 1) < 0)
                return guest_warn_last(guest, STEP, "Looking for volumes in encrypted devices");
        return 0;
}
