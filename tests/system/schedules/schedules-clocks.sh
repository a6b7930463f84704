#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# slow: clock changes are waited for
#
# Clock changes as systemd's timers see them, in two time zones whose clocks go forward and back by half an
# hour in a moment: a time that is skipped runs right after the change, and a schedule of every minute goes on
# while local times are repeated.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'daemon: {idle_timeout: 1}'
raw_image "$dir/disk.raw" 8

# create ID EXPRESSION
create() {
        busctl -q call "${manager[@]}" CreateSchedule 'sa{sv}' \
                "$(spec "$dir/disk.raw" "$dir/{job_id}.qcow2" | jq -c --arg id "$1" --arg s "$2" \
                        '{id: $id, schedule: $s, overlap_policy: "allow", job: .}')" 0
}
schedule() { busctl --json=short call "${manager[@]}" GetSchedule s "$1" | jq -r '.data[1]'; }
next_run() { date -u -d "$(schedule "$1" | jq -r .next_run)" +%s; }
elapses() { date -d "$(systemctl show -P NextElapseUSecRealtime "hyper-schedule-$1.timer")" +%s; }
elapses_at() { [ "$(elapses "$1" 2>/dev/null)" = "$2" ]; }
# ran_at ID TIME: whether there is exactly one run in this minute
ran_at() {
        [ "$(schedule "$1" | jq -r '.runs[].job_id' | grep -c "^$1-$(date -u -d "@$2" +%Y%m%dT%H%M)")" -eq 1 ]
}

change=$((($(date +%s) + 90) / 60 * 60))
until=$(date -u -d "@$change" '+%Y %b %e %H:%M')
cat >"$dir/zones" <<END
Zone Hyper/Forward 0:00 - AAA $until
                   0:30 - BBB
Zone Hyper/Back    0:30 - AAA $(date -u -d "@$((change + 1800))" '+%Y %b %e %H:%M')
                   0:00 - BBB
END
zic -d /usr/share/zoneinfo "$dir/zones"

create skipped "TZ=Hyper/Forward $(date -u -d "@$((change + 600))" '+%-M %-H') * * *"
create repeated 'TZ=Hyper/Back * * * * *'
equal "$(next_run skipped)" "$change" "the next run of the time that is skipped"
eventually 10 "its timer elapses at the change" elapses_at skipped "$change"

eventually 120 "the time that is skipped has run at the change" ran_at skipped "$change"
eventually 20 "the schedule of every minute has run at the change" ran_at repeated "$change"
eventually 20 "its timer elapses a minute later" elapses_at repeated $((change + 60))
eventually 90 "it has run a minute later" ran_at repeated $((change + 60))

equal "$(schedule skipped | jq '.runs | length')" 1 "the number of runs of the time that is skipped"
equal "$(next_run skipped)" $((change + 600 - 1800 + 86400)) "its run on the next day"
for id in skipped repeated; do busctl -q call "${manager[@]}" DeleteSchedule s $id; done
quiet() { [ -z "$(systemctl list-units --no-legend --plain 'hyper-job-*')" ]; }
eventually 40 "all jobs have ended" quiet
