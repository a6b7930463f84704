#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# A server that answers with errors, and one that goes away: RETRYING with the cause, and right in the end.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 48
serve "$dir/s.sock" --filter=error file "$dir/disk.raw" error=EIO error-pread-rate=100% \
        "error-file=$dir/broken"
touch "$dir/broken"
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/none.raw" '.execution_policy = {retry_count: 0}')")
wait_state "$id" FAILED 30
contains "$(reason "$id")" "Input/output error" "the reason"
missing "$dir/none.raw"

id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/later.raw" \
        '.execution_policy = {idempotent: true, retry_count: 5}')")
wait_state "$id" RETRYING 30
rm "$dir/broken"
wait_state "$id" COMPLETED 60
same "$dir/disk.raw" "$dir/later.raw" raw
stop_serving "$dir/s.sock"

serve "$dir/g.sock" --filter=rate file "$dir/disk.raw" rate=48M
id=$(submit "$(spec "$(nbd_uri "$dir/g.sock")" "$dir/back.raw" \
        '.execution_policy = {idempotent: true, retry_count: 5} | .parameters.verify = true')")
wait_bytes "$id" $((8 * 1048576))
stop_serving "$dir/g.sock"
wait_state "$id" RETRYING 30
missing "$dir/back.raw"
rm -f "$dir/g.sock"
serve "$dir/g.sock" file "$dir/disk.raw"
wait_state "$id" COMPLETED 60
same "$dir/disk.raw" "$dir/back.raw" raw
no_part_left "$dir"
stop_serving "$dir/g.sock"
