#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# Every source format over the worker API, in both forms of its spec; without an output path the result stands
# beside the source.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw=$dir/disk.raw
raw_image "$raw" 16
for f in vmdk qcow2 vdi vhdx; do qemu-img convert -q -f raw -O "$f" "$raw" "$dir/$f.img"; done
qemu-img convert -q -f raw -O vpc -o force_size=on "$raw" "$dir/vhd.img"
cp "$raw" "$dir/raw.img"

for f in vmdk qcow2 vdi vhd vhdx raw; do
        given=$(jq -cn --arg f "$f" --arg p "$dir/$f.img" --arg o "$dir/$f.out" \
                '{job_id: "given-\($f)", operation: "convert",
                image: {path: $p, format: $f}, parameters: {output_format: "qcow2", output_path: $o}, audit_info: {requested_by: "me", tags: ["a"]}}')
        answer=$(http POST "$worker/jobs" "$given")
        equal "$(status)" 201 "the status for $f; $answer"
        equal "$(jq -r .job_id <<<"$answer")" "given-$f" "its id"
        beside=$(jq -cn --arg f "$f" --arg p "$dir/$f.img" '{job_id: "beside-\($f)", operation: "convert",
                image: {path: $p}, parameters: {output_format: "vmdk"}, audit: {requested_by: "me", ticket: "T1", tags: {a: "b"}}}')
        answer=$(http POST "$worker/jobs" "$beside")
        equal "$(status)" 201 "the status for $f, beside; $answer"
done
for f in vmdk qcow2 vdi vhd vhdx raw; do
        wait_state "given-$f" COMPLETED
        same "$raw" "$dir/$f.out" qcow2
        wait_state "beside-$f" COMPLETED
        out=$(job "beside-$f" | jq -r '.result.outputs[0].path')
        equal "$(dirname "$out")" "$dir" "the directory of the output without a path"
        same "$raw" "$out" vmdk
        equal "$(http GET "$worker/jobs/given-$f" | jq -r .state)" COMPLETED "the state over HTTP"
done
no_part_left "$dir"
