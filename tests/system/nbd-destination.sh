#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A file is written to an NBD server: data, and zeroes where the server had other bytes.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

raw_image "$dir/disk.raw" 32
qemu-img convert -q -f raw -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
head -c 32M /dev/urandom >"$dir/target.raw"
serve "$dir/t.sock" file "$dir/target.raw"
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/t.sock")" '.parameters.verify = true')")
wait_state "$id" COMPLETED
stop_serving "$dir/t.sock"
cmp "$dir/disk.raw" "$dir/target.raw" || fail "the server's disk is not what was sent"

# A server with too small a disk is refused before anything is written.
truncate -s 16M "$dir/small.raw"
serve "$dir/small.sock" file "$dir/small.raw"
id=$(submit "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/small.sock")" '.execution_policy.retry_count = 0')")
wait_state "$id" FAILED
stop_serving "$dir/small.sock"
cmp "$dir/small.raw" <(head -c 16M /dev/zero) || fail "a disk that is too small was written to"
