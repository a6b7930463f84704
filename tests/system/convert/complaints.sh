#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A source that cannot be read fails with the words of the program that read it, not with "Connection reset by
# peer".

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 4M <(yes 'text that compresses') >"$dir/disk.raw"
qemu-img convert -q -c -f raw -O qcow2 "$dir/disk.raw" "$dir/disk.qcow2"
size=$(stat -c %s "$dir/disk.qcow2")
# The tables are right, and the compressed data behind them is not.
head -c $((size - 327680)) <(tr '\0' '\377' </dev/zero) |
        dd of="$dir/disk.qcow2" bs=64K seek=5 conv=notrunc status=none
id=$(submit "$(spec "$dir/disk.qcow2" "$dir/out.raw" '.execution_policy.retry_count = 0')")
wait_state "$id" FAILED
contains "$(reason "$id")" "Input/output error" "the reason"
contains "$(reason "$id")" "$dir/disk.qcow2" "the reason"
lacks "$(reason "$id")" "onnection reset" "the reason"
missing "$dir/out.raw"
no_part_left "$dir"
