#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A power cut can take the journal's last minutes, but not the database's: the next manager tells the journal
# what it has lost, once, and in order.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

told() {
        journalctl --sync
        journalctl -q -o json HYPER_EVENT=state "HYPER_JOB_ID=$1" | jq -r .HYPER_STATE | tr '\n' ' '
}
settings 'jobs: {max_running: 1}'
raw_image "$dir/disk.raw" 64
serve "$dir/s.sock" --filter=rate file "$dir/disk.raw" rate=16M
before=$(submit "$(spec "$dir/disk.raw" "$dir/0.qcow2" '.job_id = "before"')")
wait_state "$before" COMPLETED
running=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/1.qcow2" '.job_id = "running"')")
wait_bytes "$running" 1
journalctl --sync
cp -a /var/log/journal "$dir/kept"
waiting=$(submit "$(spec "$dir/disk.raw" "$dir/2.qcow2" '.job_id = "waiting"')")
equal "$(told "$waiting")" "CREATED VALIDATED QUEUED " "the states of the waiting job"

# The journal as it was before that job came
systemctl kill -s KILL hyper-managerd.service
systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket \
        systemd-journald.service 2>/dev/null || :
rm -rf /var/log/journal
cp -a "$dir/kept" /var/log/journal
systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
systemctl restart hyper-managerd.service
eventually 15 "the manager answers" busctl -q get-property "${manager[@]}" Version 2>/dev/null
equal "$(told "$waiting")" "CREATED VALIDATED QUEUED " \
        "the states of the waiting job in the journal that had lost them"
equal "$(told "$before")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED " \
        "the states of the job that was over before"
equal "$(told "$running")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING " "the states of the running job"
wait_state "$running" COMPLETED
wait_state "$waiting" COMPLETED
equal "$(told "$waiting")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED " \
        "the states of the waiting job in the end"
stop_serving "$dir/s.sock"
