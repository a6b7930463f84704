#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# base.sh FILE.tar [PACKAGE…]: the Debian 12 that guests of one kind consist of, in about a minute. It is like
# a guest of VMware: the full kernel (with pvscsi, mptspi, vmxnet3), an initramfs without drivers of virtio,
# open-vm-tools, GRUB for BIOS and UEFI, a serial console, and root without a password. With the package
# dracut, that makes the initramfs; with selinux-policy-default, SELinux is on.

set -euo pipefail

out=$1
shift
[ ! -e "$out" ] || exit 0
include=systemd-sysv,udev,dbus,kmod,linux-image-amd64,zstd,iproute2,iputils-ping,lvm2,xfsprogs,btrfs-progs
include+=,e2fsprogs,grub-pc-bin,grub-efi-amd64-bin,grub2-common,open-vm-tools
packages=" $* "
[[ $packages = *" dracut "* ]] || include+=,initramfs-tools
[[ $packages = *netplan* || $packages = *network-manager* ]] || include+=,ifupdown
for package; do include+=,$package; done
# Files that no test needs
excluded=()
kernel='/lib/modules/*/kernel'
for path in /usr/share/{man,locale,doc} "$kernel"/{sound,net/bluetooth,fs/ocfs2,fs/ceph,fs/nfs} \
        "$kernel"/drivers/{gpu,media,staging,infiniband,isdn,bluetooth,usb,iio,hwmon,platform,mtd,edac} \
        "$kernel"/drivers/{video,leds,power,nfc,thunderbolt,net/wireless,net/ethernet}; do
        excluded+=(--dpkgopt="path-exclude=$path/*")
done
# shellcheck disable=SC2016 # mmdebstrap expands $1
mmdebstrap -q --format=tar --variant=minbase "${excluded[@]}" --aptopt='Acquire::Languages "none"' \
        --include="$include" \
        --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"
                cd "$1/etc/initramfs-tools"
                printf "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\nRESUME=none\n" >conf.d/vmware
                printf "%s\n" ext4 xfs btrfs sd_mod vmw_pvscsi mptspi dm_mod >modules' \
        --customize-hook="$(dirname "$(readlink -f "$0")")/customize.sh" bookworm "$out.new"
mv "$out.new" "$out"
