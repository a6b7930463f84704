/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of file systems is that of libguestfs, or made from what it says of each device. Its functions are
 * replaced here. */

#include <errno.h>

#include "guest/devices.h"
#include "guest/encrypted.h"
#include "unit/lib/test.h"

/* --- libguestfs ------------------------------------------------------------------------------------ */

/* What it says: names, with the type after "=", separated by blanks. NULL: it fails. */
typedef struct Answers {
        const char *disks, *partitions, *arrays, *volumes;
        const char *filesystems; /* device, type, … */
} Answers;

static Answers fake;
static unsigned asked, types_asked;

static char **words_of(const char *text) {
        char **words = text ? new0(char *, 1) : NULL;

        for (const char *w = text; w && *w; w += strspn(w, " ")) {
                size_t n = strcspn(w, " ");
                ck_assert_int_eq(strv_consume(&words, strndup(w, n)), 0);
                w += n;
        }
        return words;
}

static char **names_of(const char *text) {
        char **words = words_of(text);

        STRV_FOREACH(w, words)
                (*w)[strcspn(*w, "=")] = 0;
        return words;
}

char **guestfs_list_devices(guestfs_h *g _unused_) {
        return names_of(fake.disks);
}

char **guestfs_list_partitions(guestfs_h *g _unused_) {
        return names_of(fake.partitions);
}

char **guestfs_list_md_devices(guestfs_h *g _unused_) {
        return names_of(fake.arrays);
}

char **guestfs_lvs(guestfs_h *g _unused_) {
        return names_of(fake.volumes);
}

char **guestfs_list_filesystems(guestfs_h *g _unused_) {
        asked++;
        return words_of(fake.filesystems);
}

/* "": there is nothing that it knows. NULL: it cannot be read. */
char *guestfs_vfs_type(guestfs_h *g _unused_, const char *device) {
        const char *const lists[] = { fake.disks, fake.partitions, fake.arrays, fake.volumes };
        char *type = NULL;

        types_asked++;
        for (size_t i = 0; i < ELEMENTSOF(lists) && !type; i++) {
                _cleanup_strv_free_ char **words = words_of(lists[i]);
                STRV_FOREACH(w, words) {
                        const char *rest = startswith(*w, device);
                        if (rest && *rest == '=' && !type)
                                type = strdup(rest + 1);
                }
        }
        return type;
}

const char *guestfs_last_error(guestfs_h *g _unused_) {
        return "it has failed";
}

int guestfs_last_errno(guestfs_h *g _unused_) {
        return EINVAL;
}

/* --- file systems ---------------------------------------------------------------------------------- */

#define ASKED "/dev/asked ext4"

static const struct {
        Answers answers;
        const char *expected; /* NULL: an error */
} rows[] = {
        { { "/dev/sda=", "/dev/sda1=ext4 /dev/sda2=LVM2_member", "", "/dev/vg0/root=xfs /dev/vg0/swap=swap",
                          NULL },
                        "/dev/sda1 ext4 /dev/vg0/root xfs /dev/vg0/swap swap" },
        { { "/dev/sda= /dev/sdb=", "/dev/sda1=linux_raid_member /dev/sdb1=linux_raid_member /dev/sdb2=vfat",
                          "/dev/md127=ext4", "", NULL },
                        "/dev/sdb2 vfat /dev/md127 ext4" },
        { { "/dev/sda=ext3 /dev/sdb=ext2", "", "", "", NULL }, "/dev/sda ext3 /dev/sdb ext2" },
        /* the type of a disk with partitions does not matter */
        { { "/dev/sda", "/dev/sda15=vfat /dev/sda1=ext4", "", "", NULL }, "/dev/sda15 vfat /dev/sda1 ext4" },
        /* subvolumes, dynamic disks, devices that may be open */
        { { "/dev/sda=", "/dev/sda1=btrfs", "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4 /dev/sda2=ntfs", "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4 /dev/sda2=crypto_LUKS", "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4", "", "/dev/vg0/root=BitLocker", ASKED }, ASKED },
        /* nothing is known: an extended partition, that of GRUB, a dynamic disk, one that cannot be read */
        { { "/dev/sda=", "/dev/sda1=ext4 /dev/sda2= /dev/sda5=swap", "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1= /dev/sda2=ext4", "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4 /dev/sda2", "", "", ASKED }, ASKED },
        { { "/dev/sda=ext4 /dev/sdb=", "", "", "", ASKED }, ASKED },
        { { "/dev/sda=ext4 /dev/sdb", "", "", "", ASKED }, ASKED },
        { { "/dev/sda=ext4", "", "/dev/md127=", "", ASKED }, ASKED },
        { { "/dev/sda=ext4", "", "/dev/md127=xfs", "/dev/vg0/thin=", ASKED }, ASKED },
        { { "/dev/sda=ext4 /dev/sdb=ldm_member", "", "", "", ASKED }, ASKED },
        { { "/dev/sda=ext4 /dev/sdb=a_new_one", "", "", "", ASKED }, ASKED },
        { { "", "", "", "", "" }, "" },
        /* a list fails */
        { { NULL, "/dev/sda1=ext4", "", "", ASKED }, ASKED },
        { { "/dev/sda=ext4", NULL, "", "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4", NULL, "", ASKED }, ASKED },
        { { "/dev/sda=", "/dev/sda1=ext4", "", NULL, ASKED }, ASKED },
        { { NULL, NULL, NULL, NULL, NULL }, NULL },
        { { "/dev/sda=", "/dev/sda1=ntfs", "", "", NULL }, NULL },
};

START_TEST(file_systems_are_listed) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Guest guest = {};
                _cleanup_strv_free_ char **list = NULL;

                fake = rows[i].answers;
                asked = 0;
                int r = guest_list_filesystems(&guest, &list);
                if (rows[i].expected) {
                        _cleanup_free_ char *text = r < 0 ? NULL : strv_join(list, " ");
                        ck_assert_msg(streq_ptr(text, rows[i].expected), "row %zu: %d, %s", i, r,
                                        strna(text));
                } else {
                        ck_assert_msg(r == -EIO, "row %zu: %d", i, r);
                        ck_assert_str_eq(guest.code, "guest_inspection_failed");
                        ck_assert_str_eq(guest.message, "Listing the file systems failed: it has failed");
                }
                /* It is asked if nothing is lost thereby only. */
                ck_assert_msg(asked == (rows[i].answers.filesystems || !rows[i].expected), "row %zu", i);
                guest_done(&guest);
        }
}
END_TEST

START_TEST(answers_are_kept) {
        Guest guest = {};
        _cleanup_strv_free_ char **list = NULL, **again = NULL;

        fake = (Answers){ "/dev/sda=", "/dev/sda1=ext4 /dev/sda2=swap", "", "", NULL };
        types_asked = 0;
        ck_assert_int_eq(guest_list_filesystems(&guest, &list), 0);
        fake = (Answers){ "/dev/sda=", "/dev/sda1=ext4 /dev/sda2=swap", "", "/dev/vg0/root=xfs", NULL };
        ck_assert_str_eq(guest_type(&guest, "/dev/sda2"), "swap");
        ck_assert_uint_eq(strv_length(guest_volumes(&guest)), 0);
        ck_assert_uint_eq(types_asked, 2);
        guest_forget_devices(&guest);
        ck_assert_int_eq(guest_list_filesystems(&guest, &again), 0);
        _cleanup_free_ char *text = strv_join(again, " ");
        ck_assert_str_eq(text, "/dev/sda1 ext4 /dev/sda2 swap /dev/vg0/root xfs");
        guest_done(&guest);
}
END_TEST

/* --- encrypted devices ----------------------------------------------------------------------------- */

static const struct {
        Answers answers;
        const char *expected; /* NULL: an error */
} encrypted[] = {
        { { "/dev/sda= /dev/sdb=crypto_LUKS", "/dev/sda1=ext4 /dev/sda2=crypto_LUKS /dev/sda3=BitLocker", "",
                          "/dev/vg0/root=crypto_LUKS", NULL },
                        "/dev/sdb /dev/sda2 /dev/vg0/root" },
        /* without LVM in the appliance */
        { { "/dev/sda=", "/dev/sda1=crypto_LUKS", "", NULL, NULL }, "/dev/sda1" },
        { { NULL, "/dev/sda1=crypto_LUKS", "", "", NULL }, NULL },
        { { "/dev/sda=", NULL, "", "", NULL }, NULL },
        { { "/dev/sda=", "", NULL, "", NULL }, NULL },
};

START_TEST(encrypted_devices_are_found) {
        for (size_t i = 0; i < ELEMENTSOF(encrypted); i++) {
                Guest guest = {};
                _cleanup_strv_free_ char **list = NULL;

                fake = encrypted[i].answers;
                int r = encrypted_devices(&guest, "crypto_LUKS", &list);
                _cleanup_free_ char *text = r < 0 ? NULL : strv_join(list, " ");
                ck_assert_msg(streq_ptr(text, encrypted[i].expected), "row %zu: %d, %s", i, r, strna(text));
                if (!encrypted[i].expected)
                        ck_assert_str_eq(guest.code, "guest_inspection_failed");
                guest_done(&guest);
        }
}
END_TEST

START_TEST(partitions_belong_to_their_disk) {
        ck_assert(device_is_partition_of("/dev/sda1", "/dev/sda"));
        ck_assert(!device_is_partition_of("/dev/sdaa1", "/dev/sda"));
        ck_assert(!device_is_partition_of("/dev/sda", "/dev/sda"));
        ck_assert(!device_is_partition_of("/dev/sda12", "/dev/sda1"));
        ck_assert(!device_is_partition_of("/dev/md1", "/dev/md"));
}
END_TEST

TEST_MAIN("guest-devices", file_systems_are_listed, answers_are_kept, encrypted_devices_are_found,
                partitions_belong_to_their_disk)
