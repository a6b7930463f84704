#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
#
# Sources as people have them: archives of one image, OVAs packed by other programs, an OVF in a directory.
# And files that are no disk, whatever their names say.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cd "$dir"
raw_image d.raw 12
qemu-img convert -q -f raw -O vmdk -o subformat=streamOptimized d.raw vm.vmdk
qemu-img convert -q -f raw -O qcow2 d.raw vm.qcow2

cat >make.py <<'P'
import bz2, gzip, hashlib, io, lzma, tarfile, zipfile
read = lambda name: open(name, 'rb').read()
v, q = read('vm.vmdk'), read('vm.qcow2')
open('vm.vmdk.gz', 'wb').write(gzip.compress(v, 1)); open('vm.qcow2.xz', 'wb').write(lzma.compress(q, preset=0))
open('vm.qcow2.bz2', 'wb').write(bz2.compress(q, 1)); open('cut.vmdk.gz', 'wb').write(gzip.compress(v, 1)[:-5])
with zipfile.ZipFile('vm.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.write('vm.vmdk'); z.writestr('README', 'an appliance')
with zipfile.ZipFile('two.zip', 'w') as z: z.write('vm.vmdk'); z.write('vm.qcow2')
def ovf(href, more='', capacity=12):
    return (f'<?xml version="1.0"?>\n<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><References><File ovf:id="f" ovf:href="{href}" {more}/>'
            f'</References><DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="{capacity}" '
            f'ovf:capacityAllocationUnits="byte * 2^20"/></DiskSection></Envelope>\n').encode()
def tar(out, *members):
    with tarfile.open(out, 'w', format=tarfile.GNU_FORMAT) as t:
        for name, data in members:
            i = tarfile.TarInfo(name); i.size = len(data); t.addfile(i, io.BytesIO(data))
n = 300000; o = ovf('vm.vmdk', f'ovf:size="{len(v)}" ovf:chunkSize="{n}"')
tar('chunks.ova', ('box.ovf', o), *((f'vm.vmdk.{i:09d}', v[i * n:(i + 1) * n]) for i in range((len(v) + n - 1) // n)))
z = gzip.compress(v, 1); o = ovf('vm.vmdk.gz', 'ovf:compression="gzip"')
tar('gzip.ova', ('box/box.ovf', o), ('box/vm.vmdk.gz', z))
digest = lambda data: hashlib.sha256(data).hexdigest()
o = ovf('file:///C:/export/VM.vmdk', capacity=13)
manifest = f'# made by hand\nSHA2-256 (./box.ovf) = {digest(o)}\n{digest(v)}  vm.vmdk\nSHA256(box.nvram)= {digest(b"")}\n'
tar('manifest.ova', ('BOX.OVF', o), ('BOX.mf', manifest.encode()), ('._vm.vmdk', b'x'), ('vm.vmdk', v))
tar('wrong.ova', ('box.ovf', o), ('box.mf', manifest.replace(digest(v)[:8], '00000000').encode()), ('vm.vmdk', v))
open('whole.ova.gz', 'wb').write(gzip.compress(read('manifest.ova'), 1))
import os; os.mkdir('directory'); open('directory/box.ovf', 'wb').write(ovf('vm.vmdk')); os.link('vm.vmdk', 'directory/vm.vmdk')
open('page.vmdk', 'w').write('<!DOCTYPE html>\n<html><body>Your session has ended.</body></html>\n')
open('headless.qcow2', 'wb').write(q[65536:]); open('empty.vmdk', 'wb').truncate(1 << 20)
P
python3 make.py

# converts SOURCE: the disk is the right one
converts() {
        local id
        id=$(submit "$(spec "$dir/$1" "$dir/out.qcow2" '.execution_policy.retry_count = 0')")
        wait_state "$id" COMPLETED
        same d.raw out.qcow2 qcow2
        rm out.qcow2
        no_part_left "$dir"
}
# refused SOURCE TEXT
refused() {
        local id
        id=$(submit "$(spec "$dir/$1" "$dir/out.qcow2" '.execution_policy.retry_count = 0')")
        wait_state "$id" FAILED
        contains "$(reason "$id")" "$2" "why $1 was refused"
        missing out.qcow2
        no_part_left "$dir"
}

for source in vm.vmdk.gz vm.qcow2.xz vm.qcow2.bz2 vm.zip chunks.ova gzip.ova manifest.ova whole.ova.gz \
        directory directory/box.ovf; do
        converts "$source"
done

# What the OVF says of the disk and is not so is in the result
id=$(submit "$(spec "$dir/manifest.ova" "$dir/out.qcow2")")
wait_state "$id" COMPLETED
contains "$(job "$id" | jq -r '[.. | .warnings? // empty | .[]] | first')" \
        "has 13631488 bytes, but it has 12582912" "the warning"
rm out.qcow2

refused cut.vmdk.gz 'cut off'
refused two.zip 'several images in it'
refused wrong.ova 'SHA256 checksum of vm.vmdk'
refused page.vmdk 'HTML page'
refused headless.qcow2 'no disk image that is known'
refused empty.vmdk 'give its format as raw'

# A checksum of one file says nothing of the others
answer=$(http POST "$api/jobs/submit" "$(spec "$dir/directory" "$dir/sum.qcow2" \
        '.source.checksum = "sha256:" + ("0" * 64)')")
equal "$(status)" 400 "the status of a checksum for two files"
contains "$answer" 'source.checksum' "the answer to a checksum for two files"
