#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A job that ends while the manager is dead: its end is recorded by the next manager, with its result.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 32
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=16M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" '.job_id = "orphan"')")
wait_bytes "$id" 1
# nothing may start it before the job is over
systemctl mask --runtime -q hyper-managerd.service
systemctl kill -s KILL hyper-managerd.service
eventually 60 "the job ends on its own" unit_gone "$id"
exists "$dir/disk.qcow2"
systemctl unmask --runtime -q hyper-managerd.service
systemctl reset-failed hyper-managerd.service 2>/dev/null || :
wait_state "$id" COMPLETED 30
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
equal "$(job "$id" | jq -r '.result.outputs[0].path')" "$dir/disk.qcow2" "its result"
stop_serving "$dir/s.sock"
