#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hostile.sh HYPER-GUEST APPLIANCE [SEED]: some twenty damaged file systems of all kinds in one appliance.
# Whatever its kernel and its programs make of them, hyper-guest ends with a result or an error, and nothing
# is left running.

set -euo pipefail

program=$(readlink -f "$1") appliance=$(readlink -f "$2") seed=${3:-1}
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
mkdir -p "$d/files/etc" "$d/runtime"
echo '/dev/sda1 / ext4 defaults 0 1' >"$d/files/etc/fstab"
cp /etc/os-release "$d/files/etc/"

make() {
        case $1 in
                ext4 | ext2) "mkfs.$1" -q -F -d "$d/files" "$2" 16M ;;
                xfs) truncate -s 300M "$2" && mkfs.xfs -q "$2" ;;
                btrfs) truncate -s 120M "$2" && mkfs.btrfs -q -r "$d/files" "$2" ;;
                vfat) truncate -s 16M "$2" && mkfs.vfat -F 16 "$2" >/dev/null ;;
                swap) truncate -s 16M "$2" && mkswap -q "$2" ;;
                luks) truncate -s 32M "$2" && printf x | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 \
                        --pbkdf-force-iterations 1000 "$2" - ;;
        esac
}

disks=
for kind in ext4 ext2 xfs btrfs vfat swap luks; do
        for i in 1 2 3; do
                image=$d/$kind-$i.img
                make "$kind" "$image" >/dev/null 2>&1
                disks+="${disks:+, }{\"path\": \"$image\", \"format\": \"raw\"}"
        done
done
# Few bytes in the first one of each kind, more in the others; most of them where the metadata is.
python3 - "$seed" "$d" <<'EOF'
import pathlib, random, sys
r = random.Random(int(sys.argv[1]))
for image in sorted(pathlib.Path(sys.argv[2]).glob("*.img")):
    count = {"1": 8, "2": 200, "3": 4000}[image.stem[-1]]
    with open(image, "r+b") as f:
        for _ in range(count):
            f.seek(r.randrange(0, 256 * 1024 if r.random() < 0.7 else 16 * 1024 * 1024))
            f.write(bytes([r.randrange(256)]))
EOF
printf '{"disks": [%s], "operations": "auto", "appliance": "%s", "runtime": "%s/runtime", "luks_keys": ["x"]}' \
        "$disks" "$appliance" "$d" >"$d/orders"
status=0
timeout 1800 "$program" 3<"$d/orders" >"$d/events" || status=$?
last=$(tail -n1 "$d/events" | head -c 300)
[ "$status" -le 1 ] || { echo "FAILED: seed $seed: hyper-guest ended with status $status: $last"; exit 1; }
[[ $last = '{"event":"result"'* || $last = '{"event":"error"'* ]] || { echo "FAILED: seed $seed: $last"; exit 1; }
! pgrep -f "$d" >/dev/null || { echo "FAILED: seed $seed: a process is left"; exit 1; }
echo "ok seed $seed: $last"
