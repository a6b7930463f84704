#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of hyper-agentd share. They run on the host, beside two machines with a cable between them:
# the worker (10.77.0.1) has hyper-agentd, the server (10.77.0.2) has the queue and, for jobs, nothing else.

# shellcheck disable=SC2016,SC2034 # much of it is for the shells inside; the variables are for those who
# source this
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

url=http://10.77.0.2:8000
directory=/srv/agent
key=''

worker_machine() { "$(dirname "$0")/../../machine" --name "$HYPER_MACHINE" "$@"; }
server_machine() { "$(dirname "$0")/../../machine" --name "$HYPER_SECOND_MACHINE" "$@"; }
on_worker() { worker_machine exec "$@"; }
on_server() { server_machine exec "$@"; }
# the functions of lib.sh, run inside: server_lib 'wait_state x COMPLETED'
worker_lib() { on_worker bash -c '. /usr/lib/hyper-tests/system/lib/lib.sh; eval "$1"' \
        /usr/lib/hyper-tests/system/lib/lib.sh "$1"; }
server_lib() { on_server bash -c '. /usr/lib/hyper-tests/system/lib/lib.sh; eval "$1"' \
        /usr/lib/hyper-tests/system/lib/lib.sh "$1"; }

fail() {
        echo "FAILED (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]}): $*"
        echo "=== the server"
        server_lib context || :
        echo "=== the worker"
        worker_lib context || :
        on_worker journalctl -q --no-pager -o short-precise -u hyper-agentd -n 60 || :
        on_worker sh -c 'systemctl show -P StatusText hyper-agentd; ls -la /var/lib/hyper-agent/jobs; cat /var/lib/hyper-agent/jobs/*' || :
        exit 1
}
contains() { case $1 in *"$2"*) ;; *) fail "$3: expected '$2' in: $1" ;; esac; }
lacks() { case $1 in *"$2"*) fail "$3: did not expect '$2' in: $1" ;; esac; }
eventually() {
        local limit=$1 what=$2 end=$((SECONDS + $1))
        shift 2
        until "$@"; do
                [ $SECONDS -lt $end ] || fail "waited $limit s for this, in vain: $what"
                sleep 0.1
        done
}

# --- the two machines --------------------------------------------------------------------------------------

# Opens the server's worker API to the worker, with a key, and has it do no job itself.
set_up_server() {
        on_server sh -ec 'mkdir -p /srv/agent /etc/hyper/config.d /etc/systemd/system/hyper-worker.socket.d
                echo "worker: {local: false}" >/etc/hyper/config.d/90-test.yaml
                printf "[Socket]\nFreeBind=yes\nListenStream=10.77.0.2:8000\n" >/etc/systemd/system/hyper-worker.socket.d/90-test.conf
                (umask 077; hyperctl key add worker --scope=work -q >/etc/worker.key; hyperctl key add client --scope=submit -q >/etc/client.key)
                systemctl daemon-reload; systemctl stop hyper.service; systemctl restart hyper-worker.socket; sync'
        key=$(on_server cat /etc/worker.key)
}

set_up_worker() {
        printf 'server:\n  url: %s\n  allow_insecure: true\nworker:\n  id: w1\n  max_jobs: 4\n  heartbeat: 2\n  labels: [san-b]\n' "$url" |
                on_worker sh -ec 'mkdir -p /srv/agent /etc/credstore; cat >/etc/hyper/agent.yaml'
        printf '%s\n' "$key" | on_worker sh -ec 'umask 077; cat >/etc/credstore/hyper-agent.api-key
                systemctl -q enable hyper-agentd; systemctl restart hyper-agentd; sync'
}

agent_status() { on_worker systemctl show -P StatusText hyper-agentd; }
is_connected() { case $(agent_status) in *", connected to "*) ;; *) return 1 ;; esac; }
is_not_connected() { case $(agent_status) in *"not connected to "*) ;; *) return 1 ;; esac; }
plug() { worker_machine link "$HYPER_SECOND_MACHINE"; }

# --- jobs --------------------------------------------------------------------------------------------------

# submit ID [JQ-PROGRAM]: a job of the server whose image is on the worker; the program changes it. One whose
# id ends with "-slow" takes some seconds.
submit() {
        local source=$directory/disk.raw
        case $1 in *-slow) source="nbd+unix:///?socket=$directory/slow.sock" ;; esac
        on_server sh -ec 'curl -sS --fail-with-body -o /dev/null -m 30 -H "X-API-Key: $(cat /etc/client.key)" -H "Content-Type: application/json" \
                "http://127.0.0.1:8000/jobs?queue=true" -d "$1"' _ \
                "$(jq -cn --arg i "$1" --arg s "$source" --arg d "$directory/$1.qcow2" \
                '{job_id: $i, operation: "convert", image: {path: $s, format: "raw"}, parameters: {output_path: $d, output_format: "qcow2", verify: true},
                  execution_policy: {retry_count: 5, idempotent: true}}' | jq -c "${2:-.}")"
}
# read PATH: of the server's worker API
ask() { on_server sh -ec 'curl -sS -m 30 -H "X-API-Key: $(cat /etc/client.key)" "http://127.0.0.1:8000$1"' _ \
        "$1"; }
state() { ask "/jobs/$1" | jq -r .state; }
is_state() { [ "$(state "$1")" = "$2" ]; }

# The images: one that is soon copied, and one that takes its time.
make_images() {
        on_worker mkdir -p $directory
        worker_lib 'raw_image /srv/agent/disk.raw 8; raw_image /srv/agent/slow.raw 24; sync'
        slow_source
}
# (gone after a power cut)
slow_source() { worker_lib 'serve /srv/agent/slow.sock --filter=rate file /srv/agent/slow.raw rate=30M'; }
stop_slow_source() { worker_lib 'stop_serving /srv/agent/slow.sock'; }

# what the job is called on the worker, of its last attempt
local_id() { on_worker journalctl -q -o cat -u hyper-agentd --grep "^Took job $1 of " | tail -n 1 |
        sed 's/.* as \(.*\)\.$/\1/'; }
is_taken() { [ -n "$(local_id "$1")" ]; }
local_state() { on_worker sh -c 'busctl --json=short call org.hyper1 /org/hyper1 org.hyper1.Manager GetJob s "$1" | jq -r ".data[1]" | jq -r .state' _ "$(local_id "$1")"; }
is_local_state() { [ "$(local_state "$1" 2>/dev/null)" = "$2" ]; }
# has begun to move bytes
is_moving() { on_worker sh -c 'journalctl -q -o cat "HYPER_JOB_ID=$1" --grep "% complete" | grep -q .' _ \
        "$(local_id "$1")"; }

# events_of_worker ID, events_of_server ID: what was said in the last attempt, one a line
events_of_worker() {
        on_worker curl -sS -m 30 "http://127.0.0.1:8000/jobs/$(local_id "$1")/events" |
                jq -r '.[] | select(.details.state | not) | .message'
}
# [number, message] of each, those that came twice once
numbered_events() {
        ask "/jobs/$1/events" | jq -c '(map(.details.state == "ASSIGNED") | rindex(true)) as $from | .[$from:]
                | map(select(.details.sequence) | [(.details.sequence | tonumber), .message])
                | reduce .[] as $e ([]; if any(.[]; . == $e) then . else . + [$e] end)'
}
events_of_server() { numbered_events "$1" | jq -r '.[][1]'; }

has_ended() { case $(state "$1") in COMPLETED | FAILED | CANCELLED) ;; *) return 1 ;; esac; }
is_forgotten() { [ -z \
        "$(on_worker sh -c 'grep -l "\"job_id\":\"$1\"" /var/lib/hyper-agent/jobs/* 2>/dev/null' _ "$1")" ]; }

# ended ID [some]: the job has one end, its output holds what the source does, and all that it said was told,
# in order (some: what a power cut has left of it).
ended() {
        local source=$directory/disk.raw history numbers
        eventually 60 "job $1 ends" has_ended "$1"
        history=$(ask "/jobs/$1" | jq -r '[.state_history[].state] | join(" ")')
        equal "$(state "$1")" COMPLETED "job $1 after $history: $(ask "/jobs/$1" | jq -c .result)"
        equal "$(grep -oE 'COMPLETED|FAILED|CANCELLED' <<<"$history" | wc -l)" 1 "ends of job $1: $history"
        equal "$(ask "/jobs/$1" | jq -r '.result.outputs[0].path')" "$directory/$1.qcow2" \
                "the output of job $1"
        case $1 in *-slow) source=$directory/slow.raw ;; esac
        worker_lib "same $source $directory/$1.qcow2 qcow2; missing $directory/.$1.qcow2.hyper-part"
        numbers=$(numbered_events "$1" | jq -c 'map(.[0])')
        equal "$numbers" "$(jq -c 'unique' <<<"$numbers")" "the order of the events of job $1"
        [ "${2:-}" = some ] || equal "$(events_of_server "$1")" "$(events_of_worker "$1")" \
                "the events of job $1"
        eventually 20 "the worker has forgotten job $1" is_forgotten "$1"
        echo "$1: $history"
}

# --- in every phase ----------------------------------------------------------------------------------------

# in_every_phase NAME FAULT MEND [some]: has FAULT happen while the worker waits for a job, has one that is
# not begun, has one that runs, and has one that has ended and cannot say so; and MEND after each.
in_every_phase() {
        local name=$1 fault=$2 mend=$3 events=${4:-}
        eventually 60 "the agent is connected" is_connected
        $fault
        $mend
        submit "$name-waiting"
        ended "$name-waiting" "$events"

        # The worker's manager is held, so that nothing begins.
        on_worker systemctl start hyper-managerd
        on_worker systemctl kill -s STOP hyper-managerd
        submit "$name-taken"
        eventually 30 "the job is taken" is_taken "$name-taken"
        $fault
        on_worker systemctl kill -s CONT hyper-managerd 2>/dev/null || :
        $mend
        ended "$name-taken" "$events"

        submit "$name-running-slow"
        eventually 30 "the job moves" is_moving "$name-running-slow"
        $fault
        $mend
        ended "$name-running-slow" "$events"

        # The server's manager is held, so that the result arrives and is not acknowledged.
        submit "$name-ended-slow"
        eventually 30 "the job moves" is_moving "$name-ended-slow"
        on_server systemctl kill -s STOP hyper-managerd
        eventually 30 "the job has ended on the worker" is_local_state "$name-ended-slow" COMPLETED
        $fault
        on_server systemctl kill -s CONT hyper-managerd 2>/dev/null || :
        $mend
        ended "$name-ended-slow" "$events"
}
# A unit that was killed often is started all the same.
killed() { "$1" sh -c 'systemctl reset-failed; systemctl kill -s KILL "$1"' _ "$2"; }
