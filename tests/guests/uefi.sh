#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# uefi.sh IMAGE [ext4|xfs|btrfs]: UEFI, GPT; the ESP has \EFI\debian\grubx64.efi only, which an entry in the
# NVRAM of ESXi starts

# shellcheck source=tests/guests/lib.sh
. "$(dirname "$0")/lib.sh"
out=$1 fs=${2:-ext4}
rm -f "$out"
truncate -s 2200M "$out"
partitions "$out" gpt "1 100 uefi" "101 2090 linux"
loop "$out" $((101 << 20)) $((2090 << 20))
make_fs "$fs" "$ret"
mount "$ret" "$m"
unpack
printf '/dev/sda2 / %s defaults 0 1\n/dev/sda1 /boot/efi vfat umask=0077,%s 0 1\n' "$fs" "$patience" \
        >"$m/etc/fstab"
mkdir -p "$m/boot/efi"
network
module=$(grub_name "$fs")
grub_cfg /dev/sda2 hd0,gpt2 "$uuid" '' "$module" /dev/sda2 gpt
mkdir -p "$m/boot/grub/x86_64-efi"
cp "$m"/usr/lib/grub/x86_64-efi/*.{mod,lst} "$m/boot/grub/x86_64-efi/"
# shellcheck disable=SC2016 # GRUB expands them
printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n' "$uuid" >"$m/tmp/esp.cfg"
chroot "$m" grub-mkimage -O x86_64-efi -p /EFI/debian -c /tmp/esp.cfg -o /tmp/grubx64.efi part_gpt "$module" fat \
        normal configfile search search_fs_uuid linux serial echo test gzio all_video
mv "$m"/tmp/{esp.cfg,grubx64.efi} "$w/"
umount "$m"
loop "$out" $((1 << 20)) $((100 << 20))
mkfs.vfat -F 32 -n ESP "$ret" >/dev/null
mmd -i "$ret" ::EFI ::EFI/debian
mcopy -i "$ret" "$w/grubx64.efi" ::EFI/debian/grubx64.efi
mcopy -i "$ret" "$w/esp.cfg" ::EFI/debian/grub.cfg
sync "$out"
