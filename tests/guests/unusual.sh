#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unusual.sh HYPER-GUEST APPLIANCE [CASE…]: guests that cannot be fixed, or only with care. Each ends with the
# result or the error that is expected. They are small trees in file systems without partitions: nothing is
# started but the appliance, once for each case.

set -euo pipefail

program=$(readlink -f "$1") appliance=$(readlink -f "$2")
shift 2
wanted=" $* "
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
failed=0

# tree DIRECTORY KERNELS: a root with so many kernels, whose initramfs has no drivers of virtio
tree() {
        local t=$1 i v
        mkdir -p "$t"/{etc,bin,dev,boot,lib/modules,usr,var,tmp}
        cp /etc/os-release "$t/etc/"
        echo unusual >"$t/etc/hostname"
        echo '/dev/sda / ext4 defaults 0 1' >"$t/etc/fstab"
        mkdir -p "$d/initramfs/lib/modules/x"
        : >"$d/initramfs/lib/modules/x/dummy.ko"
        for ((i = 1; i <= $2; i++)); do
                v=6.1.0-$i-amd64
                mkdir -p "$t/lib/modules/$v/kernel"
                (cd "$d/initramfs" && find . | cpio -o -H newc --quiet) >"$t/boot/initrd.img-$v"
                : >"$t/lib/modules/$v/modules.builtin"
                for m in virtio_pci virtio_blk virtio_scsi sd_mod; do
                        head -c 20000 /dev/urandom >"$t/lib/modules/$v/kernel/$m.ko"
                        echo "kernel/$m.ko:"
                done >"$t/lib/modules/$v/modules.dep"
        done
}

# image NAME SIZE: NAME.img from the tree NAME
image() {
        mkfs.ext4 -q -F -d "$d/$1" "$d/$1.img" "$2" >/dev/null
}

# run NAME ORDERS DISK…: the last event is in NAME.last
run() {
        local name=$1 orders=$2 disks='' i
        shift 2
        for i; do disks+="${disks:+, }{\"path\": \"$d/$i.img\", \"format\": \"raw\"}"; done
        mkdir -p "$d/$name.tmp"
        printf '{"disks": [%s], "appliance": "%s", "runtime": "%s/%s.tmp", %s}' "$disks" "$appliance" "$d" "$name" \
                "$orders" >"$d/$name.orders"
        timeout 1800 "$program" 3<"$d/$name.orders" >"$d/$name.events" 2>"$d/$name.log" || :
        rm -rf "$d/$name.tmp"
        tail -n1 "$d/$name.events" >"$d/$name.last"
}

# check NAME JQ-FILTER: the filter is true for the last event
check() {
        if jq -e "$2" "$d/$1.last" >/dev/null; then
                echo "ok $1"
        else
                echo "FAILED $1: $(head -c 1500 "$d/$1.last")"
                tail -n3 "$d/$1.log"
                failed=1
        fi
}

want() { [ "$wanted" = "  " ] || [[ $wanted = *" $1 "* ]]; }
warned() { echo "(.guest.warnings | map(select(.message | test(\"$1\"))) | length) > 0"; }

if want two-roots; then
        for name in first second; do
                tree "$d/$name" 1
                image "$name" 24M
        done
        run two-roots '"operations": "auto"' first second
        check two-roots '.code == "ambiguous_root" and (.message | contains("/dev/sda, /dev/sdb"))'
fi
if want many-kernels; then
        tree "$d/many" 200
        image many 500M
        run many-kernels '"operations": "auto"' many
        check many-kernels "(.guest.kernels | length) == 32 and .guest.kernels[0].version == \"6.1.0-200-amd64\" and
                ([.guest.kernels[].missing[]] | length) == 0 and $(warned '168 older ones was not')"
fi
if want long-fstab; then
        tree "$d/long" 1
        for ((i = 0; i < 200000; i++)); do
                echo "/dev/sda9 /srv/directory-of-a-very-long-fstab-$i ext4 defaults 0 0"
        done >>"$d/long/etc/fstab"
        image long 100M
        run long-fstab '"operations": "auto"' long
        check long-fstab '.code == "guest_inspection_failed" and
                (.message | contains("/etc/fstab in the file system"))'
fi
if want full-boot; then
        tree "$d/full" 1
        image full 24M
        debugfs -w -R "write /dev/null x" "$d/full.img" 2>/dev/null
        blocks=$(dumpe2fs -h "$d/full.img" 2>/dev/null | sed -n 's/^Free blocks: *//p')
        size=$(dumpe2fs -h "$d/full.img" 2>/dev/null | sed -n 's/^Block size: *//p')
        head -c $(((blocks - 12) * size)) /dev/urandom >"$d/full/ballast"
        rm "$d/full.img"
        mkfs.ext4 -q -m 0 -d "$d/full" "$d/full.img" 24M
        run full-boot '"operations": ["initramfs_regenerate"]' full
        check full-boot '.code == "no_space_in_guest"'
fi
if want read-only; then
        tree "$d/ro" 1
        image ro 24M
        tune2fs -O read-only "$d/ro.img" >/dev/null
        run read-only '"operations": ["offline_fix"]' ro
        check read-only '.code == "guest_read_only" or .code == "guest_file_system_damaged"'
fi
if want luks || want luks-no-key; then
        tree "$d/plain" 1
        image plain 24M
        qemu-img convert -q -f raw -O luks --object secret,id=key,data=hyper -o key-secret=key,iter-time=10 \
                "$d/plain.img" "$d/luks.img"
        truncate -s 8M "$d/empty.img"
fi
if want luks-no-key; then
        run luks-no-key '"operations": "auto", "luks_keys": ["wrong"]' luks empty
        check luks-no-key ".guest.root == null and .guest.encrypted == [\"/dev/sda\"] and .guest.changes == [] and
                $(warned '/dev/sda is not opened by any key') and $(warned 'No operating system was found')"
fi
if want luks; then
        run luks '"operations": "auto", "luks_keys": ["wrong", "hyper"]' luks empty
        check luks '(.guest.root | startswith("/dev/mapper/luks-")) and .guest.os.hostname == "unusual" and
                .guest.virtio'
fi
if want no-tool; then
        tree "$d/tool" 1
        image tool 24M
        run no-tool '"operations": ["initramfs_regenerate"], "native": true' tool
        check no-tool '.code == "guest_no_initramfs_tool"'
fi
# SELinux: the policy is not there, so that the files that are changed cannot be labeled now.
if want selinux; then
        tree "$d/se" 1
        mkdir -p "$d/se/etc/selinux"
        printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' >"$d/se/etc/selinux/config"
        image se 24M
        run selinux '"operations": "auto"' se
        check selinux "(.guest.changes | map(select(.file == \"/.autorelabel\")) | length) == 1 and
                $(warned 'file_contexts cannot be read')"
        equal=$(debugfs -R 'stat /.autorelabel' "$d/se.img" 2>/dev/null | sed -n 's/.*Type: \([a-z]*\).*/\1/p')
        [ "$equal" = regular ] || { echo "FAILED selinux: there is no /.autorelabel"; failed=1; }
fi
# Windows is refused before it is changed.
if want hibernated; then
        python3 "$(dirname "$0")/../system/lib/windows-disk.py" "$d/hibernated.img"
        begin=20480 count=32768
        dd if="$d/hibernated.img" of="$d/ntfs" bs=512 skip=$begin count=$count status=none
        { printf hibr && head -c 8192 /dev/zero; } >"$d/hiberfil"
        ntfscp -q "$d/ntfs" "$d/hiberfil" hiberfil.sys
        dd if="$d/ntfs" of="$d/hibernated.img" bs=512 seek=$begin count=$count conv=notrunc status=none
        before=$(sha256sum <"$d/hibernated.img")
        run hibernated '"operations": "auto"' hibernated
        check hibernated '.code == "guest_hibernated"'
        [ "$before" = "$(sha256sum <"$d/hibernated.img")" ] || { echo "FAILED hibernated: it was changed"; failed=1; }
fi
exit $failed
