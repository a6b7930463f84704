# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests that need a guest ("# machine: guest"), to be sourced after lib.sh.

# shellcheck disable=SC2034,SC2154 # the variables are for those who source this, or lib.sh's

# The command line of an appliance's qemu
appliance='^/usr/bin/qemu-system-x86_64 .*guestfs'
appliance_runs() { pgrep -f "$appliance" >/dev/null; }

# guest_of_vmware: makes $dir/guest.img, a small guest of the kernel of this machine, busybox, GRUB, and
# configuration files. It says on its console whether it has found its root, once it is read. Sets kernel and
# modules.
guest_of_vmware() {
        local module file
        kernel=$(ls /lib/modules)
        modules=/usr/lib/modules/$kernel

        mkdir -p "$dir/initramfs"/{bin,proc,sys,dev,mnt} "$dir/root"/{boot/grub,dev,proc,sys,sbin,bin} \
                "$dir/root/etc"/{network,udev/rules.d,initramfs-tools} "$dir/root/lib/systemd/system" \
                "$dir/root/lib/modules/$kernel" "$dir/root/usr/bin" "$dir/root/var/lib/dpkg"
        cp /bin/busybox "$dir/initramfs/bin/busybox"
        mkdir -p "$dir/initramfs/usr/lib/modules/$kernel/kernel"
        ln -s usr/lib "$dir/initramfs/lib"
        touch "$dir/initramfs/usr/lib/modules/$kernel/modules.dep"
        # ext4 and what it needs, from the kernel's package
        for module in ext4 crc32c_generic; do
                for file in $(modprobe -S "$kernel" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'); do
                        mkdir -p "$dir/initramfs/usr/$(dirname "${file#/usr/}" | sed 's|^/||')"
                        cp "$file" "$dir/initramfs/usr/lib/modules/$kernel/kernel/"
                done
        done
        cat >"$dir/initramfs/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in virtio_pci virtio_blk; do modprobe $m; done
for f in jbd2 mbcache crc16 crc32c_generic ext4; do insmod /lib/modules/*/kernel/$f.ko; done 2>/dev/null
root=$(sed 's/.*root=\([^ ]*\).*/\1/' /proc/cmdline)
case $root in UUID=*) root=$(findfs "$root") ;; esac
i=0; until [ -b "$root" ] || [ $i = 10 ]; do sleep 0.2; i=$((i + 1)); done
said="guest-lost $root"
mount -t ext4 -o ro "$root" /mnt && said="guest-booted $root $(head -n1 /mnt/etc/fstab)"
# until it is read
while :; do echo "$said"; sleep 1; done
EOF
        chmod +x "$dir/initramfs/init"
        (cd "$dir/initramfs" && find . | cpio --quiet -o -H newc | zstd -q) >"$dir/root/boot/initrd.img-$kernel"
        cp "/boot/vmlinuz-$kernel" "$dir/root/boot/"
        cp "$modules"/modules.* "$dir/root/lib/modules/$kernel/"
        (cd "$modules" && find kernel/drivers -name 'virtio*.ko' -o -name sd_mod.ko -o -name scsi_mod.ko \
                -o -name scsi_common.ko -o -name t10-pi.ko -o -name 'crc*t10*.ko' | cpio --quiet -pd "$dir/root/lib/modules/$kernel")
        cp /etc/os-release /etc/debian_version "$dir/root/etc/"
        cp /bin/busybox "$dir/root/bin/sh"
        echo esx-guest >"$dir/root/etc/hostname"
        echo welcome >"$dir/root/etc/motd"
        echo '/dev/sda1 / ext4 errors=remount-ro 0 1' >"$dir/root/etc/fstab"
        cat >"$dir/root/boot/grub/grub.cfg" <<EOF
set root=(hd0,msdos1)
linux /boot/vmlinuz-$kernel root=/dev/sda1 ro console=ttyS0 quiet no_timer_check
initrd /boot/initrd.img-$kernel
boot
EOF
        printf 'auto ens192\niface ens192 inet dhcp\n' >"$dir/root/etc/network/interfaces"
        echo 'SUBSYSTEM=="net", DRIVERS=="vmxnet3", ATTR{address}=="00:50:56:00:00:99", NAME="ens192"' \
                >"$dir/root/etc/udev/rules.d/70-persistent-net.rules"
        : >"$dir/root/etc/initramfs-tools/modules"
        grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$dir/core.img" biosdisk part_msdos ext2 normal linux
        truncate -s 200M "$dir/guest.img"
        echo 'start=1MiB, type=83, bootable' | sfdisk -q --label dos "$dir/guest.img"
        mkfs.ext4 -q -d "$dir/root" -E offset=1048576 "$dir/guest.img" 198M
        # boot.img looks for core.img in sector 1.
        dd if=/usr/lib/grub/i386-pc/boot.img of="$dir/guest.img" bs=440 count=1 conv=notrunc status=none
        dd if="$dir/core.img" of="$dir/guest.img" bs=512 seek=1 conv=notrunc status=none
}
