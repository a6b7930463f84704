#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# Workers that wait for a job: one job wakes one worker, one that has gone gets none, and the manager sleeps
# meanwhile.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'worker: {local: false}
daemon: {idle_timeout: 2}'
raw_image "$dir/disk.raw" 1

job_body() {
        jq -cn --arg i "$1" --arg p "$dir/disk.raw" --arg o "$dir/$1.qcow2" \
                '{job_id: $i, operation: "convert",
                image: {path: $p, format: "raw"}, parameters: {output_format: "qcow2", output_path: $o}}'
}
submit_queued() {
        local answer
        answer=$(http POST "$worker/jobs?queue=true" "$(job_body "$1")")
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
