#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# customize.sh ROOT: what base.sh configures in the installed system.

set -euo pipefail

root=$1
chroot "$root" passwd -qd root
echo esx-guest >"$root/etc/hostname"
mkdir -p "$root/etc/systemd/system/getty.target.wants" "$root/etc/systemd/system.conf.d" "$root/etc/default"
ln -sf /lib/systemd/system/serial-getty@.service \
        "$root/etc/systemd/system/getty.target.wants/serial-getty@ttyS0.service"
rm -f "$root"/etc/systemd/system/timers.target.wants/*
# A guest under emulation may be slow, and its timer may be.
printf '[Manager]\nDefaultTimeoutStartSec=30min\n' >"$root/etc/systemd/system.conf.d/slow.conf"
cat >"$root/etc/default/grub" <<'EOF'
GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0,115200 no_timer_check"
GRUB_TERMINAL="serial"
GRUB_DISABLE_OS_PROBER=true
EOF
# It is on if the package is there, and its messages would follow the prompt of the login.
if [ -d "$root/etc/selinux/default" ]; then
        printf 'SELINUX=permissive\nSELINUXTYPE=default\n' >"$root/etc/selinux/config"
        sed -i 's/^GRUB_CMDLINE_LINUX="/&security=selinux selinux=1 loglevel=4 /' "$root/etc/default/grub"
fi
kernel=$(ls "$root/lib/modules")
if [ -x "$root/usr/bin/dracut" ]; then
        cat >"$root/etc/dracut.conf.d/vmware.conf" <<'EOF'
hostonly=no
no_hostonly_commandline=yes
omit_drivers+=" virtio virtio_blk virtio_scsi virtio_pci virtio_net "
add_drivers+=" vmw_pvscsi sd_mod ext4 xfs btrfs dm_mod "
compress=zstd
EOF
        chroot "$root" dracut -q -f "/boot/initrd.img-$kernel" "$kernel"
        rm "$root/etc/dracut.conf.d/vmware.conf"
else
        chroot "$root" update-initramfs -u
fi
