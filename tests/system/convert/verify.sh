#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Verification reads the result from the disk, and zeroes of the source too; the result says what was
# compared.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw_image "$dir/disk.raw" 32
size=$((32 * 1024 * 1024))
for verify in true '"full"'; do
        id=$(submit "$(spec "$dir/disk.raw" "$dir/${verify//\"/}.qcow2" ".parameters.verify = $verify")")
        wait_state "$id" COMPLETED
        output=$(job "$id" | jq -c '.result.outputs[0]')
        case $(jq -r .read_back <<<"$output") in direct | dropped) ;; *) fail \
                "it was not read from the disk: $output" ;; esac
        equal "$(jq '.bytes_data_compared + .bytes_zero_compared + .bytes_zero_not_read' <<<"$output")" \
                "$size" "all of it: $output"
        case $verify in
                true) [ "$(jq .bytes_zero_not_read <<<"$output")" -gt 0 ] ||
                        fail "this is no sample: $output" ;;
                *) equal "$(jq .bytes_zero_not_read <<<"$output")" 0 "what was not read" ;;
        esac
        same "$dir/disk.raw" "$dir/${verify//\"/}.qcow2" qcow2
done
contains "$(journalctl -q -o cat HYPER_JOB_ID="$id")" "were read back from the disk" "the log"

# A source that calls zero what is data: in a block of the sample, and in one that only "full" reads.
truncate -s 8M "$dir/liar.raw"
liar() {
        printf data | dd of="$dir/liar.raw" bs=64K seek="$1" conv=notrunc status=none
        serve "$dir/liar.sock" eval get_size='echo 8M' can_extents='exit 0' extents='echo 0 8M hole,zero' \
                pread="dd if=$dir/liar.raw skip=\$4 count=\$3 iflag=count_bytes,skip_bytes"
        submit "$(spec "$(nbd_uri "$dir/liar.sock")" "$dir/liar.qcow2" \
                ".parameters.verify = $2 | .execution_policy.retry_count = 0")"
}
for case in '65 "full"' '0 true'; do
        read -r block verify <<<"$case"
        id=$(liar "$block" "$verify")
        wait_state "$id" FAILED
        contains "$(reason "$id")" "found a difference at byte $((block * 65536))" "the reason"
        stop_serving "$dir/liar.sock"
        missing "$dir/liar.qcow2"
done
no_part_left "$dir"
