#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A compressed qcow2 is smaller, and the same disk.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 64M < <(yes "the same line again and again") >"$dir/disk.raw"
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.parameters = {compress: true, verify: true}')")
wait_state "$id" COMPLETED 120
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
size=$(stat -c %s "$dir/disk.qcow2")
[ "$size" -lt $((16 * 1048576)) ] || fail "64 MiB of one line take $size bytes compressed"
