#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lvm.sh IMAGE [ext4|xfs|btrfs]: BIOS, /boot on /dev/sda1, root and swap in LVM on /dev/sda2. LVM has a
# devices file with the ID of a disk of VMware.

# shellcheck source=tests/guests/lib.sh
. "$(dirname "$0")/lib.sh"
out=$1 fs=${2:-ext4}
rm -f "$out"
truncate -s 3G "$out"
boot=1 partitions "$out" dos "1 400 83" "401 2600 8e"
loop "$out" $((401 << 20)) $((2600 << 20))
pv=$ret
config="devices{scan_lvs=0 use_devicesfile=0 filter=[\"a|^$pv\$|\",\"r|.*|\"]}"
config+=" global{use_lvmlockd=0} activation{monitoring=0 udev_sync=0}"
L() { LVM_SUPPRESS_FD_WARNINGS=1 lvm "$1" --driverloaded n --config "$config" -qq "${@:2}" 2>>"$w/lvm.log"; }
L pvcreate "$pv" >/dev/null
L vgcreate vg0 "$pv" >/dev/null
L lvcreate -an -Zn -Wn -n root -L 2000M vg0 >/dev/null
L lvcreate -an -Zn -Wn -n swap -L 128M vg0 >/dev/null
at() {
        L pvs --noheadings --units b --nosuffix --segments \
                -o pe_start,vg_extent_size,pvseg_start,lv_name "$pv" |
                awk -v n="$1" '$4 == n { print $1 + $2 * $3 }'
}
loop "$out" $(((401 << 20) + $(at swap))) $((128 << 20))
mkswap -q "$ret"
loop "$out" $(((401 << 20) + $(at root))) $((2000 << 20))
make_fs "$fs" "$ret"
mount "$ret" "$m"
loop "$out" $((1 << 20)) $((400 << 20))
make_fs ext4 "$ret"
mkdir "$m/boot"
mount "$ret" "$m/boot"
unpack
cat >"$m/etc/fstab" <<EOF
/dev/mapper/vg0-root / $fs defaults 0 1
/dev/sda1 /boot ext4 defaults,$patience 0 2
/dev/mapper/vg0-swap none swap sw,$patience 0 0
EOF
network
mkdir -p "$m/etc/lvm/devices"
pvid=$(L pvs --noheadings -o pv_uuid "$pv" | tr -d ' -')
cat >"$m/etc/lvm/devices/system.devices" <<EOF
VERSION=1.1.1
IDTYPE=sys_wwid IDNAME=naa.6000c29aabbccddeeff00112233445566 DEVNAME=/dev/sda2 PVID=$pvid PART=2
EOF
printf 'devices {\n\tuse_devicesfile = 1\n}\n' >"$m/etc/lvm/lvmlocal.conf"
grub_cfg /dev/mapper/vg0-root hd0,msdos1 "$uuid" lvm ext2 /dev/sda1 msdos
grub_bios "$out" '(hd0,msdos1)/grub' part_msdos ext2
umount -R "$m"
