#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A source that goes away: before the job starts, and while it waits for another attempt.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 1}'
raw_image "$dir/disk.raw" 32
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=40M
busy=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/busy.raw")")
cp "$dir/disk.raw" "$dir/gone.raw"
id=$(submit "$(spec "$dir/gone.raw" "$dir/out.raw" '.execution_policy = {retry_count: 0}')")
rm "$dir/gone.raw"
wait_state "$busy" COMPLETED
wait_state "$id" FAILED 30
contains "$(reason "$id")" "$dir/gone.raw" "the reason names the file"
missing "$dir/out.raw"
no_part_left "$dir"
eventually 10 "the unit is gone" unit_gone "$id"

# One that never was is refused at once.
error=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$dir/never.raw" "$dir/out.raw")" 0 2>&1) &&
        fail "a source that is not there was accepted"
contains "$error" "$dir/never.raw" "the error names the file"
stop_serving "$dir/s.sock"
