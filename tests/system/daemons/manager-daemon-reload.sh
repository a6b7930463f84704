#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
#
# systemctl daemon-reload and daemon-reexec while jobs run: they go on, and end as if nothing had been.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 64
# a server for each: nbdkit does not always survive a client that was killed
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=24M
serve "$dir/t.sock" --filter=rate file "$dir/disk.raw" rate=24M
# names with all that is special in a unit's name and in a line of a unit file
mkdir "$dir/a b\$c%d;e"
first=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/a b\$c%d;e/1.qcow2" '.job_id = "re-load:1.a_b"')")
second=$(submit "$(spec "$(nbd_uri "$dir/t.sock")" "$dir/2.qcow2" '.job_id = "re-load:2"')")
wait_bytes "$first" 1
wait_bytes "$second" 1
pid=$(systemctl show -P MainPID "$(unit "$first")")
systemctl daemon-reload
systemctl daemon-reload
systemctl daemon-reexec
systemctl daemon-reload
equal "$(systemctl show -P MainPID "$(unit "$first")")" "$pid" "the process of the job"
equal "$(state "$first")" RUNNING "the state of the first job"
cancel "$second"
wait_state "$second" CANCELLED
wait_state "$first" COMPLETED
equal "$(states "$first")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "the states of the first job"
same "$dir/disk.raw" "$dir/a b\$c%d;e/1.qcow2" qcow2
eventually 30 "the unit of the cancelled job is gone" unit_gone "$second"
missing "$dir/2.qcow2"
no_part_left "$dir"
equal "$(journalctl -q --no-pager -o cat --grep='Failed at step' _PID=1 + _SYSTEMD_SLICE=hyper-jobs.slice ||
        :)" "" "steps of the units at which systemd failed"

# A job that begins afterwards ends like any other.
third=$(submit "$(spec "$dir/disk.raw" "$dir/3.qcow2")")
wait_state "$third" COMPLETED
same "$dir/disk.raw" "$dir/3.qcow2" qcow2
stop_serving "$dir/s.sock"
stop_serving "$dir/t.sock"
