# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "fanout" of tests/bench/run, to be sourced by it: many clients that watch a few jobs.

# shellcheck disable=SC2154 # results, build_directory, here, tool, api and fanout_seconds are those scripts'
# shellcheck disable=SC2016 # $ in single quotes is for the shell or awk inside

fanout_websockets=2000 fanout_streams=1000 fanout_jobs=4

# four jobs that take a while, each with a source of its own that gives 2 MiB a second
fanout_start_jobs() {
        local run=$1 i
        # On a machine with fewer cores they would wait for each other.
        inside sh -c "mkdir -p /etc/hyper/config.d
                echo 'jobs: {max_running: $fanout_jobs}' >/etc/hyper/config.d/90-fanout.yaml"
        inside hyperctl reload
        for i in $(seq $fanout_jobs); do
                inside systemd-run -q --collect --unit="bench-nbd-$i" -p Type=forking -p \
                        "PIDFile=/srv/bench/$i.pid" \
                        nbdkit --pidfile "/srv/bench/$i.pid" -U "/srv/bench/$i.sock" --filter=rate pattern \
                        1G rate=16M
                inside hyperctl submit --quiet --id "fanout-$run-$i" --source \
                        "nbd+unix:///?socket=/srv/bench/$i.sock" \
                        --destination "/srv/bench/fanout-$i.qcow2" >/dev/null
        done
        await 60 "all $fanout_jobs jobs run" fanout_jobs_run
}
fanout_jobs_run() { [ "$(curl -sSf "$api/status" | jq .running_jobs)" = $fanout_jobs ]; }

fanout_stop_jobs() {
        local i
        for i in $(seq $fanout_jobs); do
                inside hyperctl cancel "fanout-$1-$i" >/dev/null || :
                inside systemctl stop "bench-nbd-$i" 2>/dev/null || :
                inside rm -f "/srv/bench/$i.sock"
        done
        inside rm /etc/hyper/config.d/90-fanout.yaml
        inside hyperctl reload
}

# pss PID, cpu PID: MiB, and seconds so far
pss() { inside awk '/^Pss:/ {print $2 / 1024}' "/proc/$1/smaps_rollup"; }
cpu() { inside awk '{print ($14 + $15) / 100}' "/proc/$1/stat"; }
minus() { awk -v a="$1" -v b="$2" -v n="${3:-1}" 'BEGIN {print (a - b) / n}'; }

# fanout_measure NAME PID WEBSOCKET-PORT STREAM-PORT PATH…: into $results.NAME
fanout_measure() {
        local name=$1 pid=$2 where memory=() spent figures clients
        shift 2
        memory+=("$(pss "$pid")")
        coproc CLIENTS { "$build_directory/tests/bench/fanout-client" "$1" "$2" $fanout_websockets \
                $fanout_streams "$fanout_seconds" "${@:3}"; }
        clients=$CLIENTS_PID # bash forgets it when it ends
        for _ in 1 2; do
                read -r where <&"${CLIENTS[0]}" || die "the clients of $name could not connect"
                sleep 3 # the past is told, the process has settled
                memory+=("$(pss "$pid")")
                say "  $name: with $where $(printf %.1f "${memory[-1]}") MiB"
                spent=$(cpu "$pid")
                echo >&"${CLIENTS[1]}"
        done
        read -r figures <&"${CLIENTS[0]}" || die "clients of $name were let down"
        jq -c --argjson cpu "$(minus "$(cpu "$pid")" "$spent")" \
                --argjson websocket "$(minus "${memory[1]}" "${memory[0]}" $fanout_websockets)" \
                --argjson stream "$(minus "${memory[2]}" "${memory[1]}" $fanout_streams)" \
                '.cpu = $cpu | .websocket.kib = ($websocket * 1024) | .stream.kib = ($stream * 1024)' \
                <<<"$figures" >"$results.$name"
        wait "$clients" 2>/dev/null || :
}

fanout_record() {
        local key=$1 what=$2 unit=$3
        record fanout "$what" "$unit" "$(jq "$key" "$results.hyper")" "$(jq "$key" "$results.peer")" \
                "a bare broadcast by Node.js, no journal before it"
}

bench_fanout() {
        local run=$RANDOM peer i paths=()
        fanout_start_jobs "$run"
        for i in $(seq $fanout_jobs); do paths+=("/jobs/fanout-$run-$i/events/stream"); done
        fanout_measure hyper "$(inside systemctl show -P MainPID hyper.service)" 8080 8000 "${paths[@]}"
        fanout_stop_jobs "$run"

        inside sh -c "cat >$tool/fanout-peer.js" <"$here/fanout-peer.js"
        inside sh -c "echo \$\$ >/srv/bench/peer.pid; exec node $tool/fanout-peer.js" &
        peer=$!
        await 10 "the peer answers" curl -s -o /dev/null --max-time 1 http://127.0.0.1:8097/
        fanout_measure peer "$(inside cat /srv/bench/peer.pid)" 8097 8098 /
        inside sh -c 'kill $(cat /srv/bench/peer.pid)'
        wait "$peer" 2>/dev/null || :

        fanout_record .websocket.messages \
                "Messages to $fanout_websockets WebSocket clients in $fanout_seconds s" ""
        fanout_record .websocket.median_ms "From the journal to a WebSocket client, median" ms
        fanout_record .websocket.p99_ms "the same, 99 of 100" ms
        fanout_record .websocket.worst_ms "the same, worst" ms
        fanout_record .stream.messages "Events to $fanout_streams event streams in $fanout_seconds s" ""
        fanout_record .stream.median_ms "From the journal to an event stream, median" ms
        fanout_record .stream.p99_ms "the same, 99 of 100" ms
        fanout_record .stream.worst_ms "the same, worst" ms
        fanout_record .websocket.kib "Memory for a WebSocket client" KiB
        fanout_record .stream.kib "Memory for an event stream" KiB
        fanout_record .cpu "CPU seconds for all of them, in $fanout_seconds s" s
        rm -f "$results.hyper" "$results.peer"
}
