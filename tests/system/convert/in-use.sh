#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A source that a virtual machine has is refused, with who it is where that can be found out, unless it is
# allowed.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 8
qemu-img convert -q -f raw -O qcow2 "$dir/disk.raw" "$dir/disk.qcow2"
qemu-img convert -q -f raw -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"

refused() {
        local id
        id=$(submit "$(spec "$1" "$dir/refused.qcow2" '.execution_policy.retry_count = 0')")
        wait_state "$id" FAILED
        contains "$(reason "$id")" "is in use" "the reason"
        contains "$(reason "$id")" "parameters.in_use" "the way out"
        [ $# -lt 2 ] || contains "$(reason "$id")" "$2" "who has it"
}

# A qemu that writes: qemu-nbd takes the locks that a machine's disk has.
chown nobody "$dir"/disk.*
chmod 777 "$dir"
for format in raw qcow2; do
        systemd-run -q --unit=test-holder -p Type=forking -p User=nobody qemu-nbd --fork --persistent -f \
                "$format" -k "$dir/holder.sock" "$dir/disk.$format"
        refused "$dir/disk.$format" "qemu-nbd, process"
        id=$(submit "$(spec "$dir/disk.$format" "$dir/from-$format.qcow2" '.parameters.in_use = "allow"')")
        wait_state "$id" COMPLETED
        equal "$(job "$id" | jq -r '.result.outputs[0].source_state')" in_use "what the result says"
        systemctl stop test-holder
        same "$dir/disk.raw" "$dir/from-$format.qcow2" qcow2
done

# VMware's lock beside the disk.
mkdir "$dir/disk.vmdk.lck"
echo 'esx-7.example 4711' >"$dir/disk.vmdk.lck/M12345.lck"
refused "$dir/disk.vmdk" esx-7.example
rm -r "$dir/disk.vmdk.lck"
hyperctl submit --wait -q -s "$dir/disk.vmdk" -d "$dir/free.qcow2"
no_part_left "$dir"
