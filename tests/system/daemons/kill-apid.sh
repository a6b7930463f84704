#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# kill -9 of the API while a client streams: with Last-Event-ID it misses nothing and sees nothing twice.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=32M
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/disk.qcow2" '.job_id = "watched"')")

# A client as browsers are: comes back with the last id it has seen until the stream says it is complete.
follow() {
        local last='' tries=0
        : >"$1"
        while [ $tries -lt 30 ]; do
                curl -sSN -m 90 ${last:+-H "Last-Event-ID: $last"} "$worker/jobs/$id/events/stream" >>"$1" \
                        2>/dev/null || :
                printf '\n\n' >>"$1" # what the cut left
                last=$(sed -n 's/^id: *//p' "$1" | tail -n 1)
                ! grep -q '^event: *complete' "$1" || return 0
                tries=$((tries + 1))
                sleep 0.2
        done
        return 1
}
follow "$dir/stream" &
client=$!
for bytes in 8 24 40; do
        wait_bytes "$id" $((bytes * 1048576))
        systemctl kill -s KILL hyper.service || :
done
wait_state "$id" COMPLETED 60
wait "$client" || fail "the client never saw the end: $(tail -n 5 "$dir/stream")"

ids=$(sed -n 's/^id: *//p' "$dir/stream")
equal "$(sort <<<"$ids" | uniq -d | head -n 1)" "" "an event that was sent twice"
# Against one that was never cut off, after the fact
curl -sSN -m 30 "$worker/jobs/$id/events/stream" >"$dir/whole"
whole=$(sed -n 's/^id: *//p' "$dir/whole")
[ "$(wc -l <<<"$whole")" -ge 5 ] || fail "the whole stream has only $(wc -l <<<"$whole") events: $(cat \
        "$dir/whole")"
equal "$(diff <(echo "$ids") <(echo "$whole"))" "" "what the client that was cut off missed or had too much"
systemctl reset-failed hyper.service 2>/dev/null || :
stop_serving "$dir/s.sock"
