#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# slow: a schedule of every minute is waited for
#
# A schedule is a timer of systemd: it fires though no daemon runs, makes one job for each time, and is seen
# with systemctl.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 1}'
raw_image "$dir/disk.raw" 8

# definition ID EXPRESSION [JQ-PROGRAM]
definition() {
        spec "$dir/disk.raw" "$dir/{job_id}.qcow2" |
                jq -c --arg id "$1" --arg s "$2" "{id: \$id, schedule: \$s, job: .} | ${3:-.}"
}
create() { busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' "$(definition "$@")" 0; }
schedule() { busctl --json=short call "${manager[@]}" GetSchedule s "$1" | jq -r '.data[1]'; }
statuses() { schedule "$1" | jq -r '[.runs[].status] | reverse | join(" ")'; }
timer() { echo "hyper-schedule-$(systemd-escape -- "$1").timer"; }
has_timer() { systemctl -q is-active "$(timer "$1")"; }
no_timer() { ! has_timer "$1"; }
manager_gone() { ! pgrep -x hyper-managerd >/dev/null; }

# Its timer: seen with systemctl, and due when GetSchedule says so
create nightly-1 '0 2 * * *'
eventually 5 "the timer is there" has_timer nightly-1
next=$(date -u -d "$(schedule nightly-1 | jq -r .next_run)" +%s)
equal "$(date -d "$(systemctl show -P NextElapseUSecRealtime "$(timer nightly-1)")" +%s)" "$next" \
        "when the timer is due"
contains "$(systemctl list-timers --no-pager 'hyper-schedule-*')" 'hyper-schedule-nightly' \
        "systemctl list-timers"
create either '30 4 1 * mon'
eventually 5 "the timer is there" has_timer either
equal "$(systemctl show -P TimersCalendar "$(timer either)" | grep -o 'OnCalendar' | wc -l)" 2 \
        "the calendar events of a day of month or week"

# It fires, though nothing runs
create soon '@every 6s'
eventually 20 "the manager has ended" manager_gone
ran() { [ "$(schedule soon | jq '[.runs[] | select(.status == "COMPLETED")] | length')" -ge 2 ]; }
eventually 40 "it has run twice" ran
busctl -q call "${manager[@]}" DisableSchedule s soon
eventually 5 "a disabled schedule has no timer" no_timer soon
stopped() { case " $(statuses soon) " in *" running "* | *" starting "*) false ;; esac; }
eventually 30 "its last run ends" stopped
runs=$(schedule soon | jq .run_count)
for id in $(schedule soon | jq -r '.runs[].job_id'); do
        equal "$(state "$id")" COMPLETED "the job $id"
        same "$dir/disk.raw" "$dir/$id.qcow2" qcow2
done
equal "$(journalctl -q -o cat HYPER_SCHEDULE_ID=soon HYPER_SCHEDULE_EVENT=triggered | wc -l)" "$runs" \
        "what the journal tells of it"
contains "$(journalctl -q -x HYPER_SCHEDULE_ID=soon HYPER_SCHEDULE_EVENT=triggered)" \
        "Its timer: systemctl list-timers" "the catalog"

# A calendar time, a minute ahead at most; the manager dies at that very moment
create minutely '* * * * *'
eventually 5 "the timer is there" has_timer minutely
minute=$(($(date +%s) / 60))
fired() { [ "$(schedule minutely | jq '.runs | length')" -ge 1 ]; }
while [ $(($(date +%s) / 60)) -eq "$minute" ]; do sleep 0.02; done
pkill -9 -x hyper-managerd || :
eventually 30 "it has run" fired
eventually 30 "its job has ended" test 1 = "$(schedule minutely | jq '.runs | length')"
equal "$(schedule minutely | jq -r '.runs[0].job_id' |
        grep -c "^minutely-$(date -u -d "@$(((minute + 1) * 60))" +%Y%m%dT%H%M)")" 1 "the run of that minute"
busctl -q call "${manager[@]}" DeleteSchedule s minutely
eventually 5 "a deleted schedule has no timer" no_timer minutely

# Overlap: the job before goes on
serve "$dir/slow.sock" --filter=rate file "$dir/disk.raw" rate=1M
for policy in skip queue allow; do
        busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' \
                "$(spec "$(nbd_uri "$dir/slow.sock")" "$dir/{job_id}.raw" |
                jq -c --arg p $policy '{id: $p, schedule: "0 0 1 1 *", overlap_policy: $p, job: .}')" 0
        first=$(busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' $policy 0 |
                jq -r '.data[0]')
        second=$(busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' $policy 0 |
                jq -r '.data[0]')
        case $policy in
        skip) equal "$second" '' "the second run"; equal "$(statuses skip)" "running skipped" "the runs" ;;
        queue) equal "$second" '' "the second run"; equal "$(statuses queue)" "running waiting" "the runs" ;;
        allow) [ -n "$second" ] || fail "allow did not run twice"; equal "$(statuses allow)" \
                "running running" "the runs"; cancel "$second" ;;
        esac
        cancel "$first"
done
second_runs() { [ "$(statuses queue)" = "CANCELLED running" ]; }
eventually 40 "the run that waited begins" second_runs
cancel "$(schedule queue | jq -r .last_job_id)"
quiet() { [ -z "$(systemctl list-units --no-legend --plain 'hyper-job-*')" ]; }
eventually 40 "all jobs have ended" quiet
stop_serving "$dir/slow.sock"

# A secret of its job is kept, and nobody reads it
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "alice:$secret" >"$dir/keys.psk"
chmod 600 "$dir/keys.psk"
serve "$dir/tls.sock" --tls=require --tls-psk="$dir/keys.psk" file "$dir/disk.raw"
busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' "$(spec "nbds+unix://alice@/?socket=$dir/tls.sock" \
        "$dir/{job_id}.qcow2" \
        ".source.tls_psk = \"alice:$secret\"" | jq -c '{id: "tls", schedule: "@yearly", job: .}')" 0
! grep -rlF -- "$secret" /var/lib/hyper || fail "the secret of a schedule is in the clear"
for _ in 1 2; do
        id=$(busctl --json=short call "${manager[@]}" TriggerSchedule 'sa{sv}' tls 0 | jq -r '.data[0]')
        wait_state "$id" COMPLETED
        same "$dir/disk.raw" "$dir/$id.qcow2" qcow2
done
equal "$(schedule tls | jq -r .job.source.tls_psk)" "***" "the secret in what is shown"
busctl -q call "${manager[@]}" DeleteSchedule s tls
equal "$(find /var/lib/hyper/credentials -type f)" "" "secrets that are kept after the schedule"
stop_serving "$dir/tls.sock"

# Nothing of it runs now
for id in nightly-1 either soon skip queue allow; do busctl -q call "${manager[@]}" DeleteSchedule s $id; done
eventually 20 "the manager has ended" manager_gone
no_timers() { ! systemctl list-units --all --no-legend --plain "hyper-schedule*" |
        grep -vq hyper-schedules.service; }
eventually 10 "no timer is left" no_timers
