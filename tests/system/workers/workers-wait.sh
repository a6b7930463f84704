#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Workers that wait for a job: one job wakes one worker, one that has gone gets none, and the manager sleeps
# meanwhile.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'worker: {local: false}
daemon: {idle_timeout: 2}
storage: {"'"$dir/san"'": san-b}'
raw_image "$dir/disk.raw" 1

# job_body ID [OUTPUT [PLACEMENT]]
job_body() {
        jq -cn --arg i "$1" --arg p "$dir/disk.raw" --arg o "${2:-$dir/$1.qcow2}" --argjson l "${3:-null}" \
                '{job_id: $i, operation: "convert", placement: $l,
                image: {path: $p, format: "raw"}, parameters: {output_format: "qcow2", output_path: $o}}'
}
submit_queued() {
        local answer
        answer=$(http POST "$worker/jobs?queue=true" "$(job_body "$@")")
        equal "$(status)" 201 "the submission of $1: $answer"
}
# ask WORKER [SECONDS]: a question that waits; its answer will be in $dir/WORKER.answer
ask() { curl -sS -m 90 -o "$dir/$1.answer" "$worker/queue/dequeue" -d \
        "{\"worker_id\":\"$1\",\"wait\":${2:-60}}" & }
answer() { jq -r '.job_id // "nothing"' "$dir/$1.answer"; }
# When the worker was heard from, the manager has been asked: from then on no job is missed.
heard() { http GET "$worker/workers" | jq -r ".workers[] | select(.worker_id == \"$1\") | .last_heartbeat"; }
ask_and_wait() {
        local before
        before=$(heard "$1")
        sleep 1.1 # it is noted once a second
        ask "$@"
        eventually 10 "$1 has asked" was_heard "$1" "$before"
}
was_heard() { [ "$(heard "$1")" != "$2" ]; }
manager_is_asleep() { [ "$(systemctl show -P ActiveState hyper-managerd.service)" = inactive ]; }

for w in w1 w2 w3; do http POST "$worker/workers/register" \
        "{\"worker_id\":\"$w\",\"capabilities\":[\"qemu_img\"]}" >/dev/null; done

# --- one job, one worker -----------------------------------------------------------------------------------

ask_and_wait w1
first=$!
ask_and_wait w2
second=$!
submit_queued a
wait $first
equal "$(answer w1)" a "who waits for longest"
kill -0 $second || fail "the other one was answered, too: $(answer w2)"
submit_queued b
wait $second
equal "$(answer w2)" b "who comes then"
equal "$(http POST "$worker/workers/w1/heartbeat" | jq -c .jobs)" '["a"]' "what w1 holds"
for w in a:w1 b:w2; do http POST "$worker/jobs/${w%:*}/result" \
        "{\"worker_id\":\"${w#*:}\",\"status\":\"completed\"}" >/dev/null; done

ask w1 1
wait $!
equal "$(answer w1)" nothing "one that waits in vain"
answer=$(http POST "$worker/queue/dequeue" '{"worker_id":"w1","wait":61}')
equal "$(status)" 400 "one that waits for too long"
contains "$answer" "wait: must be" "what is wrong with it"

# --- one that goes away ------------------------------------------------------------------------------------

ask_and_wait w1
kill $!
wait $! || :
submit_queued c
equal "$(state c)" QUEUED "a job while the worker that waited has gone"
ask w2
wait $!
equal "$(answer w2)" c "who asks then"
http POST "$worker/jobs/c/result" '{"worker_id":"w2","status":"completed"}' >/dev/null

# --- jobs for machines with a label ------------------------------------------------------------------------

answer=$(http POST "$worker/jobs" "$(job_body l0 "" '{"all": ["san-b"]}')")
equal "$(status)" 400 "a job for another machine that stays on this one"
contains "$answer" "placement.all" "what is wrong with it"
submit_queued l1 "" '{"all": ["san-b"], "none": ["test"]}'
submit_queued l2 "$dir/san/l2.qcow2"
for job in l1 l2; do
        contains "$(http GET "$worker/jobs/$job" | jq -r '.waits_for[]')" "worker:+san-b" "what $job waits for"
done
ask w1 1
wait $!
equal "$(answer w1)" nothing "a worker without the label"
http POST "$worker/workers/register" '{"worker_id":"san","capabilities":["qemu_img"],"labels":["san-b"]}' >/dev/null
equal "$(http GET "$worker/jobs/l1" | jq .waits_for)" null "what l1 waits for when there is such a worker"
contains "$(hyperctl worker show san)" "Labels: san-b" "hyperctl worker show"
for job in l1 l2; do
        ask san
        wait $!
        equal "$(answer san)" $job "a worker with the label"
done
# One that waits for longer, and must not have the job, is not woken in place of one that may.
ask_and_wait w1
first=$!
ask_and_wait san
second=$!
submit_queued l3 "" '{"all": ["san-b"]}'
wait $second
equal "$(answer san)" l3 "the worker with the label that waited"
kill -0 $first || fail "the worker without the label was answered, too: $(answer w1)"
kill $first
wait $first || :
for job in l1 l2 l3; do
        http POST "$worker/jobs/$job/result" '{"worker_id":"san","status":"completed"}' >/dev/null
done

# --- the manager sleeps, is killed; the API is stopped -----------------------------------------------------

ask_and_wait w1
first=$!
eventually 30 "the manager ends while a worker waits" manager_is_asleep
submit_queued d
wait $first
equal "$(answer w1)" d "who waited while the manager slept"
ask_and_wait w2
second=$!
systemctl kill --signal=KILL hyper-managerd.service
submit_queued e
wait $second
equal "$(answer w2)" e "who waited while the manager was killed"
for w in d:w1 e:w2; do http POST "$worker/jobs/${w%:*}/result" \
        "{\"worker_id\":\"${w#*:}\",\"status\":\"completed\"}" >/dev/null; done

ask_and_wait w3
systemctl stop hyper.service
wait $!
equal "$(answer w3)" nothing "who waited while the API was stopped"
lacks "$(journalctl -q -o cat -u hyper.service)" "Giving up" "what the API said at its end"
ask_and_wait w3
first=$!
systemctl kill -s KILL dbus.service
wait $first
equal "$(answer w3)" nothing "who waited while the bus was killed"
on_the_bus() { busctl -q --timeout=5 call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
        GetId 2>/dev/null; }
eventually 20 "dbus is back" on_the_bus
alive() { [ "$(http POST "$worker/workers/w3/heartbeat" | jq -r .worker_id)" = w3 ]; }
eventually 30 "it answers again" alive
for id in a b c d e; do equal "$(state $id)" COMPLETED "job $id"; done
systemctl reset-failed
