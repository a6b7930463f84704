#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Every format, as a batch over the HyperSDK API: each source to each destination.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

raw=$dir/disk.raw
raw_image "$raw" 24
make() { qemu-img convert -q -f raw "$@"; }
make -O vmdk -o subformat=monolithicSparse "$raw" "$dir/sparse.vmdk"
make -O vmdk -o subformat=monolithicFlat "$raw" "$dir/flat.vmdk"
make -O vmdk -o subformat=twoGbMaxExtentSparse "$raw" "$dir/split.vmdk"
make -O vmdk -o subformat=twoGbMaxExtentFlat "$raw" "$dir/split-flat.vmdk"
make -O vmdk -o subformat=streamOptimized "$raw" "$dir/stream.vmdk"
make -O qcow2 "$raw" "$dir/three.qcow2"
make -O qcow2 -o compat=0.10 "$raw" "$dir/two.qcow2"
make -O qcow2 -c "$raw" "$dir/compressed.qcow2"
make -O vdi "$raw" "$dir/disk.vdi"
make -O vpc -o subformat=dynamic,force_size=on "$raw" "$dir/dynamic.vhd"
make -O vpc -o subformat=fixed,force_size=on "$raw" "$dir/fixed.vhd"
make -O vhdx "$raw" "$dir/disk.vhdx"

sources=(sparse.vmdk flat.vmdk split.vmdk split-flat.vmdk stream.vmdk three.qcow2 two.qcow2 compressed.qcow2 \
        disk.vdi
        dynamic.vhd fixed.vhd disk.vhdx disk.raw)
mkdir "$dir/out"
jobs=$(for s in "${sources[@]}"; do
        for d in qcow2 raw vmdk; do
                jq -cn --arg s "$dir/$s" --arg d "$dir/out/$s.$d" --arg f "$d" \
                        '{source: {type: "file", path: $s}, destination: {type: "file", path: $d, format: $f}}'
        done
done | jq -cs .)
answer=$(http POST "$api/jobs/submit" "$jobs")
equal "$(status)" 201 "the batch's status; $answer"
equal "$(jq -r .accepted <<<"$answer")" $((${#sources[@]} * 3)) "accepted jobs"
for id in $(jq -r '.job_ids[]' <<<"$answer"); do
        wait_state "$id" COMPLETED 120
        equal "$(http GET "$api/jobs/$id" | jq -r .status)" completed "the status of $id over HTTP"
done
for s in "${sources[@]}"; do
        for d in qcow2 raw vmdk; do same "$raw" "$dir/out/$s.$d" "$d"; done
done
no_part_left "$dir/out"
