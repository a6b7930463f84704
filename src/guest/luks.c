/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/luks.h"
#include "basic/string-util.h"
#include "guest/devices.h"
#include "guest/encrypted.h"

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
        _cleanup_strv_free_ char **all = NULL;
        bool opened = false;
        int r;

        if (json_array_size(guest->orders->luks_keys) == 0)
                return 0;
        r = encrypted_devices(guest, "crypto_LUKS", &all);
        STRV_FOREACH(device, all) {
                r = unlock_device(guest, *device);
                if (r == 0)
                        r = changes_warn(&guest->changes, STEP,
                                        "The encrypted device %s is not opened by any key of "
                                        "parameters.luks_keys",
                                        *device);
                else if (r > 0)
                        opened = true;
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        /* There may be others in them. */
        guest->encrypted = strv_free(guest->encrypted);
        guest_forget_devices(guest);
        if (opened && guestfs_lvm_scan(guest->g, 1) < 0)
                return guest_warn_last(guest, STEP, "Looking for volumes in encrypted devices");
        return 0;
}
