#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hyperctl submits, lists, shows, follows and cancels, and its exit status can be used in scripts.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 16
hyperctl submit --help >/dev/null || hyperctl --help >/dev/null || fail "hyperctl has no help"
spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "by-hand"' >"$dir/spec.json"
hyperctl submit "$dir/spec.json" || fail "submit: status $?"
wait_state by-hand COMPLETED
contains "$(hyperctl list)" by-hand "the list"
contains "$(hyperctl status by-hand)" COMPLETED "the status"
equal "$(hyperctl --json=short status by-hand 2>/dev/null | jq -r '.state // .job.state' ||
        hyperctl --json status by-hand | jq -r '.state // .job.state')" COMPLETED "the state as JSON"
contains "$(hyperctl logs by-hand)" "Converting disk format" "the logs"
equal \
        "$(hyperctl logs -j by-hand | jq -rs \
        'map(select(.event == "phase" and .phase == "conversion")) | length')" 1 \
        "phases of that name in the logs as JSON"
equal "$(hyperctl logs by-hand | wc -l)" "$(journalctl -q -o cat HYPER_JOB_ID=by-hand --grep '^' \
        _SYSTEMD_UNIT="$(unit by-hand)" + HYPER_JOB_ID=by-hand _SYSTEMD_UNIT=hyper-managerd.service |
        wc -l)" "the number of log lines, as journalctl counts them"
equal "$(hyperctl logs -n 1 by-hand | wc -l)" 1 "the lines of logs -n 1"
contains "$(hyperctl logs -n 1 by-hand)" Completed "the last line"
equal "$(timeout 20 hyperctl logs --follow by-hand | wc -l)" "$(hyperctl logs by-hand | wc -l)" \
        "the lines of logs --follow for a job that is over"

# What a program in the job's unit prints is shown, not obeyed by the terminal.
systemd-run -q --wait --collect --unit="$(unit by-hand)" printf 'one \033]0;title\007 two\n'
journalctl --sync
contains "$(hyperctl logs -n 3 by-hand)" 'one \x1b]0;title\x07 two' "a line with control characters"
lacks "$(hyperctl logs by-hand)" $'\033' "the logs"

# exits STATUS COMMAND…
exits() {
        local expected=$1 status=0
        shift
        timeout 60 "$@" >"$dir/out" 2>&1 || status=$?
        equal "$status" "$expected" "the exit status of '$*', which said '$(tail -n 3 "$dir/out")',"
}

exits 2 hyperctl explode
exits 5 hyperctl status nobody
exits 5 hyperctl cancel nobody
exits 5 hyperctl logs nobody
exits 6 hyperctl cancel by-hand
exits 6 hyperctl submit -s "$dir/disk.raw" -d /etc/disk.qcow2
exits 0 hyperctl submit --wait --verify -s "$dir/disk.raw" -d "$dir/waited.qcow2"
same "$dir/disk.raw" "$dir/waited.qcow2" qcow2
exits 3 hyperctl submit --wait --checksum="sha256:$(printf '0%.0s' {1..64})" -s "$dir/disk.raw" -d \
        "$dir/wrong.qcow2"
contains "$(cat "$dir/out")" FAILED "what submit --wait says of a failure"
missing "$dir/wrong.qcow2"

# Followed while it happens, and cancelled by somebody else
serve "$dir/slow.sock" --filter=rate file "$dir/disk.raw" rate=16M
hyperctl submit --id=slow -s "$(nbd_uri "$dir/slow.sock")" -d "$dir/slow.raw"
hyperctl logs -f slow >"$dir/followed" &
follower=$!
hyperctl watch slow >"$dir/watched" 2>&1 &
watcher=$!
wait_bytes slow 1
eventually 10 "the follower sees the progress" grep -q "Converting disk format" "$dir/followed"
exits 0 hyperctl cancel --wait slow
status=0
wait "$watcher" || status=$?
equal "$status" 4 "the exit status of watch for a cancelled job"
wait "$follower" || fail "logs -f: status $?"
contains "$(tail -n 1 "$dir/watched")" CANCELLED "what watch said last"
stop_serving "$dir/slow.sock"

# Somebody without rights may look, and is told what to do when they change something.
nobody() { timeout 60 setpriv --reuid=65534 --regid=65534 --groups=hyper-viewer hyperctl --no-ask-password \
        "$@"; }
contains "$(nobody list)" by-hand "the list for somebody without rights"
status=0
error=$(nobody submit -s "$dir/disk.raw" -d "$dir/nobody.qcow2" 2>&1) || status=$?
equal "$status" 7 "the exit status for somebody without rights"
contains "$error" "org.hyper1.manage-jobs" "the error for somebody without rights"

hyperctl config | grep -q max_running || fail "the configuration is not shown: $(hyperctl config)"
mkdir -p /etc/hyper/config.d
echo 'nonsense: {a: 1}' >/etc/hyper/config.d/99-bad.yaml
status=0
error=$(hyperctl reload 2>&1) || status=$?
equal "$status" 6 "the exit status of reload with a configuration that has an unknown key"
contains "$error" 99-bad.yaml "the error"
contains "$error" nonsense "the error"
hyperctl config | grep -q max_running || fail "the old configuration is no longer in force"

# A manager that cannot start is an error with a remedy, and is not waited for without end.
systemctl stop hyper-managerd.service
exits 8 hyperctl list
contains "$(cat "$dir/out")" "hyper-managerd" "the error when the manager cannot start"
rm /etc/hyper/config.d/99-bad.yaml
eventually 10 "hyperctl works when the configuration is mended" hyperctl list

# Schedules
busctl -q call "${manager[@]}" Reload
equal "$(hyperctl schedule add '0 2 * * *' --id=nights --name='Every night' --source="$dir/disk.raw" \
        --destination="$dir/{job_id}.qcow2")" nights "the id"
exits 6 hyperctl schedule add '0 2 * * *' --id=nights --source="$dir/disk.raw" --destination="$dir/x.qcow2"
exits 6 hyperctl schedule add '0 25 * * *' --source="$dir/disk.raw" --destination="$dir/x.qcow2"
contains "$(cat "$dir/out")" "schedule: " "the error"
exits 5 hyperctl schedule show none
exits 2 hyperctl schedule add '@daily'
exits 2 hyperctl schedule edit nights
contains "$(hyperctl schedule list)" "Every night" "the list"
equal "$(hyperctl schedule list --json=short | jq -c '[.total, .schedules[0].id, .schedules[0].enabled]')" \
        '[1,"nights",true]' "the list as JSON"
hyperctl schedule edit nights --cron='TZ=Europe/Berlin 30 3 * * *' --overlap=queue --catch-up=no --compress
shown=$(hyperctl schedule show nights)
for words in "TZ=Europe/Berlin 30 3 * * *" "*-*-* 03:30:00 Europe/Berlin" "Every night" "Overlap: queue" \
        "Catch up: no" "hyper-schedule-nights.timer" "$dir/disk.raw"; do
        contains "$shown" "$words" "what is shown"
done
equal "$(hyperctl schedule show nights --json=short | jq -c '[.job.parameters.compress, .job.source.path]')" \
        "[true,\"$dir/disk.raw\"]" "the changed job"
hyperctl schedule disable nights
contains "$(hyperctl schedule list --no-legend)" disabled "the list"
hyperctl schedule enable nights
id=$(hyperctl -q schedule trigger --wait nights)
equal "$(state "$id")" COMPLETED "the job of the run"
contains "$(hyperctl schedule show nights)" "1, of which 1 completed" "the runs"
hyperctl schedule rm nights
exits 5 hyperctl schedule rm nights

# The short form, with a file, a directory and nothing as the destination; and what runs
id=$(hyperctl -q "$dir/disk.raw" "$dir/short.qcow2")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/short.qcow2" qcow2
mkdir "$dir/made" && id=$(cd "$dir" && hyperctl -q ./disk.raw made)
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/made/disk.qcow2" qcow2
mkdir -p /var/lib/libvirt/images
id=$(hyperctl "$dir/disk.raw" --format=raw 2>"$dir/said")
contains "$(cat "$dir/said")" "The destination is /var/lib/libvirt/images/disk.raw." "the remark"
wait_state "$id" COMPLETED
same "$dir/disk.raw" /var/lib/libvirt/images/disk.raw raw
rm /var/lib/libvirt/images/disk.raw
equal "$(hyperctl --no-legend)" "" "the list of what has not ended"
equal "$(hyperctl -o json | jq .total)" 0 "the same as JSON"

# A job that failed says what to do next, and is tried again under its id.
exits 3 hyperctl submit --wait --id=again --checksum="sha256:$(sha256sum </dev/null | cut -d' ' -f1)" \
        "$dir/disk.raw" "$dir/again.qcow2"
contains "$(cat "$dir/out")" "Copy the source here again" "the next step"
contains "$(hyperctl status again)" "Next: Copy the source here again" "the status"
exits 3 hyperctl retry --wait again
equal "$(hyperctl status -j again | jq '[.state_history[].state | select(. == "FAILED")] | length')" 2 "the failures"
exits 6 hyperctl retry by-hand
exits 5 hyperctl retry nobody
