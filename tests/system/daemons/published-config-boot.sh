#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# runs-on: host
#
# With the database where the published configuration has it, jobs and schedules are back after a boot. On a
# machine that has nothing to resume, a boot starts nothing.

# shellcheck disable=SC2016 # much of it is for the shell inside
# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

inside sh -c 'mkdir -p /etc/hyper /srv/boot; printf "database:\n  path: /var/lib/hypersdk/jobs.db\n" >/etc/hyper/config.yaml; sync'
machine crash
machine up
lib 'eventually 60 "the boot is over" systemctl is-system-running -q
        missing /var/lib/hypersdk/jobs.db
        for unit in hyper-resume hyper-schedules; do equal "$(systemctl show -P Result $unit.service)" exec-condition "the result of $unit"; done
        equal "$(systemctl show -P ActiveState hyper-managerd.service)" inactive "the manager"'

lib 'head -c 256M /dev/urandom >/srv/boot/disk.raw; sync
        submit "$(spec /srv/boot/disk.raw /srv/boot/again.qcow2 ".job_id = \"again\" | .parameters.compress = true")" >/dev/null
        wait_bytes again 1; systemctl kill -s STOP "$(unit again)"
        busctl -q call "${manager[@]}" CreateSchedule "sa{sv}" "$(spec /srv/boot/disk.raw "/srv/boot/{job_id}.qcow2" | jq -c "{id: \"nights\", schedule: \"0 2 * * *\", job: .}")" 0
        eventually 30 "the timer is there" systemctl is-active -q hyper-schedule-nights.timer'
machine crash
machine up
lib 'eventually 60 "the timer is back" systemctl is-active -q hyper-schedule-nights.timer
        wait_state again COMPLETED 180
        same /srv/boot/disk.raw /srv/boot/again.qcow2 qcow2
        rm -rf /srv/boot'
