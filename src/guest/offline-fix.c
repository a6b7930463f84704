/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest/offline-fix.h"
#include "basic/string-util.h"
#include "guest/cloud-init.h"
#include "guest/device-table.h"
#include "guest/mdadm-conf.h"
#include "guest/module-list.h"
#include "guest/nic-driver.h"
#include "guest/nic-keyfile.h"
#include "guest/nic-netplan.h"
#include "guest/nic-read.h"
#include "guest/udev-rule.h"
#include "spec/vm-value.h"

#define STEP "offline_fix"

static int edit_fstab(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return device_table_rewrite(step, file, 0, text, &guest->names, &guest->changes, ret);
}

static int edit_crypttab(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return device_table_rewrite(step, file, 1, text, &guest->names, &guest->changes, ret);
}

static int edit_mdadm(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return mdadm_conf_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_nic_driver(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return nic_driver_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_rules(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return udev_rules_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_module_list(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return module_list_rewrite(step, file, text, &guest->changes, ret);
}

static int edit_cloud_init(const char *step, const char *file, const char *text, Guest *guest, char **ret) {
        return cloud_init_rewrite(step, file, text, &guest->changes, ret);
}

/* --- names of network interfaces ------------------------------------------------------------------- */

/* In the order in which addresses are to be believed. */
static const struct {
        const char *pattern;
        nics_reader add;
} nic_files[] = {
        { "/etc/systemd/network/*.link", nics_add_link },
        { "/etc/udev/rules.d/*.rules", nics_add_udev_rules },
        { "/etc/network/interfaces", nics_add_ifupdown },
        { "/etc/network/interfaces.d/*", nics_add_ifupdown },
        { "/etc/netplan/*.yaml", nics_add_netplan },
        { "/etc/NetworkManager/system-connections/*", nics_add_network_manager },
        { "/usr/lib/NetworkManager/system-connections/*", nics_add_network_manager },
        { "/etc/sysconfig/network-scripts/ifcfg-*", nics_add_ifcfg },
        { "/etc/sysconfig/network/ifcfg-*", nics_add_ifcfg },
        { "/etc/systemd/network/*.network", nics_add_networkd },
};

#define NIC_FILES_MAX 100u

static int find_nics(Guest *guest, Nics *nics) {
        for (size_t i = 0; i < ELEMENTSOF(nic_files); i++) {
                _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, nic_files[i].pattern);
                unsigned n = 0;

                STRV_FOREACH(path, paths) {
                        _cleanup_free_ char *text = NULL;
                        if (nics_file_is_copy(*path))
                                continue;
                        int r = n++ < NIC_FILES_MAX ? guest_read(guest, *path, GUEST_FILE_MAX, &text, NULL)
                                                    : -EFBIG;
                        if (r == -ENOMEM)
                                return r;
                        if (r >= 0)
                                nic_files[i].add(nics, *path, text);
                }
        }
        return 0;
}

static size_t read_sources(const Guest *guest, NicSource sources[NICS_MAX]) {
        json_t *nic;
        size_t i, n = 0;

        json_array_foreach(guest->orders->nics, i, nic) {
                const char *mac = json_string_value(json_object_get(nic, "mac"));
                json_int_t slot = json_integer_value(json_object_get(nic, "slot"));
                if (!mac || n >= NICS_MAX || vm_mac_normalize(mac, sources[n].mac) < 0)
                        continue;
                sources[n++].slot = (unsigned) CLAMP(slot, 0, VM_SLOT_MAX);
        }
        return n;
}

static bool has_systemd(Guest *guest) {
        return guest_is_directory(guest, "/lib/systemd/system") ||
                        guest_is_directory(guest, "/usr/lib/systemd/system");
}

static int keep_name(Guest *guest, const Nic *nic) {
        _cleanup_free_ char *path = strprintf("/etc/systemd/network/10-hyper-%s.link", nic->name),
                            *text = nic_link_text(nic);

        if (!path || !text)
                return -ENOMEM;
        if (guest_is_file(guest, path))
                return 0;
        int r = guest_make_directory(guest, "/etc/systemd/network");
        if (r >= 0)
                r = guest_write(guest, path, text, strlen(text));
        return r < 0 ? r : changes_add(&guest->changes, STEP, path, NULL, nic->name);
}

#define RULES_FILE "/etc/udev/rules.d/70-persistent-net.rules"

/* Without systemd, udev itself. */
static int keep_name_by_rule(Guest *guest, const Nic *nic) {
        _cleanup_free_ char *rule = nic_rule_text(nic), *old = NULL, *text = NULL;
        int r;

        if (!rule)
                return -ENOMEM;
        r = guest_read(guest, RULES_FILE, GUEST_FILE_MAX, &old, NULL);
        if (r < 0 && r != -ENOENT)
                return guest_warn_last(guest, STEP, "Reading " RULES_FILE);
        if (old && strstr(old, rule))
                return 0;
        text = strprintf("%s%s%s", strempty(old), isempty(old) || endswith(old, "\n") ? "" : "\n", rule);
        if (!text)
                return -ENOMEM;
        r = guest_write(guest, RULES_FILE, text, strlen(text));
        return r < 0 ? r : changes_add(&guest->changes, STEP, RULES_FILE, NULL, nic->name);
}

static int keep_names(Guest *guest) {
        NicSource sources[NICS_MAX] = {};
        size_t n_sources = read_sources(guest, sources);
        bool link = has_systemd(guest);
        Nics nics = {};
        int r = find_nics(guest, &nics);

        nics_assign(&nics, sources, n_sources);
        for (size_t i = 0; i < nics.n && r >= 0; i++) {
                const Nic *nic = &nics.items[i];
                /* One that is there is named by its driver, several cannot be told apart by it. */
                if (nic->mac[0] || (link && nics.n == 1 && n_sources <= 1))
                        r = link ? keep_name(guest, nic) : keep_name_by_rule(guest, nic);
                else
                        r = changes_warn(&guest->changes, STEP,
                                        "The network interface %s (%s) may have another name on KVM: its "
                                        "MAC address is not known",
                                        nic->name, nic->by);
        }
        return r;
}

/* --- VMware ---------------------------------------------------------------------------------------- */

/* Services that do nothing elsewhere. */
static int disable_tools(Guest *guest) {
        static const char *const patterns[] = { "/etc/systemd/system/*.wants/vmware-tools*.service",
                "/etc/systemd/system/*.wants/open-vm-tools.service",
                "/etc/systemd/system/*.wants/vmtoolsd.service",
                "/etc/systemd/system/*.wants/vgauthd.service",
                "/etc/systemd/system/*.requires/vgauth*.service", "/etc/rc[0-6S].d/S[0-9][0-9]open-vm-tools",
                "/etc/rc[0-6S].d/S[0-9][0-9]vmware-tools*", "/etc/init/vmware-tools*.conf" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, patterns[i]);
                STRV_FOREACH(path, paths) {
                        r = !guest->look && guestfs_rm(guest->g, *path) < 0
                                        ? guest_warn_last(guest, STEP, "Disabling a service of VMware")
                                        : changes_add(&guest->changes, STEP, *path, *path, NULL);
                        if (r < 0)
                                return r;
                }
        }
        return r;
}

#define CLOUD_NETWORK_FILE "/etc/cloud/cloud.cfg.d/99-hyper-network.cfg"

/* Without data of VMware, cloud-init would configure the network anew. */
static int keep_cloud_network(Guest *guest) {
        static const char *const rendered[] = { "/etc/netplan/50-cloud-init.yaml",
                "/etc/network/interfaces.d/50-cloud-init", "/etc/network/interfaces.d/50-cloud-init.cfg",
                "/etc/sysconfig/network-scripts/ifcfg-*", "/etc/sysconfig/network/ifcfg-*",
                "/etc/NetworkManager/system-connections/cloud-init-*" };
        static const char text[] = "network: {config: disabled}\n";
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(rendered); i++) {
                _cleanup_guest_list_ char **paths = guestfs_glob_expand(guest->g, rendered[i]);
                found = found || strv_length(paths) > 0;
        }
        if (!found || guest_is_file(guest, CLOUD_NETWORK_FILE))
                return 0;
        int r = guest_write(guest, CLOUD_NETWORK_FILE, text, strlen(text));
        return r < 0 ? r : changes_add(&guest->changes, STEP, CLOUD_NETWORK_FILE, NULL, text);
}

static int fix_cloud_init(Guest *guest) {
        size_t before = json_array_size(guest->changes.changes);
        int r = guest_edit(guest, STEP, "/etc/cloud/cloud.cfg", edit_cloud_init);

        if (r >= 0)
                r = guest_edit(guest, STEP, "/etc/cloud/cloud.cfg.d/*.cfg", edit_cloud_init);
        if (r < 0 || json_array_size(guest->changes.changes) == before)
                return r;
        return keep_cloud_network(guest);
}

static const struct {
        const char *pattern;
        guest_editor editor;
} edits[] = {
        { "/etc/fstab", edit_fstab },
        { "/etc/crypttab", edit_crypttab },
        { "/etc/mdadm.conf", edit_mdadm },
        { "/etc/mdadm/mdadm.conf", edit_mdadm },
        { "/etc/netplan/*.yaml", edit_nic_driver },
        { "/etc/systemd/network/*.network", edit_nic_driver },
        { "/etc/systemd/network/*.link", edit_nic_driver },
        { "/etc/NetworkManager/system-connections/*", edit_nic_driver },
        { "/etc/udev/rules.d/*.rules", edit_rules },
        { "/etc/modules", edit_module_list },
        { "/etc/modules-load.d/*.conf", edit_module_list },
};

int offline_fix(Guest *guest) {
        int r;

        guest_progress(STEP, 65);
        /* Names are read before the rules that give them are changed. */
        r = keep_names(guest);
        for (size_t i = 0; i < ELEMENTSOF(edits) && r >= 0; i++)
                r = guest_edit(guest, STEP, edits[i].pattern, edits[i].editor);
        if (r >= 0)
                r = disable_tools(guest);
        return r < 0 ? r : fix_cloud_init(guest);
}
