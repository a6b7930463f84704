/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/config-size.h"
#include "basic/string-util.h"

#define SIZE_MAX_BYTES INT64_C(262144)

/* What its inspection gives to Augeas. */
static const char *const files[] = { "/etc/fstab", "/etc/mdadm.conf", "/etc/mdadm/mdadm.conf",
        "/etc/hostname", "/etc/HOSTNAME", "/etc/sysconfig/network", "/etc/rc.conf" };

static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "reiserfs", "jfs", "ufs" };

static int check_mounted(Guest *guest, const char *device) {
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                int64_t size = guest_is_file(guest, files[i]) ? guestfs_filesize(guest->g, files[i]) : 0;

                if (size > SIZE_MAX_BYTES)
                        return guest_fail(guest, EFBIG, "guest_inspection_failed",
                                        "%s in the file system %s is larger than %jd KiB: the guest is not "
                                        "inspected",
                                        files[i], device, (intmax_t) (SIZE_MAX_BYTES / 1024));
        }
        return 0;
}

static bool is_unix(const char *type) {
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(type, types[i]))
                        return true;
        return false;
}

int config_size_check(Guest *guest) {
        int r = 0;

        for (char **f = guest->filesystems; f && f[0] && f[1] && r >= 0; f += 2) {
                /* What cannot be mounted is not parsed either. */
                if (!is_unix(f[1]) || guestfs_mount_ro(guest->g, f[0], "/") < 0)
                        continue;
                r = check_mounted(guest, f[0]);
                if (guestfs_umount_all(guest->g) < 0 && r >= 0)
                        r = guest_fail_last(guest, "guest_inspection_failed", "Unmounting a file system");
        }
        return r;
}
