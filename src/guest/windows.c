/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/windows.h"

#include "basic/parse-util.h"
#include "basic/string-util.h"
#include "guest/devices.h"
#include "guest/encrypted.h"
#include "guest/guest-registry.h"
#include "guest/windows-table.h"

#define STEP "inspect"
#define VERSION_KEY "Microsoft\\Windows NT\\CurrentVersion"

/* --- what cannot be changed ------------------------------------------------------------------------ */

static bool is_dynamic(Guest *guest, const char *partition) {
        static const char *const types[] = { "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3",
                "AF9B60A0-1431-4F62-BC68-3311714A69AD" };
        _cleanup_free_ char *device = guestfs_part_to_dev(guest->g, partition), *label = NULL, *type = NULL;
        int number = guestfs_part_to_partnum(guest->g, partition);

        label = device ? guestfs_part_get_parttype(guest->g, device) : NULL;
        if (!label || number <= 0)
                return false;
        if (streq(label, "msdos"))
                return guestfs_part_get_mbr_id(guest->g, device, number) == 0x42;
        type = streq(label, "gpt") ? guestfs_part_get_gpt_type(guest->g, device, number) : NULL;
        for (size_t i = 0; type && i < ELEMENTSOF(types); i++)
                if (strcasecmp(type, types[i]) == 0)
                        return true;
        return false;
}

static bool has_dynamic(Guest *guest) {
        char *const *all = guest_partitions(guest);

        STRV_FOREACH(p, all)
                if (is_dynamic(guest, *p))
                        return true;
        return false;
}

/* What is only looked at gets a warning. */
static int refuse(Guest *guest, const char *code, const char *message) {
        return guest->orders->fix == 0 ? changes_warn(&guest->changes, STEP, "%s", message)
                                       : guest_fail(guest, EOPNOTSUPP, code, "%s", message);
}

int windows_check_disks(Guest *guest, bool known) {
        _cleanup_strv_free_ char **bitlocker = NULL;
        int r = encrypted_devices(guest, "BitLocker", &bitlocker);

        if (r >= 0 && has_dynamic(guest))
                r = refuse(guest, "guest_dynamic_disks",
                                "Windows has dynamic disks, which cannot be changed: convert them to basic "
                                "disks, or set parameters.fix to none");
        if (r < 0 || !bitlocker)
                return r;
        if (known)
                return changes_warn(&guest->changes, STEP,
                                "A volume is encrypted with BitLocker, and was not inspected: on KVM, "
                                "Windows asks for its recovery key");
        return refuse(guest, "guest_encrypted",
                        "Windows is encrypted with BitLocker: run \"manage-bde -off C:\" in it, wait until "
                        "it is decrypted, shut it down, and migrate it again; or set parameters.fix to none");
}

/* The first bytes of hiberfil.sys; "wake" in it is a Windows that runs again. */
static int check_hibernation(Guest *guest) {
        _cleanup_free_ char *path = guestfs_case_sensitive_path(guest->g, "/hiberfil.sys"), *head = NULL;
        size_t size = 0;

        if (!path || guestfs_is_file(guest->g, path) <= 0)
                return 0;
        head = guestfs_pread(guest->g, path, 4, 0, &size);
        if (!head || size < 4 || strncasecmp(head, "hibr", 4) != 0)
                return 0;
        return refuse(guest, "guest_hibernated",
                        "Windows is hibernated, or was shut down with fast startup: start it, run "
                        "\"shutdown /s /t 0\" in it, and migrate it again; or set parameters.fix to none");
}

/* A hive has two sequence numbers, which differ if Windows had no time to write all of it. */
static int check_hive(Guest *guest, const char *path) {
        _cleanup_free_ char *head = NULL;
        size_t size = 0;

        head = guestfs_pread(guest->g, path, 12, 0, &size);
        if (!head || size < 12 || memcmp(head + 4, head + 8, 4) == 0)
                return 0;
        return changes_warn(&guest->changes, STEP,
                        "Windows was not shut down: the latest changes of its registry, %s, may be lost",
                        path);
}

/* --- what it is ------------------------------------------------------------------------------------ */

static int fail_registry(Guest *guest, int error, const char *name) {
        _cleanup_free_ char *what = strprintf("Reading the registry of Windows, %s,", name);

        return error == -ENOMEM || !what ? -ENOMEM : guest_fail_last(guest, "guest_inspection_failed", what);
}

static int read_software(Guest *guest, Windows *w) {
        _cleanup_free_ char *build = NULL, *kind = NULL;
        Registry registry;
        int r = guest_registry_open(guest, w->software_hive, "SOFTWARE", false, &registry);

        if (r < 0)
                return fail_registry(guest, r, "SOFTWARE");
        r = registry_read_text(&registry, VERSION_KEY, "CurrentBuildNumber", &build);
        if (r >= 0)
                r = registry_read_text(&registry, VERSION_KEY, "InstallationType", &kind);
        guest_registry_close(guest);
        if (r < 0 && r != -ENOENT)
                return fail_registry(guest, r, "SOFTWARE");
        if (!build || parse_unsigned(build, &w->build) < 0)
                w->build = 0;
        w->server = kind && strcasecmp(kind, "Client") != 0;
        return 0;
}

/* True if the driver is there and is started by the boot loader (0), or at all. */
static int find_driver(const Registry *r, const Windows *w, const char *name, uint32_t max, bool *ret) {
        _cleanup_free_ char *key = strprintf("%s\\Services\\%s", w->set, name);
        uint32_t start = UINT32_MAX;
        int k = key ? registry_read_number(r, key, "Start", &start) : -ENOMEM;

        *ret = k >= 0 && start <= max;
        return k == -ENOENT ? 0 : k;
}

static int read_clock(const Registry *r, Windows *w) {
        _cleanup_free_ char *key = strprintf("%s\\Control\\TimeZoneInformation", w->set);
        uint32_t utc = 0;
        int k = key ? registry_read_number(r, key, "RealTimeIsUniversal", &utc) : -ENOMEM;

        w->utc = k >= 0 && utc != 0;
        return k == -ENOENT ? 0 : k;
}

static int read_system(Guest *guest, Windows *w) {
        Registry registry;
        int r = guest_registry_open(guest, w->system_hive, "SYSTEM", false, &registry);

        if (r < 0)
                return fail_registry(guest, r, "SYSTEM");
        r = find_driver(&registry, w, "viostor", 0, &w->disk_driver);
        if (r >= 0)
                r = find_driver(&registry, w, "netkvm", 3, &w->nic_driver);
        if (r >= 0)
                r = read_clock(&registry, w);
        if (r >= 0)
                r = windows_network_read(&registry, w->set, &w->network);
        guest_registry_close(guest);
        return r < 0 ? fail_registry(guest, r, "SYSTEM") : 0;
}

static int find_files(Guest *guest, Windows *w) {
        _cleanup_free_ char *arch = guestfs_inspect_get_arch(guest->g, guest->root);

        w->arch = streq_ptr(arch, "x86_64") ? "amd64" : streq_ptr(arch, "i386") ? "x86" : NULL;
        w->directory = guestfs_inspect_get_windows_systemroot(guest->g, guest->root);
        w->system_hive = guestfs_inspect_get_windows_system_hive(guest->g, guest->root);
        w->software_hive = guestfs_inspect_get_windows_software_hive(guest->g, guest->root);
        w->set = guestfs_inspect_get_windows_current_control_set(guest->g, guest->root);
        if (!w->directory || !w->system_hive || !w->software_hive || !w->set)
                return guest_fail_last(
                                guest, "guest_inspection_failed", "Looking for the registry of Windows");
        return 0;
}

int windows_inspect(Guest *guest) {
        Windows *w = guest->windows = new0(Windows, 1);
        int r = w ? find_files(guest, w) : -ENOMEM;

        if (r >= 0)
                r = check_hibernation(guest);
        if (r >= 0)
                r = read_software(guest, w);
        if (r >= 0)
                r = read_system(guest, w);
        if (r >= 0)
                r = check_hive(guest, w->system_hive);
        if (r >= 0)
                r = check_hive(guest, w->software_hive);
        if (r < 0 || w->build >= WINDOWS_VISTA)
                return MIN(r, 0);
        r = changes_warn(&guest->changes, STEP, "Windows before Vista is not changed");
        return r < 0 ? r : 1;
}

/* --- the result ------------------------------------------------------------------------------------ */

static json_t *describe_interface(const WindowsInterface *i) {
        json_t *addresses = json_array();

        for (size_t n = 0; addresses && n < i->n_addresses; n++) {
                const WindowsAddress *a = &i->addresses[n];
                _cleanup_free_ char *text = strprintf("%s/%d", a->address, windows_mask_length(a->mask));
                json_array_append_new(addresses, guest_text(text));
        }
        return json_pack("{s:o, s:s, s:o, s:s?}", "name", guest_text(i->name), "by", "registry", "addresses",
                        addresses, "mac", i->mac[0] ? i->mac : NULL);
}

static json_t *describe_hardware(const Windows *w) {
        const char *clock = w->utc ? "utc" : "localtime";

        if (w->build < WINDOWS_VISTA)
                return json_pack("{s:s, s:s, s:s, s:n, s:s}", "disk_bus", "ide", "nic_model", "rtl8139",
                                "machine", "pc", "cpu_min", "rtc", clock);
        return json_pack("{s:s, s:s, s:s, s:n, s:s}", "disk_bus", w->disk_driver ? "virtio" : "sata",
                        "nic_model", w->nic_driver ? "virtio" : "e1000e", "machine", "q35", "cpu_min", "rtc",
                        clock);
}

int windows_describe(Guest *guest, json_t *result) {
        const Windows *w = guest->windows;
        json_t *network = json_array();

        for (size_t i = 0; network && i < w->network.n; i++)
                json_array_append_new(network, describe_interface(&w->network.items[i]));
        if (json_object_set_new(json_object_get(result, "os"), "build", json_integer(w->build)) < 0 ||
                        json_object_set_new(result, "network", network) < 0 ||
                        json_object_set_new(result, "hardware", describe_hardware(w)) < 0 ||
                        json_object_set_new(result, "virtio", json_boolean(w->disk_driver)) < 0)
                return -ENOMEM;
        return 0;
}

int windows_boot_state(Guest *guest, BootState *ret) {
        static const char none[] =
                        "Windows has no driver of virtio that starts at boot: it gets other disks";
        json_t *reasons = json_array();
        bool driver = guest->windows->disk_driver;

        if (reasons && !driver && json_array_append_new(reasons, json_string(none)) < 0) {
                json_decref(reasons);
                return -ENOMEM;
        }
        if (!reasons)
                return -ENOMEM;
        *ret = (BootState){ .bootable = driver ? "yes" : "unknown", .reasons = reasons };
        return 0;
}
