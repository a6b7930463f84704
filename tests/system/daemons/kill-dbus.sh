#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# kill -9 of dbus-daemon while jobs run: they go on, the daemons come back to the new bus, the streams do not
# notice.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=16M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" '.job_id = "busless"')")
wait_bytes "$id" 1
pid=$(systemctl show -P MainPID "$(unit "$id")")
curl -sSN -m 100 "$worker/jobs/$id/events/stream" >"$dir/stream" &
client=$!
systemctl kill -s KILL dbus.service
on_the_bus() { busctl -q --timeout=5 call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
        GetId 2>/dev/null; }
eventually 20 "dbus is back" on_the_bus
equal "$(systemctl show -P MainPID "$(unit "$id")")" "$pid" "the job's process"
answers() { state "$id" >/dev/null 2>&1; }
eventually 30 "the manager is back on the bus" answers
wait_state "$id" COMPLETED 60
equal "$(states "$id")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "its states"
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
wait "$client" || fail "the stream broke"
grep -q '^event: *complete' "$dir/stream" || fail "the stream did not see the end: $(tail -n 5 "$dir/stream")"
# and new jobs over HTTP
answer=$(http POST "$api/jobs/submit" "$(spec "$dir/disk.raw" "$dir/next.qcow2")")
equal "$(status)" 201 "the next job's status; $answer"
wait_state "$(jq -r .job_id <<<"$answer")" COMPLETED
stop_serving "$dir/s.sock"
systemctl reset-failed
