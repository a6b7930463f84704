#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# weight: 0.5
#
# kill -9 of a running job: with idempotent it is tried again, goes on from its checkpoint and ends right;
# without it is FAILED.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 96
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=48M
# so slow that it is caught in the middle, however busy the machine is
serve "$dir/slow.sock" --filter=rate file "$dir/disk.raw" rate=8M

id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/again.raw" \
        '.execution_policy = {idempotent: true, retry_count: 2}')")
wait_bytes "$id" $((40 * 1048576))
systemctl kill -s KILL "$(unit "$id")"
wait_state "$id" RETRYING 15
wait_state "$id" COMPLETED 90
equal "$(job "$id" | jq -r .attempt)" 2 "attempts"
same "$dir/disk.raw" "$dir/again.raw" raw
no_part_left "$dir"

id=$(submit "$(spec "$(nbd_uri "$dir/slow.sock")" "$dir/once.raw" \
        '.execution_policy = {idempotent: false, retry_count: 2}')")
wait_bytes "$id" 1
systemctl kill -s KILL "$(unit "$id")"
wait_state "$id" FAILED 30
grep -q . <<<"$(reason "$id")" || fail "no reason"
contains "$(reason "$id")" KILL "the reason"
missing "$dir/once.raw"
eventually 10 "the unit is gone" unit_gone "$id"
stop_serving "$dir/s.sock"
stop_serving "$dir/slow.sock"
