/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/encrypted.h"
#include "basic/string-util.h"

static bool is_encrypted(const char *found, const char *type) {
        return type ? streq(found, type) : streq(found, "crypto_LUKS") || streq(found, "BitLocker");
}

int encrypted_devices(Guest *guest, const char *type, char ***ret) {
        static char **(*const lists[])(guestfs_h * g) = { guestfs_list_devices, guestfs_list_partitions,
                guestfs_lvs, guestfs_list_md_devices };
        _cleanup_strv_free_ char **found = NULL;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                /* NULL: the appliance has no LVM. */
                _cleanup_guest_list_ char **devices = lists[i](guest->g);

                STRV_FOREACH(device, devices) {
                        _cleanup_free_ char *is = guestfs_vfs_type(guest->g, *device);
                        if (!is || !is_encrypted(is, type) || strv_length(found) >= GUEST_LIST_MAX)
                                continue;
                        int r = strv_extend(&found, *device);
                        if (r < 0)
                                return r;
                }
        }
        *ret = TAKE_PTR(found);
        return 0;
}
