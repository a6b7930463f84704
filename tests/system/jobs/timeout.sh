#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# slow: 60 s is the shortest timeout_seconds that the API takes
#
# A job that takes longer than its timeout_seconds is stopped, FAILED, and says so.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=delay file "$dir/disk.raw" delay-read=40
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" \
        '.execution_policy = {timeout_seconds: 60, retry_count: 0}')")
wait_state "$id" RUNNING
equal "$(systemctl show -P RuntimeMaxUSec "$(unit "$id")")" 1min "RuntimeMaxUSec of the unit"
# a minute is the least that can be asked for; the test has no minute
systemctl set-property --runtime "$(unit "$id")" RuntimeMaxSec=3 2>/dev/null || :
wait_state "$id" FAILED 110
contains "$(reason "$id")" "timed out after 60 s" "the reason"
contains "$(reason "$id")" "hyperctl retry $id" "the reason"
missing "$dir/disk.qcow2"
eventually 40 "the unit is gone" unit_gone "$id"
stop_serving "$dir/s.sock"
