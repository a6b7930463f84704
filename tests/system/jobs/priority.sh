#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One slot: the more urgent job goes first, and within one priority the one that came first.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 1}'
raw_image "$dir/disk.raw" 16
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=2M # it is there until it is cancelled
busy=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/busy.qcow2")")
wait_state "$busy" RUNNING
for job in low-1:10 low-2:10 middle-1:50 high-1:90 middle-2:50 high-2:90; do
        submit "$(spec "$dir/disk.raw" "$dir/${job%:*}.qcow2" \
                ".job_id = \"${job%:*}\" | .execution_policy.priority = ${job#*:}")" >/dev/null
done
equal "$(busctl --json=short call "${manager[@]}" ListJobs 'a{sv}' 2 order s queue states as 1 QUEUED |
        jq -r '[.data[1][][0]] | join(" ")')" \
        "high-1 high-2 middle-1 middle-2 low-1 low-2" "the queue"
weight=$(systemctl show -P CPUWeight "$(unit "$busy")")
cancel "$busy"
for job in low-1 low-2 middle-1 middle-2 high-1 high-2; do wait_state "$job" COMPLETED; done
order=$(for job in low-1 low-2 middle-1 middle-2 high-1 high-2; do
        job "$job" | jq -r '[.state_history[] | select(.state == "RUNNING")][0] | "\(.timestamp) '"$job"'"'
done | sort | cut -d' ' -f2 | tr '\n' ' ')
equal "$order" "high-1 high-2 middle-1 middle-2 low-1 low-2 " "the order in which they ran"
case $weight in '' | '[not set]' | 0) fail "the job's unit has no CPUWeight: '$weight'" ;; esac
stop_serving "$dir/s.sock"
