/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/lvm-repair.h"
#include "guest/lvm-filter.h"

#define STEP "lvm_repair"

static int edit_filter(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return lvm_filter_rewrite(step, file, text, &guest->changes, ret);
}

int lvm_repair(Guest *guest) {
        size_t before = json_array_size(guest->changes.changes);
        int r;

        guest_progress(STEP, 60);
        r = guest_edit(guest, STEP, "/etc/lvm/lvm.conf", edit_filter);
        if (r >= 0)
                r = guest_edit(guest, STEP, "/etc/lvm/lvmlocal.conf", edit_filter);
        if (r < 0)
                return r;
        /* Without it, LVM takes all disks. */
        if (guest_is_file(guest, LVM_DEVICES_FILE)) {
                r = guest_rename(guest, LVM_DEVICES_FILE, LVM_DEVICES_FILE ".before-hyper",
                                "Renaming " LVM_DEVICES_FILE);
                if (r >= 0)
                        r = changes_add(&guest->changes, STEP, LVM_DEVICES_FILE, NULL,
                                        LVM_DEVICES_FILE ".before-hyper");
                if (r < 0)
                        return r;
        }
        return json_array_size(guest->changes.changes) > before;
}
