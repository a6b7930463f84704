#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# runs-on: host
# timeout: 300
#
# A parser that was taken over by its image, in each kind of job: a program put in the place of qemu-img and qemu-nbd tries to
# get at files, sockets, processes and the kernel, and must get nothing (sandbox-attack.c). It is compiled here, as the machine
# has no compiler.

# shellcheck source=tests/system/host.sh
. "$(dirname "$0")/host.sh"

attack=$(mktemp)
trap 'rm -f "$attack"' EXIT
gcc -O1 -static -o "$attack" "$(dirname "$0")/sandbox-attack.c"
inside sh -c 'cat >/root/attack && chmod 755 /root/attack' <"$attack"

# shellcheck disable=SC2016 # for the inner shell
lib '
raw_image "$dir/disk.raw" 16
qemu-img convert -O vmdk "$dir/disk.raw" "$dir/disk.vmdk"
cp "$dir/disk.vmdk" "$dir/private.vmdk"
chmod 600 "$dir/private.vmdk"
echo secret >/srv/secret
truncate -s 16M "$dir/out.raw"
serve "$dir/in.sock" -r file "$dir/disk.raw"
serve "$dir/out.sock" file "$dir/out.raw"
systemd-run -q --collect --unit=test-nbd-tcp nbdkit -f -p 10809 -r file "$dir/disk.raw"
eventually 10 "the server on port 10809 listens" listens 10809
for program in qemu-img qemu-nbd; do
        mv "/usr/bin/$program" "/usr/bin/$program.real"
        cp /root/attack "/usr/bin/$program"
done
# KIND SPEC: the attack is made, and gets nothing
attacked() {
        id=$(submit "$2")
        wait_state "$id" FAILED
        echo "$1: $(reason "$id")"
        contains "$(reason "$id")$(journalctl -q --no-pager -o cat HYPER_JOB_ID="$id")" "attack: got nothing of" "$1: the reason"
}
once=".execution_policy.retry_count = 0"
attacked "file to file" "$(spec "$dir/disk.vmdk" "$dir/a.qcow2" "$once")"
attacked "a file of somebody else" "$(spec "$dir/private.vmdk" "$dir/b.qcow2" "$once")"
attacked "NBD over UNIX to a file" "$(spec "$(nbd_uri "$dir/in.sock")" "$dir/c.vmdk" "$once")"
attacked "NBD over TCP to a file" "$(spec nbd://127.0.0.1:10809 "$dir/d.vmdk" "$once")"
attacked "file to NBD" "$(spec "$dir/disk.vmdk" "$(nbd_uri "$dir/out.sock")" "$once")"
for program in qemu-img qemu-nbd; do mv "/usr/bin/$program.real" "/usr/bin/$program"; done
stop_serving "$dir/in.sock"
stop_serving "$dir/out.sock"
systemctl stop test-nbd-tcp
rm -rf "$dir" /srv/secret
'
