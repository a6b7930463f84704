#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The checksum of the source is verified before the work; a wrong one fails the job and leaves no output.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 16
right=$(sha256sum "$dir/disk.raw" | cut -d' ' -f1)
id=$(submit "$(spec "$dir/disk.raw" "$dir/right.qcow2" ".source.checksum = \"sha256:$right\"")")
wait_state "$id" COMPLETED
same "$dir/disk.raw" "$dir/right.qcow2" qcow2

wrong=$(printf '%064d' 7)
id=$(submit "$(spec "$dir/disk.raw" "$dir/wrong.qcow2" ".source.checksum = \"sha256:$wrong\"")")
wait_state "$id" FAILED
contains "$(reason "$id")" "$right" "the reason: the checksum that the file has"
equal "$(job "$id" | jq -r .attempt)" 1 "attempts: trying again cannot help"
missing "$dir/wrong.qcow2"
eventually 10 "the unit is gone" unit_gone "$id"
