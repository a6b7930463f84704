#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# debian-13: yes
#
# On the bus, root may; a user without a role gets nothing, a viewer may read, and for what a group does not
# allow polkit is asked, which refuses without a session.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 8
as_nobody() { as hyper-viewer "$@"; }
error=$(as '' busctl get-property "${manager[@]}" Version 2>&1) && fail "a user without a role may read"
contains "$error" "Access denied" "the error"
id=$(submit "$(spec "$dir/disk.raw" "$dir/mine.qcow2")")
error=$(as_nobody busctl call "${manager[@]}" SubmitJob 'sa{sv}' \
        "$(spec "$dir/disk.raw" "$dir/theirs.qcow2")" 0 2>&1) && fail "anybody may submit jobs"
contains "$error" "Not allowed (org.hyper1.manage-jobs)" "the error"
error=$(as_nobody busctl call "${manager[@]}" CancelJob s "$id" 2>&1) && fail "anybody may cancel jobs"
error=$(as_nobody busctl call org.hyper1 "$(job_path "$id")" org.hyper1.Job Cancel 2>&1) &&
        fail "anybody may cancel jobs by their object"
error=$(as_nobody busctl call "${manager[@]}" Reload 2>&1) && fail "anybody may reload the configuration"
wait_state "$id" COMPLETED
equal "$(busctl --json=short call "${manager[@]}" ListJobs 'a{sv}' 0 | jq .data[0])" 1 "jobs"
as_nobody busctl -q get-property "${manager[@]}" Version || fail "reading a property is refused"
missing "$dir/theirs.qcow2"
pkaction --action-id org.hyper1.manage-jobs --verbose | grep -q 'implicit active: *auth_admin' ||
        fail "the polkit action lets active users in without a password"

# A rule lets a user in.
cat >/etc/polkit-1/rules.d/10-test.rules <<'EOF'
polkit.addRule(function(action, subject) {
        if (action.id == "org.hyper1.manage-jobs" && subject.user == "nobody") return polkit.Result.YES;
});
EOF
systemctl restart polkit.service
as_nobody busctl -q call "${manager[@]}" SubmitJob 'sa{sv}' \
        "$(spec "$dir/disk.raw" "$dir/allowed.qcow2" '.job_id = "allowed"')" 0 ||
        fail "a rule for nobody was not heeded"
wait_state allowed COMPLETED
