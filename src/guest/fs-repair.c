/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/fs-repair.h"
#include "basic/string-util.h"

#define STEP "fs_repair"

/* e2fsck -p: replays the journal, and corrects what is safe to correct. -y corrects all. */
static int repair_ext(Guest *guest, const char *device) {
        return guest->orders->force ? guestfs_e2fsck(guest->g, device, GUESTFS_E2FSCK_FORCEALL, 1, -1)
                                    : guestfs_e2fsck(guest->g, device, GUESTFS_E2FSCK_CORRECT, 1, -1);
}

/* The journal of XFS is replayed by mounting it. If that fails, "force" clears it. */
static int repair_xfs(Guest *guest, const char *device) {
        if (guestfs_mount(guest->g, device, "/") < 0 || guestfs_umount(guest->g, "/") < 0)
                return guest->orders->force ? guestfs_xfs_repair(guest->g, device,
                                                              GUESTFS_XFS_REPAIR_FORCELOGZERO, 1, -1)
                                            : -1;
        int k = guestfs_xfs_repair(guest->g, device, GUESTFS_XFS_REPAIR_NOMODIFY, 1, -1);
        return k == 1 ? guestfs_xfs_repair(guest->g, device, -1) : k;
}

static int repair_vfat(Guest *guest, const char *device) {
        int k = guestfs_fsck(guest->g, "vfat", device);

        return k == 0 || k == 1 ? 0 : -1;
}

/* What ntfs-3g.probe(8) returns. */
enum { NTFS_CLEAN = 0, NTFS_HIBERNATED = 14, NTFS_UNCLEAN = 15 };

/* A volume that was not unmounted: its journal is emptied, and Windows checks it when it starts. Damage is
 * left to Windows. */
static int repair_ntfs(Guest *guest, const char *device) {
        int state = guestfs_ntfs_3g_probe(guest->g, 1, device);

        /* inspect_find() refuses it. */
        if (state == NTFS_CLEAN || state == NTFS_HIBERNATED)
                return 0;
        return state == NTFS_UNCLEAN ? guestfs_ntfsfix(guest->g, device, -1) : -1;
}

/* It has no journal to replay. What a check finds is reported, since repairs may lose data. */
static int check_btrfs(Guest *guest, const char *device) {
        return startswith(device, "/dev/") ? guestfs_btrfs_fsck(guest->g, device, -1) : 0;
}

static const struct {
        const char *type;
        int (*repair)(Guest *guest, const char *device);
} repairs[] = {
        { "ext2", repair_ext },
        { "ext3", repair_ext },
        { "ext4", repair_ext },
        { "xfs", repair_xfs },
        { "btrfs", check_btrfs },
        { "vfat", repair_vfat },
        { "ntfs", repair_ntfs },
};

int fs_repair(Guest *guest) {
        _cleanup_guest_list_ char **all = guestfs_list_filesystems(guest->g);

        if (!all)
                return guest_fail_last(guest, "guest_inspection_failed", "Listing the file systems");
        guest_progress(STEP, 41);
        for (char **f = all; f[0] && f[1]; f += 2)
                for (size_t i = 0; i < ELEMENTSOF(repairs); i++) {
                        if (!streq(f[1], repairs[i].type) || repairs[i].repair(guest, f[0]) == 0)
                                continue;
                        /* Programs for some types are in packages of their own. */
                        bool missing = guestfs_last_errno(guest->g) == ENOTSUP;
                        int r = changes_warn(&guest->changes, STEP, "The file system %s (%s) %s: %s", f[0],
                                        f[1],
                                        missing ? "was not checked, its programs are not in the appliance"
                                                : "is damaged, and was not repaired",
                                        strna(guestfs_last_error(guest->g)));
                        if (r < 0)
                                return r;
                }
        return 0;
}
