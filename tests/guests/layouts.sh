#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# layouts.sh HYPER-GUEST APPLIANCE [CASE…]: trees of files as distributions have them that Debian cannot
# install: RHEL 9 and 6, SLES 11, Arch, and Debian with extlinux. They do not boot, but each file that has to
# be changed is compared with what it should be. The appliance starts once for each.

# shellcheck source=tests/guests/cases.sh
. "$(dirname "$0")/cases.sh"

# --- make them ----------------------------------------------------------------------------------------

# put CASE PATH: a file of the tree, from standard input
put() {
        mkdir -p "$(dirname "$d/$1/$2")"
        cat >"$d/$1/$2"
}

# distribution CASE ID VERSION
distribution() {
        mkdir -p "$d/$1"/{bin,boot,dev,etc,lib,usr,var,tmp}
        printf 'ID=%s\nVERSION_ID=%s\nNAME=%s\nPRETTY_NAME="%s %s"\n' "$2" "$3" "$2" "$2" "$3" |
                put "$1" etc/os-release
        echo esx-guest | put "$1" etc/hostname
}

# kernel CASE VERSION INITRAMFS DIRECTORY COMPRESSOR…: one whose initramfs has no drivers of virtio, and
# modules in DIRECTORY
kernel() {
        local name=$1 version=$2 initramfs=$3 directory=$4 m
        shift 4
        for m in virtio_pci virtio_blk virtio_scsi sd_mod; do
                echo "$m" | put "$name" "lib/modules/$version/kernel/$m.ko"
                echo "kernel/$m.ko:"
        done | put "$name" "lib/modules/$version/modules.dep"
        : | put "$name" "lib/modules/$version/modules.builtin"
        rm -rf "$d/initramfs"
        mkdir -p "$d/initramfs/$directory/$version/kernel"
        : >"$d/initramfs/$directory/$version/kernel/ext4.ko"
        (cd "$d/initramfs" && find . | cpio -o -H newc --quiet) | "$@" | put "$name" "$initramfs"
}

# partition IMAGE BEGIN SIZE TYPE [TREE]: what is in it; "random" is swap that has a new key at each boot
partition() {
        case $4:${5:-} in
                82:random) head -c "$3M" /dev/urandom >"$d/part" ;;
                82:) truncate -s "$3M" "$d/part" && mkswap -q "$d/part" ;;
                uefi:*) mkfs.vfat -F 32 -C "$d/part" $(($3 << 10)) >/dev/null && mcopy -s -i "$d/part" "$d/$5"/* :: ;;
                *) mkfs.ext4 -q -F -d "$d/$5" "$d/part" "$3M" >/dev/null ;;
        esac
        dd if="$d/part" of="$1" bs=1M seek="$2" conv=notrunc,sparse status=none
        rm "$d/part"
}

# disk CASE LABEL "SIZE TYPE [TREE]"…: CASE.img; sizes are in MiB
declare -A begins
disk() {
        local name=$1 label=$2 begin=1 n=0 p words
        shift 2
        truncate -s 400M "$d/$name.img"
        for p; do
                read -r -a words <<<"$p"
                echo "start=${begin}MiB, size=${words[0]}MiB, type=${words[1]}"
                begin=$((begin + words[0]))
        done | sfdisk -q --label "$label" "$d/$name.img"
        begin=1
        for p; do
                read -r -a words <<<"$p"
                n=$((n + 1))
                begins[$name.$n]=$((begin << 20))
                partition "$d/$name.img" $begin "${words[@]}"
                begin=$((begin + words[0]))
        done
}

# --- look at them -------------------------------------------------------------------------------------

uuid() { echo "UUID=$(blkid -p -O "${begins[$1.$2]}" -s UUID -o value "$d/$1.img")"; }

# text CASE PARTITION PATH
text() { debugfs -R "cat /$3" "$d/$1.img?offset=${begins[$1.$2]}" 2>/dev/null; }
esp_text() { mtype -i "$d/$1.img@@${begins[$1.$2]}" "::/$3"; }

# same CASE WHAT EXPECTED: standard input
same() {
        if ! diff -u <(printf '%s' "${3:+$3
}") - >"$d/difference"; then
                echo "FAILED $1: $2"
                cat "$d/difference"
                failed=1
        fi
}

# drivers CASE DIRECTORY VERSION: the initramfs on standard input ends with drivers of virtio
drivers() { grep -a -o "$2/$3/kernel/virtio_blk.ko" | same "$1" "the initramfs" "$2/$3/kernel/virtio_blk.ko"; }

# fixed CASE DISTRIBUTION
fixed() {
        check "$1" ".guest.virtio and .guest.bootable == \"yes\" and .guest.os.distro == \"$2\" and
                .guest.warnings == []"
}

# link CASE PARTITION NAME MAC
link() {
        local match=${4:+MACAddress=$4}
        text "$1" "$2" "etc/systemd/network/10-hyper-$3.link" | same "$1" "the name $3" "[Match]
${match:-Driver=virtio_net}
Type=ether

[Link]
Name=$3"
}

# --- RHEL 9: BLS, grubenv, dracut, NetworkManager and ifcfg, a devices file of LVM, SELinux -------------

if want rhel9; then
        distribution rhel9 rhel 9.4
        v=5.14.0-427.13.1.el9_4.x86_64
        mkdir -p "$d/rhel9/usr/lib/systemd/system" "$d/rhel9/etc/dracut.conf.d" "$d/rhel9.boot" \
                "$d/rhel9/etc/systemd/network"
        kernel rhel9 $v ../rhel9.boot/initramfs-$v.img usr/lib/modules gzip -n
        put rhel9 etc/fstab <<EOF
/dev/sda2 / ext4 defaults 1 1
/dev/sda1 /boot ext4 defaults 1 2
/dev/sda3 none swap defaults 0 0
EOF
        put rhel9.boot loader/entries/0a1b-$v.conf <<EOF
title Red Hat Enterprise Linux ($v) 9.4 (Plow)
version $v
linux /vmlinuz-$v
initrd /initramfs-$v.img \$tuned_initrd
options root=/dev/sda2 ro crashkernel=1G-4G:192M resume=/dev/sda3 rhgb quiet \$tuned_params
EOF
        {
                printf '# GRUB Environment Block\nsaved_entry=0a1b\nkernelopts=root=/dev/sda2 ro resume=/dev/sda3\n'
                head -c 1024 /dev/zero | tr '\0' '#'
        } | head -c 1024 | put rhel9.boot grub2/grubenv
        put rhel9.boot grub2/device.map <<<'(hd0) /dev/sda'
        put rhel9 etc/default/grub <<<'GRUB_CMDLINE_LINUX="crashkernel=1G-4G:192M resume=/dev/sda3 quiet"'
        put rhel9 etc/kernel/cmdline <<<'root=/dev/sda2 ro resume=/dev/sda3'
        put rhel9 etc/NetworkManager/system-connections/ens192.nmconnection <<EOF
[connection]
id=ens192
type=ethernet
interface-name=ens192

[ipv4]
address1=10.0.2.15/24,10.0.2.2
method=manual
EOF
        put rhel9 etc/sysconfig/network-scripts/ifcfg-ens224 <<EOF
DEVICE=ens224
HWADDR=00:50:56:AA:BB:02
IPADDR=10.1.2.3
PREFIX=24
EOF
        put rhel9 etc/lvm/devices/system.devices <<EOF
VERSION=1.1.1
IDTYPE=sys_wwid IDNAME=naa.6000c29a DEVNAME=/dev/sdb PVID=x
EOF
        put rhel9 etc/selinux/config <<EOF
SELINUX=enforcing
SELINUXTYPE=targeted
EOF
        put rhel9 etc/selinux/targeted/contexts/files/file_contexts <<'EOF'
/.*	system_u:object_r:default_t:s0
/etc/.*	system_u:object_r:etc_t:s0
/boot/.*	system_u:object_r:boot_t:s0
EOF
        disk rhel9 dos "100 83 rhel9.boot" "200 83 rhel9" "40 82"
        run rhel9 '"operations": "auto", "nics": [{"mac": "00:50:56:aa:bb:01", "slot": 192},
                {"mac": "00:50:56:aa:bb:02", "slot": 224}]' rhel9
        fixed rhel9 rhel
        text rhel9 2 etc/fstab | same rhel9 fstab "$(uuid rhel9 2) / ext4 defaults 1 1
$(uuid rhel9 1) /boot ext4 defaults 1 2
$(uuid rhel9 3) none swap defaults 0 0"
        text rhel9 1 loader/entries/0a1b-$v.conf | grep options | same rhel9 BLS \
                "options root=$(uuid rhel9 2) ro crashkernel=1G-4G:192M resume=$(uuid rhel9 3) rhgb quiet \$tuned_params"
        text rhel9 1 grub2/grubenv | grep "=" | same rhel9 grubenv "saved_entry=0a1b
kernelopts=root=$(uuid rhel9 2) ro resume=$(uuid rhel9 3)"
        text rhel9 1 grub2/grubenv | wc -c | same rhel9 "the size of grubenv" 1024
        text rhel9 1 grub2/device.map | same rhel9 device.map ""
        text rhel9 2 etc/kernel/cmdline |
                same rhel9 kernel/cmdline "root=$(uuid rhel9 2) ro resume=$(uuid rhel9 3)"
        text rhel9 2 etc/default/grub | same rhel9 default/grub \
                "GRUB_CMDLINE_LINUX=\"crashkernel=1G-4G:192M resume=$(uuid rhel9 3) quiet\""
        text rhel9 2 etc/dracut.conf.d/90-hyper.conf |
                same rhel9 dracut.conf.d 'add_drivers+=" virtio_pci virtio_blk virtio_scsi sd_mod "'
        text rhel9 2 etc/lvm/devices/system.devices | same rhel9 "the devices file" ""
        text rhel9 2 etc/lvm/devices/system.devices.before-hyper | head -n1 |
                same rhel9 "its copy" VERSION=1.1.1
        link rhel9 2 ens192 00:50:56:aa:bb:01
        link rhel9 2 ens224 00:50:56:aa:bb:02
        text rhel9 1 initramfs-$v.img | drivers rhel9 usr/lib/modules $v
        debugfs -R "ea_get /etc/systemd/network/10-hyper-ens192.link security.selinux" \
                "$d/rhel9.img?offset=${begins[rhel9.2]}" 2>/dev/null | grep -o 'system_u:[a-z_:0-9]*' |
                same rhel9 "the label of the link" system_u:object_r:etc_t:s0
fi

# --- RHEL 6: GRUB legacy, dracut without a directory of configuration, ifcfg, no systemd -----------------

if want rhel6; then
        distribution rhel6 rhel 6.10
        rm "$d/rhel6/etc/os-release"
        put rhel6 etc/redhat-release <<<'Red Hat Enterprise Linux Server release 6.10 (Santiago)'
        v=2.6.32-754.el6.x86_64
        kernel rhel6 $v boot/initramfs-$v.img lib/modules gzip -n
        put rhel6 etc/fstab <<EOF
/dev/sda1 / ext4 defaults 1 1
/dev/sda2 swap swap defaults 0 0
EOF
        put rhel6 boot/grub/grub.conf <<EOF
#          kernel /vmlinuz-version ro root=/dev/sda1
default=0
title Red Hat Enterprise Linux Server ($v)
	root (hd0,0)
	kernel /boot/vmlinuz-$v ro root=/dev/sda1 rd_NO_LUKS quiet
	initrd /boot/initramfs-$v.img
EOF
        put rhel6 boot/grub/device.map <<<'(hd0)     /dev/sda'
        put rhel6 etc/dracut.conf <<<'# dracut modules to add'
        put rhel6 etc/sysconfig/network-scripts/ifcfg-eth0 <<EOF
DEVICE="eth0"
HWADDR="00:50:56:AA:BB:01"
BOOTPROTO="none"
IPADDR="10.0.2.15"
EOF
        rule='SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:50:56:aa:bb:01", KERNEL=="eth*", NAME="eth0"'
        put rhel6 etc/udev/rules.d/70-persistent-net.rules <<<"$rule"
        put rhel6 etc/rc.d/rc3.d/S03vmware-tools <<<'#!/bin/sh'
        ln -s rc.d/rc3.d "$d/rhel6/etc/rc3.d"
        disk rhel6 dos "300 83 rhel6" "40 82"
        run rhel6 '"operations": "auto"' rhel6
        fixed rhel6 rhel
        text rhel6 1 etc/fstab | same rhel6 fstab "$(uuid rhel6 1) / ext4 defaults 1 1
$(uuid rhel6 2) swap swap defaults 0 0"
        text rhel6 1 boot/grub/grub.conf | grep root= | same rhel6 grub.conf \
                "#          kernel /vmlinuz-version ro root=/dev/sda1
	kernel /boot/vmlinuz-$v ro root=$(uuid rhel6 1) rd_NO_LUKS quiet"
        text rhel6 1 boot/grub/device.map | same rhel6 device.map ""
        text rhel6 1 etc/udev/rules.d/70-persistent-net.rules | head -n1 | same rhel6 "the udev rule" "$rule"
        text rhel6 1 etc/rc.d/rc3.d/S03vmware-tools | same rhel6 "the service of VMware" ""
        text rhel6 1 boot/initramfs-$v.img | drivers rhel6 lib/modules $v
fi

# --- SLES 11: GRUB legacy, names by-id, a separate /boot, mkinitrd --------------------------------------

if want sles11; then
        distribution sles11 sles 11.4
        rm "$d/sles11/etc/os-release"
        put sles11 etc/SuSE-release <<EOF
SUSE Linux Enterprise Server 11 (x86_64)
VERSION = 11
PATCHLEVEL = 4
EOF
        v=3.0.101-63-default disk=/dev/disk/by-id/scsi-36000c29aabbccddeeff00112233445566
        mkdir "$d/sles11.boot"
        kernel sles11 $v ../sles11.boot/initrd-$v lib/modules gzip -n
        put sles11 etc/fstab <<EOF
$disk-part2 / ext3 acl,user_xattr 1 1
$disk-part1 /boot ext3 acl 1 2
$disk-part3 swap swap defaults 0 0
EOF
        put sles11.boot grub/menu.lst <<EOF
default 0
title SUSE Linux Enterprise Server 11 SP4 - $v
    root (hd0,0)
    kernel /vmlinuz-$v root=$disk-part2 resume=$disk-part3 splash=silent showopts
    initrd /initrd-$v
EOF
        put sles11.boot grub/device.map <<<"(hd0)	$disk"
        put sles11 etc/sysconfig/kernel <<<'INITRD_MODULES="mptspi ata_piix processor"'
        put sles11 etc/sysconfig/bootloader <<<"DEFAULT_APPEND=\"resume=$disk-part3 splash=silent\""
        put sles11 etc/sysconfig/network/ifcfg-eth0 <<EOF
BOOTPROTO='static'
IPADDR='10.0.2.15/24'
STARTMODE='auto'
EOF
        rule='SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:50:56:aa:bb:01", KERNEL=="eth*", NAME="eth0"'
        put sles11 etc/udev/rules.d/70-persistent-net.rules <<<"$rule"
        disk sles11 dos "100 83 sles11.boot" "200 83 sles11" "40 82"
        run sles11 '"operations": "auto"' sles11
        fixed sles11 sles
        text sles11 2 etc/fstab | same sles11 fstab "$(uuid sles11 2) / ext3 acl,user_xattr 1 1
$(uuid sles11 1) /boot ext3 acl 1 2
$(uuid sles11 3) swap swap defaults 0 0"
        text sles11 1 grub/menu.lst | grep root= | same sles11 menu.lst \
                "    kernel /vmlinuz-$v root=$(uuid sles11 2) resume=$(uuid sles11 3) splash=silent showopts"
        text sles11 1 grub/device.map | same sles11 device.map ""
        text sles11 2 etc/sysconfig/kernel | same sles11 sysconfig/kernel \
                'INITRD_MODULES="mptspi ata_piix processor virtio_pci virtio_blk virtio_scsi sd_mod"'
        text sles11 2 etc/sysconfig/bootloader | same sles11 sysconfig/bootloader \
                "DEFAULT_APPEND=\"resume=$(uuid sles11 3) splash=silent\""
        text sles11 1 initrd-$v | drivers sles11 lib/modules $v
fi

# --- Arch: systemd-boot on an ESP that fstab does not name, mkinitcpio, systemd-networkd -----------------

if want arch; then
        distribution arch arch rolling
        v=6.6.8-arch1-1
        mkdir -p "$d/arch/usr/lib/systemd/system" "$d/arch.esp"
        kernel arch $v ../arch.esp/initramfs-linux.img usr/lib/modules zstd -q
        put arch lib/modules/$v/pkgbase <<<linux
        put arch etc/fstab <<<'/dev/sda2 / ext4 rw,relatime 0 1'
        put arch etc/mkinitcpio.conf <<EOF
MODULES=(vmw_pvscsi)
HOOKS=(base udev autodetect modconf block filesystems)
EOF
        put arch etc/systemd/network/20-wired.network <<EOF
[Match]
Name=ens192

[Network]
Address=10.0.2.15/24
EOF
        put arch.esp loader/entries/arch.conf <<EOF
title Arch Linux
linux /vmlinuz-linux
initrd /initramfs-linux.img
options root=/dev/sda2 rw
EOF
        put arch.esp EFI/systemd/systemd-bootx64.efi <<<systemd-boot
        disk arch gpt "100 uefi arch.esp" "250 linux arch"
        run arch '"operations": "auto"' arch
        fixed arch archlinux
        text arch 2 etc/fstab | same arch fstab "$(uuid arch 2) / ext4 rw,relatime 0 1"
        esp_text arch 1 loader/entries/arch.conf | grep root= |
                same arch "the entry" "options root=$(uuid arch 2) rw"
        esp_text arch 1 EFI/BOOT/BOOTX64.EFI | same arch "the loader that the firmware starts" systemd-boot
        text arch 2 etc/mkinitcpio.conf | head -n1 | same arch mkinitcpio.conf \
                "MODULES=(vmw_pvscsi virtio_pci virtio_blk virtio_scsi sd_mod)"
        link arch 2 ens192
        esp_text arch 1 initramfs-linux.img | drivers arch usr/lib/modules $v
fi

# --- Debian with extlinux -------------------------------------------------------------------------------

if want extlinux; then
        distribution extlinux debian 12
        v=6.1.0-1-amd64
        mkdir -p "$d/extlinux/usr/lib/systemd/system"
        kernel extlinux $v boot/initrd.img-$v usr/lib/modules zstd -q
        put extlinux etc/fstab <<<'/dev/sda1 / ext4 errors=remount-ro 0 1'
        put extlinux boot/extlinux/extlinux.conf <<EOF
default linux
label linux
	linux /boot/vmlinuz
	append initrd=/boot/initrd.img root=/dev/sda1 ro quiet
EOF
        put extlinux etc/default/extlinux <<<'EXTLINUX_ROOT="root=/dev/sda1"'
        put extlinux etc/initramfs-tools/modules <<<'# none'
        put extlinux etc/network/interfaces <<EOF
auto ens192
iface ens192 inet dhcp
EOF
        put extlinux etc/crypttab <<<'swap /dev/sda2 /dev/urandom swap'
        disk extlinux dos "300 83 extlinux" "40 82 random"
        run extlinux '"operations": "auto"' extlinux
        fixed extlinux debian
        text extlinux 1 boot/extlinux/extlinux.conf | grep root= | same extlinux extlinux.conf \
                "	append initrd=/boot/initrd.img root=$(uuid extlinux 1) ro quiet"
        id=$(sfdisk -q --disk-id "$d/extlinux.img" | sed s/0x//)
        text extlinux 1 etc/crypttab | same extlinux crypttab "swap PARTUUID=$id-02 /dev/urandom swap"
        text extlinux 1 etc/default/extlinux | same extlinux default/extlinux "EXTLINUX_ROOT=\"root=$(uuid extlinux 1)\""
        link extlinux 1 ens192
        text extlinux 1 boot/initrd.img-$v | drivers extlinux usr/lib/modules $v
fi
exit "$failed"
