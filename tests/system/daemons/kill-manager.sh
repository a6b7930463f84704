#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# kill -9 of the manager while jobs run: they go on, none is lost, no state is told twice.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 2}'
raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=32M
ids=()
for i in 1 2 3 4; do ids+=("$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/$i.qcow2" \
        ".job_id = \"job-$i\"")")"); done
wait_state job-1 RUNNING
wait_state job-2 RUNNING
job_pid=$(systemctl show -P MainPID "$(unit job-1)")
for _ in 1 2 3; do
        pid=$(systemctl show -P MainPID hyper-managerd.service)
        [ "$pid" -gt 0 ] || fail "the manager does not run while jobs do"
        kill -KILL "$pid"
        restarted() { now=$(systemctl show -P MainPID hyper-managerd.service) && [ "$now" -gt 0 ] &&
                [ "$now" != "$pid" ]; }
        answers() { busctl -q get-property "${manager[@]}" Version 2>/dev/null; }
        eventually 15 "the manager answers" answers
        eventually 15 "the manager is back" restarted
done
equal "$(systemctl show -P MainPID "$(unit job-1)")" "$job_pid" "the process of a job that ran all the while"
for id in "${ids[@]}"; do wait_state "$id" COMPLETED 120; done
for i in 1 2 3 4; do
        same "$dir/disk.raw" "$dir/$i.qcow2" qcow2
        equal "$(states "job-$i")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" \
                "the states of job-$i"
        told=$(journalctl -q -o json HYPER_EVENT=state "HYPER_JOB_ID=job-$i" | jq -r .HYPER_STATE |
                tr '\n' ' ')
        equal "$(tr ' ' '\n' <<<"$told" | grep -c COMPLETED)" 1 "how often COMPLETED was told: $told"
done
systemctl reset-failed hyper-managerd.service 2>/dev/null || :
stop_serving "$dir/s.sock"
