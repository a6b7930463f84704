#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# machine: guest
# timeout: 900
# weight: 1.3
# slow: two guests and the appliance start under emulation
#
# A guest of VMware, whose initramfs has no drivers of virtio and whose files name /dev/sda1, does not find its
# root on KVM. With parameters.fix it does. The appliance and the guest run under emulation.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

kernel=$(ls /lib/modules)
modules=/usr/lib/modules/$kernel

# --- a small guest: the kernel of this machine, busybox, and configuration files ---

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
mount -t ext4 -o ro "$root" /mnt && echo "guest-booted $root $(head -n1 /mnt/etc/fstab)" || echo "guest-lost $root"
poweroff -f
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
echo '/dev/sda1 / ext4 errors=remount-ro 0 1' >"$dir/root/etc/fstab"
printf 'linux /boot/vmlinuz-%s root=/dev/sda1 ro console=ttyS0\n' "$kernel" >"$dir/root/boot/grub/grub.cfg"
printf 'auto ens192\niface ens192 inet dhcp\n' >"$dir/root/etc/network/interfaces"
echo 'SUBSYSTEM=="net", DRIVERS=="vmxnet3", ATTR{address}=="00:50:56:aa:bb:01", NAME="ens192"' \
        >"$dir/root/etc/udev/rules.d/70-persistent-net.rules"
: >"$dir/root/etc/initramfs-tools/modules"
truncate -s 200M "$dir/guest.img"
echo 'start=1MiB, type=83, bootable' | sfdisk -q --label dos "$dir/guest.img"
mkfs.ext4 -q -d "$dir/root" -E offset=1048576 "$dir/guest.img" 198M

# boot IMAGE: what the guest says on its console
boot() {
        local files=$dir/boot
        mkdir -p "$files"
        for file in "boot/vmlinuz-$kernel" "boot/initrd.img-$kernel" boot/grub/grub.cfg; do
                debugfs -R "dump /$file $files/${file##*/}" "$1?offset=1048576" 2>/dev/null
        done
        timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 512 -display none -monitor none -serial stdio \
                -no-reboot -nic none -kernel "$files/vmlinuz-$kernel" -initrd "$files/initrd.img-$kernel" \
                -append "$(sed -n 's/^linux [^ ]* //p' "$files/grub.cfg") panic=-1 quiet no_timer_check" \
                -drive "file=$1,format=raw,if=virtio,snapshot=on" | tr -d '\r' | grep -o 'guest-.*' || :
}

equal "$(boot "$dir/guest.img")" "guest-lost /dev/sda1" "the guest as it came"

# --- the job ---

job=$(submit "$(spec "$dir/guest.img" "$dir/new.img" \
        '.destination.format = "raw" | .parameters.fix = "auto" | .parameters.verify = true')")
wait_state "$job" COMPLETED 600
exists "$dir/new.img"
missing "$dir/.new.img.hyper-part"
uuid=$(debugfs -R 'show_super_stats -h' "$dir/new.img?offset=1048576" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p')
guest=$(curl -sf "$worker/jobs/$job" | jq -c .result.guest)
equal "$(jq -r .os.hostname <<<"$guest")" esx-guest "the host name that was found"
equal "$(jq -r .firmware <<<"$guest")" bios "the firmware"
equal "$(jq -r .virtio <<<"$guest")" true "the drivers of virtio"
contains "$(jq -c '.changes[] | select(.file == "/etc/fstab")' <<<"$guest")" "\"to\":\"UUID=$uuid\"" "the change of fstab"
contains "$(jq -c '.changes[] | .file' <<<"$guest")" 10-hyper-ens192.link "the name of the network interface"
equal "$(boot "$dir/new.img")" "guest-booted /dev/vda1 UUID=$uuid / ext4 errors=remount-ro 0 1" "the fixed guest"
# The source is as it was.
equal "$(boot "$dir/guest.img")" "guest-lost /dev/sda1" "the source after the job"

# --- a disk without an operating system ---

truncate -s 8M "$dir/empty.img"
job=$(submit "$(spec "$dir/empty.img" "$dir/empty-2.img" '.destination.format = "raw" | .parameters.fix = ["fs_repair"]')")
wait_state "$job" FAILED 600
contains "$(hyperctl status "$job")" "No operating system was found" "the reason"
missing "$dir/empty-2.img"
