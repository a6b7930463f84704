#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# runs-on: host
# timeout: 300
#
# A parser that was taken over by its image, in each kind of job: a program put in the place of qemu-img and
# qemu-nbd, and a library in that of libarchive, try to get at files, sockets, processes and the kernel, and
# must get nothing (sandbox-attack.c). They are compiled here, as the machine has no compiler.

# shellcheck source=tests/system/lib/host.sh
. "$(dirname "$0")/../lib/host.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
gcc -O1 -static -o "$scratch/attack" "$(dirname "$0")/sandbox-attack.c"
# It needs the real one, which a linker can only be told of by a library of that name
real=$scratch/libarchive-real.so
gcc -shared -Wl,-soname,libarchive-real.so -o "$real" -x c /dev/null
gcc -O1 -shared -fPIC -DLIBRARY -o "$scratch/attack.so" "$(dirname "$0")/sandbox-attack.c" \
        -Wl,--no-as-needed -Wl,-soname,libarchive.so.13 "$real"
tar -C "$scratch" -c attack attack.so | inside tar -C /root -x --no-same-owner

# shellcheck disable=SC2016 # for the inner shell
lib '
paths=/usr/lib/hyper-tests/attack-paths
raw_image "$dir/disk.raw" 16
qemu-img convert -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
cp "$dir/disk.vmdk" "$dir/private.vmdk"
chmod 600 "$dir/private.vmdk"
gzip -k1 "$dir/disk.vmdk"
cat >"$dir/box.ovf" <<OVF
<?xml version="1.0"?>
<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><References><File ovf:id="f" ovf:href="disk.vmdk"/></References>
<DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^20"/></DiskSection></Envelope>
OVF
tar -C "$dir" --format=gnu -cf "$dir/box.ova" box.ovf disk.vmdk
echo secret >/srv/secret
truncate -s 16M "$dir/out.raw"
secret=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d " \n")
echo "alice:$secret" >"$dir/keys.psk"
serve "$dir/in.sock" -r file "$dir/disk.raw"
serve "$dir/out.sock" file "$dir/out.raw"
serve "$dir/tls.sock" --tls=require --tls-psk="$dir/keys.psk" file "$dir/disk.raw"
systemd-run -q --collect --unit=test-nbd-tcp nbdkit -f -p 10809 -r file "$dir/disk.raw"
eventually 10 "the server on port 10809 listens" listens 10809
library=$(readlink -f /usr/lib/*/libarchive.so.13)
mv "$library" "${library%/*}/libarchive-real.so"
cp /root/attack.so "$library"
for program in qemu-img qemu-nbd; do
        mv "/usr/bin/$program" "/usr/bin/$program.real"
        cp /root/attack "/usr/bin/$program"
done
# attacked KIND SOURCE DESTINATION [JQ-PROGRAM]: the attack is made, and gets nothing
n=0
attacked() {
        local id=attacked$((n++)) path
        # What this job has of its own besides the disk, and what the machine has
        for path in /run/credentials/"$(unit "$id")"/{source,destination}.tls_psk "/var/lib/hyper/jobs/$id/job.json" \
                "/var/lib/hyper/jobs/$id/results" "$dir/keys.psk" "$dir/box.ovf" "${others[@]}"; do
                echo "$path"
        done >"$paths"
        submit "$(spec "$2" "$3" ".job_id = \"$id\" | .execution_policy.retry_count = 0 | ${4:-.}")" >/dev/null
        wait_state "$id" FAILED
        echo "$1: $(reason "$id")"
        contains "$(reason "$id")$(journalctl -q --no-pager -o cat HYPER_JOB_ID="$id")" "attack: got nothing of" "$1: the reason"
}
others=(/var/lib/hyper/hyper.db)
attacked "file to file" "$dir/disk.vmdk" "$dir/a.qcow2"
attacked "a file of somebody else" "$dir/private.vmdk" "$dir/b.qcow2"
attacked "NBD over UNIX to a file" "$(nbd_uri "$dir/in.sock")" "$dir/c.vmdk"
attacked "NBD over TCP to a file" nbd://127.0.0.1:10809 "$dir/d.vmdk"
attacked "file to NBD" "$dir/disk.vmdk" "$(nbd_uri "$dir/out.sock")"
attacked "an OVA" "$dir/box.ova" "$dir/e.qcow2"
attacked "an archive" "$dir/disk.vmdk.gz" "$dir/f.qcow2"
tls="nbds+unix://alice@/?socket=$dir/tls.sock"
attacked "NBD with a key to a file" "$tls" "$dir/g.vmdk" ".source.tls_psk = \"alice:$secret\""
attacked "file to NBD with a key" "$dir/disk.vmdk" "$tls" ".destination.tls_psk = \"alice:$secret\""

# Block devices: the one it reads, and another one. There is no udev here, so the nodes are made.
devices=()
attach() {
        [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237 || return
        local i device
        for i in 1 2 3 4 5 6 7 8; do
                device=$(losetup -f) || return
                [ -e "$device" ] || mknod "$device" b 7 "${device#/dev/loop}" || return
                losetup "$device" "$1" || continue # another machine was faster
                devices+=("$device")
                return 0
        done
        return 1
}
if attach "$dir/disk.raw" && attach "$dir/out.raw"; then
        others+=("${devices[1]}")
        attacked "a block device to a file" "${devices[0]}" "$dir/h.vmdk" ".source.format = \"raw\""
        others=("${devices[0]}")
        attacked "file to a block device" "$dir/disk.vmdk" "${devices[1]}" ".destination.format = \"raw\""
else
        echo "no loop devices can be had here: jobs with block devices are left out"
fi
for device in "${devices[@]}"; do losetup -d "$device"; done

for program in qemu-img qemu-nbd; do mv "/usr/bin/$program.real" "/usr/bin/$program"; done
mv "${library%/*}/libarchive-real.so" "$library"
for socket in in out tls; do stop_serving "$dir/$socket.sock"; done
systemctl stop test-nbd-tcp
rm -rf "$dir" /srv/secret "$paths"
'
