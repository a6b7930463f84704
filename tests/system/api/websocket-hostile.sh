#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: a thousand clients at once, some of whom are waited for until their time is over
# machine: websocket
# weight: 0.5
#
# WebSocket clients that make every mistake, send garbage, vanish, or stop reading, a thousand at once: each
# ends as RFC 6455 says, and one that behaves notices nothing of it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
hostile() { python3 "$here/websocket-hostile.py" "$@" || fail "see above: $*"; }
heard() { [ "$(jq -c "select($1)" "$dir/good" | wc -l)" -ge "${2:-1}" ]; }

# As many jobs as the first message holds, so that there is something not to read
raw_image "$dir/small.raw" 1
for i in $(seq 100); do submit "$(spec "$dir/small.raw" "$dir/small-$i.qcow2" ".job_id = \"small-$i\"")" \
        >/dev/null; done
for i in $(seq 100); do wait_state "small-$i" COMPLETED 120; done

node "$here/../lib/websocket-client.js" ws://127.0.0.1:8080/ws >"$dir/good" 2>"$dir/good.errors" &
good=$!
eventually 20 "the good client's first messages" heard '.message.type == "status"'
pid=$(systemctl show -P MainPID hyper.service)

python3 "$here/websocket-hostile.py" half_open >"$dir/half-open" 2>&1 &
half_open=$!
hostile mistakes what_is_right garbage leaving_in_the_middle
hostile stop_reading
wait "$half_open" || fail "the half-open connection: $(cat "$dir/half-open")"
cat "$dir/half-open"

# The good client is there, was told all the time, and hears of a job now
submit "$(spec "$dir/small.raw" "$dir/last.qcow2" '.job_id = "last"')" >/dev/null
eventually 30 "the good client hears of a job" heard '.message.type == "job_update" and .message.data.job_id == "last" and .message.data.status == "completed"'
jq -es '[.[].message // empty | select(.type == "status") | .timestamp | sub("\\.[0-9]+Z$"; "Z") | fromdate]
        | [.[1:], .[:-1]] | transpose | map(.[0] - .[1]) | max < 10' "$dir/good" >/dev/null ||
                fail "the good client had to wait for the status: $(jq -c \
                'select(.message.type == "status") | .message.timestamp' "$dir/good")"
equal "$(jq -c 'select(.close or .error)' "$dir/good")" "" "an end of the good client's connection"
kill -TERM "$good"
wait "$good" || :
equal "$(systemctl show -P MainPID hyper.service)" "$pid" "the API's process"
