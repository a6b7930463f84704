#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 180
#
# An appliance: its OVF is read and its disk converted straight out of the tar; one with links or ../ is
# refused.

# shellcheck source=tests/system/lib/lib.sh
. "$(dirname "$0")/../lib/lib.sh"

cd "$dir"
raw_image disk.raw 24
qemu-img convert -q -f raw -O vmdk -o subformat=streamOptimized disk.raw box-disk1.vmdk
ovf() {
        printf '<?xml version="1.0"?>\n<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">\n<References><File ovf:href="%s" ovf:id="f1" ovf:size="%s"/></References>\n<DiskSection><Info/><Disk ovf:capacity="%s" ovf:diskId="d1" ovf:fileRef="f1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>\n<VirtualSystem ovf:id="box"><Info/><Name>box</Name></VirtualSystem>\n</Envelope>\n' \
                "$1" "$(stat -c %s box-disk1.vmdk)" $((24 * 1048576))
}
ovf box-disk1.vmdk >box.ovf
tar --format=ustar -cf box.ova box.ovf box-disk1.vmdk
before=$(du -s --block-size=1M /var /tmp /srv | awk '{s += $1} END {print s}')
id=$(submit "$(spec "$dir/box.ova" "$dir/box.qcow2")")
wait_state "$id" COMPLETED
out=$(job "$id" | jq -r '.result.outputs[0].path')
same disk.raw "$out" qcow2
equal "$(job "$id" | jq '.result.outputs | length')" 1 "outputs"
after=$(du -s --block-size=1M /var /tmp /srv | awk '{s += $1} END {print s}')
echo "Space before $before MiB, after $after MiB"

evil() {
        local what=$1 id
        shift
        rm -f evil.ova
        "$@"
        if id=$(submit "$(spec "$dir/evil.ova" "$dir/evil.qcow2" '.execution_policy.retry_count = 0')" \
                2>error) && [ -n "$id" ]; then
                wait_state "$id" FAILED
                echo "$what: $(reason "$id")"
        else
                echo "$what: refused at once: $(cat error)"
        fi
        missing "$dir/evil.qcow2"
}
goes_up() {
        mkdir -p up
        ovf ../box-disk1.vmdk >up/box.ovf
        cp box-disk1.vmdk up/
        tar --format=ustar -P --transform 's,box-disk1,../box-disk1,' -C up -cf evil.ova box.ovf \
                box-disk1.vmdk
}
names_a_file_outside() {
        ovf /etc/shadow >box.ovf
        tar --format=ustar -cf evil.ova box.ovf
}
holds_a_link() {
        ovf link.vmdk >box.ovf
        ln -sf /etc/shadow link.vmdk
        tar --format=ustar -cf evil.ova box.ovf link.vmdk
}
holds_a_backing_file() {
        qemu-img create -q -u -f qcow2 -b /usr/lib/os-release -F raw backed.qcow2 1M
        ovf backed.qcow2 >box.ovf
        tar --format=ustar -cf evil.ova box.ovf backed.qcow2
}
is_cut_short() {
        ovf box-disk1.vmdk >box.ovf
        tar --format=ustar -cf evil.ova box.ovf box-disk1.vmdk
        truncate -s 1M evil.ova
}
expands_entities() {
        { printf '<?xml version="1.0"?>\n<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/shadow">]>\n'; ovf \
                '&x;' | tail -n +2; } >box.ovf
        tar --format=ustar -cf evil.ova box.ovf box-disk1.vmdk
}
for kind in goes_up names_a_file_outside holds_a_link holds_a_backing_file is_cut_short expands_entities; \
        do evil "$kind" "$kind"; done
