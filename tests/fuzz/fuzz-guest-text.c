/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text files of a guest: each editor is given the text, and its own result once more, which it leaves as it
 * is. */

#include "basic/string-util.h"
#include "fuzz.h"
#include "guest/boot-default.h"
#include "guest/cloud-init.h"
#include "guest/device-table.h"
#include "guest/driver-list.h"
#include "guest/kernel-line.h"
#include "guest/lvm-filter.h"
#include "guest/mdadm-conf.h"
#include "guest/module-list.h"
#include "guest/network-list.h"
#include "guest/nic-driver.h"
#include "guest/nic-keyfile.h"
#include "guest/nic-netplan.h"
#include "guest/nic-read.h"
#include "guest/udev-rule.h"

enum {
        CLOUD_INIT,
        MODULE_LIST,
        SUSE,
        FSTAB,
        CRYPTTAB,
        KERNEL_LINE,
        DEFAULT_GRUB,
        LVM,
        UDEV,
        GRUBENV,
        MDADM,
        NIC_DRIVER,
        INITRAMFS_TOOLS,
        MKINITCPIO,
        _EDITORS
};

static int edit(int which, const char *text, const DeviceNames *names, Changes *c, char **ret) {
        switch (which) {
        case CLOUD_INIT:
                return cloud_init_rewrite("t", "f", text, c, ret);
        case MODULE_LIST:
                return module_list_rewrite("t", "f", text, c, ret);
        case SUSE:
                return suse_kernel_rewrite("t", "f", text, c, ret);
        case FSTAB:
                return device_table_rewrite("t", "f", 0, text, names, c, ret);
        case CRYPTTAB:
                return device_table_rewrite("t", "f", 1, text, names, c, ret);
        case KERNEL_LINE:
                return kernel_line_rewrite("t", "f", text, names, c, ret);
        case DEFAULT_GRUB:
                return default_grub_rewrite("t", "f", text, c, ret);
        case LVM:
                return lvm_filter_rewrite("t", "f", text, c, ret);
        case UDEV:
                return udev_rules_rewrite("t", "f", text, c, ret);
        case GRUBENV:
                return grubenv_rewrite("t", "f", text, names, c, ret);
        case MDADM:
                return mdadm_conf_rewrite("t", "f", text, c, ret);
        case NIC_DRIVER:
                return nic_driver_rewrite("t", "f", text, c, ret);
        case INITRAMFS_TOOLS:
                return initramfs_tools_rewrite("t", "f", text, c, ret);
        default:
                return mkinitcpio_rewrite("t", "f", text, c, ret);
        }
}

static void edit_twice(int which, const char *text, const DeviceNames *names) {
        _cleanup_changes_ Changes c = {};
        _cleanup_free_ char *once = NULL, *twice = NULL;

        if (edit(which, text, names, &c, &once) > 0 && edit(which, once, names, &c, &twice) != 0)
                abort();
        if (which == GRUBENV && once && strlen(once) != strlen(text))
                abort();
}

static void read_nics(const char *text) {
        static const nics_reader readers[] = { nics_add_ifupdown, nics_add_netplan, nics_add_network_manager,
                nics_add_ifcfg, nics_add_networkd, nics_add_link, nics_add_udev_rules };
        Nics nics = {};

        for (size_t i = 0; i < ELEMENTSOF(readers); i++)
                readers[i](&nics, "/etc/sysconfig/network/ifcfg-eth0", text);
        /* They become names of files. */
        for (size_t i = 0; i < nics.n; i++)
                if (isempty(nics.items[i].name) || *nics.items[i].name == '.' ||
                                strpbrk(nics.items[i].name, "/\n\" ") || strpbrk(nics.items[i].mac, "\n\""))
                        abort();
}

static void read_network(const char *text) {
        NetworkList *l = calloc(1, sizeof(*l));

        if (!l)
                return;
        network_add_ifupdown(l, text);
        network_add_netplan(l, text);
        network_add_network_manager(l, text);
        network_add_ifcfg(l, text);
        network_add_networkd(l, text);
        for (size_t i = 0; i < l->n; i++) {
                const NetworkInterface *n = &l->items[i];
                if (!n->name[0] || strpbrk(n->name, "/\n \t") || !n->by)
                        abort();
                for (size_t k = 0; k < n->n_addresses; k++)
                        if (strspn(n->addresses[k], "0123456789abcdefABCDEF.:/") != strlen(n->addresses[k]))
                                abort();
        }
        free(l);
}

/* The text is also the other file. */
static void read_defaults(char *text) {
        int (*const readers[])(const char *, char **) = { boot_default_legacy, boot_default_extlinux,
                boot_default_saved, boot_default_loader };
        char *const names[] = { (char *) "a.conf", (char *) "b.conf", NULL },
                    *const texts[] = { text, text, NULL };
        _cleanup_free_ char *grub = NULL, *entry = NULL;

        if (boot_default_grub2(text, text, &grub) < 0 || boot_default_entry(names, texts, text, &entry) < 0)
                abort();
        (void) boot_default_is(strempty(grub), "/boot/initrd.img-6.1");
        for (size_t i = 0; i < ELEMENTSOF(readers); i++) {
                _cleanup_free_ char *found = NULL;
                if (readers[i](text, &found) > 0 && strlen(found) > 2 * strlen(text) + 1)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        _cleanup_(device_names_done) DeviceNames names = {};

        if (!text || device_names_add(&names, "/dev/sda1", "UUID=1111") < 0 ||
                        device_names_add(&names, "/dev/sdb2", "UUID=2222") < 0)
                return 0;
        for (int i = 0; i < _EDITORS; i++)
                edit_twice(i, text, &names);
        names.one_disk = true;
        device_table_note(0, text, &names);
        edit_twice(FSTAB, text, &names);
        read_nics(text);
        read_network(text);
        read_defaults(text);
        return 0;
}
