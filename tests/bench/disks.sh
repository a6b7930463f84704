# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The part "disks" of tests/bench/run: an appliance with six disks, of which two are copied at a time. To be
# sourced by that script.

# shellcheck disable=SC2154 # disk and rounds are that script's
# shellcheck disable=SC2016 # $ in single quotes is for the shell inside

# Six VMDKs, half of each of random data, and an OVF that lists them
make_appliance() {
        inside sh -ec '
                mkdir -p /srv/bench/six
                cd /srv/bench/six
                references="" disks="" items=""
                for i in 1 2 3 4 5 6; do
                        qemu-img create -q -f vmdk -o subformat=monolithicSparse disk$i.vmdk $(($1 * 2))M
                        head -c $1M /dev/urandom >chunk
                        qemu-io -f vmdk -c "write -q -s chunk 0 $1M" disk$i.vmdk
                        references="$references<File ovf:href=\"disk$i.vmdk\" ovf:id=\"f$i\"/>"
                        disks="$disks<Disk ovf:capacity=\"$(($1 * 2097152))\" ovf:diskId=\"d$i\" ovf:fileRef=\"f$i\" ovf:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\"/>"
                done
                rm chunk
                {
                        echo "<?xml version=\"1.0\"?><Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
                        echo "<References>$references</References><DiskSection><Info/>$disks</DiskSection>"
                        echo "<VirtualSystem ovf:id=\"six\"><Info/><Name>six</Name></VirtualSystem></Envelope>"
                } >six.ovf
                cat ./*.vmdk >/dev/null' _ $((disk / 32))
}

# disks_seconds COMMAND…: what it takes, with nothing left from the one before
disks_seconds() {
        local began
        inside sh -c 'rm -rf /srv/bench/out; mkdir /srv/bench/out; sync'
        began=$EPOCHREALTIME
        inside "$@" >/dev/null || die "failed: $*"
        awk "BEGIN { print $EPOCHREALTIME - $began }"
}

bench_disks() {
        local i together=() alone=() peers=()
        make_appliance
        for i in $(seq "$rounds"); do
                say "  round $i of $rounds"
                peers+=("$(disks_seconds sh -ec 'for i in 1 2 3 4 5 6; do
                        qemu-img convert -W -m 8 -f vmdk -O qcow2 /srv/bench/six/disk$i.vmdk /srv/bench/out/$i.qcow2
                        sync /srv/bench/out/$i.qcow2
                done')")
                together+=("$(disks_seconds hyperctl submit --wait --quiet --source /srv/bench/six/six.ovf \
                        --destination /srv/bench/out/six.qcow2)")
                alone+=("$(disks_seconds sh -ec 'for i in 1 2 3 4 5 6; do
                        hyperctl submit --wait --quiet --source /srv/bench/six/disk$i.vmdk \
                                --destination /srv/bench/out/$i.qcow2
                done')")
        done
        record disks "An appliance with six disks to qcow2" s "${together[*]}" "${peers[*]}" \
                "\`qemu-img convert -W -m 8\` of each in turn, and sync"
        record disks "The same" s "${together[*]}" "${alone[*]}" "a job for each, one after the other"
}
