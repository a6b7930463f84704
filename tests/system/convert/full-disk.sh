#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A full disk is said so, nothing half-made gets the final name; with space made the retry goes on from the
# checkpoint and is right to the byte.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 96
mkdir "$dir/small"
mount -t tmpfs -o size=20m tmpfs "$dir/small"
trap 'umount -l "$dir/small"; rm -rf "$dir"' EXIT

id=$(submit "$(spec "$dir/disk.raw" "$dir/small/none.raw" '.execution_policy = {retry_count: 0}')")
wait_state "$id" FAILED
contains "$(reason "$id")" "conversion" "the reason: its phase"
contains "$(reason "$id")" "No space left" "the reason: its cause"
missing "$dir/small/none.raw"
eventually 10 "the unit is gone" unit_gone "$id"
rm -rf "$dir/small"/.[!.]*

id=$(submit "$(spec "$dir/disk.raw" "$dir/small/disk.raw" \
        '.execution_policy = {idempotent: true, retry_count: 5}')")
wait_state "$id" RETRYING
contains "$(job "$id" | jq -r '[.state_history[] | select(.state == "RETRYING")][0].reason')" \
        "No space left" "the reason for the retry"
missing "$dir/small/disk.raw"
mount -o remount,size=160m "$dir/small"
wait_state "$id" COMPLETED 60
same "$dir/disk.raw" "$dir/small/disk.raw" raw
no_part_left "$dir/small"
read -r copied total \
        < <(job "$id" | jq -r \
        '.result.metrics | "\(.bytes_read) \((.bytes_read // 0) + (.bytes_resumed // .bytes_skipped // 0))"')
[ "$copied" -lt $((40 * 1048576)) ] || fail "the last attempt read $copied bytes: it began anew ($total)"
