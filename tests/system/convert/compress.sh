#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A compressed qcow2 is smaller, and the same disk, whatever compresses it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 64M < <(yes "the same line again and again") >"$dir/disk.raw"

# compressed PARAMETERS NAME: converts with them, and prints what the image says of its compression
compressed() {
        local id size
        id=$(submit "$(spec "$dir/disk.raw" "$dir/$2.qcow2" ".parameters = {verify: true, $1}")")
        wait_state "$id" COMPLETED 120
        same "$dir/disk.raw" "$dir/$2.qcow2" qcow2
        qemu-img check -q "$dir/$2.qcow2" || fail "qemu-img check of $2.qcow2"
        size=$(stat -c %s "$dir/$2.qcow2")
        [ "$size" -lt $((16 * 1048576)) ] || fail "64 MiB of one line take $size bytes compressed"
        qemu-img info --output=json "$dir/$2.qcow2" | jq -r '."format-specific".data."compression-type"'
}

[ "$(compressed 'compress: true' old)" = zlib ] || fail "compress alone is not zlib"
[ "$(compressed 'compression: "zlib"' zlib)" = zlib ] || fail "compression zlib is something else"
[ "$(compressed 'compression: "zstd"' zstd)" = zstd ] || fail "compression zstd is something else"
