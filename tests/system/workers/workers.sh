#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# slow: the manager is killed again and again while workers go on
#
# Workers over HTTP, with curl in their place: they register, take jobs, report, are cancelled; and while the
# manager is killed again and again no job is given twice or lost.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'worker: {local: false}'
raw_image "$dir/disk.raw" 1

# job_body ID [JQ-PROGRAM]
job_body() {
        jq -cn --arg i "$1" --arg p "$dir/disk.raw" --arg o "$dir/$1.qcow2" \
                '{job_id: $i, operation: "convert",
                image: {path: $p, format: "raw"}, parameters: {output_format: "qcow2", output_path: $o}}' |
                        jq -c "${2:-.}"
}
dequeue() { http POST "$worker/queue/dequeue" "{\"worker_id\":\"$1\"}"; }

# --- registration ------------------------------------------------------------------------------------------

answer=$(http POST "$worker/workers/register" '{"worker_id":"w1","capabilities":{"qemu_img":true},"system_info":{"hostname":"one","memory_mb":16384}}')
equal "$(status)" 201 "registration: $answer"
equal "$(jq -c .capabilities <<<"$answer")" '{"qemu_img":true}' "capabilities as they came"
http POST "$worker/workers/register" '{"worker_id":"w2","capabilities":["qemu_img","lvm_tools"]}' >/dev/null
equal "$(status)" 201 "another registration"
answer=$(http POST "$worker/workers/register" '{"worker_id":"","capabilities":7}')
equal "$(status)" 400 "a wrong registration"
contains "$answer" "capabilities" "what is wrong"
answer=$(http GET "$worker/workers")
equal "$(jq -c '[.total, .active, .workers[1].capabilities]' <<<"$answer")" '[2,2,["qemu_img","lvm_tools"]]' \
        "the list"
equal "$(http GET "$worker/health" | jq .workers)" 3 "workers in /health, this machine included"
http POST "$worker/workers/nobody/heartbeat" >/dev/null
equal "$(status)" 404 "a heartbeat of nobody"
dequeue nobody >/dev/null
equal "$(status)" 404 "a dequeue of nobody"

# --- one job, all the way ----------------------------------------------------------------------------------

answer=$(http POST "$worker/jobs?queue=true" "$(job_body lvm '.capability_requirements = {needs_lvm: true}')")
equal "$(status)" 201 "a submission: $answer"
http POST "$worker/jobs?queue=true" "$(job_body first '.execution_policy.priority = 10')" |
        jq -e '.queue_position == 2' >/dev/null ||
        fail "the queue position of the second job"
equal "$(http GET "$worker/queue" | jq -c .)" '{"total_jobs":2,"by_priority":{"50":1,"10":1}}' "the queue"
equal "$(hyperctl queue --json=short)" '{"total":2,"by_priority":{"50":1,"10":1},"limits":[]}' "hyperctl queue"
answer=$(dequeue w1)
equal "$(jq -r '.job_id + " " + .image.path + " " + .parameters.output_format' <<<"$answer")" \
        "first $dir/disk.raw qcow2" "what w1 can do"
equal "$(dequeue w1)" null "there is nothing more for it"
equal "$(http GET "$worker/jobs/first" | jq -r '.state + " " + .worker_id')" "ASSIGNED w1" "the job"
http POST "$worker/jobs/first/events" '[{"worker_id":"w1","phase":"conversion","percentage":30,"message":"going on"},{"worker_id":"w1","percentage":20}]' >/dev/null
equal "$(status)" 202 "events"
equal "$(state first)" RUNNING "after the first event"
told() { http GET "$worker/jobs/first/events" |
        jq -e 'any(.message == "going on" and .percentage == 30)' >/dev/null; }
eventually 10 "the event is told" told
http GET "$worker/jobs/first/events" | jq -e '[.[].percentage] == ([.[].percentage] | sort)' >/dev/null ||
        fail "a percentage goes back"
http POST "$worker/jobs/first/events" '{"worker_id":"w2","percentage":50}' >/dev/null
equal "$(status)" 409 "events of a worker that does not hold it"
http POST "$worker/jobs/first/events" '{"percentage":50}' >/dev/null
equal "$(status)" 400 "events of nobody"
http POST "$worker/jobs/nothing/events" '{"worker_id":"w1"}' >/dev/null
equal "$(status)" 404 "events of no job"
head -c 11000000 /dev/zero | tr '\0' ' ' >"$dir/large"
http POST "$worker/jobs/first/events" "@$dir/large" >/dev/null
equal "$(status)" 413 "a report of 11 MB"
http POST "$worker/jobs/first/result" \
        '{"worker_id":"w1","status":"completed","outputs":[{"path":"/elsewhere"}],"metrics":{"seconds":1}}' \
        >/dev/null
equal "$(status)" 200 "the result"
equal "$(states first)" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "all it went through"
equal "$(http GET "$worker/jobs/first" | jq -r '.result.outputs[0].path')" /elsewhere "its output"
http POST "$worker/jobs/first/result" '{"worker_id":"w1","status":"failed"}' >/dev/null
equal "$(status)" 409 "the result again"

equal "$(hyperctl worker list --json=short | jq -c '[.[] | [.worker_id, .jobs]]')" '[["w1",0],["w2",0]]' \
        "hyperctl worker list"
contains "$(hyperctl worker show w1)" "hostname: one" "hyperctl worker show"
http POST "$worker/workers/register" '{"worker_id":"w3","capabilities":[]}' >/dev/null
hyperctl worker rm w3 || fail "hyperctl worker rm"
http POST "$worker/workers/w3/heartbeat" >/dev/null
equal "$(status)" 404 "a heartbeat after hyperctl worker rm"

# --- cancel, unregister ------------------------------------------------------------------------------------

equal "$(dequeue w2 | jq -r .job_id)" lvm "what w2 can do"
http DELETE "$worker/jobs/lvm" >/dev/null
equal "$(status)" 200 "a cancel"
equal "$(http POST "$worker/workers/w2/heartbeat" | jq -c '[.jobs, .cancel_jobs]')" '[[],["lvm"]]' \
        "what w2 is told"
http POST "$worker/jobs?queue=true" "$(job_body back)" >/dev/null
equal "$(dequeue w2 | jq -r .job_id)" back "the next job"
http DELETE "$worker/workers/w2" >/dev/null
equal "$(status)" 200 "the removal of w2"
wait_state back QUEUED
equal "$(dequeue w1 | jq -r .job_id)" back "the job that went back"
http POST "$worker/jobs/back/result" '{"worker_id":"w1","status":"completed"}' >/dev/null

# --- kill -9 of the manager, at random ---------------------------------------------------------------------

# carry_out NAME: a worker that takes and reports, and goes on when it is not answered, until there is a stop
# file
carry_out() {
        local id
        while [ ! -e "$dir/stop" ]; do
                id=$(curl -s -m 30 "$worker/queue/dequeue" -d "{\"worker_id\":\"$1\"}" |
                        jq -r '.job_id // empty' 2>/dev/null)
                [ -n "$id" ] || { sleep 0.1; continue; }
                echo "$id" >>"$dir/$1.taken"
                until curl -s -m 30 -o /dev/null -w '%{http_code}' "$worker/jobs/$id/result" \
                        -d "{\"worker_id\":\"$1\",\"status\":\"completed\"}" |
                        grep -qE '200|409'; do sleep 0.1; done
        done
}
for w in a b c; do
        http POST "$worker/workers/register" "{\"worker_id\":\"$w\",\"capabilities\":[\"qemu_img\"]}" \
                >/dev/null
        carry_out $w &
done
accepted=()
kill_times=0
for i in $(seq 1 60); do
        answer=$(http POST "$worker/jobs?queue=true" "$(job_body "load-$i")") || :
        [ "$(status)" != 201 ] || accepted+=("load-$i")
        if [ $((i % 6)) = 0 ]; then
                sleep "0.$((RANDOM % 10))"
                pid=$(systemctl show -P MainPID hyper-managerd.service)
                [ "$pid" = 0 ] || { kill -KILL "$pid" 2>/dev/null && kill_times=$((kill_times + 1)); }
                systemctl reset-failed hyper-managerd.service 2>/dev/null || :
        fi
done
[ $kill_times -ge 3 ] || fail "the manager was killed only $kill_times times"
[ ${#accepted[@]} -gt 20 ] || fail "only ${#accepted[@]} of 60 jobs were accepted"
answers() { busctl -q get-property "${manager[@]}" Version 2>/dev/null; }
eventually 15 "the manager answers" answers
# What was taken by a worker that was never told of it waits for the end of its lease; all else has ended.
none_waits() { [ "$(http GET "$worker/queue" | jq .total_jobs)" = 0 ]; }
eventually 60 "the queue is empty" none_waits
touch "$dir/stop"
wait
for id in "${accepted[@]}"; do
        ends=$(job "$id" | jq '[.state_history[].state | select(. == "COMPLETED" or . == "FAILED" or . == "CANCELLED")] | length')
        case $(state "$id") in
        COMPLETED) equal "$ends" 1 "how often $id has ended" ;;
        ASSIGNED) lacks " $(cat "$dir"/?.taken | tr '\n' ' ')" " $id " "a job that its worker has reported" ;;
        *) fail "$id is $(state "$id"): $(states "$id")" ;;
        esac
done
equal "$(cat "$dir"/?.taken | sort | uniq -d)" "" "jobs that were given twice"
echo "the manager was killed $kill_times times, ${#accepted[@]} jobs were accepted"
# What is left belongs to workers that are gone.
for id in "${accepted[@]}"; do [ "$(state "$id")" = COMPLETED ] || cancel "$id"; done
systemctl reset-failed hyper-managerd.service 2>/dev/null || :
