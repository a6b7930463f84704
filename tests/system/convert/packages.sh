#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# OVF and OVA as destinations, in the sandbox of a job's unit; a directory as a destination; all outputs or
# none.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cd "$dir"
raw_image disk.raw 24
mkdir out

# An existing directory takes the file, under the name of the source
id=$(submit \
        "$(spec "$dir/disk.raw" "$dir/out" \
        '.destination.format = "ova" | .parameters.verify = true | .job_id = "to-ova"')")
wait_state "$id" COMPLETED
equal "$(job "$id" | jq -c '[.result.outputs[] | [.path, .format]]')" "[[\"$dir/out/disk.ova\",\"ova\"]]" \
        "the output"
equal "$(tar -tf out/disk.ova | tr '\n' ' ')" "disk.ovf disk.mf disk-disk1.vmdk " "the files of the OVA"
mkdir unpacked
tar -xf out/disk.ova -C unpacked
check_manifest() {
        local file digest n=0
        while read -r file digest; do
                equal "$(sha256sum "$1/$file" | cut -d' ' -f1)" "$digest" "the hash of $file"
                n=$((n + 1))
        done < <(sed -n 's/^SHA256(\(.*\))= /\1 /p' "$1"/*.mf)
        equal "$n" "$2" "the files of the manifest"
}
check_manifest unpacked 2
same disk.raw unpacked/disk-disk1.vmdk vmdk

# Two disks, as an OVF, and back
qemu-img convert -q -f raw -O vmdk disk.raw unpacked/second.vmdk
cat >unpacked/two.ovf <<'END'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:href="disk-disk1.vmdk" ovf:id="f1"/><File ovf:href="second.vmdk" ovf:id="f2"/></References>
<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1"/><Disk ovf:diskId="d2" ovf:fileRef="f2"/></DiskSection>
</Envelope>
END
id=$(submit "$(spec "$dir/unpacked/two.ovf" "$dir/vm.ovf" \
        '.destination.format = "ovf" | .job_id = "to-ovf"')")
wait_state "$id" COMPLETED
mkdir vm
cp vm.ovf vm.mf vm-disk1.vmdk vm-disk2.vmdk vm/
check_manifest vm 3
same disk.raw vm-disk2.vmdk vmdk
id=$(submit "$(spec "$dir/vm.ovf" "$dir/back.qcow2" '.job_id = "back"')")
wait_state "$id" COMPLETED
same disk.raw back.qcow2 qcow2
same disk.raw back-disk2.qcow2 qcow2

# A name that is taken: none of the others appears
echo mine >none.mf
id=$(submit "$(spec "$dir/unpacked/two.ovf" "$dir/none.ovf" \
        '.destination.format = "ovf" | .job_id = "none"')")
wait_state "$id" FAILED
contains "$(reason "$id")" "none.mf" "the reason"
equal "$(echo none*)" "none.mf" "the outputs of a job that failed"

# The wrong end
if submit "$(spec "$dir/disk.raw" "$dir/x.qcow2" '.destination.format = "ova"')" 2>error; then
        fail "an OVA with the name x.qcow2 is accepted"
fi
contains "$(cat error)" "destination.path: must end in .ova" "the error"
