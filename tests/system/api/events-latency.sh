#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An event of a running job reaches an event stream before journald wakes its followers: much sooner than
# journalctl -f prints the entry. The unit's status is the job's last event.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/slow.raw" 256
serve "$dir/s.sock" --filter=rate file "$dir/slow.raw" rate=16M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/slow.qcow2" '.job_id = "latency"')")
wait_bytes "$id" 1
python3 "$(dirname "$0")/events-latency.py" "$id" 12 >"$dir/delays" || fail "no delays: $(cat "$dir/delays")"
cat "$dir/delays"
jq -e '.stream * 2 < .journalctl' "$dir/delays" >/dev/null ||
        fail "events are not told before journald wakes its followers"
status=$(systemctl show -P StatusText "$(unit "$id")")
case $status in *%:*complete*) ;; *) fail "the status of the unit is: $status" ;; esac
hyperctl cancel "$id"
wait_state "$id" CANCELLED
stop_serving "$dir/s.sock"
