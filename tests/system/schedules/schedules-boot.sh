#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 400
# slow: systemd makes ten thousand timers
# weight: 0.5
# runs-on: host
#
# Timers of schedules are back after a power cut, with one run for what was missed meanwhile; also of ten
# thousand.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside mkdir -p /srv/boot
inside sync
lib 'raw_image /srv/boot/disk.raw 8'
create='create() { busctl -q call "${manager[@]}" CreateSchedule "sa{sv}" "$(spec /srv/boot/disk.raw "/srv/boot/{job_id}.qcow2" | jq -c --arg id "$1" --arg s "$2" "{id: \$id, schedule: \$s, job: .}")" 0; }
        runs() { busctl --json=short call "${manager[@]}" GetSchedule s "$1" | jq -r ".data[1] | fromjson | [.runs[].status] | join(\" \")"; }'
lib "$create"'; create nights "0 2 * * *"; create missed "0 3 * * *"; create a_b.c-d "@weekly"'

# Time passes while the machine is off. (The clock of a container cannot be moved: what would be in the
# database by then is written into it.) Besides, a run was promised in the moment of the cut, and there are
# many more schedules.
inside sh -c 'systemctl stop hyper-managerd.service && sqlite3 /var/lib/hyper/hyper.db "
        UPDATE schedules SET next_at = (unixepoch() - 7200) * 1000000 WHERE id = '"'missed'"';
        INSERT INTO schedule_runs (schedule_seq, started_at, job_id, status)
                SELECT seq, unixepoch() * 1000000, '"'a_b.c-d-20260101T000000Z-0000', 'starting' FROM schedules WHERE id = 'a_b.c-d'"';
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                INSERT INTO schedules (id, name, description, expression, enabled, overlap, catch_up, spec, dialect, created_at, updated_at, next_at, has_timer)
                SELECT '"'many-' || i, 'many', '', (i % 60) || ' ' || (i % 24) || ' 1 ' || strftime('%m', 'now', '+6 months') || ' *', 1, 'skip'"', 1, spec, dialect, created_at, updated_at,
                        (unixepoch() + 86400) * 1000000, 1 FROM n, schedules WHERE id = '"'nights'"'"'
machine crash
machine up
lib "$create"'
        timers() { systemctl list-units --no-legend --plain "hyper-schedule-*.timer" | wc -l; }
        restored() { [ "$(timers)" -eq 10003 ]; }
        eventually 120 "the timers are back" restored
        made_up() { [ "$(runs missed)" = COMPLETED ] && [ "$(runs a_b.c-d)" = COMPLETED ]; }
        eventually 60 "what was missed and what was promised has run" made_up
        equal "$(runs nights)" "" "the runs of a schedule that missed nothing"
        equal "$(state a_b.c-d-20260101T000000Z-0000)" COMPLETED "the job that was promised"
        gone() { ! pgrep -x hyper-managerd >/dev/null; }
        settings "daemon: {idle_timeout: 1}"
        eventually 60 "nothing of the suite runs, with 10,000 timers" gone'
