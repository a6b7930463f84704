/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the result says of a guest: its network, its hardware, file systems, and whether it boots. */

#include "guest/boot-state.h"
#include "guest/ext-state.h"
#include "guest/linux-hardware.h"
#include "guest/network-list.h"
#include "guest/work.h"
#include "spec/job-fix.h"
#include "unit/lib/test.h"

/* --- network --------------------------------------------------------------------------------------- */

/* "name by mac dhcp address address" of each, separated by commas. */
static char *text_of(const NetworkList *l) {
        _cleanup_strv_free_ char **all = NULL;

        for (size_t i = 0; i < l->n; i++) {
                const NetworkInterface *n = &l->items[i];
                _cleanup_strv_free_ char **words = NULL;
                ck_assert_int_eq(strv_extendf(&words, "%s %s", n->name, n->by), 0);
                if (n->mac[0])
                        ck_assert_int_eq(strv_extend(&words, n->mac), 0);
                if (n->dhcp)
                        ck_assert_int_eq(strv_extend(&words, "dhcp"), 0);
                for (size_t k = 0; k < n->n_addresses; k++)
                        ck_assert_int_eq(strv_extend(&words, n->addresses[k]), 0);
                ck_assert_int_eq(strv_consume(&all, strv_join(words, " ")), 0);
        }
        return strv_join(all, ",");
}

static const struct {
        void (*add)(NetworkList *l, const char *text);
        const char *text, *expected;
} networks[] = {
        { network_add_ifupdown,
                        "auto lo\niface lo inet loopback\nauto ens192\niface ens192 inet static\n"
                        "\taddress 10.0.2.15/24\n\tgateway 10.0.2.2\niface ens192 inet6 static\n address fd00::1/64\n",
                        "ens192 ifupdown 10.0.2.15/24 fd00::1/64" },
        { network_add_ifupdown,
                        "iface eth0 inet static\n # address 1.2.3.4\n address 192.0.2.1\n netmask 255.255.255.128\n"
                        " hwaddress ether 00:50:56:AA:bb:01\nallow-hotplug eth1\niface eth1 inet dhcp\n",
                        "eth0 ifupdown 00:50:56:aa:bb:01 192.0.2.1/25,eth1 ifupdown dhcp" },
        { network_add_ifupdown, "iface eth0 inet static\n address bad\n netmask 255.0.255.0\n netmask\n",
                        "eth0 ifupdown" },
        { network_add_ifupdown, "iface\niface a/b inet dhcp\n address 192.0.2.1\n", "" },
        { network_add_netplan,
                        "network:\n  version: 2\n  ethernets:\n    ens160:\n      dhcp4: true\n      match:\n"
                        "        macaddress: 00:50:56:AA:bb:01\n    ens192:\n      addresses: [10.0.2.15/24, \"fd00::2/64\"]\n"
                        "      nameservers:\n        addresses: [192.0.2.53]\n",
                        "ens160 netplan 00:50:56:aa:bb:01 dhcp,ens192 netplan 10.0.2.15/24 fd00::2/64" },
        { network_add_netplan,
                        "network:\n  ethernets:\n    primary:\n      set-name: eth7\n      addresses:\n"
                        "      - 192.0.2.1/24\n      - 192.0.2.2/24\n      routes:\n      - to: 192.0.2.9/32\n"
                        "        via: 192.0.2.8\n  bonds:\n    bond0: {}\n",
                        "eth7 netplan 192.0.2.1/24 192.0.2.2/24,bond0 netplan" },
        { network_add_network_manager,
                        "[connection]\nid=x\ninterface-name=ens192\n[ethernet]\nmac-address=00:50:56:AA:BB:CC\n"
                        "[ipv4]\nmethod=manual\naddress1=10.0.2.15/24,10.0.2.2\naddress2=10.0.3.15/24\n",
                        "ens192 NetworkManager 00:50:56:aa:bb:cc 10.0.2.15/24 10.0.3.15/24" },
        { network_add_network_manager, "[connection]\ninterface-name=ens192\n[ipv4]\nmethod=auto\n",
                        "ens192 NetworkManager dhcp" },
        { network_add_ifcfg, "DEVICE=\"eth0\"\nBOOTPROTO=none\nIPADDR=192.0.2.1\nPREFIX=24\n",
                        "eth0 ifcfg 192.0.2.1/24" },
        { network_add_ifcfg,
                        "DEVICE=eth0\nIPADDR0=192.0.2.1\nNETMASK0=255.255.255.0\nIPADDR1=192.0.2.2\nNETMASK1=bad\n",
                        "eth0 ifcfg 192.0.2.1/24 192.0.2.2" },
        { network_add_ifcfg, "DEVICE=eth1\nBOOTPROTO='dhcp'\n", "eth1 ifcfg dhcp" },
        { network_add_networkd, "[Match]\nName=ens192\n[Network]\nDHCP=ipv4\nAddress=192.0.2.1/24\n",
                        "ens192 networkd dhcp 192.0.2.1/24" },
        { network_add_networkd, "[NetDev]\nName=br0\n", "" },
        { network_add_networkd, "[Match]\nName=e\n[Address]\nAddress=192.0.2.1/33\nAddress=::/129\n",
                        "e networkd" },
};

START_TEST(networks_are_read) {
        for (size_t i = 0; i < ELEMENTSOF(networks); i++) {
                NetworkList l = {};
                networks[i].add(&l, networks[i].text);
                _cleanup_free_ char *text = text_of(&l);
                ck_assert_msg(streq(text, networks[i].expected), "row %zu: %s", i, text);
        }
}
END_TEST

START_TEST(networks_of_two_files_are_one) {
        NetworkList l = {};

        network_add_ifupdown(&l, "iface eth0 inet dhcp\n");
        network_add_networkd(&l,
                        "[Match]\nName=eth0\nMACAddress=00:50:56:aa:bb:01\n[Network]\nAddress=192.0.2.1/24\n");
        _cleanup_free_ char *text = text_of(&l);
        ck_assert_str_eq(text, "eth0 ifupdown 00:50:56:aa:bb:01 dhcp 192.0.2.1/24");
}
END_TEST

START_TEST(networks_are_limited) {
        NetworkList l = {};

        for (unsigned i = 0; i < 2 * NETWORK_INTERFACES_MAX; i++) {
                _cleanup_free_ char *text = strprintf("iface eth%u inet static\n address 192.0.2.1\n", i);
                network_add_ifupdown(&l, text);
        }
        for (unsigned i = 0; i < 2 * NETWORK_ADDRESSES_MAX; i++) {
                _cleanup_free_ char *text = strprintf("iface eth0 inet static\n address 192.0.2.%u\n", i);
                network_add_ifupdown(&l, text);
        }
        ck_assert_uint_eq(l.n, NETWORK_INTERFACES_MAX);
        ck_assert_uint_eq(l.items[0].n_addresses, NETWORK_ADDRESSES_MAX);
}
END_TEST

/* --- hardware -------------------------------------------------------------------------------------- */

static const struct {
        const char *distro;
        int major;
        const char *kernel;
        bool virtio;
        const char *adjtime, *expected;
} machines[] = {
        { "debian", 12, "6.1.0-57-amd64", true, NULL, "virtio virtio q35 any utc" },
        { "debian", 12, "6.1.0-57-amd64", false, "0.0 0 0.0\n0\nLOCAL\n", "sata e1000e q35 any localtime" },
        { "rhel", 9, "5.14.0-427.el9", true, "0.0 0 0.0\n0\nUTC\n", "virtio virtio q35 x86-64-v2 utc" },
        { "almalinux", 10, "6.12.0", true, "0.0\n", "virtio virtio q35 x86-64-v2 utc" },
        { "rhel", 10, "6.12.0", true, NULL, "virtio virtio q35 x86-64-v3 utc" },
        { "rhel", 8, "4.18.0", true, NULL, "virtio virtio q35 any utc" },
        { "rhel", 4, "2.6.9-89.EL", false, NULL, "ide rtl8139 pc any utc" },
        { "debian", 5, "2.6.26-2-amd64", true, NULL, "virtio virtio q35 any utc" },
        { NULL, 0, NULL, false, NULL, "sata e1000e q35 any utc" },
};

START_TEST(hardware_suits_the_kernel) {
        for (size_t i = 0; i < ELEMENTSOF(machines); i++) {
                LinuxHardware h = linux_hardware(machines[i].distro, machines[i].major, machines[i].kernel,
                                machines[i].virtio, machines[i].adjtime);
                _cleanup_free_ char *text = strprintf("%s %s %s %s %s", h.disk_bus, h.nic_model, h.machine,
                                h.cpu_min ? h.cpu_min : "any", h.rtc);
                ck_assert_msg(streq(text, machines[i].expected), "row %zu: %s", i, text);
        }
}
END_TEST

/* --- whether it boots ------------------------------------------------------------------------------ */

#define GOOD "{\"version\": \"6.1\", \"missing\": [], \"unavailable\": []}"
#define KERNEL "[" GOOD "]"
#define WITHOUT                                                                                          \
        "{\"version\": \"6.2\", \"initramfs\": \"/boot/initrd.img-6.2\", \"missing\": [\"virtio_pci\", " \
        "\"virtio_blk\"], \"unavailable\": []}"
#define POOR "{\"version\": \"6.3\", \"missing\": [\"virtio_blk\"], \"unavailable\": [\"virtio_blk\"]}"

static const struct {
        const char *needs, *kernels;
        bool known;
        const char *expected;
} guests[] = {
        { NULL, KERNEL, true, "yes" },
        { "[]", "[]", true, "unknown" },
        { NULL, NULL, false, "unknown" },
        { "[{\"step\": \"offline_fix\", \"file\": \"/etc/fstab\", \"from\": \"/dev/sda1\", \"to\": \"UUID=1\"}]",
                        KERNEL, true, "no: /etc/fstab names /dev/sda1" },
        { "[{\"step\": \"boot_repair\", \"file\": \"/boot/grub/grub.cfg\", \"from\": \"/dev/sda1\"},"
          " {\"step\": \"boot_repair\", \"file\": \"/boot/grub/grub.cfg\", \"from\": \"/dev/sda1\"},"
          " {\"step\": \"boot_repair\", \"file\": \"/boot/grub/device.map\", \"from\": null}]",
                        KERNEL, true, "no: /boot/grub/grub.cfg names /dev/sda1" },
        { "[{\"step\": \"boot_repair\", \"file\": \"/boot/efi/EFI/BOOT/BOOTX64.EFI\", \"to\": \"x\"},"
          " {\"step\": \"boot_repair\", \"file\": \"/boot/efi/EFI/BOOT/grubx64.efi\", \"to\": \"x\"}]",
                        KERNEL, true,
                        "no: /boot/efi/EFI/BOOT/BOOTX64.EFI is missing, which the firmware starts since its "
                        "boot entries are not migrated" },
        { "[{\"step\": \"offline_fix\", \"file\": \"/etc/systemd/network/10-hyper-ens192.link\", \"to\": \"ens192\"},"
          " {\"step\": \"boot_repair\", \"file\": \"/etc/default/grub\", \"from\": \"/dev/sda1\"}]",
                        KERNEL, true, "yes" },
        { "[{\"step\": \"lvm_repair\", \"file\": \"/etc/lvm/devices/system.devices\"}]", KERNEL, true,
                        "no: /etc/lvm/devices/system.devices names the disks of the source" },
        { NULL, "[" WITHOUT ", " GOOD "]", true, "no: /boot/initrd.img-6.2 lacks virtio_pci virtio_blk" },
        { NULL, "[" POOR "]", true, "no: The kernel 6.3 has no driver virtio_blk" },
        /* an old one does not count */
        { NULL, "[" GOOD ", " POOR "]", true, "yes" },
        { NULL, "[" POOR ", {\"version\": \"6.1\", \"default\": true, \"missing\": []}]", true, "yes" },
        { NULL, "[" GOOD ", {\"default\": true, \"initramfs\": \"/boot/i\", \"missing\": [\"virtio_blk\"]}]",
                        true, "no: /boot/i lacks virtio_blk" },
        { "[5, {\"step\": 1}]", "[7]", true, "yes" },
};

START_TEST(reasons_are_given) {
        for (size_t i = 0; i < ELEMENTSOF(guests); i++) {
                json_t *needs = guests[i].needs ? json_loads(guests[i].needs, 0, NULL) : NULL,
                       *kernels = guests[i].kernels ? json_loads(guests[i].kernels, 0, NULL) : NULL, *reason;
                _cleanup_strv_free_ char **reasons = NULL;
                BootState state;
                size_t k;

                ck_assert_int_eq(boot_state(needs, kernels, guests[i].known, &state), 0);
                json_array_foreach(state.reasons, k, reason)
                        ck_assert_int_eq(strv_extend(&reasons, json_string_value(reason)), 0);
                _cleanup_free_ char *joined = strv_join(reasons, "; "),
                                    *text = strprintf("%s%s%s", state.bootable, *joined ? ": " : "", joined);
                ck_assert_msg(streq(text, guests[i].expected), "row %zu: %s", i, text);
                json_decref(needs);
                json_decref(kernels);
                json_decref(state.reasons);
        }
}
END_TEST

/* An operation that was ordered by name fails without a system that it can change, an inspection without any,
 * and "auto" never. */
START_TEST(what_is_ordered_by_name_must_be_possible) {
        for (int o = 0; o < _OPERATION_MAX; o++) {
                unsigned fix = o == OPERATION_INSPECT ? 0 : 1u << o;
                ck_assert_msg(!work_is_possible(fix, false, false), "%s", job_operation_to_string(o));
                ck_assert_int_eq(work_is_possible(fix, true, false), o == OPERATION_INSPECT);
                ck_assert(work_is_possible(fix, true, true));
        }
        ck_assert(work_is_possible(FIX_AUTO | FIX_ALL, false, false));
}
END_TEST

/* --- ext ------------------------------------------------------------------------------------------- */

static const struct {
        const char *features, *state, *orphan, *expected;
} superblocks[] = {
        { "has_journal extent", "clean", NULL, "clean" },
        { "has_journal needs_recovery extent", "clean", NULL, "not unmounted, its journal not replayed" },
        { "extent", "not clean", NULL, "not unmounted" },
        { "has_journal", "clean with errors", "12", "with errors" },
        { "has_journal", "clean", "12", "with deleted files" },
        { "has_journal", "clean", "0", "clean" },
};

static ExtState superblock(size_t i, const char *free_blocks) {
        ExtState s = {};

        ext_state_add(&s, "Filesystem UUID", "needs_recovery");
        ext_state_add(&s, "Filesystem features", superblocks[i].features);
        ext_state_add(&s, "Filesystem state", superblocks[i].state);
        ext_state_add(&s, "Free blocks", free_blocks);
        if (superblocks[i].orphan)
                ext_state_add(&s, "First orphan inode", superblocks[i].orphan);
        return s;
}

START_TEST(superblocks_are_read) {
        for (size_t i = 0; i < ELEMENTSOF(superblocks); i++) {
                ExtState s = superblock(i, "1"), same = superblock(i, "1"), other = superblock(i, "2");
                ck_assert_str_eq(ext_state_text(&s), superblocks[i].expected);
                ck_assert_int_eq(ext_state_is_clean(&s), streq(superblocks[i].expected, "clean"));
                ck_assert(ext_state_equal(&s, &same));
                ck_assert(!ext_state_equal(&s, &other));
        }
}
END_TEST

TEST_MAIN("guest-report", networks_are_read, networks_of_two_files_are_one, networks_are_limited,
                hardware_suits_the_kernel, reasons_are_given, what_is_ordered_by_name_must_be_possible,
                superblocks_are_read)
