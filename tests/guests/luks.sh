#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# luks.sh IMAGE: BIOS, /boot on /dev/sda1, root in LUKS on /dev/sda2 with the passphrase "hyper". The base has
# the package cryptsetup-initramfs.

# shellcheck source=tests/guests/lib.sh
. "$(dirname "$0")/lib.sh"
out=$1
rm -f "$out"
truncate -s 2500M "$out"
boot=1 partitions "$out" dos "1 400 83" "401 2090 83"
truncate -s 2000M "$w/root.img"
loop "$w/root.img" 0 $((2000 << 20))
make_fs ext4 "$ret"
mount "$ret" "$m"
loop "$out" $((1 << 20)) $((400 << 20))
make_fs ext4 "$ret"
mkdir "$m/boot"
mount "$ret" "$m/boot"
unpack
printf '/dev/mapper/root / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults,%s 0 2\n' "$patience" \
        >"$m/etc/fstab"
luks=4b2f0c1e-6a3d-4c55-9a40-0c3f7d1e2a90
printf 'root UUID=%s none luks,initramfs\n' "$luks" >"$m/etc/crypttab"
printf 'dm_crypt\naes\nxts\necb\naesni_intel\nsha256\nsha1\n' >>"$m/etc/initramfs-tools/modules"
echo 'CRYPTSETUP=y' >>"$m/etc/cryptsetup-initramfs/conf-hook"
network
mount -t proc proc "$m/proc"
chroot "$m" update-initramfs -u
umount "$m/proc"
grub_cfg /dev/mapper/root hd0,msdos1 "$uuid" '' ext2 /dev/sda1 msdos
grub_bios "$out" '(hd0,msdos1)/grub' part_msdos ext2
umount -R "$m"
qemu-img convert -q -f raw -O luks --object secret,id=key,data=hyper -o key-secret=key,iter-time=100 \
        "$w/root.img" "$w/root.luks"
loop "$out" $((401 << 20)) $((2090 << 20))
dd if="$w/root.luks" of="$ret" bs=1M conv=notrunc,sparse status=none
cryptsetup -q luksUUID --uuid "$luks" "$ret"
