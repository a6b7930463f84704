#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A running job is cancelled: CANCELLED, the unit gone, no output, no unfinished output. So is a waiting one.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

settings 'jobs: {max_running: 1}'
raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=40M
first=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/first.qcow2")")
wait_state "$first" RUNNING
second=$(submit "$(spec "$dir/disk.raw" "$dir/second.qcow2")")
wait_state "$second" QUEUED
wait_bytes "$first" 1

cancel "$second"
wait_state "$second" CANCELLED 10
cancel "$first"
wait_state "$first" CANCELLED 30
eventually 30 "the unit is gone" unit_gone "$first"
# A cancel is no failure: systemd has nothing to warn of.
journalctl --sync
equal "$(journalctl -q -o cat -p warning _PID=1 "UNIT=$(unit "$first")")" "" "the warnings of systemd"
missing "$dir/first.qcow2"
missing "$dir/second.qcow2"
no_part_left "$dir"

# What is over stays as it is.
cancel "$first" 2>"$dir/error" && fail "a cancelled job was cancelled again"
grep -q . "$dir/error" || fail "no error text"
equal "$(state "$first")" CANCELLED "the state afterwards"
stop_serving "$dir/s.sock"
