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

static bool is_partitioned(Guest *guest, const char *disk) {
        char *const *partitions = guest_partitions(guest);

        STRV_FOREACH(p, partitions)
                if (device_is_partition_of(*p, disk))
                        return true;
        return false;
}

/* Those that may have a file system. */
static int list_places(Guest *guest, char ***ret) {
        static char *const *(*const lists[])(
                        Guest * guest) = { guest_disks, guest_partitions, guest_arrays, guest_volumes };
        _cleanup_strv_free_ char **all = new0(char *, 1);

        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                char *const *list = lists[i](guest);
                STRV_FOREACH(device, list)
                        if (!is_partitioned(guest, *device) && strv_extend(&all, *device) < 0)
                                return -ENOMEM;
        }
        *ret = TAKE_PTR(all);
        return 0;
}

/* Of a partition; 0 of others. */
static unsigned long partition_number(const char *device) {
        const char *digits = startswith(device, "/dev/sd") ? device + strcspn(device, "0123456789") : "";

        return strtoul(digits, NULL, 10);
}

bool filesystems_are_plain(char *const *devices, const char *const *types) {
        static const char *const plain[] = { "ext2", "ext3", "ext4", "xfs", "swap", "vfat", "LVM2_member",
                "linux_raid_member" };
        bool unknown = false, logical = false;

        for (size_t i = 0; devices[i]; i++) {
                bool found = !types[i];

                for (size_t k = 0; k < ELEMENTSOF(plain) && !found; k++)
                        found = streq(types[i], plain[k]);
                if (!found)
                        return false;
                unknown = unknown || !types[i];
                logical = logical || partition_number(devices[i]) > 4;
        }
        /* Only then may a partition without a type be an extended one. */
        return !unknown || !logical;
}

/* -EAGAIN: libguestfs must be asked. */
static int list_plain(Guest *guest, char *const *places, char ***ret) {
        _cleanup_strv_free_ char **list = new0(char *, 1);
        size_t n = strv_length(places);
        const char **types = new0(const char *, n + 1);
        int r = list && types ? 0 : -ENOMEM;

        for (size_t i = 0; i < n && r >= 0; i++) {
                types[i] = guest_type(guest, places[i]);
                if (isempty(types[i]))
                        types[i] = NULL;
        }
        if (r >= 0 && !filesystems_are_plain(places, types))
                r = -EAGAIN;
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (types[i] && endswith(types[i], "_member"))
                        continue;
                r = strv_extend(&list, places[i]);
                if (r >= 0)
                        r = strv_extend(&list, types[i] ? types[i] : "unknown");
        }
        free(types);
        if (r < 0)
                return r;
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
