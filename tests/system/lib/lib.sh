#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the system tests share. A test is sourced by nobody and sources this: it then has a directory of its
# own, $dir, which goes away when it ends, and the functions below. Every wait has an end, and everything that
# fails says what was expected and what there was.

# shellcheck disable=SC2034 # the variables are for those who source this

set -eEuo pipefail

api=http://127.0.0.1:8080
worker=http://127.0.0.1:8000
hosts_api=http://127.0.0.1:8890
manager=(org.hyper1 /org/hyper1 org.hyper1.Manager)
dir=''

# --- failing -----------------------------------------------------------------------------------------------

context() {
        set +e +x
        echo "--- jobs"
        busctl --json=short call "${manager[@]}" ListJobs 'a{sv}' 1 limit t 20 2>&1 |
                jq -c '.data[1][]? | [.[0], .[3], .[4], .[5], .[8]]' 2>/dev/null
        echo "--- units"
        systemctl list-units --all --no-legend --plain 'hyper*'
        echo "--- the journal's end"
        journalctl -q --no-pager -o short-precise -n 60 _SYSTEMD_UNIT=hyper.service + \
                _SYSTEMD_UNIT=hyper-managerd.service \
                + _SYSTEMD_UNIT=hyper-hostd.service + _SYSTEMD_SLICE=hyper-jobs.slice + _PID=1 | tail -n 60
}

fail() {
        local caller=${BASH_SOURCE[1]:-}
        echo "FAILED (${caller##*/}:${BASH_LINENO[0]}): $*"
        context
        exit 1
}

skip() {
        echo "SKIP: $*"
        exit 77
}

# what FAILED at a line that nothing was said about
unexpected() {
        local status=$? caller=${BASH_SOURCE[1]:-}
        echo "FAILED (${caller##*/}:${BASH_LINENO[0]}): status $status from: $BASH_COMMAND"
        context
        exit 1
}

# equal ACTUAL EXPECTED WHAT
equal() { [ "$1" = "$2" ] || fail "$3: expected '$2', got '$1'"; }
# contains TEXT PART WHAT
contains() { case $1 in *"$2"*) ;; *) fail "$3: expected '$2' in: $1" ;; esac; }
lacks() { case $1 in *"$2"*) fail "$3: did not expect '$2' in: $1" ;; esac; }
exists() { [ -e "$1" ] || fail "expected $1 to exist; in its directory: $(find "$(dirname "$1")" -mindepth 1 \
        -maxdepth 1 -printf '%f ' 2>&1)"; }
missing() { [ ! -e "$1" ] || fail "expected that there is no $1"; }

# pause TRIES: before a condition is looked at again. A look costs up to a tenth of a second of CPU time, so
# what takes longer is looked at less often.
pause() {
        if [ "$1" -lt 20 ]; then sleep 0.05; elif [ "$1" -lt 50 ]; then sleep 0.1; else sleep 0.2; fi
}

# eventually SECONDS WHAT COMMAND…: waits until the command is true
eventually() {
        local limit=$1 what=$2 end=$((SECONDS + $1)) tries=0
        shift 2
        until "$@"; do
                [ $SECONDS -lt $end ] || fail "waited $limit s for this, in vain: $what"
                pause $((tries++))
        done
}

# --- jobs over the bus -------------------------------------------------------------------------------------

# jq takes 25 ms of CPU time to start, so what is called in loops does without it.

# first_string TEXT: the first string in what busctl prints, such as: so "/org/hyper1" "{}"
first_string() {
        local text=${1#*\"}
        printf '%s\n' "${text%%\"*}"
}

# submit SPEC: submits over the bus and prints the id
submit() {
        local reply
        reply=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$1" 0) && first_string "$reply"
}

# spec SOURCE DESTINATION [JQ-PROGRAM]: a spec for a conversion. Paths are files, all else NBD URIs; the
# program changes the rest, as in: spec a.vmdk b.qcow2 '.parameters.verify = true'
spec() {
        jq -cn --arg s "$1" --arg d "$2" '
                def endpoint: if startswith("/") then {type: "file", path: .} else {type: "nbd", uri: .} end;
                def format: capture("\\.(?<f>qcow2|raw|vmdk)$").f // "raw";
                {operation: "convert", source: ($s | endpoint), destination: ($d | endpoint)}
                # a raw disk without a boot sector, as tests have them, is not recognized
                | if $s | test("^/.*\\.raw$") then .source.format = "raw" else . end
                | if .destination.type == "file" then .destination.format = (([$d | format] | .[0]) // "raw") else . end
                | '"${3:-.}"
}

# job ID: the job as JSON
job() { busctl --json=short call "${manager[@]}" GetJob s "$1" | jq -r '.data[1]'; }
job_path() {
        local reply
        reply=$(busctl call "${manager[@]}" GetJob s "$1") && first_string "$reply"
}
# (its own state comes before those in its history)
state() {
        local reply
        reply=$(busctl call "${manager[@]}" GetJob s "$1") || return
        reply=${reply#*'\"state\":\"'}
        printf '%s\n' "${reply%%\\*}"
}
reason() { job "$1" | jq -r '.state_history[-1].reason // .reason'; }
# states ID: all it went through, in one line
states() { job "$1" | jq -r '[.state_history[].state] | join(" ")'; }
unit() { echo "hyper-job-$(systemd-escape -- "$1").service"; }

is_final() { case $1 in COMPLETED | FAILED | CANCELLED) ;; *) return 1 ;; esac; }

# wait_state ID STATE [SECONDS]: until it is in that state, or beyond it
wait_state() {
        local id=$1 want=$2 limit=${3:-60} now end=$((SECONDS + ${3:-60})) tries=0
        while :; do
                now=$(state "$id") || now='(none)'
                [ "$now" = "$want" ] && return 0
                if is_final "$now"; then
                        case " $(states "$id") " in *" $want "*) is_final "$want" || return 0 ;; esac
                        fail "job $id is $now, not $want: $(reason "$id")"
                fi
                [ $SECONDS -lt $end ] || fail "job $id is still $now after $limit s, not $want"
                pause $((tries++))
        done
}

# wait_bytes ID BYTES: until that many are done
wait_bytes() {
        local id=$1 moved path end=$((SECONDS + 60))
        path=$(job_path "$id")
        while :; do
                moved=$(busctl get-property org.hyper1 "$path" org.hyper1.Job BytesDone)
                moved=${moved#t }
                [ "$moved" -ge "$2" ] && return 0
                is_final "$(state "$id")" &&
                        fail "job $id is $(state "$id") after $moved bytes: $(reason "$id")"
                [ $SECONDS -lt $end ] || fail "job $id has moved $moved bytes in 60 s, not $2"
                sleep 0.05
        done
}

unit_gone() { [ "$(systemctl show -P LoadState "$(unit "$1")")" = not-found ]; }
cancel() { busctl -q call "${manager[@]}" CancelJob s "$1"; }

# --- users -------------------------------------------------------------------------------------------------

# as GROUPS COMMAND…: runs it as a user without a home; GROUPS is a list with commas, or "" for none
as() {
        local groups=(--clear-groups)
        [ -z "$1" ] || groups=(--groups="$1")
        shift
        setpriv --reuid=nobody --regid=nogroup "${groups[@]}" "$@"
}

# --- HTTP --------------------------------------------------------------------------------------------------

# http METHOD URL [BODY] [CURL OPTIONS…]: prints the body; the status is in $dir/status, the headers in
# $dir/headers
http() {
        local method=$1 url=$2 data=()
        shift 2
        if [ $# -gt 0 ]; then
                [ -z "$1" ] || data=(-H 'Content-Type: application/json' --data-binary "$1")
                shift
        fi
        [ "$method" != HEAD ] || data+=(-I)
        curl -sS -m 60 -X "$method" -D "$dir/headers" -o "$dir/body" -w '%{http_code}' "${data[@]}" "$@" \
                "$url" >"$dir/status"
        cat "$dir/body"
}
status() { cat "$dir/status"; }

# --- images ------------------------------------------------------------------------------------------------

# raw_image FILE MEGABYTES: data, holes and written zeroes, different every time
raw_image() {
        local file=$1 size=$2 at
        truncate -s "${size}M" "$file"
        for ((at = 0; at < size; at += 8)); do
                case $((at / 8 % 4)) in
                        0 | 2) dd if=/dev/urandom of="$file" bs=1M count=$((size - at < 5 ? size - at : 5)) \
                                seek=$at conv=notrunc status=none ;;
                        1) dd if=/dev/zero of="$file" bs=1M count=$((size - at < 4 ? size - at : 4)) \
                                seek=$at conv=notrunc status=none ;;
                esac
        done
        # a boot sector, so that it is known as a disk
        printf '\x55\xaa' | dd of="$file" bs=1 seek=510 conv=notrunc status=none
}

# same RAW IMAGE FORMAT: the image holds these bytes, and is sound
same() {
        qemu-img compare -q -f raw -F "$3" "$1" "$2" || fail "$2 does not hold what $1 does"
        case $3 in qcow2) qemu-img check -q -f qcow2 "$2" || fail "qemu-img check finds $2 broken" ;; esac
}

# serve SOCKET ARGUMENTS…: an NBD server on a unix socket, with nbdkit's arguments; its URI is nbd_uri SOCKET
serve() {
        local socket=$1
        shift
        systemd-run -q --collect --unit="test-nbd-$(basename "$socket" .sock)" -p Type=forking -p \
                "PIDFile=$socket.pid" \
                -p Restart=on-abnormal -p RestartSec=200ms -p "ExecStartPre=/usr/bin/rm -f $socket" \
                nbdkit --pidfile "$socket.pid" -U "$socket" "$@"
}
stop_serving() { systemctl stop "test-nbd-$(basename "$1" .sock)" 2>/dev/null || :; }
nbd_uri() { echo "nbd+unix:///?socket=$1"; }

no_part_left() {
        local left
        left=$(find "$1" -name '*.hyper-part' -o -name '*.partial' | head -n 3)
        [ -z "$left" ] || fail "unfinished output was left behind: $left"
}

# --- webhooks ----------------------------------------------------------------------------------------------

# receiver PORT [HABIT…]: a receiver of webhooks (receiver.py says which habits there are); what came is in
# $dir/PORT.seen
receiver() {
        local port=$1
        shift
        allow_receivers
        touch "$dir/$port.seen"
        systemd-run -q --collect --unit="test-receiver-$port" -p KillSignal=SIGKILL -p \
                SuccessExitStatus=SIGKILL \
                python3 "$(dirname "${BASH_SOURCE[0]}")/receiver.py" "$port" "$dir/$port.seen" "$@"
        eventually 10 "the receiver on port $port listens" listens "$port"
}
# allow_receivers: has events delivered to this machine, too
allow_receivers() {
        [ ! -e /etc/hyper/config.d/40-receivers.yaml ] || return 0
        mkdir -p /etc/hyper/config.d
        echo 'webhooks: {allow_private: [127.0.0.0/8, "::1"]}' >/etc/hyper/config.d/40-receivers.yaml
        ! systemctl -q is-active hyper-managerd.service || busctl -q call "${manager[@]}" Reload
}
listens() { [ -n "$(ss -ltnH "( sport = :$1 )")" ]; }
receiver_down() { systemctl stop "test-receiver-$1"; }
# hook DEFINITION: adds a webhook and prints its index
hook() {
        local reply
        reply=$(busctl call "${manager[@]}" AddWebhook 'sa{sv}' "$1" 0) && echo "${reply#u }"
}
# seen PORT [JQ-PROGRAM]: what came there, one a line; the event if no program says otherwise
seen() { jq -r "${2:-.body | fromjson | .event}" "$dir/$1.seen"; }
seen_count() { wc -l <"$dir/$1.seen"; }
has_seen() { [ "$(seen_count "$1")" -ge "$2" ]; }
# deliveries INDEX [JQ-PROGRAM]: the deliveries of a webhook as JSON, oldest first
deliveries() { busctl --json=short call "${manager[@]}" ListDeliveries 'ua{sv}' "$1" 0 |
        jq -c ".data[0] | fromjson | reverse | ${2:-.}"; }
none_pending() { [ "$(deliveries "$1" 'map(select(.status == "pending")) | length')" = 0 ]; }
# quick_job ID: a job that is soon over, for its events
quick_job() {
        [ -e "$dir/disk.raw" ] || truncate -s 1M "$dir/disk.raw"
        submit "$(spec "$dir/disk.raw" "$dir/$1.qcow2" ".job_id = \"$1\"")" >/dev/null
}

# settings YAML: puts a configuration drop-in in force
settings() {
        mkdir -p /etc/hyper/config.d
        printf '%s\n' "$1" >/etc/hyper/config.d/90-test.yaml
        busctl -q call "${manager[@]}" Reload
}

# kill_manager: kills it, and waits until it has been started again
kill_manager() {
        local old
        old=$(systemctl show -P MainPID hyper-managerd.service)
        systemctl kill -s KILL hyper-managerd.service
        eventually 30 "the manager is there again" is_other_manager "$old"
}
is_other_manager() { case $(systemctl show -P MainPID hyper-managerd.service) in 0 | "$1") return 1 ;; esac; }

# --- after a test ------------------------------------------------------------------------------------------

# Called by the runner when a test has ended well: nothing may be left of it.
if [ "${1:-}" = after ]; then
        set +e
        [ "$2" -eq 0 ] || exit 0
        left=$(systemctl list-units --all --no-legend --plain 'hyper-job-*' | cut -d' ' -f1)
        bad=$(systemctl --failed --no-legend --plain | cut -d' ' -f1)
        if [ -n "$left$bad" ]; then
                echo "FAILED: left behind after the test: units of jobs: ${left:-none}; failed units: ${bad:-none}"
                for unit in $bad; do journalctl -q --no-pager -o short-precise -u "$unit" -n 20; done
                context
                exit 1
        fi
        # (not nbdkit 1.32, which may abort when a client goes away in the middle of a request)
        crashes=$(journalctl -q --no-pager -o cat _PID=1 --grep='^hyper[^:]*: (Main process exited, code=(dumped|killed), status=(6|11|4|7|8)/|Watchdog timeout)')
        if [ -n "$crashes" ]; then
                echo "FAILED: a program crashed during the test: $crashes"
                context
                exit 1
        fi
        exit 0
fi

trap unexpected ERR
dir=$(mktemp -d "/srv/$(basename "${BASH_SOURCE[1]:-$0}" .sh).XXXXXX")
chmod 755 "$dir"
trap 'rm -rf "$dir"' EXIT
