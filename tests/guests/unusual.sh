#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# unusual.sh HYPER-GUEST APPLIANCE [CASE…]: guests that cannot be fixed, or only with care. Each ends with the
# result or the error that is expected. They are small trees in file systems without partitions: nothing is
# started but the appliance, once for each case.

# shellcheck source=tests/guests/cases.sh
. "$(dirname "$0")/cases.sh"

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

if want two-roots; then
        for name in first second; do
                tree "$d/$name" 1
                image "$name" 24M
        done
        run two-roots '"operations": "auto"' first second
        check two-roots '.code == "ambiguous_root" and (.message | contains("/dev/sda, /dev/sdb"))'
fi
if want no-root; then
        mkdir -p "$d/data/photos"
        image data 8M
        run no-root '"operations": "auto"' data
        check no-root ".guest.root == null and .guest.bootable == \"unknown\" and .guest.changes == [] and
                $(warned 'No operating system was found')"
fi
if want by-name; then
        # What "auto" leaves as it is, is an error for an operation, and for an inspection ("none").
        truncate -s 8M "$d/nothing.img"
        for operation in '"none"' '["fs_repair"]' '["lvm_repair"]' '["offline_fix"]' '["boot_repair"]' \
                '["initramfs_regenerate"]' '["selinux_prep"]'; do
                run by-name "\"operations\": $operation" nothing
                check by-name '.code == "guest_unknown" and
                        (.message | contains("No operating system was found"))'
                cmp -s -n 8388608 "$d/nothing.img" /dev/zero ||
                        { echo "FAILED by-name: $operation changed the disk"; failed=1; }
        done
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
if want md; then
        tree "$d/md" 1
        echo '/dev/md/0 / ext4 defaults 0 1' >"$d/md/etc/fstab"
        image md 24M
        "$(dirname "$0")/mirror.py" "$d/md.img" "$d/md-0.img" "$d/md-1.img"
        run md '"operations": "auto"' md-0 md-1
        check md '(.guest.root | startswith("/dev/md")) and .guest.os.hostname == "unusual" and
                .guest.virtio and [.guest.filesystems[].device] == [.guest.root]'
fi
if want logical; then
        # Libguestfs knows which partition is the extended one.
        tree "$d/logical" 1
        echo '/dev/sda5 / ext4 defaults 0 1' >"$d/logical/etc/fstab"
        truncate -s 40M "$d/logical.img"
        printf '%s\n' 'start=1MiB, size=8MiB, type=83' 'start=9MiB, size=30MiB, type=5' \
                'start=10MiB, size=25MiB, type=83' | sfdisk -q --label dos "$d/logical.img"
        mkfs.ext4 -q -F -E offset=1048576 "$d/logical.img" 8M
        mkfs.ext4 -q -F -d "$d/logical" -E offset=10485760 "$d/logical.img" 25M
        run logical '"operations": "auto"' logical
        check logical '.guest.root == "/dev/sda5" and .guest.virtio and
                [.guest.filesystems[].device] == ["/dev/sda1", "/dev/sda5"]'
fi
if want no-tool; then
        tree "$d/tool" 1
        image tool 24M
        run no-tool '"operations": ["initramfs_regenerate"], "native": true' tool
        check no-tool '.code == "guest_no_initramfs_tool"'
fi
# The guest's own tool is a script, which notes its arguments: drivers are appended to what it leaves.
# native NAME PATH-OF-TOOL ARGUMENTS: what its help prints is on standard input
native() {
        local name=$1 file
        tree "$d/$name" 1
        for file in /bin/dash $(ldd /bin/dash | grep -o '/[^ ]*'); do
                mkdir -p "$d/$name$(dirname "$file")"
                cp -L "$file" "$d/$name$file"
        done
        mv "$d/$name/bin/dash" "$d/$name/bin/sh"
        mkdir -p "$(dirname "$d/$name/$2")"
        {
                echo '#!/bin/sh'
                echo "[ \"\$1\" != --help ] || { echo '$(cat)'; exit; }"
                echo 'echo "$@" >/arguments'
        } >"$d/$name/$2"
        chmod +x "$d/$name/$2"
        image "$name" 200M
        run "$name" '"operations": ["initramfs_regenerate"], "native": true' "$name"
        check "$name" '.guest.virtio and ([.guest.changes[] | select(.file | test("initrd")) | .to] | length) == 2'
        [ "$(debugfs -R 'cat /arguments' "$d/$name.img" 2>/dev/null)" = "$3" ] ||
                { echo "FAILED $name: $(debugfs -R 'cat /arguments' "$d/$name.img" 2>/dev/null)"; failed=1; }
        debugfs -R 'stat /boot/initrd.img-6.1.0-1-amd64.before-hyper' "$d/$name.img" 2>/dev/null | grep -q regular ||
                { echo "FAILED $name: there is no copy of the initramfs"; failed=1; }
}
initrd=/boot/initrd.img-6.1.0-1-amd64
if want dracut; then
        native dracut usr/bin/dracut "--force $initrd 6.1.0-1-amd64 --no-hostonly --kernel-cmdline rd.auto=1" \
                <<<"  -N, --no-hostonly     Disables host-only mode."
fi
if want old-dracut; then
        native old-dracut sbin/dracut "--force $initrd 6.1.0-1-amd64" <<<"  -H, --hostonly"
fi
if want mkinitcpio; then
        native mkinitcpio usr/bin/mkinitcpio "-k 6.1.0-1-amd64 -g $initrd --skiphooks autodetect" \
                <<<"   -S, --skiphooks <hooks>      Skip specified hooks"
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
windows_disk=$(dirname "$0")/../system/lib/windows-disk.py
# Windows is refused before it is changed.
# refused NAME CODE
refused() {
        local before
        before=$(sha256sum <"$d/$1.img")
        run "$1" '"operations": "auto"' "$1"
        check "$1" ".code == \"$2\""
        [ "$before" = "$(sha256sum <"$d/$1.img")" ] || { echo "FAILED $1: it was changed"; failed=1; }
}
if want hibernated; then
        python3 "$windows_disk" "$d/hibernated.img" hibernated
        refused hibernated guest_hibernated
fi
if want bitlocker; then
        python3 "$windows_disk" "$d/bitlocker.img"
        # at BYTES: standard input, into the NTFS
        at() { dd of="$d/bitlocker.img" bs=1 seek=$((20480 * 512 + $1)) conv=notrunc status=none; }
        # The boot sector of an encrypted volume since Windows 7, and its metadata at 4096
        printf '\xeb\x58\x90-FVE-FS-' | at 0
        printf '\x00\x10\x00\x00\x00\x00\x00\x00' | at 176
        printf -- '-FVE-FS-' | at 4096
        refused bitlocker guest_encrypted
fi
if want dynamic-disks; then
        python3 "$windows_disk" "$d/dynamic-disks.img"
        sfdisk -q --part-type "$d/dynamic-disks.img" 2 AF9B60A0-1431-4F62-BC68-3311714A69AD
        refused dynamic-disks guest_dynamic_disks
fi
exit "$failed"
