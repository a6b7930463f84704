#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Of jobs that are over, however they ended, nothing is left but their rows, their log, and what they made.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 64
mounts() { findmnt -rno TARGET | sort; }
before=$(mounts)

completed=$(submit "$(spec "$dir/disk.raw" "$dir/1.qcow2")")
wait_state "$completed" COMPLETED

head -c 1000 /dev/urandom >"$dir/junk.qcow2"
failed=$(submit "$(spec "$dir/junk.qcow2" "$dir/2.raw" '.source.format = "qcow2"')")
wait_state "$failed" FAILED

# Cancelled between two attempts, when no unit is there that could tidy up
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=32M
waiting=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/3.qcow2" '.execution_policy = {retry_count: 5}')")
wait_bytes "$waiting" 1
systemctl kill -s KILL --kill-whom=main "$(unit "$waiting")"
wait_state "$waiting" RETRYING
systemctl kill -s KILL --kill-whom=main "$(unit "$waiting")" 2>/dev/null || :
cancel "$waiting"
wait_state "$waiting" CANCELLED
eventually 30 "its unit is gone" unit_gone "$waiting"

stop_serving "$dir/s.sock"

# Cancelled while it runs. (A server of its own: nbdkit does not always survive a client that was killed.)
serve "$dir/t.sock" --filter=rate file "$dir/disk.raw" rate=32M
running=$(submit "$(spec "$(nbd_uri "$dir/t.sock")" "$dir/4.qcow2")")
wait_bytes "$running" 1
cancel "$running"
eventually 30 "its unit is gone" unit_gone "$running"
stop_serving "$dir/t.sock"

nothing() { [ -z "$(find /run/hyper-jobs /var/lib/hyper/jobs /var/lib/hyper/credentials -mindepth 1 ! -path \
        /var/lib/hyper/credentials/webhooks ! -path /run/hyper-jobs/restored 2>/dev/null)" ]; }
eventually 30 "the directories of jobs are gone" nothing
equal "$(find /run/systemd/units -name '*hyper-job*' -printf '%f ')" "" "what systemd keeps about the units"
equal "$(find /run/systemd/transient -name 'hyper-job*' -printf '%f ')" "" "unit files"
equal "$(mounts)" "$before" "mounts of the machine"
equal "$(find /tmp /var/tmp -mindepth 1 -path '*hyper*' -printf '%p ')" "" "temporary files"
missing "$dir/2.raw"
missing "$dir/3.qcow2"
missing "$dir/4.qcow2"
no_part_left "$dir"
