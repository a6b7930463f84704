#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# slow: a disk is compressed in several ways, by qemu-img, too
#
# A compressed qcow2 is smaller, and the same disk, whatever compresses it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# Text, programs, what repeats at distances within and beyond the window of 4 KiB, random data, and holes
{
        head -c 16M < <(yes "the same line again and again")
        head -c 48M < <(find /usr/bin /usr/lib -xdev -type f -size +100k -print0 | sort -z | xargs -0 cat)
        for period in 1000 3000 3072 4500 6000 20000 30000; do
                head -c $((period * 3 / 4)) /dev/urandom | base64 -w 0 >"$dir/period"
                head -c 4M < <(while cat "$dir/period"; do :; done)
        done
        head -c 8M /dev/urandom
} >"$dir/disk.raw"
truncate -s 128M "$dir/disk.raw"
qemu-img convert -c -f raw -O qcow2 "$dir/disk.raw" "$dir/peer.qcow2"
peer=$(stat -c %s "$dir/peer.qcow2")

# compressed PARAMETERS NAME: converts with them, and prints what the image says of its compression
compressed() {
        local id size
        id=$(submit "$(spec "$dir/disk.raw" "$dir/$2.qcow2" ".parameters = {verify: true, $1}")")
        wait_state "$id" COMPLETED 120
        same "$dir/disk.raw" "$dir/$2.qcow2" qcow2
        qemu-img check -q "$dir/$2.qcow2" || fail "qemu-img check of $2.qcow2"
        size=$(stat -c %s "$dir/$2.qcow2")
        [ $((size * 100)) -lt $((peer * 112)) ] || fail "$2.qcow2 takes $size bytes, that of qemu-img $peer"
        qemu-img convert -f qcow2 -O raw "$dir/$2.qcow2" "$dir/$2.raw"
        cmp "$dir/disk.raw" "$dir/$2.raw" || fail "$2.qcow2 is another disk when qemu-img converts it"
        rm "$dir/$2.raw"
        qemu-img info --output=json "$dir/$2.qcow2" | jq -r '."format-specific".data."compression-type"'
}

[ "$(compressed 'compress: true' old)" = zlib ] || fail "compress alone is not zlib"
[ "$(compressed 'compression: "zlib"' zlib)" = zlib ] || fail "compression zlib is something else"
[ "$(compressed 'compression: "zstd"' zstd)" = zstd ] || fail "compression zstd is something else"
