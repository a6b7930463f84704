#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two jobs with one destination, through two mounts of one directory and in different formats: one of them has
# it.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

head -c 48M /dev/urandom >"$dir/first.raw"
raw_image "$dir/second.raw" 8
mkdir "$dir/out" "$dir/again"
mount --bind "$dir/out" "$dir/again"
trap 'umount -l "$dir/again"; rm -rf "$dir"' EXIT

serve "$dir/s.sock" --filter=rate file "$dir/first.raw" rate=16M
first=$(submit "$(spec "$(nbd_uri "$dir/s.sock")" "$dir/out/vm" '.destination.format = "qcow2"')")
wait_bytes "$first" 1
systemctl kill -s STOP test-nbd-s # the first job stays in the middle
for format in qcow2 raw vmdk; do
        id=$(submit "$(spec "$dir/second.raw" "$dir/again/vm" \
                ".destination.format = \"$format\" | .execution_policy.retry_count = 0")")
        wait_state "$id" FAILED
        contains "$(reason "$id")" "Job $first on hyper-machine is writing the destination" "the reason for $format"
done
systemctl kill -s CONT test-nbd-s
wait_state "$first" COMPLETED
stop_serving "$dir/s.sock"
same "$dir/first.raw" "$dir/out/vm" qcow2
no_part_left "$dir"
