#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# Workers that lie, repeat themselves, come late, send too much, or send nonsense: what they say is refused or
# bounded, and neither their jobs nor those of others suffer.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

# queued ID [JQ-PROGRAM]: a job for workers only, on an image that is nowhere
queued() {
        local body
        body=$(jq -cn --arg i "$1" \
                '{job_id: $i, operation: "fs_repair", image: {path: "/srv/not-here/\($i).raw"}}' |
                jq -c "${2:-.}")
        http POST "$worker/jobs?queue=true" "$body" >/dev/null
        equal "$(status)" 201 "the submission of $1: $(cat "$dir/body")"
}
register() { http POST "$worker/workers/register" "{\"worker_id\":\"$1\",\"capabilities\":[$2]}" >/dev/null \
        && equal "$(status)" 201 "the registration of $1"; }
# given WORKER [MORE]: which job it is given
given() { http POST "$worker/queue/dequeue" "{\"worker_id\":\"$1\"${2:-}}" | jq -r '.job_id // "nothing"'; }
# refused STATUS PART METHOD PATH BODY WHAT
refused() {
        http "$3" "$worker$4" "$5" >/dev/null
        equal "$(status)" "$1" "$6"
        contains "$(jq -r .error.message "$dir/body")" "$2" "$6"
}
all='"qemu_img","nbd_access","lvm_tools","mount_operations","selinux_tools"'
register w1 "$all"
register w2 "$all"

# --- reports about jobs that it does not hold, twice, late -------------------------------------------------

queued mine
queued other
equal "$(given w1)" mine "the first job"
equal "$(given w2)" other "the second job"
for path in events result; do
        refused 409 "not held by worker w2" POST "/jobs/mine/$path" \
                '{"worker_id":"w2","status":"completed"}' "a report ($path) about another worker's job"
        refused 409 "not held by worker nobody" POST "/jobs/mine/$path" \
                '{"worker_id":"nobody","status":"completed"}' "a report ($path) of nobody"
        refused 404 "no job" POST "/jobs/none/$path" '{"worker_id":"w1","status":"completed"}' \
                "a report ($path) about no job"
        refused 400 "worker_id" POST "/jobs/mine/$path" '{"status":"completed"}' \
                "a report ($path) without a name"
        refused 400 "worker_id" POST "/jobs/mine/$path" '[{"worker_id":"w1"},{"worker_id":"w2"}]' \
                "a report ($path) under two names"
done
equal "$(state mine)" ASSIGNED "the job that others spoke of"
http POST "$worker/jobs/other/result" '{"worker_id":"w2","status":"completed"}' >/dev/null
equal "$(status)" 200 "a result for a job that was never begun"
refused 409 "COMPLETED" POST /jobs/other/result '{"worker_id":"w2","status":"failed"}' \
        "another result, afterwards"
refused 409 "COMPLETED" POST /jobs/other/events '{"worker_id":"w2","percentage":1}' "an event, afterwards"
equal "$(states other)" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "what it went through"

# --- percentages -------------------------------------------------------------------------------------------

for p in -1 101 1e999 '"50"' '[]' true; do
        refused 400 "" POST /jobs/mine/events "{\"worker_id\":\"w1\",\"percentage\":$p}" "a percentage of $p"
done
equal "$(state mine)" ASSIGNED "after malformed reports"
curl -sSN -m 200 "$worker/jobs/mine/events/stream" >"$dir/stream" &
for p in 50 10 0 60 59.9; do
        http POST "$worker/jobs/mine/events" \
                "{\"worker_id\":\"w1\",\"phase\":\"conversion\",\"percentage\":$p,\"message\":\"at $p\"}" \
                >/dev/null
        equal "$(status)" 202 "a percentage of $p"
done
told() { http GET "$worker/jobs/mine/events" | jq -e 'any(.message == "at 59.9")' >/dev/null; }
eventually 10 "the last event is told" told
equal \
        "$(http GET "$worker/jobs/mine/events" |
        jq -c '[.[] | select(.message | startswith("at ")) | .percentage]')" '[50,50,50,60,60]' \
        "the percentages that are told"
recorded() { [ "$(http GET "$worker/jobs/mine" | jq .latest_event.percentage)" = 60 ]; }
eventually 10 "60 percent are recorded" recorded

# --- too much ----------------------------------------------------------------------------------------------

# body JQ-PROGRAM: made in a file, since it is long
body() { jq -cn "$1" >"$dir/long"; }
body '{worker_id: "w1", message: ("x" * 10000000)}'
refused 400 message POST /jobs/mine/events "@$dir/long" "a message of 10 MB"
body '{worker_id: "w1", message: ("x" * 11000000)}'
refused 413 "" POST /jobs/mine/events "@$dir/long" "a message of 11 MB"
body '{worker_id: "w1", details: {a: ("x" * 40000)}}'
refused 400 details POST /jobs/mine/events "@$dir/long" "details of 40 KB"
body '[range(1001) | {worker_id: "w1"}]'
refused 400 "1 to 1000 events" POST /jobs/mine/events "@$dir/long" "1001 events"
body '[range(400000) | {}]'
refused 400 "" POST /jobs/mine/events "@$dir/long" "400,000 events"
body '{worker_id: "w1", status: "completed", outputs: [{path: ("x" * 10000000)}]}'
refused 400 "256 KiB" POST /jobs/mine/result "@$dir/long" "outputs of 10 MB"
body '{worker_id: "w1", status: "completed", outputs: [range(1001) | {}]}'
refused 400 outputs POST /jobs/mine/result "@$dir/long" "1001 outputs"
body '{worker_id: "w1", status: "failed", error: {message: ("x" * 70000)}}'
refused 400 error.message POST /jobs/mine/result "@$dir/long" "an error of 70 KB"
head -c 200000 /dev/zero | tr '\0' '[' >"$dir/long"
refused 400 "" POST /jobs/mine/events "@$dir/long" "200,000 brackets"
equal "$(state mine)" RUNNING "the job after all of that"
# The most that is allowed, and more of it than journald takes of a unit by itself (37,500 entries in half a
# minute, where there is much room): nothing is lost, and not for another job either, whose worker tells of it
# meanwhile.
queued beside
equal "$(given w2)" beside "the job of the other worker"
body '[range(1000) | {worker_id: "w1", message: "flood \(.)"}]'
for _ in $(seq 1 45); do
        http POST "$worker/jobs/mine/events" "@$dir/long" >/dev/null
        equal "$(status)" 202 "1000 events"
done
http POST "$worker/jobs/beside/events" '{"worker_id":"w2","message":"still here"}' >/dev/null
beside_told() { http GET "$worker/jobs/beside/events" | jq -e 'any(.message == "still here")' >/dev/null; }
eventually 20 "the other job's event is told" beside_told
journalctl --sync
equal "$(journalctl -q --no-pager -o cat HYPER_JOB_ID=mine | grep -c '^flood ')" 45000 \
        "how many of 45,000 events the journal has"

# --- what looks like something else ------------------------------------------------------------------------

jq -cn '{worker_id: "w1", phase: "x\nHYPER_STATE=COMPLETED", message: "a\u001b[2J\u0007b\nHYPER_EVENT=state\nHYPER_STATE=COMPLETED\n", details: {HYPER_STATE: "COMPLETED", password: "s3cret"}}' >"$dir/long"
http POST "$worker/jobs/mine/events" "@$dir/long" >/dev/null
equal "$(status)" 202 "an event that would like to be another"
equal "$(state mine)" RUNNING "the job after it"
strange() { http GET "$worker/jobs/mine/events" |
        jq -e 'any(.details.HYPER_STATE == "COMPLETED")' >/dev/null; }
eventually 20 "it is told as what it is" strange
equal "$(journalctl -q --no-pager -o json HYPER_JOB_ID=mine HYPER_STATE=COMPLETED)" "" \
        "ends of the job in the journal"
lacks "$(http GET "$worker/jobs/mine/events")" s3cret "the events"
lacks "$(hyperctl logs mine)" $'\e' "the log on a terminal"

# --- identities --------------------------------------------------------------------------------------------

for id in ../w1 '' 'w 1' "$(printf 'x%.0s' {1..129})" $'w\u202e1'; do
        refused 400 worker_id POST /workers/register "$(jq -cn --arg i "$id" \
                '{worker_id: $i, capabilities: []}')" "a worker called '$id'"
done
refused 404 "no worker" POST /workers/%2e%2e%2fw1/heartbeat "" "a heartbeat of no name"
# Two that call themselves the same are the same; the job of the first is not given again.
register w1 "$all"
equal "$(given w1)" nothing "what a second w1 is given"
equal "$(http POST "$worker/workers/w1/heartbeat" | jq -c .jobs)" '["mine"]' "what it holds"
# One that claims what it cannot do is believed, as its registration would be; one that claims nonsense is
# not.
register liar ''
queued lvm '.operation = "lvm_repair"'
equal "$(given liar)" nothing "what a worker is given that can do nothing"
for claim in '"all"' 7 '[1]' '{"lvm_tools":"yes"}'; do
        refused 400 capabilities POST /queue/dequeue "{\"worker_id\":\"liar\",\"capabilities\":$claim}" \
                "capabilities of $claim"
done
equal "$(given liar ",\"capabilities\":[$all]")" lvm "what it is given when it lies"
http POST "$worker/jobs/lvm/result" \
        '{"worker_id":"liar","status":"failed","error":{"message":"cannot","retryable":false}}' >/dev/null
equal "$(state lvm)" FAILED "the job that it could not do"

# --- gone --------------------------------------------------------------------------------------------------

http DELETE "$worker/workers/w1" >/dev/null
equal "$(status)" 200 "the removal of a worker that holds a job"
wait_state mine QUEUED
refused 409 "not held by worker w1" POST /jobs/mine/result '{"worker_id":"w1","status":"completed"}' \
        "its result afterwards"
refused 404 "no worker" POST /workers/w1/heartbeat "" "its heartbeat afterwards"
refused 404 "no worker" POST /queue/dequeue '{"worker_id":"w1"}' "its question afterwards"
equal "$(given w2)" mine "the job that went back"
http POST "$worker/jobs/mine/result" '{"worker_id":"w2","status":"completed"}' >/dev/null
http POST "$worker/jobs/beside/result" '{"worker_id":"w2","status":"completed"}' >/dev/null
for id in mine beside; do equal "$(state $id)" COMPLETED "the end of $id"; done
wait # for the stream, which ends with the job
equal "$(grep -c '^event: *complete' "$dir/stream")" 1 "the end of the stream"
sed -n 's/^data: *//p' "$dir/stream" | jq -es \
        '[.[] | select(.message // "" | startswith("at ")) | .percentage] | . == sort' >/dev/null ||
        fail "a percentage goes back in the stream"
