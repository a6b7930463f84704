#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hyperctl submits, lists, shows, follows and cancels, and its exit status can be used in scripts.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

raw_image "$dir/disk.raw" 16
hyperctl submit --help >/dev/null || hyperctl --help >/dev/null || fail "hyperctl has no help"
spec "$dir/disk.raw" "$dir/disk.qcow2" '.job_id = "by-hand"' >"$dir/spec.json"
hyperctl submit "$dir/spec.json" || fail "submit: status $?"
wait_state by-hand COMPLETED
contains "$(hyperctl list)" by-hand "the list"
contains "$(hyperctl status by-hand)" COMPLETED "the status"
equal "$(hyperctl --json=short status by-hand 2>/dev/null | jq -r '.state // .job.state' || hyperctl --json status by-hand | jq -r '.state // .job.state')" COMPLETED "the state as JSON"
contains "$(hyperctl logs by-hand)" conversion "the logs"
hyperctl status nobody 2>/dev/null && fail "the status of a job that is not there"
hyperctl cancel by-hand 2>/dev/null && fail "a job that is over was cancelled"
hyperctl explode 2>/dev/null && fail "an unknown verb was accepted"
hyperctl config | grep -q max_running || fail "the configuration is not shown: $(hyperctl config)"
echo 'nonsense: {a: 1}' >/etc/hyper/config.d/99-bad.yaml
systemctl stop hyper-managerd.service
error=$(busctl call "${manager[@]}" Reload 2>&1) && fail "a configuration with an unknown key was accepted"
contains "$error" 99-bad.yaml "the error"
contains "$error" nonsense "the error"
