#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A user who is not root and has no group that suffices is asked for the administrator's password at the
# terminal.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

here=$(dirname "$0")/../lib
useradd --create-home --shell /bin/bash alice
echo root:the-password | chpasswd
raw_image "$dir/disk.raw" 8

# at_terminal STATUS PASSWORD ARGUMENT…: hyperctl as alice, who may only look; what her terminal shows is
# in $dir/shown
at_terminal() {
        local expected=$1 password=$2 status=0
        shift 2
        python3 "$here/type-password.py" alice hyper-viewer "$password" hyperctl "$@" >"$dir/shown" || status=$?
        equal "$status" "$expected" \
                "the exit status of 'hyperctl $*', at whose terminal stands '$(tail -n 5 "$dir/shown")',"
}
asked() { grep -q 'AUTHENTICATING FOR org.hyper1' "$dir/shown"; }

# What she may do without a password, she is not asked for.
at_terminal 0 the-password list
asked && fail "a password was asked for to list jobs"

at_terminal 0 the-password submit --id=with-password "$dir/disk.raw" "$dir/with-password.qcow2"
asked || fail "no password was asked for: $(cat "$dir/shown")"
contains "$(cat "$dir/shown")" "Authentication is required to submit or cancel migration jobs." \
        "the question"
contains "$(cat "$dir/shown")" "with-password" "the terminal"
wait_state with-password COMPLETED
same "$dir/disk.raw" "$dir/with-password.qcow2" qcow2

at_terminal 7 wrong submit --id=wrong "$dir/disk.raw" "$dir/wrong.qcow2"
asked || fail "no password was asked for: $(cat "$dir/shown")"
contains "$(cat "$dir/shown")" "Not allowed (org.hyper1.manage-jobs)" "the error after a wrong password"

at_terminal 7 the-password --no-ask-password submit --id=unasked "$dir/disk.raw" "$dir/unasked.qcow2"
asked && fail "a password was asked for with --no-ask-password"

# Without a terminal there is nobody to ask, and nothing hangs.
status=0
as hyper-viewer timeout 20 hyperctl submit --id=no-terminal "$dir/disk.raw" \
        "$dir/no-terminal.qcow2" </dev/null >"$dir/out" 2>&1 || status=$?
equal "$status" 7 "the exit status without a terminal"
for id in wrong unasked no-terminal; do
        hyperctl status "$id" >/dev/null 2>&1 && fail "the job $id was submitted all the same"
        missing "$dir/$id.qcow2"
done

# A terminal that is closed at the question takes the agent with it.
at_terminal 255 "" submit --id=closed "$dir/disk.raw" "$dir/closed.qcow2"
no_agent() { ! pgrep -x pkttyagent >/dev/null; }
eventually 10 "the agent has ended" no_agent
! hyperctl status closed >/dev/null 2>&1 || fail "the job closed was submitted all the same"
