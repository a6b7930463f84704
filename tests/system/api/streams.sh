#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
# timeout: 180
#
# The event stream replays what is past, goes on where Last-Event-ID says, and ends with complete, also for a
# job that ended long ago or failed.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 16
id=$(submit "$(spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "done"')")
wait_state "$id" COMPLETED
stream() { curl -sSN -m 30 "$@"; }
stream "$worker/jobs/$id/events/stream" >"$dir/all" || fail "the stream of an ended job does not end"
equal "$(sed -n 's/^event: *//p' "$dir/all" | tail -n 1)" complete "its last event"
mapfile -t ids < <(sed -n 's/^id: *//p' "$dir/all")
[ ${#ids[@]} -ge 4 ] || fail "only ${#ids[@]} events: $(cat "$dir/all")"
sed -n 's/^data: *//p' "$dir/all" | jq -e . >/dev/null || fail "an event's data is no JSON"
stream -H "Last-Event-ID: ${ids[1]}" "$worker/jobs/$id/events/stream" >"$dir/rest"
equal "$(sed -n 's/^id: *//p' "$dir/rest")" "$(printf '%s\n' "${ids[@]:2}")" "the events after the second"
stream -H "Last-Event-ID: nonsense" "$worker/jobs/$id/events/stream" >"$dir/nonsense" || :
echo "With a Last-Event-ID that is none: $(head -c 200 "$dir/nonsense")"

id=$(submit \
        "$(spec "$dir/disk.raw" "$dir/wrong.qcow2" \
        ".job_id = \"broken\" | .source.checksum = \"sha256:$(printf '%064d' 1)\"")")
wait_state "$id" FAILED
stream "$worker/jobs/$id/events/stream" >"$dir/failed"
equal "$(sed -n 's/^event: *//p' "$dir/failed" | tail -n 2 | tr '\n' ' ')" "error complete " \
        "how the stream of a failed job ends"

# twenty clients on one running job see the same
raw_image "$dir/slow.raw" 32
serve "$dir/s.sock" --filter=rate file "$dir/slow.raw" rate=64M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/slow.qcow2" '.job_id = "popular"')")
clients=()
for i in $(seq 20); do
        stream -m 100 "$worker/jobs/$id/events/stream" >"$dir/client-$i" &
        clients+=($!)
done
wait_state "$id" COMPLETED
wait "${clients[@]}" || fail "a stream broke"
for i in $(seq 2 20); do equal "$(grep '^id:' "$dir/client-$i" | md5sum)" \
        "$(grep '^id:' "$dir/client-1" | md5sum)" "the events of client $i"; done
stop_serving "$dir/s.sock"
