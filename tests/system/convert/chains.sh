#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Images on top of others: refused with the chain in the text, read as one disk with parameters.chain=flatten;
# and no name in an image leads to a file that its submitter could not have named.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cd "$dir"
mkdir sub
raw_image base.raw 16
qemu-img convert -q -f raw -O qcow2 base.raw sub/base.qcow2
qemu-img create -q -f qcow2 -b sub/base.qcow2 -F qcow2 one.qcow2
qemu-io -f qcow2 -c 'write -P 7 1M 192k' one.qcow2 >/dev/null
qemu-img create -q -f qcow2 -b one.qcow2 -F qcow2 two.qcow2
qemu-io -f qcow2 -c 'write -P 8 1100k 64k' two.qcow2 >/dev/null
qemu-img convert -q -f qcow2 -O raw two.qcow2 qcow2.raw
qemu-img convert -q -f raw -O vmdk -o subformat=monolithicFlat base.raw vm.vmdk
qemu-img create -q -f vmdk -b vm.vmdk vm-000001.vmdk -F vmdk
qemu-io -f vmdk -c 'write -P 9 2M 100k' vm-000001.vmdk >/dev/null
qemu-img convert -q -f vmdk -O raw vm-000001.vmdk vmdk.raw

# refused: the text has the chain, and the remedy
for image in two.qcow2 vm-000001.vmdk; do
        why=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$dir/$image" "$dir/refused.raw")" 0 \
                2>&1) && fail "$image was accepted"
        contains "$why" 'set parameters.chain to "flatten"' "the remedy for $image"
done
contains "$why" "$dir/vm-000001.vmdk on $dir/vm.vmdk" "the chain"

# flattened: over the bus, with hyperctl, and over the worker API
id=$(submit "$(spec "$dir/two.qcow2" "$dir/bus.raw" '.parameters = {chain: "flatten", verify: true}')")
wait_state "$id" COMPLETED
same qcow2.raw bus.raw raw
hyperctl submit --source "$dir/vm-000001.vmdk" --destination "$dir/ctl.qcow2" --chain=flatten --wait \
        >/dev/null
same vmdk.raw ctl.qcow2 qcow2
http POST "$worker/jobs" "$(jq -cn --arg p "$dir/two.qcow2" --arg o "$dir/worker.qcow2" \
        '{job_id: "chained", operation: "convert",
        image: {path: $p}, parameters: {chain: "flatten", output_path: $o, output_format: "qcow2"}}')" \
                >/dev/null
equal "$(status)" 201 "the status of the worker API"
wait_state chained COMPLETED
same qcow2.raw worker.qcow2 qcow2

# a differencing VHD, whose parent is known by its UUID: four sectors of the second block are its own
qemu-img convert -q -f raw -O vpc -o subformat=dynamic,force_size=on base.raw base.vhd
python3 - <<'EOF'
import struct

def seal(data, at):
    data[at:at + 4] = bytes(4)
    data[at:at + 4] = struct.pack('>I', ~sum(data) & 0xffffffff)

block, base = 2 << 20, open('base.vhd', 'rb').read()
footer, header, table, bits = bytearray(base[-512:]), bytearray(1024), bytearray(b'\xff' * 512), bytearray(512)
size = struct.unpack('>Q', footer[48:56])[0]
header[0:16] = b'cxsparse' + b'\xff' * 8
header[16:36] = struct.pack('>QIII', 1536, 0x10000, (size + block - 1) // block, block)
header[40:56] = footer[68:84]
name = 'C:\\Hyper-V\\base.vhd'.encode('utf-16-be')
header[64:64 + len(name)] = name
footer[16:24], footer[60:64], footer[68:84] = struct.pack('>Q', 512), struct.pack('>I', 4), b'\x77' * 16
seal(header, 36)
seal(footer, 64)
table[4:8] = struct.pack('>I', 4)
bits[0] = 0xf0
open('child.avhd', 'wb').write(footer + header + table + bits + b'\x42' * block + footer)
now = bytearray(open('base.raw', 'rb').read())
now[block:block + 2048] = b'\x42' * 2048
open('vhd.raw', 'wb').write(now)
EOF
id=$(submit "$(spec "$dir/child.avhd" "$dir/vhd.qcow2" '.parameters = {chain: "flatten", verify: true}')")
wait_state "$id" COMPLETED
same vhd.raw vhd.qcow2 qcow2

# a name in an image is followed where its submitter could have named it, and not through links
ln -s sub/base.qcow2 link.qcow2
for name in link.qcow2 /etc/passwd nbd://127.0.0.1:1/ /proc/1/environ missing.qcow2; do
        qemu-img create -q -f qcow2 evil.qcow2 16M
        qemu-img rebase -u -f qcow2 -b "$name" -F raw evil.qcow2
        why=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' \
                "$(spec "$dir/evil.qcow2" "$dir/evil.raw" '.parameters.chain = "flatten"')" 0 2>&1) &&
                fail "a parent $name was accepted"
        contains "$why" 'or may not be a source' "the text about $name"
done
missing "$dir/evil.raw"

# a parent that was changed since is another image: VMDK says so
sed -i 's/^CID=.*/CID=0badcafe/' vm.vmdk
why=$(busctl call "${manager[@]}" SubmitJob 'sa{sv}' "$(spec "$dir/vm-000001.vmdk" "$dir/other.raw" \
        '.parameters.chain = "flatten"')" 0 2>&1) &&
        fail "a parent with another CID was accepted"
contains "$why" 'whose last parent (CID' "the text about the CID"
no_part_left "$dir"
