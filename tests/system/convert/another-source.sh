#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A job does not go on from what another one copied of a server: the same address may be another disk today.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 48M /dev/urandom >"$dir/monday.raw"
head -c 48M /dev/urandom >"$dir/tuesday.raw"
serve "$dir/s.sock" --filter=rate file "$dir/monday.raw" rate=16M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/out.qcow2" '.execution_policy.retry_count = 0')")
eventually 60 "a checkpoint" test -e "$dir/.out.qcow2.hyper-part/checkpoint"
stop_serving "$dir/s.sock"
wait_state "$id" FAILED
exists "$dir/.out.qcow2.hyper-part/checkpoint"

serve "$dir/s.sock" file "$dir/tuesday.raw"
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/out.qcow2")")
wait_state "$id" COMPLETED
stop_serving "$dir/s.sock"
same "$dir/tuesday.raw" "$dir/out.qcow2" qcow2
equal "$(job "$id" | jq .result.metrics.bytes_resumed)" 0 "what was gone on from"
no_part_left "$dir"

# A file that is written to under an mtime that is set back has changed.
truncate -s 48M "$dir/target.raw"
serve "$dir/slow.sock" --filter=rate file "$dir/target.raw" rate=32M
id=$(submit "$(spec "$dir/monday.raw" "$(nbd_uri "$dir/slow.sock")" '.execution_policy.retry_count = 0')")
wait_bytes "$id" 1
touch -r "$dir/monday.raw" "$dir/times"
printf changed | dd of="$dir/monday.raw" conv=notrunc status=none
touch -r "$dir/times" "$dir/monday.raw"
wait_state "$id" FAILED
contains "$(reason "$id")" "was changed while it was converted" "the reason"
stop_serving "$dir/slow.sock"
