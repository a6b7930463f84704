#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
# machine: websocket
#
# What a worker reports is told everywhere, as if the job ran here: in the streams of all APIs, in logs, to
# hyperctl, in the journal, and to webhooks.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")
settings 'worker: {local: false}'
receiver 9001
hook '{"url":"http://127.0.0.1:9001/"}' >/dev/null
raw_image "$dir/disk.raw" 1

# queued ID [JQ-PROGRAM]
queued() {
        http POST "$worker/jobs?queue=true" "$(jq -cn --arg i "$1" --arg p "$dir/disk.raw" --arg o \
                "$dir/$1.qcow2" '{job_id: $i, operation: "convert",
                image: {path: $p, format: "raw"}, parameters: {output_path: $o}}' | jq -c "${2:-.}")" \
                        >/dev/null
        equal "$(status)" 201 "the submission of $1"
}
take() { equal "$(http POST "$worker/queue/dequeue" '{"worker_id":"far"}' | jq -r .job_id)" "$1" \
        "the job that the worker is given"; }
report() { http POST "$worker/jobs/$1/$2" "$3" >/dev/null && case $(status) in 200 | 202) ;; *) fail \
        "a report about $1: $(cat "$dir/body")" ;; esac; }

# --- a job for another machine -----------------------------------------------------------------------------

http POST "$worker/workers/register" \
        '{"worker_id":"mender","capabilities":["nbd_access","mount_operations","selinux_tools"]}' >/dev/null
equal "$(hyperctl submit --id=early --operation=selinux_prep --any-worker -s /srv/far.qcow2)" early \
        "the submission for workers"
equal "$(state early)" QUEUED "it waits"
equal "$(http GET "$worker/queue" | jq .total_jobs)" 1 "the queue"
equal "$(http POST "$worker/queue/dequeue" '{"worker_id":"mender"}' |
        jq -c '[.job_id, .operation, .image.path, .parameters.output_path]')" \
        '["early","selinux_prep","/srv/far.qcow2",null]' "the job as the worker gets it"
http POST "$worker/jobs/early/result" '{"worker_id":"mender","status":"completed"}' >/dev/null
equal "$(state early)" COMPLETED "its end"

http POST "$worker/workers/register" '{"worker_id":"far","capabilities":["qemu_img"]}' >/dev/null

# --- a job that completes ----------------------------------------------------------------------------------

node "$here/../lib/websocket-client.js" ws://127.0.0.1:8080/ws >"$dir/ws" 2>/dev/null &
client=$!
heard() { jq -es "any(.[]; .message.type == \"job_update\" and (.message.data | $1))" "$dir/ws" >/dev/null; }
connected() { [ -s "$dir/ws" ]; }
eventually 20 "the WebSocket is open" connected
queued good
curl -sSN -m 120 "$worker/jobs/good/events/stream" >"$dir/stream" &
stream=$!
hyperctl watch good >"$dir/watched" 2>&1 &
watch=$!
hyperctl logs --follow good >"$dir/followed" 2>&1 &
logs=$!
equal "$(http GET "$api/jobs/good" | jq -r .status)" pending "HyperSDK's word for it while it waits"
take good
report good events '[{"worker_id":"far","phase":"conversion","percentage":10,"message":"the copy begins"},{"worker_id":"far","percentage":55,"message":"the copy is half done","details":{"rate":"12"}}]'
at_55() { [ "$(http GET "$api/jobs/progress/good" |
        jq -c '[.status, .percent_complete, .progress.percent_complete, .phase]')" = \
        '["running",55,55,"conversion"]' ]; }
eventually 10 "HyperSDK's progress" at_55
equal "$(http GET "$api/jobs/good" | jq -c '[.status, .progress.percent_complete]')" '["running",55]' \
        "HyperSDK's job"
in_log() { http GET "$api/jobs/logs/good?tail=50" | jq -e '.logs | any(contains("half done"))' >/dev/null; }
eventually 10 "HyperSDK's log" in_log
eventually 10 "the WebSocket's update" heard \
        '.job_id == "good" and .status == "running" and .progress.percent_complete == 55'
in_stream() { grep -q 'half done' "$dir/stream"; }
eventually 10 "the worker API's stream" in_stream
followed() { grep -q 'half done' "$dir/followed"; }
eventually 10 "hyperctl logs --follow" followed
watched() { grep -q "good: RUNNING, conversion" "$dir/watched"; }
eventually 10 "hyperctl watch" watched
contains "$(journalctl -q --no-pager -o cat HYPER_JOB_ID=good)" "the copy is half done" \
        "journalctl HYPER_JOB_ID="
contains "$(journalctl -q --no-pager -o cat -u hyper-managerd.service)" "the copy is half done" \
        "the log of the manager, whose entry it is"
equal "$(busctl --json=short get-property org.hyper1 "$(job_path good)" org.hyper1.Job Percent | jq .data)" \
        55 "the property on the bus"
report good result '{"worker_id":"far","status":"completed","outputs":[{"path":"/far/good.qcow2","format":"qcow2"}],"metrics":{"seconds":1}}'
wait $stream || fail "the stream did not end"
wait $watch || fail "hyperctl watch says $?: $(cat "$dir/watched")"
wait $logs || fail "hyperctl logs --follow says $?"
equal "$(grep '^event:' "$dir/stream" | tail -n 1)" "event: complete" "the stream's end"
eventually 10 "the WebSocket tells the end" heard \
        '.job_id == "good" and .status == "completed" and .progress.percent_complete == 100'
contains "$(http GET "$api/jobs/good" | jq -c .result)" /far/good.qcow2 "HyperSDK's result"

# --- jobs that end otherwise -------------------------------------------------------------------------------

queued bad '.execution_policy.retry_count = 0'
take bad
report bad events '{"worker_id":"far","percentage":1}'
report bad result '{"worker_id":"far","status":"failed","error":{"phase":"conversion","code":"disk_full","message":"no room at the worker"}}'
status=0
hyperctl watch bad >"$dir/watched" 2>&1 || status=$?
[ $status -ne 0 ] || fail "hyperctl watch takes a failed job for a success"
contains "$(cat "$dir/watched")" "no room at the worker" "what hyperctl says of it"
contains "$(http GET "$api/jobs/bad" | jq -c .error)" "no room at the worker" "HyperSDK's error"
queued dropped
take dropped
http POST "$api/jobs/cancel" '{"job_ids":["dropped"]}' >/dev/null
equal "$(status)" 200 "a cancel over HyperSDK"
equal "$(http POST "$worker/workers/far/heartbeat" | jq -c .cancel_jobs)" '["dropped"]' \
        "what the worker is told"

# --- webhooks ----------------------------------------------------------------------------------------------

eventually 20 "all was delivered" none_pending 0
told() { seen 9001 ".body | fromjson | select(.data.job_id == \"$1\" and .event != \"job.progress\") | [.event, .data.status] | join(\" \")" | tr '\n' ','; }
equal "$(told good)" "job.submitted pending,job.started running,job.completed completed," \
        "what webhooks hear of good"
equal "$(told bad)" "job.submitted pending,job.started running,job.failed failed," "what webhooks hear of bad"
equal "$(told dropped)" "job.submitted pending,job.cancelled cancelled," "what webhooks hear of dropped"
contains "$(seen 9001 '.body | fromjson | select(.event == "job.failed") | .data.error | tostring')" \
        "no room at the worker" "the error that is told"
[ -n \
        "$(seen 9001 \
        '.body | fromjson | select(.event == "job.progress" and .data.job_id == "good") | .event')" ] ||
        fail "webhooks hear nothing of the progress"
kill $client
wait $client || :
receiver_down 9001
