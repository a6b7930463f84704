/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of network interfaces in the files of a guest. */

#include "guest/nic-keyfile.h"
#include "guest/nic-netplan.h"
#include "guest/nic-read.h"
#include "unit/lib/test.h"

/* "name mac" of each, separated by commas. */
static char *text_of(const Nics *nics) {
        _cleanup_strv_free_ char **all = NULL;

        for (size_t i = 0; i < nics->n; i++)
                ck_assert_int_eq(strv_extendf(&all, "%s %s", nics->items[i].name, nics->items[i].mac), 0);
        return strv_join(all, ",");
}

static const struct {
        nics_reader add;
        const char *text, *expected;
        const char *file; /* if its name matters */
} rows[] = {
        { nics_add_ifupdown,
                        "auto lo\niface lo inet loopback\nauto ens192\niface ens192 inet static\n address 1\n",
                        "ens192 " },
        { nics_add_ifupdown, "iface\tens224   inet6 auto\niface ens192.7 inet dhcp\niface br0 inet dhcp",
                        "ens224 ,ens192 " },
        { nics_add_ifupdown,
                        "auto lo br0\niface br0 inet static\n\tbridge_ports ens192 ens224 none\n"
                        "iface vlan5 inet dhcp\n  vlan-raw-device eth3\niface bond0 inet dhcp\n"
                        "  bond-slaves eth0 eth1\n  bond-mode 1\nallow-hotplug eth7\n",
                        "ens192 ,ens224 ,eth3 ,eth0 ,eth1 ,eth7 " },
        { nics_add_ifupdown, "auto eth0:1\nautox eth1\nauto\neth2\n  # iface eth3\n", "eth0 " },
        { nics_add_ifupdown, "iface ens192averyverylongname inet dhcp\niface ", "" },
        { nics_add_netplan,
                        "network:\n  version: 2\n  ethernets:\n    ens160:\n      dhcp4: true\n      match:\n"
                        "        macaddress: 00:50:56:AA:bb:01\n    ens192: {}\n  vlans:\n    ens192.5:\n      id: 5\n",
                        "ens160 00:50:56:aa:bb:01,ens192 " },
        { nics_add_netplan,
                        "network:\n ethernets:\n  primary:\n   match: {macaddress: \"00:50:56:00:00:02\", name: x}\n"
                        "   macaddress: \"00:50:56:00:00:09\"\n   set-name: eth7 # the seventh\n",
                        "eth7 00:50:56:00:00:02" },
        /* the address that it is to have, and that of a list at the same indentation */
        { nics_add_netplan,
                        "network:\n  ethernets:\n    ens192: # LAN\n      macaddress: 00:50:56:00:00:09\n"
                        "      addresses:\n      - 10.0.0.1/24\n      match:\n        name: x\n"
                        "      macaddress: 00:50:56:00:00:08\n    \"ens224\":\n      dhcp4: true\n"
                        "  bridges:\n    br0:\n      interfaces: [ens192]\n",
                        "ens192 ,ens224 " },
        { nics_add_netplan, "network:\n# ethernets:\n  bridges:\n    ens1:\n", "" },
        { nics_add_network_manager,
                        "[connection]\nid=x\ninterface-name=ens192\n\n[ethernet]\nmac-address=00:50:56:AA:BB:CC\n",
                        "ens192 00:50:56:aa:bb:cc" },
        { nics_add_network_manager, "[connection]\nid=x\n", "" },
        { nics_add_network_manager,
                        "[connection]\ntype=vlan\ninterface-name=ens192.5\n\n[vlan]\nparent=ens192\nid=5\n",
                        "ens192 " },
        { nics_add_network_manager,
                        "[connection]\ninterface-name=ens224\n[ethernet]\ncloned-mac-address=00:50:56:AA:BB:CC\n"
                        "[match]\ninterface-name=ens9;\n",
                        "ens224 " },
        { nics_add_ifcfg, "DEVICE=\"eth0\"\nHWADDR=00:50:56:AA:BB:CC\nONBOOT=yes\n",
                        "eth0 00:50:56:aa:bb:cc" },
        { nics_add_ifcfg, "DEVICE='ens33'\nHWADDR=bad\n", "ens33 " },
        { nics_add_networkd, "[Match]\nName=ens192\n[Network]\nDHCP=yes\n", "ens192 " },
        /* SUSE */
        { nics_add_ifcfg, "BOOTPROTO='static'\nIPADDR='10.0.0.5/24'\nSTARTMODE='auto'\n", "eth0 ",
                        "/etc/sysconfig/network/ifcfg-eth0" },
        { nics_add_ifcfg, "BOOTPROTO='dhcp'\n", "", "/etc/sysconfig/network/ifcfg-br0" },
        { nics_add_ifcfg, "BRIDGE='yes'\nBRIDGE_PORTS='eth0 eth1'\n", "eth0 ,eth1 ",
                        "/etc/sysconfig/network/ifcfg-br0" },
        { nics_add_ifcfg, "ETHERDEVICE='eth4'\nVLAN_ID='5'\n", "eth4 ",
                        "/etc/sysconfig/network/ifcfg-vlan5" },
        { nics_add_ifcfg, "DEVICE=eth0 # LAN\nHWADDR=00:50:56:aa:bb:cc # card\n", "eth0 " },
        { nics_add_networkd, "[Match]\nName=ens192 ens224\n[Link]\nMACAddress=00:50:56:AA:BB:CC\n",
                        "ens192 ,ens224 " },
        { nics_add_networkd, "[Match]\nPermanentMACAddress=00:50:56:AA:BB:CC\nName=ens192\n",
                        "ens192 00:50:56:aa:bb:cc" },
        { nics_add_networkd, "[Match]\nName=en*\n", "" },
        { nics_add_networkd, "[NetDev]\nName=eth9\n", "" },
        { nics_add_link, "[Match]\nMACAddress=00:50:56:AA:BB:CC\n[Link]\nName=eth3\n",
                        "eth3 00:50:56:aa:bb:cc" },
        /* one that the administrator chose; the address is the one to be set */
        { nics_add_link, "[Match]\nPath=pci-0000:0b:00.0\n[Link]\nName=lan0\nMACAddress=00:50:56:AA:BB:CC\n",
                        "lan0 " },
        { nics_add_link, "[Link]\nNamePolicy=path\n", "" },
        { nics_add_link, "[Link]\nName=../x\n", "" },
        { nics_add_link, "[Link]\nName=..\n", "" },
        { nics_add_udev_rules,
                        "SUBSYSTEM==\"net\", \\\n ATTR{address}==\"00:50:56:aa:bb:01\", \\\n NAME:=\"lan0\"\n"
                        "SUBSYSTEM==\"block\", NAME=\"disk\"\nKERNEL==\"x\", NAME=\"y\"\n",
                        "lan0 00:50:56:aa:bb:01" },
        { nics_add_udev_rules, "SUBSYSTEM==\"net\", SYSFS{address}==\"00:50:56:aa:bb:01\", NAME=\"eth0\"\n",
                        "eth0 00:50:56:aa:bb:01" },
        { nics_add_udev_rules, "SUBSYSTEM==\"net\", NAME=\"$env{ID_NET_NAME_SLOT}\"\n", "" },
        { nics_add_udev_rules,
                        "# x\nSUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:aa:bb:01\", NAME=\"eth0\"\n"
                        "#ATTR{address}==\"00:50:56:aa:bb:02\", NAME=\"eth1\"\n",
                        "eth0 00:50:56:aa:bb:01" },
        { nics_add_udev_rules, "ATTR{address}==\"00:50:56:aa:bb:01\",NAME=\"eth0",
                        "eth0 00:50:56:aa:bb:01" },
};

START_TEST(names_and_addresses_are_found) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Nics nics = {};
                rows[i].add(&nics, rows[i].file ? rows[i].file : "/f", rows[i].text);
                _cleanup_free_ char *text = text_of(&nics);
                ck_assert_msg(streq(text, rows[i].expected), "row %zu: %s", i, text);
        }
}
END_TEST

START_TEST(an_interface_of_two_files_is_one) {
        Nics nics = {};

        nics_add_ifupdown(&nics, "/f", "iface ens192 inet dhcp\n");
        nics_add_udev_rules(&nics, "/f", "ATTR{address}==\"00:50:56:aa:bb:01\", NAME=\"ens192\"\n");
        _cleanup_free_ char *text = text_of(&nics);
        ck_assert_str_eq(text, "ens192 00:50:56:aa:bb:01");
}
END_TEST

START_TEST(there_are_not_too_many) {
        Nics nics = {};

        for (unsigned i = 0; i < 2 * NICS_MAX; i++) {
                _cleanup_free_ char *text = strprintf("iface eth%u inet dhcp\n", i);
                nics_add_ifupdown(&nics, "/f", text);
        }
        ck_assert_uint_eq(nics.n, NICS_MAX);
}
END_TEST

START_TEST(names_are_kept_by_address_or_driver) {
        Nic nic = { .name = "ens192", .mac = "00:50:56:aa:bb:01" };
        _cleanup_free_ char *by_mac = nic_link_text(&nic), *rule = nic_rule_text(&nic);

        ck_assert_str_eq(by_mac,
                        "[Match]\nMACAddress=00:50:56:aa:bb:01\nType=ether\n\n[Link]\nName=ens192\n");
        ck_assert_ptr_nonnull(strstr(rule, "ATTR{address}==\"00:50:56:aa:bb:01\""));
        nic.mac[0] = 0;
        _cleanup_free_ char *by_driver = nic_link_text(&nic);
        ck_assert_str_eq(by_driver, "[Match]\nDriver=virtio_net\nType=ether\n\n[Link]\nName=ens192\n");
        /* What is written is read again. */
        Nics nics = {};
        nics_add_link(&nics, "/f", by_mac);
        nics_add_udev_rules(&nics, "/f", rule);
        ck_assert_uint_eq(nics.n, 1);
        ck_assert_str_eq(nics.items[0].mac, "00:50:56:aa:bb:01");
}
END_TEST

#define A "00:50:56:aa:bb:01"
#define B "00:50:56:aa:bb:02"
#define OLD "00:50:56:00:00:99"

static const struct {
        const char *interfaces, *rules;
        NicSource sources[3];
        size_t n;
        const char *expected;
} assigned[] = {
        /* one name and one NIC */
        { "iface ens192 inet dhcp\n", "", { { A, 0 } }, 1, "ens192 " A },
        /* nothing is known of the source */
        { "iface ens192 inet dhcp\n", "", { { "", 0 } }, 0, "ens192 " },
        { "", "ATTR{address}==\"" OLD "\", NAME=\"eth0\"\n", { { "", 0 } }, 0, "eth0 " OLD },
        /* by the slot; the upper part of its number is the function */
        { "iface ens192 inet dhcp\niface ens160 inet dhcp\niface ens161 inet dhcp\n", "",
                        { { A, 160 }, { B, 192 }, { OLD, 1184 } }, 3,
                        "ens192 " B ",ens160 " A ",ens161 " OLD },
        /* two of each, and no slots: not guessed */
        { "iface eth0 inet dhcp\niface eth1 inet dhcp\n", "", { { A, 0 }, { B, 0 } }, 2, "eth0 ,eth1 " },
        /* one is known, so the other one is */
        { "iface eth0 inet dhcp\niface eth1 inet dhcp\n", "ATTR{address}==\"" A "\", NAME=\"eth1\"\n",
                        { { A, 0 }, { B, 0 } }, 2, "eth0 " B ",eth1 " A },
        /* the rule is of a VM that this one was cloned from */
        { "iface eth0 inet dhcp\n", "ATTR{address}==\"" OLD "\", NAME=\"eth0\"\n", { { A, 0 } }, 1,
                        "eth0 " A },
        /* two NICs, one of which is not configured */
        { "iface ens192 inet dhcp\n", "", { { A, 0 }, { B, 0 } }, 2, "ens192 " },
        { "iface ens192 inet dhcp\n", "", { { A, 0 }, { B, 192 } }, 2, "ens192 " B },
};

START_TEST(names_get_the_addresses_of_the_source) {
        for (size_t i = 0; i < ELEMENTSOF(assigned); i++) {
                Nics nics = {};
                nics_add_ifupdown(&nics, "/f", assigned[i].interfaces);
                nics_add_udev_rules(&nics, "/f", assigned[i].rules);
                nics_assign(&nics, assigned[i].sources, assigned[i].n);
                _cleanup_free_ char *text = text_of(&nics);
                ck_assert_msg(streq(text, assigned[i].expected), "row %zu: %s", i, text);
        }
}
END_TEST

START_TEST(copies_are_not_read) {
        static const char *const copies[] = { "/etc/sysconfig/network-scripts/ifcfg-eth0.bak", "ifcfg-eth0~",
                "/etc/netplan/01.yaml.dpkg-old", "/x/ifcfg-eth0.rpmsave" };

        for (size_t i = 0; i < ELEMENTSOF(copies); i++)
                ck_assert(nics_file_is_copy(copies[i]));
        ck_assert(!nics_file_is_copy("/etc/sysconfig/network/ifcfg-eth0"));
}
END_TEST

TEST_MAIN("guest-nics", copies_are_not_read, names_get_the_addresses_of_the_source,
                names_and_addresses_are_found, an_interface_of_two_files_is_one, there_are_not_too_many,
                names_are_kept_by_address_or_driver)
