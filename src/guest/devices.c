/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/devices.h"
#include "basic/string-util.h"

static char *const *list_once(Guest *guest, char ***list, char **(*ask)(guestfs_h *g)) {
        if (!*list)
                *list = ask(guest->g);
        return *list;
}

char *const *guest_disks(Guest *guest) {
        return list_once(guest, &guest->disks, guestfs_list_devices);
}

char *const *guest_partitions(Guest *guest) {
        return list_once(guest, &guest->partitions, guestfs_list_partitions);
}

char *const *guest_volumes(Guest *guest) {
        return list_once(guest, &guest->volumes, guestfs_lvs);
}

char *const *guest_arrays(Guest *guest) {
        return list_once(guest, &guest->arrays, guestfs_list_md_devices);
}

const char *guest_type(Guest *guest, const char *device) {
        return guest_ask_once(guest, &guest->types, device, guestfs_vfs_type);
}

void guest_forget_devices(Guest *guest) {
        guest->disks = strv_free(guest->disks);
        guest->partitions = strv_free(guest->partitions);
        guest->volumes = strv_free(guest->volumes);
        guest->arrays = strv_free(guest->arrays);
        json_decref(guest->types);
        guest->types = NULL;
}

bool device_is_partition_of(const char *device, const char *disk) {
        const char *rest = startswith(disk, "/dev/sd") ? startswith(device, disk) : NULL;

        return rest && disk[strlen(disk) - 1] > '9' && *rest >= '0' && *rest <= '9';
}

static bool is_partitioned(char *const *partitions, const char *disk) {
        STRV_FOREACH(p, partitions)
                if (device_is_partition_of(*p, disk))
                        return true;
        return false;
}

/* Those that may have a file system. -EAGAIN: libguestfs fails to give one of the lists. */
static int list_places(Guest *guest, char ***ret) {
        char *const *lists[] = { guest_partitions(guest), guest_disks(guest), guest_arrays(guest),
                guest_volumes(guest) };
        _cleanup_strv_free_ char **all = new0(char *, 1);

        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                if (!lists[i])
                        return -EAGAIN;
                STRV_FOREACH(device, lists[i])
                        if (!is_partitioned(lists[0], *device) && strv_extend(&all, *device) < 0)
                                return -ENOMEM;
        }
        *ret = TAKE_PTR(all);
        return 0;
}

/* Neither subvolumes nor dynamic disks are in it, it is not encrypted, and it is no extended partition. */
static bool type_is_plain(const char *type) {
        static const char *const plain[] = { "ext2", "ext3", "ext4", "xfs", "swap", "vfat", "LVM2_member",
                "linux_raid_member" };

        for (size_t i = 0; type && i < ELEMENTSOF(plain); i++)
                if (streq(type, plain[i]))
                        return true;
        return false;
}

/* -EAGAIN: libguestfs must be asked. */
static int list_plain(Guest *guest, char *const *places, char ***ret) {
        _cleanup_strv_free_ char **list = new0(char *, 1);

        if (!list)
                return -ENOMEM;
        STRV_FOREACH(place, places) {
                const char *type = guest_type(guest, *place);
                if (!type_is_plain(type))
                        return -EAGAIN;
                if (!endswith(type, "_member") &&
                                (strv_extend(&list, *place) < 0 || strv_extend(&list, type) < 0))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

int guest_list_filesystems(Guest *guest, char ***ret) {
        _cleanup_strv_free_ char **places = NULL;
        int r = list_places(guest, &places);

        if (r >= 0)
                r = places[0] ? list_plain(guest, places, ret) : -EAGAIN;
        if (r != -EAGAIN)
                return r;
        *ret = guestfs_list_filesystems(guest->g);
        return *ret ? 0 : guest_fail_last(guest, "guest_inspection_failed", "Listing the file systems");
}
