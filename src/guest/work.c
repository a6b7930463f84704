/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/work.h"
#include "basic/string-util.h"
#include "guest/appliance.h"
#include "guest/boot-repair.h"
#include "guest/fs-repair.h"
#include "guest/initramfs.h"
#include "guest/inspect.h"
#include "guest/luks.h"
#include "guest/lvm-repair.h"
#include "guest/offline-fix.h"
#include "guest/selinux-prep.h"
#include "guest/windows-boot.h"
#include "guest/windows-fix.h"
#include "guest/windows.h"
#include "spec/job-fix.h"

static bool ordered(const Guest *guest, JobOperation operation) {
        return guest->orders->fix & 1u << operation;
}

/* What was ordered by name must be possible; "auto" leaves a guest that is not known as it is. */
static int check_known(Guest *guest) {
        json_t *last;

        if (guest->mounted || guest->orders->fix == 0 || (guest->orders->fix & FIX_AUTO))
                return 0;
        last = json_array_get(guest->changes.warnings, json_array_size(guest->changes.warnings) - 1);
        return guest_fail(guest, EOPNOTSUPP, "guest_unknown", "The guest cannot be fixed: %s",
                        strna(json_string_value(json_object_get(last, "message"))));
}

/* It has neither LVM nor an initramfs. */
static int fix_windows(Guest *guest) {
        int r = ordered(guest, OPERATION_OFFLINE_FIX) ? windows_offline_fix(guest) : 0;

        return r < 0 || !ordered(guest, OPERATION_BOOT_REPAIR) ? r : windows_boot_repair(guest);
}

static int fix(Guest *guest) {
        int lvm = 0, r = 0;

        if (!guest->mounted)
                return check_known(guest);
        if (guest->windows)
                return fix_windows(guest);
        if (ordered(guest, OPERATION_LVM_REPAIR))
                lvm = lvm_repair(guest);
        if (lvm < 0)
                return lvm;
        if (ordered(guest, OPERATION_OFFLINE_FIX))
                r = offline_fix(guest);
        if (r >= 0 && ordered(guest, OPERATION_BOOT_REPAIR))
                r = boot_repair(guest);
        if (r >= 0)
                r = initramfs_regenerate(guest, ordered(guest, OPERATION_INITRAMFS_REGENERATE), lvm > 0);
        if (r >= 0 && ordered(guest, OPERATION_SELINUX_PREP))
                r = selinux_prep(guest);
        return r;
}

static json_t *describe(Guest *guest) {
        json_t *result = inspect_describe(guest), *changes = guest->changes.changes,
               *warnings = guest->changes.warnings;

        if (!result)
                return NULL;
        if (json_object_set_new(result, "virtio", json_boolean(initramfs_has_drivers(guest))) < 0 ||
                        json_object_set_new(result, "changes",
                                        changes ? json_incref(changes) : json_array()) < 0 ||
                        json_object_set_new(result, "warnings",
                                        warnings ? json_incref(warnings) : json_array()) < 0 ||
                        (guest->windows && windows_describe(guest, result) < 0)) {
                json_decref(result);
                return NULL;
        }
        return result;
}

int work_run(Guest *guest, json_t **ret) {
        _cleanup_json_ json_t *result = NULL;
        int r;

        r = appliance_start(guest);
        if (r >= 0)
                r = luks_unlock(guest);
        if (r >= 0 && ordered(guest, OPERATION_FS_REPAIR))
                r = fs_repair(guest);
        if (r >= 0)
                r = inspect_find(guest);
        if (r >= 0)
                r = fix(guest);
        if (r < 0)
                return r;
        guest_progress("inspect", 96);
        result = describe(guest);
        if (!result)
                return -ENOMEM;
        guest_progress("write", 98);
        r = appliance_stop(guest);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(result);
        return 0;
}
