#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# systemctl restart of the daemons in the middle of a job disturbs nothing.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 48
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=16M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2")")
wait_bytes "$id" 1
systemctl restart hyper-managerd.service
http GET "$api/health" >/dev/null
systemctl restart hyper.service
wait_state "$id" COMPLETED
equal "$(states "$id")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "its states"
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
stop_serving "$dir/s.sock"
