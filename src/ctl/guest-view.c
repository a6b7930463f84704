/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/guest-view.h"

#include <inttypes.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

/* The strings of a list, with @separator between them. NULL when out of memory. */
static char *join(json_t *list, const char *separator) {
        _cleanup_strv_free_ char **words = NULL;
        json_t *item;
        size_t i;

        json_array_foreach(list, i, item)
                if (json_is_string(item) && strv_extend(&words, json_string_value(item)) < 0)
                        return NULL;
        return strv_join(words, separator);
}

/* One line for a list of strings, or none. */
static int view_list(Ctl *ctl, const char *label, json_t *list) {
        _cleanup_free_ char *text = join(list, ", ");

        return text ? view_line(ctl, label, COLOUR_NONE, "%s", text) : -ENOMEM;
}

/* A line for each string of a list. */
static int view_lines(Ctl *ctl, const char *label, Colour colour, json_t *list) {
        json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(list, i, item)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? label : "", colour, "%s",
                                        strempty(json_string_value(item)));
        return r;
}

/* --- the system ------------------------------------------------------------------------------------ */

static int view_system(Ctl *ctl, json_t *guest) {
        json_t *os = json_object_get(guest, "os");
        const char *distro = view_string(os, "distro"), *version = view_string(os, "version");

        if (!json_is_object(os))
                return view_line(ctl, "System", COLOUR_YELLOW, "not found");
        int r = view_line(ctl, "System", COLOUR_NONE, "%s (%s%s%s, %s)", view_string(os, "name"),
                        *distro ? distro : view_string(os, "type"), *version ? " " : "", version,
                        view_string(os, "arch"));
        if (r >= 0)
                r = view_line(ctl, "Host name", COLOUR_NONE, "%s", view_string(os, "hostname"));
        return r;
}

static int view_kernels(Ctl *ctl, json_t *guest) {
        json_t *kernel;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "kernels"), i, kernel) {
                json_t *missing = json_object_get(kernel, "missing");
                _cleanup_free_ char *names = join(missing, " ");

                if (!names)
                        return -ENOMEM;
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Kernels" : "", *names ? COLOUR_YELLOW : COLOUR_NONE,
                                        "%s%s, %s%s", view_string(kernel, "version"),
                                        json_is_true(json_object_get(kernel, "default")) ? " (default)" : "",
                                        *names ? "its initramfs lacks " : "with the drivers of virtio",
                                        names);
        }
        return r;
}

/* --- disks ----------------------------------------------------------------------------------------- */

static int view_disks(Ctl *ctl, json_t *guest) {
        json_t *disk;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "disks"), i, disk) {
                const char *label = view_string(disk, "label");
                size_t n = json_array_size(json_object_get(disk, "partitions"));
                char size[BYTES_SIZE];

                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Disks" : "", COLOUR_NONE, "%s, %s, %zu partition%s",
                                        format_bytes(size, view_number(disk, "size")),
                                        *label ? label : "no partition table", n, n == 1 ? "" : "s");
        }
        return r;
}

static int view_file_system(Ctl *ctl, const char *label, json_t *fs, const char *root) {
        const char *mount = view_string(fs, "mountpoint"), *device = view_string(fs, "device");
        json_t *clean = json_object_get(fs, "clean"), *space = json_object_get(fs, "free");
        char size[BYTES_SIZE];
        _cleanup_free_ char *free_space = json_is_integer(space)
                        ? strprintf(", %s free", format_bytes(size, (uint64_t) json_integer_value(space)))
                        : strdup("");

        if (!free_space)
                return -ENOMEM;
        return view_line(ctl, label, json_is_false(clean) ? COLOUR_YELLOW : COLOUR_NONE, "%s %s%s%s%s%s%s",
                        device, view_string(fs, "type"), *mount ? " on " : "", mount, free_space,
                        streq(device, root) ? ", root" : "", json_is_false(clean) ? ", not clean" : "");
}

static int view_file_systems(Ctl *ctl, json_t *guest) {
        json_t *fs;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "filesystems"), i, fs)
                if (r >= 0)
                        r = view_file_system(
                                        ctl, i == 0 ? "File systems" : "", fs, view_string(guest, "root"));
        return r;
}

static int view_volumes(Ctl *ctl, json_t *guest) {
        json_t *group;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "lvm"), i, group) {
                _cleanup_free_ char *volumes = join(json_object_get(group, "lvs"), " ");

                if (!volumes)
                        return -ENOMEM;
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "LVM" : "", COLOUR_NONE, "%s: %s%s",
                                        view_string(group, "vg"), volumes,
                                        json_is_true(json_object_get(group, "devices_file"))
                                                        ? ", with a devices file"
                                                        : "");
        }
        return r < 0 ? r : view_list(ctl, "Encrypted", json_object_get(guest, "encrypted"));
}

/* --- network, hardware ----------------------------------------------------------------------------- */

static int view_network(Ctl *ctl, json_t *guest) {
        json_t *nic;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "network"), i, nic) {
                _cleanup_free_ char *addresses = join(json_object_get(nic, "addresses"), " ");
                const char *mac = view_string(nic, "mac");
                bool dhcp = json_is_true(json_object_get(nic, "dhcp"));

                if (!addresses)
                        return -ENOMEM;
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Network" : "", COLOUR_NONE, "%s%s%s%s (%s)%s%s",
                                        view_string(nic, "name"), dhcp ? " DHCP" : "", *addresses ? " " : "",
                                        addresses, view_string(nic, "by"), *mac ? ", " : "", mac);
        }
        return r;
}

static int view_hardware(Ctl *ctl, json_t *guest) {
        json_t *h = json_object_get(guest, "hardware");
        const char *cpu = view_string(h, "cpu_min");

        return json_is_object(h)
                        ? view_line(ctl, "Suitable", COLOUR_NONE, "%s, disks: %s, NICs: %s, clock: %s%s%s",
                                          view_string(h, "machine"), view_string(h, "disk_bus"),
                                          view_string(h, "nic_model"), view_string(h, "rtc"),
                                          *cpu ? ", processor: at least " : "", cpu)
                        : 0;
}

/* --- whether it boots; changes --------------------------------------------------------------------- */

int guest_view_boots(Ctl *ctl, json_t *guest) {
        const char *bootable = view_string(guest, "bootable");
        int r = view_line(ctl, "Boots on KVM",
                        streq(bootable, "yes")                  ? COLOUR_GREEN
                                        : streq(bootable, "no") ? COLOUR_RED
                                                                : COLOUR_YELLOW,
                        "%s", *bootable ? bootable : "unknown");

        return r < 0 ? r : view_lines(ctl, "Because", COLOUR_NONE, json_object_get(guest, "reasons"));
}

static int view_warnings(Ctl *ctl, json_t *guest) {
        json_t *warning;
        size_t i;
        int r = 0;

        json_array_foreach(json_object_get(guest, "warnings"), i, warning)
                if (r >= 0)
                        r = view_line(ctl, i == 0 ? "Warnings" : "", COLOUR_YELLOW, "%s",
                                        view_string(warning, "message"));
        return r;
}

static int view_change(Ctl *ctl, const char *label, json_t *change) {
        const char *from = view_string(change, "from"), *to = view_string(change, "to");

        return view_line(ctl, label, COLOUR_NONE, "%s: %s%s%s", view_string(change, "file"), from,
                        *from && *to            ? (ctl->out.utf8 ? " → " : " -> ")
                                        : *from ? " removed"
                                                : "",
                        to);
}

int guest_view_changes(Ctl *ctl, json_t *guest, bool dry_run) {
        json_t *changes = json_object_get(guest, "changes"), *change;
        size_t i;
        int r = 0;

        if (json_array_size(changes) == 0)
                r = view_line(ctl, dry_run ? "Would change" : "Changed", COLOUR_NONE, "nothing");
        json_array_foreach(changes, i, change)
                if (r >= 0)
                        r = view_change(ctl, i > 0 ? "" : dry_run ? "Would change" : "Changed", change);
        return r < 0 ? r : view_warnings(ctl, guest);
}

int guest_view_report(Ctl *ctl, json_t *guest) {
        static int (*const parts[])(Ctl * ctl, json_t * guest) = { view_kernels, view_disks,
                view_file_systems, view_volumes, view_network };
        int r = view_system(ctl, guest);

        if (r >= 0)
                r = view_line(ctl, "Firmware", COLOUR_NONE, "%s", view_string(guest, "firmware"));
        if (r >= 0)
                r = view_list(ctl, "Boot loader", json_object_get(guest, "boot_loaders"));
        for (size_t i = 0; i < ELEMENTSOF(parts) && r >= 0; i++)
                r = parts[i](ctl, guest);
        if (r >= 0)
                r = view_list(ctl, "Tools", json_object_get(guest, "tools"));
        if (r >= 0)
                r = view_line(ctl, "SELinux", COLOUR_NONE, "%s", view_string(guest, "selinux"));
        if (r >= 0)
                r = view_hardware(ctl, guest);
        if (r >= 0)
                r = guest_view_boots(ctl, guest);
        return r < 0 ? r : view_warnings(ctl, guest);
}
