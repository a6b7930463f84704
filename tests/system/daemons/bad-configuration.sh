#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A configuration that is wrong: a manager that runs keeps the old one; one that starts says at once, to every
# client, what is wrong and where, and is itself again as soon as the file is mended.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

spec=$(spec "$dir/disk.raw" "$dir/out.qcow2")
raw_image "$dir/disk.raw" 8
starts() { journalctl -q -o cat -u hyper-managerd _PID=1 --grep='^Starting hyper-managerd' | wc -l; }

# While it runs
settings 'jobs: {max_running: 3}'
printf 'jobs:\n  max_running: 2\n  max_runing: 2\n' >/etc/hyper/config.d/91-wrong.yaml
! answer=$(hyperctl reload 2>&1) || fail "a wrong file was taken: $answer"
contains "$answer" "/etc/hyper/config.d/91-wrong.yaml:3: jobs.max_runing" "the answer to a reload"
equal "$(busctl --json=short get-property "${manager[@]}" MaxRunning | jq .data)" 3 "what is in force"

# When it starts
systemctl stop hyper-managerd.service
before=$(starts)
for i in 1 2 3; do
        ! answer=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$spec" 0 2>&1) ||
                fail "a job was taken with a wrong configuration"
        contains "$answer" "91-wrong.yaml:3: jobs.max_runing" "the answer $i on the bus"
done
equal "$(http POST "$worker/jobs" "$(jq -cn --arg p "$dir/disk.raw" \
        '{operation: "convert", image: {path: $p, format: "raw"}}')" >/dev/null; status)" 503 \
        "the status over HTTP"
contains "$(cat "$dir/body")" "91-wrong.yaml:3: jobs.max_runing" "the answer over HTTP"
! answer=$(hyperctl submit --source="$dir/disk.raw" --destination="$dir/out.qcow2" 2>&1) ||
        fail "hyperctl submit works"
contains "$answer" "91-wrong.yaml:3: jobs.max_runing" "what hyperctl says"
[ $(($(starts) - before)) -le 2 ] || fail "it was started $(($(starts) - before)) times"
failed() { [ "$(systemctl show -P ActiveState hyper-managerd)" = failed ]; }
eventually 30 "it ends" failed
equal "$(systemctl show -P ExecMainStatus hyper-managerd)" 78 "its exit status"

# So does the API, when it starts; its sockets stay
systemctl stop hyper.service
for i in 1 2 3 4 5 6; do
        equal "$(http GET "$api/status" >/dev/null; status)" 503 "the status of the API, time $i"
        contains "$(cat "$dir/body")" "91-wrong.yaml:3: jobs.max_runing" "the answer of the API"
done
systemctl -q is-active hyper.socket hyper-worker.socket || fail "the sockets have ended"

# When that is mended
rm /etc/hyper/config.d/91-wrong.yaml
served() { [ "$(http GET "$api/status" >/dev/null; status)" = 200 ]; }
eventually 15 "the API answers again" served
taken() { id=$(submit "$spec" 2>/dev/null) && [ -n "$id" ]; }
eventually 15 "jobs are taken again" taken
wait_state "$id" COMPLETED

# A database that is none of ours
systemctl stop hyper.service hyper-managerd.service
mkdir "$dir/kept"
mv /var/lib/hyper/hyper.db* "$dir/kept/"
head -c 8192 /dev/urandom >/var/lib/hyper/hyper.db
! answer=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$spec" 0 2>&1) ||
        fail "a job was taken without a database"
contains "$answer" "/var/lib/hyper/hyper.db" "the answer without a database"
systemctl stop hyper-managerd.service
rm -f /var/lib/hyper/hyper.db*
mv "$dir/kept/"* /var/lib/hyper/
systemctl reset-failed hyper-managerd.service 2>/dev/null || :
equal "$(state "$id")" COMPLETED "the job, with its database back"
