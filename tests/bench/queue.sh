# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "queue" of tests/bench/run: submitting, taking jobs and heartbeats over HTTP, beside a FastAPI
# application with the same routes on dictionaries. To be sourced by that script.

# shellcheck disable=SC2154 # results, rounds, tool, work and here are that script's
# shellcheck disable=SC2016 # $ in single quotes is awk's

queue_api=http://127.0.0.1:8000
queue_peer=http://127.0.0.1:8098
queue_run=$RANDOM
queue_wrong=$logs/bench-queue.log

# A number that no load has used, for the ids of its jobs. (In a file: loads run in subshells, too.)
queue_next() {
        queue_serial=$(($(cat "$results.serial" 2>/dev/null || echo 0) + 1000000))
        echo "$queue_serial" >"$results.serial"
}

# queue_rate URL KIND CONNECTIONS WORKERS [SECONDS]: requests per second
queue_rate() {
        local url=$1 kind=$2 connections=$3 workers=$4 seconds=${5:-$load_seconds}
        queue_next
        wrk -t 1 -c "$connections" -d "${seconds}s" -s "$here/queue.lua" "$url" -- "$kind" "$queue_run" \
                "$workers" "$queue_serial" 2>>"$queue_wrong" |
                awk '/^Requests\/sec:/ {print $2} /Non-2xx/ {bad = 1} END {exit bad}' ||
                die "$kind at $url was refused: $(tail -n 1 "$queue_wrong"; inside journalctl -q -o cat -n 3 \
                -p warning -u hyper.service -u hyper-managerd.service)"
}

# queue_pair KIND CONNECTIONS WORKERS "WHAT": both, one after the other, three times
queue_pair() {
        local kind=$1 connections=$2 workers=$3 what=$4 i
        : >"$results.ours"
        : >"$results.peers"
        for i in 1 2 3; do
                queue_rate $queue_api "$kind" "$connections" "$workers" >>"$results.ours"
                queue_rate $queue_peer "$kind" "$connections" "$workers" >>"$results.peers"
        done
        record queue "$what" "/s" "$(cat "$results.ours")" "$(cat "$results.peers")" \
                "FastAPI, uvicorn, dictionaries"
}

# queue_fill N: so many wait at both, without waiting for as many submissions
queue_fill() {
        queue_next
        inside systemctl -q stop hyper.service hyper-managerd.service 2>/dev/null
        inside sqlite3 /var/lib/hyper/hyper.db "
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                INSERT INTO jobs (id, operation, spec, dialect, request, state, reason, priority, retry_count, idempotent, any_worker,
                        created_at, updated_at, timeout_seconds, demand)
                SELECT 'fill-$queue_serial-' || i, operation, json_set(spec, '\$.job_id', 'fill-$queue_serial-' || i,
                        '\$.destination.path', '/srv/bench/fill-$queue_serial-' || i || '.qcow2'), dialect, request, 'QUEUED', reason,
                        priority, retry_count, idempotent, 1, created_at, updated_at, timeout_seconds, demand
                FROM n, jobs WHERE id = 'queue-model-$queue_run'"
        curl -sSf -o /dev/null $queue_peer/fill -H 'Content-Type: application/json' -d "{\"n\": $1}"
        queue_start
}

# The manager has started, and has read what waits.
queue_start() {
        await 60 "a heartbeat is accepted" curl -sf -o /dev/null -X POST $queue_api/workers/w1/heartbeat
}

queue_waiting() { curl -sSf $queue_api/queue | jq .total_jobs; }
service_memory() { inside awk '/^Pss:/ {print $2 / 1024}' \
        "/proc/$(inside systemctl show -P MainPID "$1")/smaps_rollup"; }

# queue_drain: nothing waits at hyper (the peer keeps what it has)
queue_drain() {
        inside systemctl -q stop hyper.service hyper-managerd.service 2>/dev/null
        inside sqlite3 /var/lib/hyper/hyper.db "PRAGMA foreign_keys = ON; DELETE FROM jobs WHERE state <> 'COMPLETED' AND id <> 'queue-model-$queue_run'"
}

start_queue_peer() {
        (cd "$here" && PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m uvicorn --log-level error \
                --no-access-log --port 8098 queue-peer:app) &
        queue_peer_pid=$!
        await 10 "the peer answers" curl -sf -o /dev/null $queue_peer/workers
}

# workers_time URL: ms for one answer
workers_time() { for _ in 1 2 3 4 5; do curl -sSf -o /dev/null -w '%{time_total}\n' "$1"; done |
        awk '{print $1 * 1000}'; }

# What one dequeue takes, in ms, with one worker that asks for one job after the other for a second
dequeue_time() { awk "BEGIN {print 1000 / $(queue_rate $queue_api dequeue 1 1 1)}"; }

# A job is taken, and its result is reported: two requests, each recorded before it is answered
queue_finish() {
        local i few=() many=()
        for i in $(seq "$rounds"); do
                few+=("$(queue_rate $queue_api finish 1 1)")
                many+=("$(queue_rate $queue_api finish 32 1)")
        done
        record queue "Jobs taken and finished in turn, requests of 32 connections" "/s" "${many[*]}" "${few[*]}" \
                "one connection"
}

# slow_flush UNIT: what the daemon writes is on the disk after a millisecond at the earliest
slow_flush() {
        local unit=$1
        cc -shared -fPIC -O2 -o "$work/slow-flush.so" "$here/slow-flush.c"
        inside sh -c "cat >$tool/slow-flush.so" <"$work/slow-flush.so"
        inside sh -c 'mkdir -p /run/systemd/system/$1.d
                printf "[Service]\nEnvironment=LD_PRELOAD=%s\n" "$2" >/run/systemd/system/$1.d/flush.conf' _ "$unit" \
                "$tool/slow-flush.so"
        inside systemctl daemon-reload
}

# What clients that submit at the same time share if a flush takes a millisecond (slow-flush.c), as with many disks:
# the flush of a machine that has its disk in the memory of its host may take a tenth of it. Before the rounds, the
# manager has read what waits, and runs: with many jobs, its start takes longer than a round.
queue_group() {
        local i few=() many=() unit=hyper-managerd.service
        slow_flush $unit
        queue_start
        inside sh -c 'grep -qF slow-flush.so "/proc/$(systemctl show -P MainPID "$1")/maps"' _ $unit ||
                die "$unit runs without slow-flush.so"
        queue_rate $queue_api submit 32 1 1 >/dev/null
        for i in $(seq "$rounds"); do
                few+=("$(queue_rate $queue_api submit 1 1)")
                many+=("$(queue_rate $queue_api submit 32 1)")
        done
        record queue "POST /jobs?queue=true, one client, a flush takes 1 ms" "/s" "${few[*]}" "" ""
        record queue "the same, 32 clients" "/s" "${many[*]}" "${few[*]}" "one client"
        inside rm -r "/run/systemd/system/$unit.d"
        inside systemctl daemon-reload
        inside systemctl -q stop hyper.service "$unit" 2>/dev/null
}

bench_queue() {
        local i model few many
        : >"$queue_wrong"
        small_source
        start_queue_peer
        inside sh -c 'mkdir -p /etc/hyper/config.d && echo "worker: {local: false}" >/etc/hyper/config.d/90-queue.yaml'
        inside hyperctl reload
        # The model of the jobs that are put into the database
        model=$(printf '{"job_id":"queue-model-%s","operation":"convert","image":{"path":"/srv/bench/small.qcow2","format":"qcow2"},"parameters":{"output_format":"qcow2","output_path":"/srv/bench/queue-model-%s.qcow2"}}' "$queue_run" "$queue_run")
        curl -sSf -o /dev/null -H 'Content-Type: application/json' -d "$model" "$queue_api/jobs?queue=true"

        say "  10,000 workers"
        /usr/bin/python3 "$here/queue-register.py" 8098 10000
        /usr/bin/python3 "$here/queue-register.py" 8000 10000
        [ "$(curl -sSf "$queue_api/workers?limit=1" | jq .total)" = 10000 ] ||
                die "not all workers are registered"
        record queue "GET /workers, all 10,000, median" ms "$(workers_time $queue_api/workers)" \
                "$(workers_time $queue_peer/workers)" "FastAPI, uvicorn, dictionaries"
        record queue "GET /workers?limit=100, the last of 10,000, median" ms \
                "$(workers_time "$queue_api/workers?limit=100&offset=9900")" "" ""
        queue_pair heartbeat 64 10000 "Heartbeats of 10,000 workers, 64 connections"

        say "  submissions"
        queue_pair submit 1 1 "POST /jobs?queue=true, one client"
        queue_pair submit 32 1 "POST /jobs?queue=true, 32 clients"
        queue_drain
        queue_group
        queue_drain

        say "  taking jobs"
        : >"$results.ours"
        for i in 1 2 3; do
                queue_fill 1400 # of which some hundreds are taken meanwhile
                dequeue_time >>"$results.ours"
                queue_drain
        done
        few=$(cat "$results.ours")
        queue_fill 100000
        many=$(for i in 1 2 3; do dequeue_time; done)
        record queue "One dequeue with 100,000 jobs waiting" ms "$many" "$few" "the same with about 1,000"
        for i in 1 8 64; do queue_pair dequeue "$i" "$i" "POST /queue/dequeue, $i workers, 100,000 waiting"; \
                done
        queue_pair submit 32 1 "POST /jobs?queue=true, 32 clients, 100,000 waiting"
        queue_finish

        record queue \
                "hyper-managerd.service with 10,000 workers and $(queue_waiting) jobs waiting, proportional" \
                MiB \
                "$(service_memory hyper-managerd.service)" \
                "$(awk '/^Pss:/ {print $2 / 1024}' "/proc/$queue_peer_pid/smaps_rollup")" \
                "FastAPI, which has them, too"
        record queue "hyper.service then, proportional" MiB "$(service_memory hyper.service)" "" ""
        kill "$queue_peer_pid"
        wait "$queue_peer_pid" || :
        queue_drain
        inside rm /etc/hyper/config.d/90-queue.yaml
        rm -f "$results".{ours,peers,serial}
}
