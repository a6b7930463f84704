#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A VMDK becomes a qcow2: submitted over D-Bus, done by a transient unit that is gone afterwards.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 48
qemu-img convert -q -f raw -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"

id=$(submit "$(spec "$dir/disk.vmdk" "$dir/disk.qcow2" '.job_id = "a:first-one"')")
equal "$id" a:first-one "the id that was asked for"
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/disk.qcow2" qcow2
no_part_left "$dir"
equal "$(states "$id")" "CREATED VALIDATED QUEUED ASSIGNED RUNNING COMPLETED" "the states it went through"
eventually 10 "the unit is gone" unit_gone "$id"

path=$(job_path "$id")
property() { busctl --json=short get-property org.hyper1 "$path" org.hyper1.Job "$1" | jq -r .data; }
equal "$(property Id)" "$id" "property Id"
equal "$(property State)" COMPLETED "property State"
equal "$(property Operation)" convert "property Operation"
equal "$(property Percent)" 100 "property Percent"
equal "$(property Attempt)" 1 "property Attempt"
equal "$(property Unit)" "$(unit "$id")" "property Unit"
equal "$(property BytesDone)" "$(property BytesTotal)" "bytes done, of the bytes in total"
equal "$(property Result | jq -r '.outputs[0].path')" "$dir/disk.qcow2" "the output that the result names"

# The same again is the same job, something else under its name is refused.
again=$(busctl --json=short call "${manager[@]}" SubmitJob 'sa{sv}' \
        "$(spec "$dir/disk.vmdk" "$dir/disk.qcow2" '.job_id = "a:first-one"')" 0)
equal "$(jq -c .data[2] <<<"$again")" false "'created' for a job that exists"
error=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$dir/disk.vmdk" "$dir/other.qcow2" \
        '.job_id = "a:first-one"')" 0 2>&1) && fail "a second job with the same id was accepted"
contains "$error" "a:first-one" "the error"
