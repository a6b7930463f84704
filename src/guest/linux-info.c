/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/linux-info.h"

#include "basic/string-util.h"
#include "guest/file-contexts.h"
#include "guest/initramfs.h"
#include "guest/linux-hardware.h"
#include "guest/network-list.h"

#define FILES_MAX 100u

/* --- network --------------------------------------------------------------------------------------- */

static const struct {
        const char *pattern;
        void (*add)(NetworkList *l, const char *text);
} network_files[] = {
        { "/etc/network/interfaces", network_add_ifupdown },
        { "/etc/network/interfaces.d/*", network_add_ifupdown },
        { "/etc/netplan/*.yaml", network_add_netplan },
        { "/etc/NetworkManager/system-connections/*", network_add_network_manager },
        { "/etc/sysconfig/network-scripts/ifcfg-*", network_add_ifcfg },
        { "/etc/sysconfig/network/ifcfg-*", network_add_ifcfg },
        { "/etc/systemd/network/*.network", network_add_networkd },
};

/* On SUSE, the name of the file is that of the interface. */
static char *with_device(const char *path, const char *text) {
        const char *name = strstr(path, "/ifcfg-");

        return name ? strprintf("DEVICE=%s\n%s", name + strlen("/ifcfg-"), text) : strdup(text);
}

static int read_network(Guest *guest, NetworkList *l) {
        for (size_t i = 0; i < ELEMENTSOF(network_files); i++) {
                _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, network_files[i].pattern);

                for (size_t n = 0; paths && paths[n] && n < FILES_MAX; n++) {
                        _cleanup_free_ char *text = NULL, *whole = NULL;
                        int r = guest_read(guest, paths[n], GUEST_FILE_MAX, &text, NULL);

                        if (r == -ENOMEM || (r >= 0 && !(whole = with_device(paths[n], text))))
                                return -ENOMEM;
                        if (whole)
                                network_files[i].add(l, whole);
                }
        }
        return 0;
}

static json_t *describe_interface(const NetworkInterface *i) {
        json_t *addresses = json_array();

        for (size_t k = 0; addresses && k < i->n_addresses; k++)
                json_array_append_new(addresses, json_string(i->addresses[k]));
        return json_pack("{s:o, s:s, s:b, s:o, s:s?}", "name", guest_text(i->name), "by", i->by, "dhcp",
                        (int) i->dhcp, "addresses", addresses, "mac", i->mac[0] ? i->mac : NULL);
}

static int describe_network(Guest *guest, json_t *result) {
        _cleanup_json_ json_t *list = json_array();
        NetworkList *l = new0(NetworkList, 1);
        int r = l && list ? read_network(guest, l) : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < l->n; i++)
                if (json_array_append_new(list, describe_interface(&l->items[i])) < 0)
                        r = -ENOMEM;
        free(l);
        return r < 0 || json_object_set(result, "network", list) < 0 ? -ENOMEM : 0;
}

/* --- what is installed ----------------------------------------------------------------------------- */

typedef struct Trace {
        const char *pattern, *name;
} Trace;

static const Trace boot_loaders[] = {
        { "/boot/grub/grub.cfg", "grub2" },
        { "/boot/grub2/grub.cfg", "grub2" },
        { "/boot/efi/EFI/*/grub.cfg", "grub2" },
        { "/boot/grub/menu.lst", "grub-legacy" },
        { "/boot/grub/grub.conf", "grub-legacy" },
        { "/boot/loader/entries/*.conf", "bls" },
        { "/boot/efi/EFI/systemd/systemd-bootx64.efi", "systemd-boot" },
        { "/efi/EFI/systemd/systemd-bootx64.efi", "systemd-boot" },
        { "/boot/EFI/systemd/systemd-bootx64.efi", "systemd-boot" },
        { "/boot/extlinux/extlinux.conf", "extlinux" },
        { "/boot/syslinux/syslinux.cfg", "syslinux" },
        {},
};

static const Trace tools[] = {
        { "/usr/bin/vmtoolsd", "open-vm-tools" },
        { "/etc/vmware-tools/locations", "vmware-tools" },
        { "/usr/sbin/VBoxService", "virtualbox-guest-additions" },
        { "/usr/sbin/hv_kvp_daemon", "hyperv-daemons" },
        { "/usr/sbin/qemu-ga", "qemu-guest-agent" },
        { "/usr/bin/qemu-ga", "qemu-guest-agent" },
        { "/usr/bin/cloud-init", "cloud-init" },
        {},
};

static bool is_there(Guest *guest, const char *pattern) {
        if (!strchr(pattern, '*'))
                return guest_is_file(guest, pattern);
        _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, pattern);
        return strv_length(paths) > 0;
}

/* Each name once. */
static json_t *list_traces(Guest *guest, const Trace *traces) {
        json_t *list = json_array();
        const char *last = NULL;

        for (const Trace *t = traces; list && t->name; t++) {
                if (streq_ptr(last, t->name) || !is_there(guest, t->pattern))
                        continue;
                last = t->name;
                json_array_append_new(list, json_string(t->name));
        }
        return list;
}

static json_t *describe_selinux(Guest *guest) {
        _cleanup_free_ char *config = NULL, *mode = NULL;

        if (guest_read(guest, "/etc/selinux/config", GUEST_FILE_MAX, &config, NULL) >= 0)
                mode = selinux_config_value(config, "SELINUX");
        return mode ? guest_text(mode) : json_string("disabled");
}

/* --- the hardware that suits it -------------------------------------------------------------------- */

/* False if a driver is known to be missing. */
static bool takes_virtio(Guest *guest) {
        return json_array_size(guest->kernels) == 0 || initramfs_has_drivers(guest);
}

static json_t *describe_hardware(Guest *guest) {
        _cleanup_free_ char *distro = guestfs_inspect_get_distro(guest->g, guest->root), *clock = NULL;
        json_t *newest = json_array_get(guest->kernels, json_array_size(guest->kernels) - 1);

        (void) guest_read(guest, "/etc/adjtime", GUEST_TEXT_MAX, &clock, NULL);
        LinuxHardware h = linux_hardware(distro, guestfs_inspect_get_major_version(guest->g, guest->root),
                        json_string_value(json_object_get(newest, "version")), takes_virtio(guest), clock);
        return json_pack("{s:s, s:s, s:s, s:s?, s:s}", "disk_bus", h.disk_bus, "nic_model", h.nic_model,
                        "machine", h.machine, "cpu_min", h.cpu_min, "rtc", h.rtc);
}

int linux_describe(Guest *guest, json_t *result) {
        int r = describe_network(guest, result);

        if (r >= 0)
                r = json_object_set_new(result, "boot_loaders", list_traces(guest, boot_loaders));
        if (r >= 0)
                r = json_object_set_new(result, "tools", list_traces(guest, tools));
        if (r >= 0)
                r = json_object_set_new(result, "selinux", describe_selinux(guest));
        if (r >= 0)
                r = json_object_set_new(result, "hardware", describe_hardware(guest));
        return r < 0 ? -ENOMEM : 0;
}
