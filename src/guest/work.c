/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/work.h"
#include "basic/string-util.h"
#include "guest/appliance.h"
#include "guest/boot-repair.h"
#include "guest/boot-state.h"
#include "guest/fs-repair.h"
#include "guest/initramfs.h"
#include "guest/inspect.h"
#include "guest/kernel-default.h"
#include "guest/linux-info.h"
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

/* What was ordered by name must be possible. */
static int check_known(Guest *guest) {
        json_t *last;

        if (work_is_possible(guest->orders->fix, guest->root, guest->mounted))
                return 0;
        last = json_array_get(guest->changes.warnings, json_array_size(guest->changes.warnings) - 1);
        return guest_fail(guest, EOPNOTSUPP, "guest_unknown", "%s",
                        strna(json_string_value(json_object_get(last, "message"))));
}

bool work_is_possible(unsigned fix, bool found, bool known) {
        return known || (fix & FIX_AUTO) || (fix == 0 && found);
}

/* It has neither LVM nor an initramfs. */
static int fix_windows(Guest *guest) {
        int r = ordered(guest, OPERATION_OFFLINE_FIX) ? windows_offline_fix(guest) : 0;

        return r < 0 || !ordered(guest, OPERATION_BOOT_REPAIR) ? r : windows_boot_repair(guest);
}

static int regenerate(Guest *guest) {
        return initramfs_regenerate(guest, true, false);
}

static int regenerate_for_lvm(Guest *guest) {
        return initramfs_regenerate(guest, true, true);
}

/* What could not be looked at is no failure of a job that does not change it. */
static int warn_of_failure(Guest *guest) {
        int r = changes_warn(&guest->changes, "inspect", "%s", guest->message);

        guest->message = mfree(guest->message);
        guest->code = mfree(guest->code);
        return r;
}

/* With @order, the changes are made; without, they are noted as what the guest still needs. */
static int run_step(Guest *guest, bool order, int (*step)(Guest *guest)) {
        Changes kept = guest->changes;

        if (order)
                return step(guest);
        guest->changes = guest->needs;
        guest->look = true;
        int r = step(guest);
        if (r < 0 && guest->message)
                r = warn_of_failure(guest);
        guest->look = false;
        guest->needs = guest->changes;
        guest->changes = kept;
        return r;
}

/* All steps, in this order. One that was not ordered only looks. */
static int fix(Guest *guest) {
        bool lvm_ordered = ordered(guest, OPERATION_LVM_REPAIR);
        int lvm, r;

        if (!guest->mounted)
                return check_known(guest);
        if (guest->windows)
                return fix_windows(guest);
        r = lvm = run_step(guest, lvm_ordered, lvm_repair);
        if (r >= 0)
                r = run_step(guest, ordered(guest, OPERATION_OFFLINE_FIX), offline_fix);
        if (r >= 0)
                r = run_step(guest, ordered(guest, OPERATION_BOOT_REPAIR), boot_repair);
        bool drivers = ordered(guest, OPERATION_INITRAMFS_REGENERATE);
        /* An initramfs has a copy of the configuration of LVM. */
        if (r >= 0 && !drivers && lvm > 0 && lvm_ordered)
                r = initramfs_regenerate(guest, false, true);
        else if (r >= 0)
                r = run_step(guest, drivers, lvm > 0 ? regenerate_for_lvm : regenerate);
        if (r >= 0 && ordered(guest, OPERATION_SELINUX_PREP))
                r = selinux_prep(guest);
        return r;
}

static json_t *list_or_empty(json_t *list) {
        return list ? json_incref(list) : json_array();
}

/* Those of steps that only look are of interest if nothing else was ordered. */
static json_t *list_warnings(const Guest *guest) {
        json_t *list = list_or_empty(guest->changes.warnings);

        if (list && guest->orders->fix == 0 && guest->needs.warnings &&
                        json_array_extend(list, guest->needs.warnings) < 0) {
                json_decref(list);
                return NULL;
        }
        return list;
}

static int describe_boot_state(Guest *guest, json_t *result) {
        BootState state;
        int r = guest->windows ? windows_boot_state(guest, &state)
                               : boot_state(guest->needs.changes, guest->kernels, guest->mounted, &state);

        if (r < 0)
                return r;
        return json_object_set_new(result, "bootable", json_string(state.bootable)) < 0 ||
                                        json_object_set_new(result, "reasons", state.reasons) < 0
                        ? -ENOMEM
                        : 0;
}

static int describe_all(Guest *guest, json_t *result) {
        int r = json_object_set_new(result, "virtio", json_boolean(initramfs_has_drivers(guest)));

        if (r >= 0)
                r = json_object_set_new(result, "changes", list_or_empty(guest->changes.changes));
        if (r >= 0)
                r = json_object_set_new(result, "needs", list_or_empty(guest->needs.changes));
        if (r >= 0)
                r = json_object_set_new(result, "warnings", list_warnings(guest));
        if (r < 0)
                return -ENOMEM;
        if (guest->windows)
                r = windows_describe(guest, result);
        else if (guest->mounted)
                r = linux_describe(guest, result);
        return r < 0 ? r : describe_boot_state(guest, result);
}

static json_t *describe(Guest *guest) {
        json_t *result = kernel_default_mark(guest) < 0 ? NULL : inspect_describe(guest);

        if (result && describe_all(guest, result) < 0) {
                json_decref(result);
                return NULL;
        }
        return result;
}

/* Once it has ended, all that was to be found out or changed since then is unknown: then that is why the work
 * fails, and another attempt may do better. */
static int check_appliance(Guest *guest, int r) {
        if (guestfs_is_config(guest->g) <= 0)
                return r;
        guest->code = mfree(guest->code);
        guest->message = mfree(guest->message);
        return guest_fail(guest, EIO, "appliance_failed",
                        "The appliance has ended before the work was done: its QEMU was killed, for example "
                        "because memory is short, or has crashed");
}

static int run_all(Guest *guest, json_t **ret) {
        int r = luks_unlock(guest);

        if (r >= 0)
                r = fs_repair(guest, ordered(guest, OPERATION_FS_REPAIR));
        if (r >= 0)
                r = inspect_find(guest);
        if (r >= 0)
                r = fix(guest);
        if (r < 0)
                return r;
        guest_progress("inspect", 96);
        *ret = describe(guest);
        return *ret ? 0 : -ENOMEM;
}

int work_run(Guest *guest, json_t **ret) {
        _cleanup_json_ json_t *result = NULL;
        int r = appliance_start(guest);

        if (r < 0)
                return r;
        r = check_appliance(guest, run_all(guest, &result));
        if (r < 0)
                return r;
        guest_progress("write", 98);
        r = appliance_stop(guest);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(result);
        return 0;
}
