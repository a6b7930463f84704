#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bios.sh IMAGE [ext4|xfs|btrfs]: BIOS, MBR, one root and swap; fstab has /dev/sda1 and /dev/sda2; a udev rule
# for vmxnet3. With SELinux in the base, all files are labeled.

# shellcheck source=tests/guests/lib.sh
. "$(dirname "$0")/lib.sh"
out=$1 fs=${2:-ext4}
rm -f "$out"
truncate -s 2G "$out"
boot=1 partitions "$out" dos "1 1790 83" "1791 200 82"
loop "$out" $((1791 << 20)) $((200 << 20))
mkswap -q "$ret"
loop "$out" $((1 << 20)) $((1790 << 20))
make_fs "$fs" "$ret"
mount "$ret" "$m"
unpack
printf '/dev/sda1 / %s defaults 0 1\n/dev/sda2 none swap sw,%s 0 0\n' "$fs" "$patience" >"$m/etc/fstab"
network
printf 'SUBSYSTEM=="net", %s, NAME="ens192"\n' 'DRIVERS=="vmxnet3", ATTR{address}=="00:50:56:aa:bb:01"' \
        >"$m/etc/udev/rules.d/70-persistent-net.rules"
grub_cfg /dev/sda1 hd0,msdos1 "$uuid" '' "$(grub_name "$fs")" /dev/sda1 msdos
grub_bios "$out" '(hd0,msdos1)/boot/grub' part_msdos "$(grub_name "$fs")"
if [ -e "$m/usr/sbin/setfiles" ]; then
        mount -t proc proc "$m/proc"
        chroot "$m" setfiles -F /etc/selinux/default/contexts/files/file_contexts /
        umount "$m/proc"
fi
umount "$m"
