#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
# timeout: 180
#
# A unit that is stopped from outside does not cost an attempt. A job that ends in the same way by itself
# cannot pretend that it was stopped.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

policy='.execution_policy = {idempotent: true, retry_count: 0}'
main_pid() { systemctl show -P MainPID "$(unit "$1")"; }
says() { journalctl -o cat HYPER_JOB_ID="$1" | grep -qF "$2"; }
copies_again() { [ "$(states "$1" | grep -o RUNNING | wc -l)" -eq "$2" ] && [ "$(main_pid "$1")" != 0 ]; }

raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=40M

# Stopped twice, the second time after systemd has read its unit again
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/stopped.raw" "$policy")")
wait_bytes "$id" 1
systemctl stop "$(unit "$id")"
eventually 30 "the log says that it does not count" says "$id" "stopped from outside; it does not count"
eventually 30 "the job runs again" copies_again "$id" 2
systemctl daemon-reload
systemctl stop "$(unit "$id")"
wait_state "$id" COMPLETED 90
equal "$(job "$id" | jq -r .attempt)" 1 "the attempts of the job that was stopped"
same "$dir/disk.raw" "$dir/stopped.raw" raw

# SIGTERM is all that a stop is to the job, and all that it could send to itself
id=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/pretends.raw" "$policy")")
wait_bytes "$id" 1
kill -TERM "$(main_pid "$id")"
wait_state "$id" FAILED 60
contains "$(reason "$id")" "no retry is left after 1 attempt" "the reason"
eventually 10 "the unit is gone" unit_gone "$id"
missing "$dir/pretends.raw"

# A retry on request begins with no stop in its past
hyperctl retry "$id"
wait_bytes "$id" 1
eventually 30 "the job runs again" copies_again "$id" 2
kill -TERM "$(main_pid "$id")"
wait_state "$id" FAILED 60
stop_serving "$dir/s.sock"
