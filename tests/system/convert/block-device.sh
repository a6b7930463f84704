#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A block device is a source, and for an administrator a destination, which must be as large as the source.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

devices=()
detach_all() {
        local d
        for d in "${devices[@]}"; do losetup -d "$d" || :; done
        rm -rf "$dir"
}
trap detach_all EXIT

# attach FILE: a loop device for it, in $device. There is no udev here, so its node is made; another machine
# may be faster.
attach() {
        local i
        [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237 ||
                skip "device nodes cannot be made here"
        for i in 1 2 3 4 5 6 7 8; do
                device=$(losetup -f) || skip "there are no loop devices here ($i)"
                [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}"
                if losetup "$device" "$1"; then
                        devices+=("$device")
                        return
                fi
        done
        skip "no loop device can be had here"
}

raw_image "$dir/disk.raw" 16
cp --sparse=always "$dir/disk.raw" "$dir/behind.raw"
attach "$dir/behind.raw"
id=$(submit "$(spec "$device" "$dir/out.qcow2" '.source.format = "raw" | .parameters.verify = true')")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/out.qcow2" qcow2

head -c 16M /dev/urandom >"$dir/target.raw"
attach "$dir/target.raw"
id=$(submit "$(spec "$dir/out.qcow2" "$device" '.destination.format = "raw" | .parameters.verify = "full"')")
wait_state "$id" COMPLETED
equal "$(job "$id" | jq -r '.result.outputs[0] | [.path, .verified, .read_back] | join(" ")')" \
        "$device full direct" "what came out"
losetup -d "$device"
unset 'devices[-1]'
cmp "$dir/disk.raw" "$dir/target.raw" || fail "the device does not hold the disk"

head -c 20M /dev/urandom >"$dir/large.raw"
tail -c 4M "$dir/large.raw" >"$dir/end"
attach "$dir/large.raw"
id=$(submit \
        "$(spec "$dir/out.qcow2" "$device" \
        '.destination.format = "raw" | .execution_policy.retry_count = 0')")
wait_state "$id" FAILED
contains "$(reason "$id")" "parameters.allow_larger" "the reason"
id=$(submit \
        "$(spec "$dir/out.qcow2" "$device" '.destination.format = "raw" | .parameters.allow_larger = true')")
wait_state "$id" COMPLETED
losetup -d "$device"
unset 'devices[-1]'
cmp "$dir/disk.raw" <(head -c 16M "$dir/large.raw") || fail "the larger device does not begin with the disk"
cmp "$dir/end" <(tail -c 4M "$dir/large.raw") || fail "what lies behind the disk was changed"
