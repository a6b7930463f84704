#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# machine: websocket
#
# /ws tells a client that many use of the jobs, the status, and a job from its submission to its end; a
# restart is told as one; nothing is gathered while nobody listens.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")

# listen NAME: a client in the background; what it hears is in $dir/NAME, its process is $client
listen() {
        : >"$dir/$1"
        node "$here/../lib/websocket-client.js" ws://127.0.0.1:8080/ws >"$dir/$1" 2>"$dir/$1.errors" &
        client=$!
}
# heard NAME CONDITION [COUNT]: so many lines are like that
heard() { [ "$(jq -c "select($2)" "$dir/$1" | wc -l)" -ge "${3:-1}" ]; }
nth() { jq -c 'select(.message) | .message' "$dir/$1" | sed -n "$2p"; }
update() { echo ".message.type == \"job_update\" and .message.data.job_id == \"$1\" and .message.data.status == \"$2\""; }

# --- the first messages ------------------------------------------------------------------------------------

raw_image "$dir/small.raw" 8
submit "$(spec "$dir/small.raw" "$dir/small.qcow2" '.job_id = "before"')" >/dev/null
wait_state before COMPLETED
listen first
eventually 20 "the status, three times" heard first '.message.type == "status"' 3
equal "$(nth first 1 | jq -c '[.type, .data.total, .data.jobs[0].job_id]')" '["jobs",1,"before"]' \
        "the first message"
equal "$(nth first 1 | jq -c .data.jobs[0])" "$(http GET "$api/jobs/before" | jq -c .)" "the job in it"
equal "$(nth first 2 | jq -c '[.type, .data.total_jobs, .data.completed_jobs]')" '["status",1,1]' \
        "the second message"
equal "$(jq -c 'select(.open) | .open.extensions' "$dir/first")" '""' "the extensions that were agreed on"
equal "$(jq -c 'select(.message and .binary)' "$dir/first")" "" "binary messages"
eventually 20 "an answer to its ping" heard first '.pong'
jq -es '[.[].message // empty | .timestamp] | all(test("^20[0-9]{2}-.*Z$"))' "$dir/first" >/dev/null ||
        fail "a message has no timestamp: $(cat "$dir/first")"

# --- a job from its submission to its end ------------------------------------------------------------------

raw_image "$dir/disk.raw" 128
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=96M
body=$(jq -cn --arg s "$(nbd_uri "$dir/s.sock")" --arg d "$dir/disk.qcow2" '{id: "watched", source: {type: "nbd", uri: $s}, destination: {type: "file", path: $d, format: "qcow2"}}')
http POST "$api/jobs/submit" "$body" >/dev/null
equal "$(status)" 201 "the submission over HTTP"
id=$(jq -r .job_id "$dir/body")
eventually 60 "the job's end" heard first "$(update "$id" completed)"
jq -c ".message | select(.type == \"job_update\" and .data.job_id == \"$id\")" "$dir/first" >"$dir/updates"
equal "$(jq -c .data "$dir/updates" | tail -n 1)" "$(http GET "$api/jobs/$id" | jq -c .)" "the last update"
equal "$(jq -r .data.status "$dir/updates" | uniq | sed /pending/d | tr '\n' ' ')" "running completed " \
        "the states it went through"
jq -es '[.[].data.progress.percent_complete] | . == sort and (map(select(. > 0 and . < 100)) | length > 2)' \
        "$dir/updates" >/dev/null ||
        fail "the percentages: $(jq -c .data.progress.percent_complete "$dir/updates" | tr '\n' ' ')"
# Ten a second at most: no eleven within a second (the times are those of the messages)
jq -es '[.[].timestamp | (sub("\\.[0-9]+Z$"; "Z") | fromdate) + (capture("\\.(?<f>[0-9]+)Z$") // {f: "0"} | "0.\(.f)" | tonumber)]
        | [.[10:], .[:-10]] | transpose | all(.[0] - .[1] > 0.99)' "$dir/updates" >/dev/null ||
                fail "too many updates: $(jq -c .timestamp "$dir/updates" | tr '\n' ' ')"
stop_serving "$dir/s.sock"

# --- a schedule --------------------------------------------------------------------------------------------

body=$(jq -cn --arg s "$dir/small.raw" --arg d "$dir/scheduled.qcow2" \
        '{id: "nightly", name: "Nightly", schedule: "0 2 * * *",
        job_template: {source: {type: "file", path: $s}, destination: {type: "file", path: $d, format: "qcow2"}}}')
http POST "$api/schedules" "$body" >/dev/null
equal "$(status)" 201 "the schedule; $(cat "$dir/body")"
http POST "$api/schedules/nightly/trigger" >/dev/null
equal "$(status)" 200 "triggering it; $(cat "$dir/body")"
scheduled() { echo ".message.type == \"schedule_event\" and .message.data.schedule_id == \"nightly\" and .message.data.event == \"$1\""; }
eventually 20 "the schedule was triggered" heard first "$(scheduled triggered)"
eventually 60 "the schedule's job is done" heard first "$(scheduled completed)"
id=$(jq -r "select($(scheduled completed)) | .message.data.job_id" "$dir/first")
eventually 20 "the job's own end" heard first "$(update "$id" completed)"
http DELETE "$api/schedules/nightly" >/dev/null

# --- closing, by either side -------------------------------------------------------------------------------

listen second
eventually 20 "the second client's messages" heard second '.message.type == "status"'
kill -TERM "$client"
wait "$client" || fail "the second client: $(cat "$dir/second.errors")"
equal "$(jq -c 'select(.close) | .close.code' "$dir/second")" 1000 "how its connection ended"
listen third
first_pid=$(systemctl show -P MainPID hyper.service)
eventually 20 "the third client's messages" heard third '.message.type == "status"'
systemctl restart hyper.service
eventually 20 "both hear of the restart" heard first '.close'
eventually 20 "both hear of the restart" heard third '.close'
equal "$(jq -c 'select(.close) | .close.code' "$dir/first" "$dir/third" | tr '\n' ' ')" "1012 1012 " \
        "how their connections ended"
listen fourth
eventually 20 "the new daemon's messages" heard fourth '.message.type == "status"'
pid=$(systemctl show -P MainPID hyper.service)
[ "$pid" != "$first_pid" ] || fail "it is still the same process"

# --- nothing while nobody listens --------------------------------------------------------------------------

follows() { find "/proc/$pid/fd" -lname 'anon_inode:inotify' | grep -q .; }
follows || fail "it does not follow the journal though somebody listens"
kill -TERM "$client"
wait "$client" || :
no_longer_follows() { ! follows; }
eventually 20 "nobody listens, nothing is followed" no_longer_follows

# A client keeps the daemon, the last one lets it go
settings 'daemon: {idle_timeout: 2}'
systemctl stop hyper.service
listen fifth
eventually 30 "the status, four times: longer than the idle timeout" heard fifth '.message.type == "status"' 4
equal "$(systemctl show -P ActiveState hyper.service)" active "the daemon"
kill -TERM "$client"
gone() { [ "$(systemctl show -P ActiveState hyper.service)" = inactive ]; }
eventually 30 "the daemon leaves" gone
