/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/fs-repair.h"
#include "basic/string-util.h"
#include "guest/devices.h"
#include "guest/ext-state.h"

#define STEP "fs_repair"

/* What a repair has found: 1 with @from and @to, 0 if it was in order, or -1 with an error of libguestfs. */
typedef struct Repair {
        Guest *guest;
        const char *device;
        char *from; /* what was wrong */
        const char *to; /* what was done */
} Repair;

static int repaired(Repair *r, const char *from, const char *to) {
        r->from = strdup(strempty(from));
        r->to = to;
        return 1;
}

/* --- ext ------------------------------------------------------------------------------------------- */

static int read_ext(Guest *guest, const char *device, ExtState *ret) {
        _cleanup_guest_list_ char **fields = guestfs_tune2fs_l(guest->g, device);

        *ret = (ExtState){};
        for (char **f = fields; f && f[0] && f[1]; f += 2)
                ext_state_add(ret, f[0], f[1]);
        return fields ? 0 : -1;
}

/* e2fsck -p: replays the journal, and corrects what is safe to correct. -y corrects all. */
static int repair_ext(Repair *r) {
        guestfs_h *g = r->guest->g;
        ExtState before, after;

        if (read_ext(r->guest, r->device, &before) < 0)
                return -1;
        if (guestfs_e2fsck(g, r->device, GUESTFS_E2FSCK_CORRECT, 1, -1) < 0) {
                _cleanup_free_ char *why = strdup(strempty(guestfs_last_error(g)));

                if (!r->guest->orders->force ||
                                guestfs_e2fsck(g, r->device, GUESTFS_E2FSCK_FORCEALL, 1, -1) < 0)
                        return -1;
                return repaired(r, why, "repaired, data may be lost");
        }
        if (read_ext(r->guest, r->device, &after) < 0)
                return -1;
        if (ext_state_equal(&before, &after))
                return 0;
        return repaired(r, ext_state_is_clean(&before) ? "with wrong counts" : ext_state_text(&before),
                        ext_state_text(&after));
}

/* --- others ---------------------------------------------------------------------------------------- */

/* The journal of XFS is replayed by mounting it. If that fails, "force" clears it. */
static int repair_xfs(Repair *r) {
        guestfs_h *g = r->guest->g;

        if (guestfs_mount(g, r->device, "/") < 0 || guestfs_umount(g, "/") < 0) {
                _cleanup_free_ char *why = strdup(strempty(guestfs_last_error(g)));

                if (!r->guest->orders->force ||
                                guestfs_xfs_repair(g, r->device, GUESTFS_XFS_REPAIR_FORCELOGZERO, 1, -1) < 0)
                        return -1;
                return repaired(r, why, "repaired with an empty journal, data may be lost");
        }
        int k = guestfs_xfs_repair(g, r->device, GUESTFS_XFS_REPAIR_NOMODIFY, 1, -1);
        if (k != 1)
                return k;
        return guestfs_xfs_repair(g, r->device, -1) < 0 ? -1 : repaired(r, "damaged", "repaired");
}

static int repair_vfat(Repair *r) {
        int k = guestfs_fsck(r->guest->g, "vfat", r->device);

        return k == 0 ? 0 : k == 1 ? repaired(r, "damaged", "repaired") : -1;
}

/* What ntfs-3g.probe(8) returns. */
enum { NTFS_CLEAN = 0, NTFS_HIBERNATED = 14, NTFS_UNCLEAN = 15 };

/* A volume that was not unmounted: its journal is emptied, and Windows checks it when it starts. Damage is
 * left to Windows. */
static int repair_ntfs(Repair *r) {
        int state = guestfs_ntfs_3g_probe(r->guest->g, 1, r->device);

        /* inspect_find() refuses it. */
        if (state == NTFS_CLEAN || state == NTFS_HIBERNATED)
                return 0;
        if (state != NTFS_UNCLEAN || guestfs_ntfsfix(r->guest->g, r->device, -1) < 0)
                return -1;
        return repaired(r, "not unmounted", "its journal is empty");
}

/* It has no journal to replay. What a check finds is reported, since repairs may lose data. */
static int check_btrfs(Repair *r) {
        return startswith(r->device, "/dev/") ? guestfs_btrfs_fsck(r->guest->g, r->device, -1) : 0;
}

static const struct {
        const char *type;
        int (*repair)(Repair *r);
} repairs[] = {
        { "ext2", repair_ext },
        { "ext3", repair_ext },
        { "ext4", repair_ext },
        { "xfs", repair_xfs },
        { "btrfs", check_btrfs },
        { "vfat", repair_vfat },
        { "ntfs", repair_ntfs },
};

/* --- all of them ----------------------------------------------------------------------------------- */

static int note_clean(Guest *guest, const char *device, bool clean) {
        if (!guest->clean)
                guest->clean = json_object();
        return guest->clean && json_object_set_new(guest->clean, device, json_boolean(clean)) >= 0 ? 0
                                                                                                   : -ENOMEM;
}

/* Of ext, the superblock tells. */
static int look_at(Guest *guest, const char *device, const char *type) {
        ExtState state;

        if (!startswith(type, "ext") || read_ext(guest, device, &state) < 0)
                return 0;
        return note_clean(guest, device, ext_state_is_clean(&state));
}

static int warn(Guest *guest, const char *device, const char *type) {
        /* Programs for some types are in packages of their own. */
        bool missing = guestfs_last_errno(guest->g) == ENOTSUP;

        return changes_warn(&guest->changes, STEP, "The file system %s (%s) %s: %s", device, type,
                        missing ? "was not checked, its programs are not in the appliance"
                                : "is damaged, and was not repaired",
                        strna(guestfs_last_error(guest->g)));
}

static int repair_one(Guest *guest, const char *device, const char *type) {
        Repair repair = { .guest = guest, .device = device };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(repairs); i++) {
                if (!streq(type, repairs[i].type))
                        continue;
                int k = repairs[i].repair(&repair);
                r = k < 0                ? warn(guest, device, type)
                                : k == 0 ? 0
                                : repair.from
                                ? changes_add(&guest->changes, STEP, device, repair.from, repair.to)
                                : -ENOMEM;
                /* A check of btrfs does not say. */
                if (r >= 0 && k >= 0 && repairs[i].repair != check_btrfs)
                        r = note_clean(guest, device, true);
                break;
        }
        free(repair.from);
        return r;
}

int fs_repair(Guest *guest, bool repair) {
        int r = guest_list_filesystems(guest, &guest->filesystems);
        char **all = guest->filesystems;

        if (r < 0)
                return r;
        guest_progress(STEP, 41);
        for (char **f = all; f[0] && f[1] && r >= 0; f += 2) {
                r = look_at(guest, f[0], f[1]);
                if (r >= 0 && repair)
                        r = repair_one(guest, f[0], f[1]);
        }
        return r;
}
