# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the scripts that make guests have in common. They run as root, with loop devices, and need neither
# device-mapper nor vfat of the kernel: logical volumes are written at their offset, the ESP with mtools, LUKS
# with qemu-img. All mounts are in a separate mount namespace.
# BASE names the archive that base.sh has made.

# shellcheck disable=SC2034 # uuid and patience are for the scripts

set -euo pipefail
[ -n "${IN_NS:-}" ] ||
        IN_NS=1 exec unshare -m --propagation unchanged \
                sh -c 'mount --make-rprivate / 2>/dev/null; exec "$@"' sh "$0" "$@"

# An option of fstab: systemd 252 waits for a device for 90 s otherwise.
patience=x-systemd.device-timeout=30min
loops=()
tidy() {
        umount -R "$m" 2>/dev/null || :
        for l in "${loops[@]}"; do losetup -d "$l" 2>/dev/null || :; done
        rm -rf "$w"
}
w=$(mktemp -d)
m=$w/m
mkdir "$m"
trap tidy EXIT

# partitions DISK dos|gpt "START SIZE TYPE"…: in MiB, a type as sfdisk knows it
partitions() {
        local disk=$1 label=$2 start size type
        shift 2
        {
                echo "label: $label"
                for p; do
                        read -r start size type <<<"$p"
                        echo "start=${start}MiB, size=${size}MiB, type=$type${boot:+, bootable}"
                done
        } | sfdisk -q "$disk"
}

# loop DISK OFFSET SIZE: set ret to a loop device on these bytes
loop() {
        ret=$(losetup -f --show -o "$2" --sizelimit "$3" "$1")
        loops+=("$ret")
}

# make_fs TYPE DEVICE: set uuid to that of the new file system
make_fs() {
        "mkfs.$1" -q "$2"
        uuid=$(blkid -p -s UUID -o value "$2")
}

unpack() { tar -C "$m" --numeric-owner -xpf "${BASE:?}"; }

# grub_name TYPE: the module of GRUB for a file system
grub_name() { case $1 in ext4) echo ext2 ;; *) echo "$1" ;; esac; }

# grub_cfg ROOT-DEVICE BOOT-DRIVE BOOT-UUID ABSTRACTION MODULE BOOT-DEVICE PARTMAP: grub.cfg as grub-mkconfig
# of the guest writes it on VMware. grub-probe is replaced, since these devices do not exist here.
grub_cfg() {
        mkdir -p "$m/boot/grub"
        cat >"$w/probe" <<EOF
#!/bin/sh
for a; do
        case \$a in
                --target=*) t=\${a#--target=} ;;
                -t) next=1 ;;
                *) [ -z "\${next:-}" ] || { t=\$a; next=; } ;;
        esac
        last=\$a
done
case \$t in
        device) case \$last in /boot*) echo $6 ;; *) echo $1 ;; esac ;;
        fs) echo $5 ;;
        fs_uuid) echo $3 ;;
        partmap) echo $7 ;;
        abstraction) echo "$4" ;;
        drive) echo "($2)" ;;
        compatibility_hint | hints_string | bios_hints | baremetal_hints) echo $2 ;;
esac
EOF
        chmod +x "$w/probe"
        mount --bind "$w/probe" "$m/usr/sbin/grub-probe"
        mount -t proc proc "$m/proc"
        mount --bind /dev "$m/dev"
        echo 'GRUB_DISABLE_LINUX_UUID=true' >>"$m/etc/default/grub"
        chroot "$m" grub-mkconfig -o /boot/grub/grub.cfg 2>"$w/log" || { cat "$w/log" >&2; return 1; }
        umount "$m/dev" "$m/proc" "$m/usr/sbin/grub-probe"
}

# grub_bios DISK PREFIX MODULE…: boot.img looks for core.img in sector 1
grub_bios() {
        local disk=$1 prefix=$2
        shift 2
        mkdir -p "$m/boot/grub/i386-pc"
        cp "$m"/usr/lib/grub/i386-pc/*.{mod,lst} "$m/boot/grub/i386-pc/"
        chroot "$m" grub-mkimage -O i386-pc -p "$prefix" -o /boot/grub/i386-pc/core.img biosdisk serial "$@"
        dd if="$m/usr/lib/grub/i386-pc/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
        dd if="$m/boot/grub/i386-pc/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
}

# network: a fixed address on the name that follows from slot 192 of VMware, in the configuration that is
# installed
network() {
        if [ -x "$m/usr/sbin/netplan" ]; then
                cat >"$m/etc/netplan/50-installer.yaml" <<'EOF'
network:
  version: 2
  renderer: networkd
  ethernets:
    ens192:
      addresses: [10.0.2.15/24]
      routes: [{to: default, via: 10.0.2.2}]
EOF
                chmod 600 "$m/etc/netplan/50-installer.yaml"
                chroot "$m" systemctl -q enable systemd-networkd.service
        elif [ -x "$m/usr/sbin/NetworkManager" ]; then
                cat >"$m/etc/NetworkManager/system-connections/ens192.nmconnection" <<'EOF'
[connection]
id=ens192
type=ethernet
interface-name=ens192

[ipv4]
method=manual
address1=10.0.2.15/24,10.0.2.2
EOF
                chmod 600 "$m/etc/NetworkManager/system-connections/ens192.nmconnection"
        else
                cat >"$m/etc/network/interfaces" <<'EOF'
auto lo
iface lo inet loopback
auto ens192
iface ens192 inet static
        address 10.0.2.15/24
        gateway 10.0.2.2
EOF
        fi
}
