/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written into files of a guest: texts before and after. */

#include "guest/cloud-init.h"
#include "guest/device-table.h"
#include "guest/driver-list.h"
#include "guest/kernel-line.h"
#include "guest/lvm-filter.h"
#include "guest/mdadm-conf.h"
#include "guest/module-list.h"
#include "guest/nic-driver.h"
#include "guest/udev-rule.h"
#include "unit/lib/test.h"

typedef int (*editor)(const char *text, const DeviceNames *names, Changes *changes, char **ret);

static int fstab(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return device_table_rewrite("t", "/etc/fstab", 0, text, names, changes, ret);
}

static int crypttab(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return device_table_rewrite("t", "/etc/crypttab", 1, text, names, changes, ret);
}

static int kernel_line(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return kernel_line_rewrite("t", "/boot/grub/grub.cfg", text, names, changes, ret);
}

static int default_grub(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return default_grub_rewrite("t", "/etc/default/grub", text, changes, ret);
}

static int grubenv(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return grubenv_rewrite("t", "/boot/grub2/grubenv", text, names, changes, ret);
}

static int mdadm(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return mdadm_conf_rewrite("t", "/etc/mdadm.conf", text, changes, ret);
}

static int nic_driver(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return nic_driver_rewrite("t", "50-lan.network", text, changes, ret);
}

static int lvm(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return lvm_filter_rewrite("t", "/etc/lvm/lvm.conf", text, changes, ret);
}

static int udev(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return udev_rules_rewrite("t", "70-persistent-net.rules", text, changes, ret);
}

static int initramfs_tools(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return initramfs_tools_rewrite("t", "modules", text, changes, ret);
}

static int mkinitcpio(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return mkinitcpio_rewrite("t", "mkinitcpio.conf", text, changes, ret);
}

static int suse(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return suse_kernel_rewrite("t", "kernel", text, changes, ret);
}

static int module_list(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return module_list_rewrite("t", "modules", text, changes, ret);
}

static int cloud_init(const char *text, const DeviceNames *names, Changes *changes, char **ret) {
        return cloud_init_rewrite("t", "cloud.cfg", text, changes, ret);
}

/* Without @after, nothing changes. */
typedef struct Row {
        editor edit;
        const char *before, *after;
        unsigned changes, warnings;
} Row;

static const Row rows[] = {
        /* fstab(5) */
        { fstab, "", NULL, 0, 0 },
        { fstab, "/dev/sda1 / ext4 defaults 0 1\n", "UUID=1111 / ext4 defaults 0 1\n", 1, 0 },
        { fstab, "# /dev/sda1 / ext4\n#x\n\n", NULL, 0, 0 },
        { fstab, "  /dev/sda1\t/\text4", "  UUID=1111\t/\text4", 1, 0 },
        { fstab, "/dev/hda2 none swap sw 0 0\n/dev/vdb1 /srv xfs\n",
                        "UUID=2222 none swap sw 0 0\nUUID=3333 /srv xfs\n", 2, 0 },
        { fstab, "/dev/nvme0n1p1 / ext4\n/dev/nvme0n2p1 /srv xfs\n",
                        "UUID=1111 / ext4\nUUID=3333 /srv xfs\n", 2, 0 },
        { fstab, "/dev/xvda1 /\n", "UUID=1111 /\n", 1, 0 },
        { fstab, "/dev/sda9 /x ext4\n", NULL, 0, 1 },
        { fstab, "/dev/disk/by-id/scsi-36000c29-part1 /x ext4\n", NULL, 0, 1 },
        { fstab, "/dev/mapper/vg0-root / xfs\nUUID=9 /boot ext4\nLABEL=x /y ext4\n/dev/sr0 /cd auto\n", NULL,
                        0, 0 },
        { fstab, "/dev/sda0 / ext4\n/dev/sda01 / ext4\n/dev/nvme0n1p0 / ext4\n/dev/nvme00n1p1 / ext4\n",
                        NULL, 0, 0 },
        { fstab,
                        "/dev/disk/by-uuid/9 / ext4\n/dev/disk/by-label/x /y ext4\n/dev/disk/by-partuuid/1 /z ext4\n"
                        "/dev/disk/by-id/dm-name-vg0-root / xfs\n/dev/disk/by-id/md-uuid-1 /m xfs\n"
                        "/dev/disk/by-id/lvm-pv-uuid-x /l xfs\nPARTLABEL=x /p ext4\n",
                        NULL, 0, 0 },
        { fstab, "/dev/sdd1 /copy ext4\n", NULL, 0, 1 },
        /* an external log, btrfs on two disks, a header of LUKS */
        { fstab, "/dev/sda1 / xfs logdev=/dev/sda2,noatime\nUUID=5 /b btrfs device=/dev/sdf1,device=/dev/sdg1\n",
                        "UUID=1111 / xfs logdev=/dev/sda2,noatime\nUUID=5 /b btrfs device=/dev/sdf1,device=/dev/sdg1\n",
                        1, 3 },
        { fstab, "# /dev/sda1 / xfs logdev=/dev/sda2\nUUID=5 /dev ext4 x=/dev/null,y=/dev/mapper/a\n", NULL,
                        0, 0 },
        { crypttab, "a /dev/sda1 /key:/dev/sdb1 luks,header=/dev/sda2\n",
                        "a UUID=1111 /key:/dev/sdb1 luks,header=/dev/sda2\n", 1, 2 },
        { fstab, "server:/dev/sda1 /mnt nfs\n/dev/sda1x / ext4\n/dev/sda1234 / ext4\n/dev/sdaaa1 / ext4\n",
                        NULL, 0, 0 },
        /* crypttab(5): the second field */
        { crypttab, "sda1 /dev/sda1 none luks\n# c /dev/sda1\nswap\n",
                        "sda1 UUID=1111 none luks\n# c /dev/sda1\nswap\n", 1, 0 },
        /* boot loaders */
        { kernel_line, "\tlinux\t/vmlinuz root=/dev/sda1 ro resume=/dev/sda2 quiet\n",
                        "\tlinux\t/vmlinuz root=UUID=1111 ro resume=UUID=2222 quiet\n", 2, 0 },
        { kernel_line, "set root='hd0,msdos1'\nlinux /vmlinuz root=/dev/mapper/vg0-root ro\n", NULL, 0, 0 },
        { kernel_line, "options root=/dev/nvme0n1p1", "options root=UUID=1111", 1, 0 },
        { kernel_line, "GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\n", "GRUB_CMDLINE_LINUX=\"root=UUID=1111\"\n",
                        1, 0 },
        { kernel_line, "RESUME=/dev/sda2\n", "RESUME=UUID=2222\n", 1, 0 },
        { kernel_line, "RESUME=none\nNORESUME=/dev/sda2\n", NULL, 0, 0 },
        { kernel_line, "kernelopts=root=/dev/sda1 ro\n", "kernelopts=root=UUID=1111 ro\n", 1, 0 },
        { kernel_line, "# kernel root=/dev/sda1\nnfsroot=/dev/sda1 xresume=/dev/sda1\n", NULL, 0, 0 },
        /* dracut with FIPS, Arch with LUKS, Gentoo */
        { kernel_line, "linux /vmlinuz boot=/dev/sda1 fips=1 real_root=/dev/sda2",
                        "linux /vmlinuz boot=UUID=1111 fips=1 real_root=UUID=2222", 2, 0 },
        { kernel_line, "options cryptdevice=/dev/sda2:root:allow-discards root=/dev/mapper/root\n",
                        "options cryptdevice=UUID=2222:root:allow-discards root=/dev/mapper/root\n", 1, 0 },
        { kernel_line, "options cryptkey=/dev/sda2:ext4:/key cryptkey=rootfs:/key\n",
                        "options cryptkey=UUID=2222:ext4:/key cryptkey=rootfs:/key\n", 1, 0 },
        /* SUSE */
        { kernel_line, "DEFAULT_APPEND=\"resume=/dev/sda2 splash=silent\"\n",
                        "DEFAULT_APPEND=\"resume=UUID=2222 splash=silent\"\n", 1, 0 },
        /* dracut.conf(5) */
        { kernel_line, "kernel_cmdline=\"root=/dev/sda1\"\n", "kernel_cmdline=\"root=UUID=1111\"\n", 1, 0 },
        /* extlinux, BLS */
        { kernel_line, "LABEL linux\n  KERNEL /vmlinuz\n  APPEND root=/dev/sda1 ro\n",
                        "LABEL linux\n  KERNEL /vmlinuz\n  APPEND root=UUID=1111 ro\n", 1, 0 },
        { kernel_line, "title x\noptions root=/dev/sda1 ro $tuned_params\n# options root=/dev/sda2",
                        "title x\noptions root=UUID=1111 ro $tuned_params\n# options root=/dev/sda2", 1, 0 },
        { grubenv, "# GRUB Environment Block\nkernelopts=root=/dev/sdh1 ro\n####################",
                        "# GRUB Environment Block\nkernelopts=root=UUID=6666-7777 ro\n###############", 1,
                        0 },
        { grubenv, "# GRUB Environment Block\nkernelopts=root=/dev/nvme0n1p1 ro\n##",
                        "# GRUB Environment Block\nkernelopts=root=UUID=1111 ro\n#######", 1, 0 },
        { grubenv, "# GRUB Environment Block\nkernelopts=root=/dev/sdh1 ro\n####", NULL, 0, 1 },
        { grubenv, "# GRUB Environment Block\nsaved_entry=0\n####", NULL, 0, 0 },
        { grubenv, "# GRUB Environment Block\nkernelopts=root=/dev/sdd1\n####", NULL, 0, 1 },
        /* GRUB legacy */
        { kernel_line, "# kopt=root=/dev/sda1 ro\nkernel /vmlinuz root=/dev/sda1 ro\n# groot=(hd0,0)\n",
                        "# kopt=root=UUID=1111 ro\nkernel /vmlinuz root=UUID=1111 ro\n# groot=(hd0,0)\n", 2,
                        0 },
        { kernel_line, "linux root=/dev/sdc1\n", NULL, 0, 1 },
        { kernel_line, "linux root=\n root=", NULL, 0, 0 },
        { default_grub, "A=1\nGRUB_DISABLE_LINUX_UUID=true\nB=2", "A=1\n#GRUB_DISABLE_LINUX_UUID=true\nB=2",
                        1, 0 },
        { default_grub, "GRUB_DISABLE_LINUX_UUID=\"true\"\n", "#GRUB_DISABLE_LINUX_UUID=\"true\"\n", 1, 0 },
        { default_grub, "#GRUB_DISABLE_LINUX_UUID=true\nGRUB_DISABLE_LINUX_UUID=false\n", NULL, 0, 0 },
        { default_grub, " GRUB_DISABLE_UUID='true'\nGRUB_DISABLE_LINUX_UUID='true'\n",
                        " #GRUB_DISABLE_UUID='true'\n#GRUB_DISABLE_LINUX_UUID='true'\n", 2, 0 },
        /* mdadm.conf(5) */
        { mdadm, "DEVICE partitions containers\nARRAY /dev/md0 UUID=1:2:3:4\nMAILADDR root\n", NULL, 0, 0 },
        { mdadm, "# DEVICE /dev/sda\nDEVICE /dev/sda1 /dev/sdb1\n\t/dev/sdc1\nARRAY /dev/md0 UUID=1\n",
                        "# DEVICE /dev/sda\n# DEVICE /dev/sda1 /dev/sdb1\n# \t/dev/sdc1\nARRAY /dev/md0 UUID=1\n",
                        1, 0 },
        { mdadm, "dev /dev/sd*", "# dev /dev/sd*", 1, 0 },
        { mdadm, "ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1 UUID=1:2:3:4\n",
                        "ARRAY /dev/md0 UUID=1:2:3:4\n", 1, 0 },
        { mdadm, "ARRAY /dev/md0 level=1\n  name=x:0\n  devices=/dev/sda1,/dev/sdb1\nDEVICE /dev/sda1\n",
                        "ARRAY /dev/md0 level=1\n  name=x:0\n# DEVICE /dev/sda1\n", 2, 0 },
        { mdadm, "ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1\n", NULL, 0, 1 },
        { mdadm, "DEVICES /dev/sda1\nde /dev/sda1\nDEVICE /dev/mapper/a\n", NULL, 0, 0 },
        /* systemd.network(5), systemd.link(5), netplan(5), nm-settings-keyfile(5) */
        { nic_driver, "[Match]\nDriver=vmxnet3\n[Network]\nDHCP=yes\n",
                        "[Match]\nDriver=virtio_net\n[Network]\nDHCP=yes\n", 1, 0 },
        { nic_driver, "[Match]\nDriver=e1000 e1000e  igb\n", "[Match]\nDriver=virtio_net virtio_net  igb\n",
                        2, 0 },
        { nic_driver, "      match:\n        driver: \"vmxnet3\"\n",
                        "      match:\n        driver: \"virtio_net\"\n", 1, 0 },
        { nic_driver, "      match: {driver: vmxnet3}\n", "      match: {driver: virtio_net}\n", 1, 0 },
        { nic_driver, "[match]\ndriver=vmxnet3;", "[match]\ndriver=virtio_net;", 1, 0 },
        { nic_driver, "[Match]\nPath=pci-0000:0b:00.0\n", NULL, 0, 1 },
        { nic_driver, "[Match]\nDriver=virtio_net\n# Driver=vmxnet3\nDriverX=vmxnet3\npath=/x\n", NULL, 0,
                        0 },
        /* lvm.conf(5) */
        { lvm, "devices {\n\tfilter = [ \"a|/dev/sda2|\", \"r|.*|\" ]\n}\n",
                        "devices {\n\t# filter = [ \"a|/dev/sda2|\", \"r|.*|\" ]\n}\n", 1, 0 },
        { lvm, "global_filter=[\"a|naa.6000|\",\n\"r|.*|\"]\n",
                        "# global_filter=[\"a|naa.6000|\",\n# \"r|.*|\"]\n", 1, 0 },
        { lvm, "filter = [ \"a|.*|\" ]\n# filter = [ \"a|/dev/sda|\" ]\n", NULL, 0, 0 },
        { lvm, "filter = \"a|/dev/sda|\"\nx = 1\n", "# filter = \"a|/dev/sda|\"\nx = 1\n", 1, 0 },
        { lvm, "filter = [ \"a|/dev/sda|\"", "# filter = [ \"a|/dev/sda|\"", 1, 0 },
        { lvm, "global_filter = [ \"a|sd.*|\", \"r|.*|\" ]\n",
                        "# global_filter = [ \"a|sd.*|\", \"r|.*|\" ]\n", 1, 0 },
        { lvm, "filter = [ # the disks ] of \"VMware\n\t\"a|^/dev/sda2$|\",\n\t\"r|.*|\"\n]\nx = 1\n",
                        "# filter = [ # the disks ] of \"VMware\n# \t\"a|^/dev/sda2$|\",\n# \t\"r|.*|\"\n# ]\nx = 1\n",
                        1, 0 },
        { lvm, "filter = [ \"a|/dev/mapper/mpath.*|\", \"r|.*|\" ]\nfilter_x = [ \"a|/dev/sda|\" ]\n", NULL,
                        0, 0 },
        { lvm, "devices/filter = [ \"a|/dev/sda|\" ]\n", "# devices/filter = [ \"a|/dev/sda|\" ]\n", 1, 0 },
        /* udev(7) */
        { udev, "SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", ATTR{address}==\"00:50:56:aa:bb:01\", NAME=\"ens192\"\n",
                        "# SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", ATTR{address}==\"00:50:56:aa:bb:01\", "
                        "NAME=\"ens192\"\n",
                        1, 0 },
        { udev, "SUBSYSTEM==\"net\", KERNELS==\"0000:0b:00.0\",NAME=\"eth0\"",
                        "# SUBSYSTEM==\"net\", KERNELS==\"0000:0b:00.0\",NAME=\"eth0\"", 1, 0 },
        { udev, "SUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:aa:bb:01\", NAME=\"eth0\"\n", NULL, 0, 0 },
        { udev, "SUBSYSTEM==\"net\", DRIVERS==\"?*\", ATTR{address}==\"00:50:56:aa:bb:01\", NAME=\"eth0\"\n",
                        NULL, 0, 0 },
        { udev, "SUBSYSTEM==\"net\", DRIVERS==\"?*\", KERNELS==\"0000:0b:00.0\", NAME=\"lan0\"\n",
                        "# SUBSYSTEM==\"net\", DRIVERS==\"?*\", KERNELS==\"0000:0b:00.0\", NAME=\"lan0\"\n",
                        1, 0 },
        { udev, "SUBSYSTEM==\"net\", ACTION==\"add\", \\\n  KERNELS==\"0000:0b:00.0\", \\\n  NAME:=\"lan0\"\nx\n",
                        "# SUBSYSTEM==\"net\", ACTION==\"add\", \\\n#   KERNELS==\"0000:0b:00.0\", \\\n#   NAME:=\"lan0\"\n"
                        "x\n",
                        1, 0 },
        { udev, "SUBSYSTEM==\"net\", ATTRS{vendor}==\"0x15ad\", NAME=\"lan0\"\n",
                        "# SUBSYSTEM==\"net\", ATTRS{vendor}==\"0x15ad\", NAME=\"lan0\"\n", 1, 0 },
        { udev,
                        "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"00:50:56:aa:bb:01\", "
                        "ATTR{dev_id}==\"0x0\", ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"eth0\"\n",
                        NULL, 0, 0 },
        { udev,
                        "SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", RUN+=\"/sbin/x NAME=\"\nSUBSYSTEM==\"net\", NAME==\"\", "
                        "DRIVERS==\"vmxnet3\"\n",
                        NULL, 0, 0 },
        { udev, "SUBSYSTEM==\"block\", DRIVERS==\"vmw_pvscsi\", SYMLINK+=\"x\"\n", NULL, 0, 0 },
        /* drivers for the next kernel */
        { initramfs_tools, "", "virtio_pci\nvirtio_blk\nvirtio_scsi\nsd_mod\n", 4, 0 },
        { initramfs_tools, "# virtio_pci\nsd_mod\nvirtio_blk # x",
                        "# virtio_pci\nsd_mod\nvirtio_blk # x\nvirtio_pci\nvirtio_scsi\n", 2, 0 },
        { initramfs_tools, "virtio_scsi\nsd_mod\nvirtio_blk\nvirtio_pci\n", NULL, 0, 0 },
        { mkinitcpio, "# MODULES=(a)\nMODULES=()\nHOOKS=(base)\n",
                        "# MODULES=(a)\nMODULES=(virtio_pci virtio_blk virtio_scsi sd_mod)\nHOOKS=(base)\n",
                        4, 0 },
        { mkinitcpio, "MODULES=\"ext4 sd_mod\"\n",
                        "MODULES=\"ext4 sd_mod virtio_pci virtio_blk virtio_scsi\"\n", 3, 0 },
        { mkinitcpio, "MODULES=(ext#4 # a comment)\n)\n",
                        "MODULES=(ext#4 # a comment)\n virtio_pci virtio_blk virtio_scsi sd_mod)\n", 4, 0 },
        { suse, "INITRD_MODULES=\"a # sd_mod\"\n",
                        "INITRD_MODULES=\"a # sd_mod virtio_pci virtio_blk virtio_scsi\"\n", 3, 0 },
        { mkinitcpio, "HOOKS=(base)\n", NULL, 0, 0 },
        { suse, "# INITRD_MODULES=\"\"\nINITRD_MODULES=\"mptspi sd_mod\"\nMODULES_LOADED=\"\"\n",
                        "# INITRD_MODULES=\"\"\nINITRD_MODULES=\"mptspi sd_mod virtio_pci virtio_blk "
                        "virtio_scsi\"\nMODULES_LOADED=\"\"\n",
                        3, 0 },
        { suse, "INITRD_MODULES=\"virtio_pci virtio_blk virtio_scsi sd_mod\"\n", NULL, 0, 0 },
        /* modules-load.d(5) */
        { module_list, "loop\nvmw_balloon\n  vmhgfs\n# vmci\nvmd\n",
                        "loop\n# vmw_balloon\n  # vmhgfs\n# vmci\nvmd\n", 2, 0 },
        { module_list, "vmxnet3", "# vmxnet3", 1, 0 },
        { module_list, "loop\nvirtio\n", NULL, 0, 0 },
        /* cloud-init */
        { cloud_init, "a: 1\ndatasource_list: [ VMware, OVF, None ] # x\nb: 2\n",
                        "a: 1\ndatasource_list: [ NoCloud, None ] # x\nb: 2\n", 1, 0 },
        { cloud_init, "datasource_list: ['OVF']", "datasource_list: [ NoCloud, None ]", 1, 0 },
        { cloud_init, "datasource_list: [OVF,\n  VMware]\n", "datasource_list: [ NoCloud, None ]\n", 1, 0 },
        { cloud_init, "datasource_list:\n  - VMware\n  - None\nb: 2\n",
                        "datasource_list: [ NoCloud, None ]\nb: 2\n", 1, 0 },
        { cloud_init, "datasource_list: [ NoCloud, OVF ]\n", NULL, 0, 0 },
        { cloud_init, "datasource_list: [ None ]\n", NULL, 0, 0 },
        { cloud_init, "#datasource_list: [ OVF ]\n datasource_list: [ OVF ]\n", NULL, 0, 0 },
        { cloud_init, "datasource_list: [ OVF\nb: 2\n", NULL, 0, 0 },
        { cloud_init, "datasource_list:", NULL, 0, 0 },
        { mkinitcpio, "MODULES=(", NULL, 0, 0 },
};

static void add_names(DeviceNames *names) {
        ck_assert_int_eq(device_names_add(names, "/dev/sda1", "UUID=1111"), 0);
        ck_assert_int_eq(device_names_add(names, "/dev/sda2", "UUID=2222"), 0);
        ck_assert_int_eq(device_names_add(names, "/dev/sdb1", "UUID=3333"), 0);
        ck_assert_int_eq(device_names_add(names, "/dev/sdh1", "UUID=6666-7777"), 0);
        /* A copy of a file system, and one of btrfs on two disks. */
        ck_assert_int_eq(device_names_add(names, "/dev/sdd1", "UUID=4444"), 0);
        ck_assert_int_eq(device_names_add(names, "/dev/sde1", "UUID=4444"), 0);
        ck_assert_int_eq(device_names_add_member(names, "/dev/sdf1", "UUID=5555"), 0);
        ck_assert_int_eq(device_names_add_member(names, "/dev/sdg1", "UUID=5555"), 0);
}

START_TEST(texts_are_changed_as_the_table_says) {
        _cleanup_(device_names_done) DeviceNames names = {};

        add_names(&names);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_changes_ Changes changes = {};
                _cleanup_free_ char *text = NULL;
                int r = rows[i].edit(rows[i].before, &names, &changes, &text);

                ck_assert_msg(r == (rows[i].after != NULL), "row %zu: %d for %s", i, r, rows[i].before);
                if (rows[i].after)
                        ck_assert_str_eq(text, rows[i].after);
                ck_assert_msg(json_array_size(changes.changes) == rows[i].changes, "row %zu", i);
                ck_assert_msg(json_array_size(changes.warnings) == rows[i].warnings, "row %zu", i);
        }
}
END_TEST

START_TEST(a_second_time_changes_nothing) {
        _cleanup_(device_names_done) DeviceNames names = {};

        add_names(&names);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_changes_ Changes changes = {};
                _cleanup_free_ char *text = NULL;

                if (rows[i].after)
                        ck_assert_int_eq(rows[i].edit(rows[i].after, &names, &changes, &text), 0);
        }
}
END_TEST

START_TEST(a_file_system_on_two_disks_has_one_name) {
        _cleanup_(device_names_done) DeviceNames names = {};

        add_names(&names);
        ck_assert_str_eq(device_names_find(&names, "/dev/sdf1", 9), "UUID=5555");
        ck_assert_str_eq(device_names_find(&names, "/dev/sdg1", 9), "UUID=5555");
        ck_assert_ptr_null(device_names_find(&names, "/dev/sde1", 9));
}
END_TEST

/* The letters of each kind of disk begin anew: which of the disks is meant is not known. */
START_TEST(disks_of_several_kinds_are_not_found) {
        static const struct {
                const char *fstab, *crypttab;
                bool found;
        } rows_of_kinds[] = {
                { "/dev/sda1 / ext4\n/dev/sdb1 /srv ext4\n", "", true },
                { "/dev/sda1 / ext4\n/dev/hdc /cdrom iso9660\n#/dev/hda1 /old ext3\n", "", true },
                { "UUID=1 / ext4\n/dev/mapper/a /b ext4\n", "", true },
                { "/dev/sda1 / ext4\n/dev/nvme0n1p1 /srv ext4\n", "", false },
                { "/dev/hda1 / ext3\n", "a /dev/sda2 none luks\n", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows_of_kinds); i++) {
                _cleanup_(device_names_done) DeviceNames names = {};
                _cleanup_changes_ Changes changes = {};
                _cleanup_free_ char *text = NULL;

                add_names(&names);
                device_table_note(0, rows_of_kinds[i].fstab, &names);
                device_table_note(1, rows_of_kinds[i].crypttab, &names);
                ck_assert_msg((device_names_find(&names, "/dev/sda1", 9) != NULL) == rows_of_kinds[i].found,
                                "row %zu", i);
                ck_assert_int_eq(fstab("/dev/sda1 / ext4\n", &names, &changes, &text),
                                rows_of_kinds[i].found);
                ck_assert_uint_eq(json_array_size(changes.warnings), !rows_of_kinds[i].found);
        }
}
END_TEST

/* As SUSE writes them. With one disk, they mean that one. */
START_TEST(names_by_id_and_path_are_those_of_the_only_disk) {
        static const struct {
                const char *name, *stable;
        } by_hardware[] = {
                { "/dev/disk/by-id/scsi-36000c29aabbccddeeff00112233445566-part1", "UUID=1111" },
                { "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part2", "UUID=2222" },
                { "/dev/disk/by-id/wwn-0x6000c29-part9", NULL },
                { "/dev/disk/by-id/wwn-0x6000c29", NULL },
                { "/dev/disk/by-id/wwn-0x6000c29-part01", NULL },
                { "/dev/disk/by-id/dm-name-vg-part1", NULL },
                { "/dev/disk/by-label/x-part1", NULL },
                { "/dev/disk/by-id/-part", NULL },
        };
        _cleanup_(device_names_done) DeviceNames names = {};

        add_names(&names);
        for (size_t i = 0; i < ELEMENTSOF(by_hardware); i++) {
                const char *name = by_hardware[i].name;
                names.one_disk = true;
                const char *found = device_names_find(&names, name, strlen(name));
                ck_assert_msg(streq_ptr(found, by_hardware[i].stable), "row %zu: %s", i, strna(found));
                names.one_disk = false;
                ck_assert_ptr_null(device_names_find(&names, name, strlen(name)));
        }
}
END_TEST

/* One line of 1 MiB, and a list that never ends on each line: the time is that of the size. */
START_TEST(long_texts_are_read_once) {
        _cleanup_(device_names_done) DeviceNames names = {};
        static const struct {
                editor edit;
                const char *repeated;
        } texts[] = { { kernel_line, "root=/dev/sda1 " }, { lvm, "filter = [ \"\n" },
                { cloud_init, "datasource_list: [ \n" }, { udev, "SUBSYSTEM==\"net\", \\\n" },
                { mdadm, "DEVICE\n /dev/sd\n" } };

        add_names(&names);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                size_t n = strlen(texts[i].repeated), size = 1024 * 1024 / n * n;
                _cleanup_free_ char *text = malloc(size + 1), *edited = NULL;
                _cleanup_changes_ Changes changes = {};

                for (size_t p = 0; p < size; p += n)
                        memcpy(text + p, texts[i].repeated, n);
                text[size] = 0;
                ck_assert_int_ge(texts[i].edit(text, &names, &changes, &edited), 0);
        }
}
END_TEST

START_TEST(what_was_changed_is_told_with_old_and_new) {
        _cleanup_(device_names_done) DeviceNames names = {};
        _cleanup_changes_ Changes changes = {};
        _cleanup_free_ char *text = NULL;
        const char *step, *file, *from, *to;

        add_names(&names);
        ck_assert_int_eq(fstab("/dev/sda1 /\n", &names, &changes, &text), 1);
        ck_assert_int_eq(json_unpack(json_array_get(changes.changes, 0), "{s:s, s:s, s:s, s:s}", "step",
                                         &step, "file", &file, "from", &from, "to", &to),
                        0);
        ck_assert_str_eq(step, "t");
        ck_assert_str_eq(file, "/etc/fstab");
        ck_assert_str_eq(from, "/dev/sda1");
        ck_assert_str_eq(to, "UUID=1111");
}
END_TEST

START_TEST(texts_of_a_guest_are_cut_and_cleaned) {
        _cleanup_changes_ Changes changes = {};
        char text[1000];

        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        text[3] = '\n';
        text[5] = (char) 0xff;
        for (size_t i = 0; i < GUEST_LIST_MAX + 5; i++)
                ck_assert_int_eq(changes_add(&changes, "t", text, NULL, NULL), 0);
        ck_assert_uint_eq(json_array_size(changes.changes), GUEST_LIST_MAX);
        ck_assert_uint_eq(changes.left_out, 5);
        const char *file = json_string_value(json_object_get(json_array_get(changes.changes, 0), "file"));
        ck_assert_uint_le(strlen(file), GUEST_TEXT_MAX);
        ck_assert(utf8_is_valid(file));
        ck_assert_int_eq(file[3], '?');
}
END_TEST

TEST_MAIN("guest-editors", texts_are_changed_as_the_table_says, a_second_time_changes_nothing,
                a_file_system_on_two_disks_has_one_name, disks_of_several_kinds_are_not_found,
                names_by_id_and_path_are_those_of_the_only_disk, long_texts_are_read_once,
                what_was_changed_is_told_with_old_and_new, texts_of_a_guest_are_cut_and_cleaned)
