#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
#
# VMDK descriptors in the forms in which they come: the disk is what they say, or they are refused by name.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cd "$dir"
head='# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="custom"\n'
raw_image a.raw 4
raw_image b.raw 4
printf '\1\2\3' | dd of=b.raw conv=notrunc status=none
truncate -s 4M zero.raw
cat a.raw b.raw >ab.raw
cat a.raw zero.raw b.raw >azb.raw
cp a.raw 'Küche-flat.vmdk'

# make NAME EXPECTED TEXT: a descriptor, and the disk that it stands for
declare -A expected
make() {
        printf '%b' "$3" >"$1.vmdk"
        expected[$1]=$2
}
make blank ab.raw "$head\n\n\nRW 8192 FLAT \"a.raw\" 0\nRW 8192 FLAT \"b.raw\" 0\n"
make rdonly ab.raw "${head}RDONLY 8192 FLAT \"a.raw\" 0\nRW 8192 FLAT \"b.raw\" 0\n"
make zero azb.raw "${head}RW 8192 FLAT \"a.raw\" 0\nRW 8192 ZERO\nRW 8192 FLAT \"b.raw\" 0\n"
make lower ab.raw "${head}rw 8192 flat \"a.raw\" 0\nrdonly 8192 vmfs \"b.raw\"\n"
make marked a.raw "\xef\xbb\xbf${head}RW\t8192\tFLAT\t\"a.raw\"\t0"
make encoded a.raw "# Disk DescriptorFile\r\nversion=1\r\nencoding=\"windows-1252\"\r\nRW 8192 FLAT \"K\xfcche-flat.vmdk\" 0\r\n"
for name in "${!expected[@]}"; do
        submit "$(spec "$dir/$name.vmdk" "$dir/$name.qcow2" ".job_id = \"$name\"")" >/dev/null
done
for name in "${!expected[@]}"; do
        wait_state "$name" COMPLETED
        same "${expected[$name]}" "$name.qcow2" qcow2
done

# refused TEXT EXTENTS: at submission, or by the job
refused() {
        local why id
        printf '%b' "$head$2" >bad.vmdk
        if why=$(busctl --json=short call "${manager[@]}" SubmitJob 'sa{sv}' \
                "$(spec "$dir/bad.vmdk" "$dir/bad.raw" '.execution_policy.retry_count = 0')" 0 2>&1); then
                id=$(jq -r '.data[0]' <<<"$why")
                wait_state "$id" FAILED
                why=$(reason "$id")
        fi
        contains "$why" "$1" "the refusal of $2"
        missing "$dir/bad.raw"
}
refused NOACCESS 'NOACCESS 8192 FLAT "a.raw" 0\n'
refused VMFSRDM 'RW 8192 VMFSRDM "a.raw"\n'
refused VMFSTHIN 'RW 8192 VMFSTHIN "a.raw"\n'
refused EBCDIC 'encoding="EBCDIC-US"\nRW 8192 FLAT "a.raw" 0\n'
refused encrypted 'encryptionKeys="vmware:key/list"\nRW 8192 FLAT "a.raw" 0\n'
refused 'is cut off' 'RW 8193 FLAT "a.raw" 0\n'

# one extent of several is no disk
qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentSparse split.vmdk 16M
id=$(submit "$(spec "$dir/split-s001.vmdk" "$dir/bad.raw" '.execution_policy.retry_count = 0')")
wait_state "$id" FAILED
contains "$(reason "$id")" 'one extent of a disk in several files' "the refusal of an extent"
no_part_left "$dir"
