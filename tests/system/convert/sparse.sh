#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Holes and written zeroes take no space in the output.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

truncate -s 2G "$dir/disk.raw"
dd if=/dev/urandom of="$dir/disk.raw" bs=1M count=8 seek=1000 conv=notrunc status=none
dd if=/dev/zero of="$dir/disk.raw" bs=1M count=64 seek=100 conv=notrunc status=none
qemu-img convert -q -f raw -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
for f in qcow2 raw; do
        for s in raw vmdk; do
                id=$(submit "$(spec "$dir/disk.$s" "$dir/from-$s.$f" ".destination.format = \"$f\"")")
                wait_state "$id" COMPLETED
                same "$dir/disk.raw" "$dir/from-$s.$f" "$f"
                used=$(($(stat -c '%b * %B' "$dir/from-$s.$f")))
                [ "$used" -lt $((16 * 1048576)) ] || fail "from-$s.$f takes $used bytes for 8 MiB of data"
        done
done
